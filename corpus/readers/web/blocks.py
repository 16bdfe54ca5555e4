"""Turns HTML elements into blocks of text, and joins blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from corpus.text.clean import clean_text, strip_boilerplate

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_BLOCK_TAGS = frozenset(
    ("p", "head", "quote", "item", "row", "code", "blockquote", "li", "h1", "h2", "h3", "h4", "h5", "h6")
)
INLINE_TAGS = (
    "a", "span", "em", "strong", "b", "i", "u", "font", "mark", "small", "big", "abbr", "cite", "q", "s", "time",
    "data",
)  # fmt: skip


def html_to_text(fragment: str) -> str:
    """The whole text of a piece of HTML, such as a feed's entry, with a blank line between blocks."""
    if "<" not in fragment and "&" not in fragment:
        return clean_text(fragment)
    from lxml import etree
    from lxml.html import fragment_fromstring

    try:
        element = fragment_fromstring(fragment, create_parent="div")
    except (etree.LxmlError, ValueError):
        return clean_text(fragment)
    etree.strip_elements(element, "script", "style", etree.Comment, with_tail=False)
    for inner in list(element.iterdescendants(*INLINE_TAGS)):
        inner.drop_tag()
    box = etree.Element("box")
    box.append(element)
    return join_blocks(list(iter_blocks(box)))


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, heading, list item or table row; `kind` is its tag."""

    kind: str
    text: str


def iter_blocks(element: HtmlElement) -> Iterator[Block]:
    """Yields the blocks inside an element that trafilatura or lxml returned, in order."""
    if element.text and element.text.strip():
        yield Block(element.tag, _single_spaced(element.text))
    for child in element:
        if not isinstance(child.tag, str):
            continue
        if any(inner.tag in _BLOCK_TAGS for inner in child.iterdescendants() if isinstance(inner.tag, str)):
            yield from iter_blocks(child)
        elif text := element_text(child):
            yield Block(child.tag, text)
        if child.tail and child.tail.strip():
            yield Block("p", _single_spaced(child.tail))


def element_text(element: HtmlElement) -> str:
    """The element's text with its line breaks, and single spaces otherwise."""
    pieces = [element.text or ""]
    for inner in element.iterdescendants():
        if inner.tag in ("lb", "br"):
            pieces.append("\n")
        elif inner.tag == "cell":
            pieces.append(" ")
        if isinstance(inner.tag, str):
            pieces.append(inner.text or "")
        pieces.append(inner.tail or "")
    lines = (_single_spaced(line) for line in "".join(pieces).split("\n"))
    return "\n".join(line for line in lines if line)


def _single_spaced(text: str) -> str:
    return " ".join(text.split())


def join_blocks(blocks: list[Block]) -> str:
    """The clean text of the blocks: list items and table rows on lines of their own, blank lines between the others."""
    text = ""
    previous = ""
    for block in blocks:
        item = block.kind == "item"
        gap = "" if not text else "\n" if (item and previous == "item") or (block.kind == previous == "row") else "\n\n"
        text += gap + ("- " if item else "") + block.text
        previous = block.kind
    return strip_boilerplate(clean_text(text))
