"""HTML elements to blocks of text, and blocks to a text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from corpus.text.clean import clean_text, strip_boilerplate

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_BLOCKS = frozenset(
    ("p", "head", "quote", "item", "row", "code", "blockquote", "li", "h1", "h2", "h3", "h4", "h5", "h6")
)
INLINE = (
    "a", "span", "em", "strong", "b", "i", "u", "font", "mark", "small", "big", "abbr", "cite", "q", "s", "time",
    "data",
)  # fmt: skip


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
    for inner in list(element.iterdescendants(*INLINE)):
        inner.drop_tag()
    box = etree.Element("box")
    box.append(element)
    return joined(list(blocks_of(box)))


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, heading, item or row; `kind` is the tag it has."""

    kind: str
    text: str


def blocks_of(element: HtmlElement) -> Iterator[Block]:
    """The blocks of what trafilatura returns, in order."""
    if element.text and element.text.strip():
        yield Block(element.tag, _words(element.text))
    for child in element:
        if not isinstance(child.tag, str):
            continue
        if any(inner.tag in _BLOCKS for inner in child.iterdescendants() if isinstance(inner.tag, str)):
            yield from blocks_of(child)
        elif text := text_of(child):
            yield Block(child.tag, text)
        if child.tail and child.tail.strip():
            yield Block("p", _words(child.tail))


def text_of(element: HtmlElement) -> str:
    """The element's text, with its line breaks."""
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


def joined(blocks: list[Block]) -> str:
    """The text of the blocks, blank lines between paragraphs."""
    text = ""
    previous = ""
    for block in blocks:
        item = block.kind == "item"
        gap = "" if not text else "\n" if (item and previous == "item") or (block.kind == previous == "row") else "\n\n"
        text += gap + ("- " if item else "") + block.text
        previous = block.kind
    return strip_boilerplate(clean_text(text))
