"""Prepares a page's tree for trafilatura: removes hidden elements, and keeps links in their sentences."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from corpus.readers.web.blocks import INLINE_TAGS
from corpus.text.clean import comparison_key

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_HIDDEN = (
    # Some servers put the whole page into a form, and some scripts show all of it later.
    "//script | //style | //noscript | //template | //iframe | //svg | //button | //select",
    "//form[not(.//p[3])]",
    "//*[@hidden or @aria-hidden='true' or contains(translate(@style, ' ', ''), 'display:none')][not(.//p[3])]",
    "//*[contains(@class, 'rollover') or contains(@class, 'tooltip') or contains(@class, 'screen-reader')"
    " or contains(@class, 'visually-hidden') or contains(@class, 'sr-only')][self::div or self::section or self::ul]",
    "//span[contains(@class, 'rollover') or contains(@class, 'tooltip') or contains(@class, 'popover')]"
    "[.//img or .//a[2]][not(.//span[contains(@class, 'rollover') or contains(@class, 'tooltip')])]",
    "//*[contains(@id, 'disqus') or contains(@class, 'comment-list')]"
    "[self::div or self::section or self::ul or self::ol or self::aside]",
    "//*[contains(@class, 'newsletter')][self::div or self::section or self::aside][not(.//p[3])]",
)
# A paragraph of at least this many characters next to the article's others is the article's own.
MIN_PARAGRAPH_LENGTH = 80
SENTENCE_END = re.compile(r"\w[.!?…]\s|[。！？]")
_MIN_FORM_SENTENCES = 4
_MAX_PROSE_LINK_SHARE = 0.5
_LINKS_ONLY_SHARE = 0.9


def prepare_tree(tree: HtmlElement) -> set[str]:
    """Removes what a reader does not see, and unwraps links and emphasis in sentences.

    Returns the comparison keys of paragraphs and list items that are nothing but links.
    """
    linked = set()
    for path in _HIDDEN:
        for element in tree.xpath(path):
            if element.getparent() is None or element.tag in ("html", "body", "article", "main"):
                continue
            if element.tag != "form" or len(SENTENCE_END.findall(element.text_content())) < _MIN_FORM_SENTENCES:
                element.drop_tree()
    for box in tree.xpath("//div | //section | //article | //main | //td | //form"):
        _wrap_loose_text(box)
    for items in tree.xpath("//ul | //ol"):
        if len(items) > 1 and all(link_share(item) > _LINKS_ONLY_SHARE for item in items):
            items.drop_tree()
    for paragraph in tree.iter("p", "li", "blockquote", "h2", "h3", "h4"):
        # trafilatura loses words in spans and nested emphasis ("has reported that [...] for his role").
        share = link_share(paragraph)
        if share > _LINKS_ONLY_SHARE:
            linked.add(comparison_key(paragraph.text_content()))
        for inner in list(paragraph.iterdescendants(*INLINE_TAGS)):
            if share < _MAX_PROSE_LINK_SHARE or inner.tag != "a":
                inner.drop_tag()
    return linked


def _wrap_loose_text(box: HtmlElement) -> None:
    """Wraps text that is directly in a box, between other blocks or line breaks, in paragraphs."""
    loose = [box.text or "", *(child.tail or "" for child in box)]
    loose += [child.text_content() for child in box if child.tag in INLINE_TAGS and child.tag != "a"]
    if sum(len(text.strip()) for text in loose) < MIN_PARAGRAPH_LENGTH:
        return
    children = list(box)
    if not any(child.tag == "br" or child.tag not in INLINE_TAGS for child in children):
        return
    from lxml.html import Element

    paragraph = Element("p")
    paragraph.text, box.text = box.text, None
    rebuilt = [paragraph]
    for child in children:
        tail, child.tail = child.tail, None
        box.remove(child)
        if child.tag in INLINE_TAGS:
            child.tail = tail
            paragraph.append(child)
            continue
        if child.tag != "br":
            rebuilt.append(child)
        paragraph = Element("p")
        paragraph.text = tail
        rebuilt.append(paragraph)
    box.extend(e for e in rebuilt if e.tag != "p" or len(e) or e.get("class") or (e.text or "").strip())


def link_share(element: HtmlElement) -> float:
    """The share of the element's characters inside links; 1 if it has no text."""
    total = len("".join(element.itertext()).strip())
    return sum(len("".join(link.itertext())) for link in element.iter("a")) / total if total else 1.0
