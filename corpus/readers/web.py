"""A web page to an article: the only door to trafilatura and lxml.

trafilatura finds the main text. What it is given is prepared so that no words are lost inside a sentence (links in
prose stay in it, hidden pop-ups go), and what it returns is completed with paragraphs that are clearly of the same
text and freed of the lines a page puts between them. Each rule was measured on 40 news pages with the text a person
would copy from each (tests/bench/pages.py): F1 over 4-word shingles .972 by trafilatura alone, .995 with all of them.
"""

from __future__ import annotations

import copy
import logging
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from corpus.article import Article
from corpus.errors import SourceError
from corpus.readers.page_metadata import PageMetadata, key_of, read_metadata
from corpus.readers.text import decode, make_article
from corpus.text.clean import clean_text, is_boilerplate, strip_boilerplate
from corpus.text.language import language_of

if TYPE_CHECKING:
    from lxml.html import HtmlElement

# lxml refuses to write what it read.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_CONTROL_REFERENCES = re.compile(
    r"&#(?:0*(?:[0-8]|1[124-9]|2\d|3[01]|127)(?!\d)|x0*(?:[0-8bcef]|1[0-9a-f]|7f)(?![0-9a-f]));?", re.IGNORECASE
)
_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w-]{2,40})""", re.IGNORECASE)
_BLOCKS = frozenset(
    ("p", "head", "quote", "item", "row", "code", "blockquote", "li", "h1", "h2", "h3", "h4", "h5", "h6")
)
_INLINE = (
    "a", "span", "em", "strong", "b", "i", "u", "font", "mark", "small", "big", "abbr", "cite", "q", "s", "time",
    "data",
)  # fmt: skip
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
_TEASER = re.compile(
    r"""
    \[?(?:read\ (?:more|also|next)|also\ read|see\ also|related(?:\ \w+)?|more\ on\ this|watch|recommended)
    \s?(?:[:|»–—-]|on\ [A-Z]).{0,200}\]?$
    | \[(?P<code>[a-z_]+)(?:\s[^\]]*)?\] .{0,200} \[/(?P=code)\]$ | \[[a-z_]+\s[a-z_]+=[^\]]*\]$
    | \d*\s?comments?$ | (?:all|view|show)\ comments$ | (?:you\ may|you\ might)\ also\ like\b.{0,60}$
    | (?:filed\ under|posted\ in|tagged(?:\ with)?|tags|topics|categories)\s?:.{0,200}$
    """,
    re.VERBOSE | re.IGNORECASE,
)
_BYLINE = re.compile(
    r"""
    (?:by|from)\ [A-Z][^.!?]{2,80}$
    | (?:published|updated|posted|last\ updated)\b[^.!?]{0,80}$
    | \d+\ min(?:ute)?s?\ read$
    | (?:reading\ time|tempo\ de\ leitura|lesezeit|temps\ de\ lecture|tiempo\ de\ lectura)\b.{0,40}$
    | (?:[^.!?]{0,60}\b(?:19|20)\d\d\b[^.!?]{0,12}\d\d?[:.h]\d\d){1,2}[^.!?]{0,12}$
    | [^.!?]{1,30}(?:\s[>›»]\s[^.!?]{1,40}){1,5}$
    """,
    re.VERBOSE | re.IGNORECASE,
)
_CALL = re.compile(
    r"""
    (?:sign\ up|subscribe|get|join|inbox)\b.{0,100}\bnewsletters?\b.{0,160}$
    | \bnewsletters?\b.{0,100}\b(?:sign\ up|inbox)\b
    | ^(?:follow|like|find|join)\ .{0,60}\bon\ (?:facebook|twitter|instagram|telegram|whatsapp)\b
    | ^["“]?(?:questions|comments)\?.{0,80}\be-?mail\b.{0,80}$
    | ^(?:click|tap)\ here\b.{0,120}$ | \bclick\ here\ (?:for|to)\b.{0,60}$ | ^tell\ us\ what\ you\ think
    | ^(?:subscribe|sign\ up|support\ us|donate|download\ (?:our|the)\ .{0,30}app)\b.{0,200}$
    | ^copyright\b.{0,200}$ | ^©.{0,200}$
    | \bwe['’]d\ (?:like|love)\ to\ hear\b | ^\[…\].{0,200}\[…\]$
    """,
    re.VERBOSE | re.IGNORECASE,
)
# A paragraph this long that lies beside the others is the article's own.
_LEAST_MISSED = 80
_EDGE = 40
_OVER_TITLE = 4
_SENTENCE = re.compile(r"\w[.!?…]+[\"'”’»)]*$")
_STOP = re.compile(r"\w[.!?…]\s|[。！？]")
_LEAST_SENTENCES = 2
_FORM_SENTENCES = 4
_MOST_LINKED = 0.3
_MOST_LINKED_PROSE = 0.5
_ONLY_LINKED = 0.9
# Fewer words are no article; fewer than the second none where the page says that it holds something back.
_LEAST_WORDS = 20
_FEW_WORDS = 60
# Scripts that put no spaces between words; a word of theirs has about two letters.
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]{2}")
# The largest of the 40 pages has 1.1 MB, none more than 4 tables. With tables trafilatura's time grows as their square.
_PAGE_LIMIT = 8 << 20
_MOST_TABLES = 200
_WALL = re.compile(
    r"(?:enable|turn on|requires?|without)\s+java\s?script"
    r"|java\s?script\s+(?:is\s+)?(?:disabled|required|not\s+enabled)"
    r"|(?:are you|not) a robot|verify (?:that )?you are (?:a )?human|checking your browser|access denied"
    r"|unusual traffic",
    re.IGNORECASE,
)
_PAYWALL = re.compile(
    r"(?:subscribe|log\ in|sign\ in|register)\ (?:now\ )?to\ (?:continue|keep)\ reading|for\ subscribers\ only"
    r"|(?:article|story|content)\ is\ (?:exclusive\ to|for|only\ available\ to)\ (?:our\ )?(?:subscribers|members)"
    r"|to\ (?:read|continue\ reading)\ (?:the\ (?:full|rest\ of)|this)\b.{0,40}\bsubscri",
    re.IGNORECASE,
)


def read_page(data: bytes, *, url: str | None = None, charset: str | None = None) -> Article:
    """The article on a page, with what the page states of itself.

    `url` is where the page was found; the address it calls its own wins where it is on the same site. `charset` is what
    the server said.

    Raises:
        SourceError: no article can be found: nothing but furniture, a paywall, or a page that needs JavaScript.
    """
    if len(data) > _PAGE_LIMIT:
        raise SourceError(f"the page is larger than {_PAGE_LIMIT >> 20} MiB")
    tree = _parse(decode_page(data, charset))
    about = read_metadata(tree, url)
    body = _body(tree, about)
    words = _count(body)
    if words < _LEAST_WORDS or (words < _FEW_WORDS and (not about.free or _WALL.search(body) or _PAYWALL.search(body))):
        raise SourceError(_reason_for_nothing(about, tree))
    return make_article(
        about.title or body.split("\n", 1)[0],
        body,
        url=about.url,
        source=about.site,
        author=about.author,
        published=about.published,
        language=language_of(body) or about.language,
    )


def text_of_html(fragment: str) -> str:
    """The text of a piece of HTML, such as an entry of a feed holds: a blank line between blocks, nothing left out."""
    if "<" not in fragment and "&" not in fragment:
        return clean_text(fragment)
    from lxml import etree
    from lxml.html import fragment_fromstring

    try:
        element = fragment_fromstring(fragment, create_parent="div")
    except (etree.LxmlError, ValueError):
        return clean_text(fragment)
    etree.strip_elements(element, "script", "style", etree.Comment, with_tail=False)
    for inner in list(element.iterdescendants(*_INLINE)):
        inner.drop_tag()
    box = etree.Element("box")
    box.append(element)
    return _joined(list(_blocks(box)))


def decode_page(data: bytes, charset: str | None = None) -> str:
    """The page's text: UTF-8 where it is that, else as server or page say, else as charset-normalizer guesses."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    stated = _CHARSET.search(data[:4096])
    for name in (charset, stated[1].decode("ascii") if stated else None):
        if name and name.lower().replace("-", "") != "utf8":
            # Pages that say ISO 8859-1 mean Windows 1252, as browsers know.
            name = "cp1252" if name.lower() in ("iso-8859-1", "latin-1", "latin1") else name
            try:
                return data.decode(name, "replace")
            except LookupError:
                continue
    # A stray byte or a cut at the end does not make a UTF-8 page another.
    if charset or stated:
        return data.decode("utf-8", "replace")
    return decode(data)


def _parse(text: str) -> HtmlElement:
    from lxml import etree
    from lxml.html import HTMLParser, document_fromstring

    text = _CONTROL_REFERENCES.sub("", _CONTROLS.sub("", text))
    try:
        # Bytes, since lxml refuses text that declares an encoding.
        parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
        return document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError) as exc:
        raise SourceError("it is an empty page") from exc


def _body(tree: HtmlElement, about: PageMetadata) -> str:
    """The article's paragraphs with blank lines between."""
    for table in tree.xpath("//table")[_MOST_TABLES:]:
        if table.getparent() is not None:
            table.drop_tree()
    whole = copy.deepcopy(tree)
    linked = _prepare(tree)
    found = _joined(_without_furniture(_with_missed(tree, _extracted(tree, precise=True)), about, linked))
    # Where that leaves hardly anything, too much was taken out before, or too much was asked.
    for page, precise in ((whole, True), (tree, False)):
        if _count(found) >= _FEW_WORDS:
            break
        other = _joined(_without_furniture(_extracted(page, precise=precise), about, linked))
        if len(_STOP.findall(f"{other} ")) >= _LEAST_SENTENCES:
            found = max(found, other, key=_count)
    if _count(found) < _FEW_WORDS and about.free:
        # A page that a script fills may hold its text for machines.
        found = max(found, text_of_html(about.body), key=_count)
    return found


def _extracted(tree: HtmlElement, *, precise: bool) -> list[_Block]:
    """The blocks that trafilatura takes for the article's."""
    import trafilatura

    # It warns of each page that it finds nothing on; that is said to the person as a refusal.
    logging.getLogger("trafilatura").setLevel(logging.ERROR)
    document = trafilatura.bare_extraction(
        copy.deepcopy(tree),
        favor_precision=precise,
        include_comments=False,
        include_links=False,
        include_formatting=False,
    )
    body = getattr(document, "body", None)
    return [] if body is None else list(_blocks(body))


def _count(text: str) -> int:
    """The number of words, also where no spaces stand between them."""
    return len(_UNSPACED.sub(" x ", text).split())


def _prepare(tree: HtmlElement) -> set[str]:
    """Takes out what a reader does not see and keeps links in their sentences.

    Returns the keys of the paragraphs and items that are links alone.
    """
    linked = set()
    for path in _HIDDEN:
        for element in tree.xpath(path):
            if element.getparent() is None or element.tag in ("html", "body", "article", "main"):
                continue
            if element.tag != "form" or len(_STOP.findall(element.text_content())) < _FORM_SENTENCES:
                element.drop_tree()
    for box in tree.xpath("//div | //section | //article | //main | //td | //form"):
        _paragraphed(box)
    for items in tree.xpath("//ul | //ol"):
        if len(items) > 1 and all(_linked(item) > _ONLY_LINKED for item in items):
            items.drop_tree()
    for paragraph in tree.iter("p", "li", "blockquote", "h2", "h3", "h4"):
        # trafilatura loses words in spans and nested emphasis ("has reported that [...] for his role").
        share = _linked(paragraph)
        if share > _ONLY_LINKED:
            linked.add(key_of(paragraph.text_content()))
        for inner in list(paragraph.iterdescendants(*_INLINE)):
            if share < _MOST_LINKED_PROSE or inner.tag != "a":
                inner.drop_tag()
    return linked


def _paragraphed(box: HtmlElement) -> None:
    """Puts text that lies in a box beside other blocks, with line breaks for paragraphs, into paragraphs."""
    loose = [box.text or "", *(child.tail or "" for child in box)]
    loose += [child.text_content() for child in box if child.tag in _INLINE and child.tag != "a"]
    if sum(len(text.strip()) for text in loose) < _LEAST_MISSED:
        return
    children = list(box)
    if not any(child.tag == "br" or child.tag not in _INLINE for child in children):
        return
    from lxml.html import Element

    paragraph = Element("p")
    paragraph.text, box.text = box.text, None
    rebuilt = [paragraph]
    for child in children:
        tail, child.tail = child.tail, None
        box.remove(child)
        if child.tag in _INLINE:
            child.tail = tail
            paragraph.append(child)
            continue
        if child.tag != "br":
            rebuilt.append(child)
        paragraph = Element("p")
        paragraph.text = tail
        rebuilt.append(paragraph)
    box.extend(e for e in rebuilt if e.tag != "p" or len(e) or e.get("class") or (e.text or "").strip())


def _linked(element: HtmlElement) -> float:
    """The share of the element's characters that are links."""
    total = len("".join(element.itertext()).strip())
    return sum(len("".join(link.itertext())) for link in element.iter("a")) / total if total else 1.0


@dataclass(frozen=True, slots=True)
class _Block:
    kind: str
    text: str


def _blocks(element: HtmlElement) -> Iterator[_Block]:
    """The blocks of what trafilatura returns, in order."""
    if element.text and element.text.strip():
        yield _Block(element.tag, _words(element.text))
    for child in element:
        if not isinstance(child.tag, str):
            continue
        if any(inner.tag in _BLOCKS for inner in child.iterdescendants() if isinstance(inner.tag, str)):
            yield from _blocks(child)
        elif text := _text_of(child):
            yield _Block(child.tag, text)
        if child.tail and child.tail.strip():
            yield _Block("p", _words(child.tail))


def _text_of(element: HtmlElement) -> str:
    pieces = [element.text or ""]
    for inner in element.iterdescendants():
        if inner.tag in ("lb", "br"):
            pieces.append("\n")
        elif inner.tag == "cell":
            pieces.append(" ")
        if isinstance(inner.tag, str):
            pieces.append(inner.text or "")
        pieces.append(inner.tail or "")
    lines = (_words(line) for line in "".join(pieces).split("\n"))
    return "\n".join(line for line in lines if line)


def _words(text: str) -> str:
    return " ".join(text.split())


def _with_missed(tree: HtmlElement, blocks: list[_Block]) -> list[_Block]:
    """The blocks and, in their places, the paragraphs of the page that lie as theirs do and were left out."""
    places: dict[str, int] = {}
    for row, block in enumerate(blocks):
        key = key_of(block.text)
        places |= {key: row, key[:_EDGE]: row, key[-_EDGE:]: row}
    paragraphs: list[tuple[HtmlElement, str]] = [(p, _text_of(p)) for p in tree.iter("p")]
    homes = Counter(
        _home(p) for p, text in paragraphs if len(text) >= _LEAST_MISSED and _place(text, places) is not None
    )
    rows = [_place(text, places) for _, text in paragraphs]
    beside = [homes[_home(p)] > 1 and _linked(p) < _MOST_LINKED for p, _ in paragraphs]
    sure = [
        row is not None or (near and len(text) >= _LEAST_MISSED)
        for row, near, (_, text) in zip(rows, beside, paragraphs, strict=True)
    ]
    last = max((at for at, known in enumerate(sure) if known), default=-1)
    missed: dict[int, list[_Block]] = {}
    current = None
    for at, (_, text) in enumerate(paragraphs):
        if rows[at] is not None:
            current = rows[at]
        elif current is not None and (sure[at] or (beside[at] and at < last and _SENTENCE.search(text))):
            missed.setdefault(current, []).append(_Block("p", text))
    return [b for row, block in enumerate(blocks) for b in (block, *missed.get(row, []))]


def _place(text: str, places: dict[str, int]) -> int | None:
    """The row of the block that is this paragraph, or begins or ends as it does."""
    key = key_of(text)
    return next((places[k] for k in (key, key[:_EDGE], key[-_EDGE:]) if k in places), None)


def _home(p: HtmlElement) -> tuple[str, ...]:
    """Where a paragraph lies, as its page's style sheet would say."""
    parent = p.getparent()
    grand = parent.getparent() if parent is not None else None
    return tuple(f"{e.tag}.{e.get('class', '')}" if e is not None else "" for e in (p, parent, grand))


def _joined(blocks: list[_Block]) -> str:
    text = ""
    previous = ""
    for block in blocks:
        item = block.kind == "item"
        gap = "" if not text else "\n" if (item and previous == "item") or (block.kind == previous == "row") else "\n\n"
        text += gap + ("- " if item else "") + block.text
        previous = block.kind
    return strip_boilerplate(clean_text(text))


def _without_furniture(blocks: list[_Block], about: PageMetadata, linked: set[str]) -> list[_Block]:
    """The blocks without teasers anywhere, and without title, byline and call to act at the two ends."""
    kept = [b for b in blocks if not _TEASER.match(b.text) and not is_boilerplate(b.text)]
    title = key_of(about.title or "")
    # What stands over the headline, a section or a name, is not the article's.
    start = next((at + 1 for at, b in enumerate(kept[:_OVER_TITLE]) if title and key_of(b.text) == title), 0)
    end = len(kept)
    while start < end and (
        kept[start].kind == "head" or key_of(kept[start].text) == title or _BYLINE.match(kept[start].text)
    ):
        start += 1
    while end > start and (
        kept[end - 1].kind == "head" or _CALL.search(kept[end - 1].text) or key_of(kept[end - 1].text) in linked
    ):
        end -= 1
    return kept[start:end]


def _reason_for_nothing(about: PageMetadata, tree: HtmlElement) -> str:
    """Why a page gave no article, as far as it can be told."""
    text = tree.text_content()
    if _WALL.search(text):
        return "the page shows no article but a check that the reader is a person, or that a script runs"
    if not about.free or _PAYWALL.search(text):
        return "the page shows its article to subscribers only"
    return "no article was found on the page"
