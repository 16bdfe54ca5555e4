"""Decodes the bytes of a web page, and parses them into a tree of elements."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from corpus.errors import SourceError
from corpus.readers.text import decode

if TYPE_CHECKING:
    from lxml.html import HtmlElement

# lxml parses these characters but refuses to write them.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_CONTROL_REFERENCES = re.compile(
    r"&#(?:0*(?:[0-8]|1[124-9]|2\d|3[01]|127)(?!\d)|x0*(?:[0-8bcef]|1[0-9a-f]|7f)(?![0-9a-f]));?", re.IGNORECASE
)
_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w-]{2,40})""", re.IGNORECASE)


def decode_page(data: bytes, charset: str | None = None) -> str:
    """Decodes a page: as UTF-8 if valid, else as the server or the page says, else in the most likely encoding."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    stated = _CHARSET.search(data[:4096])
    for name in (charset, stated[1].decode("ascii") if stated else None):
        if name and name.lower().replace("-", "") != "utf8":
            # Pages that say ISO 8859-1 mean Windows 1252; browsers treat them so too.
            name = "cp1252" if name.lower() in ("iso-8859-1", "latin-1", "latin1") else name
            try:
                return data.decode(name, "replace")
            except LookupError:
                continue
    # A page is still UTF-8 if it has a stray byte or is cut off inside a character.
    if charset or stated:
        return data.decode("utf-8", "replace")
    return decode(data)


def parse_page(text: str) -> HtmlElement:
    """The root element of the page.

    Raises:
        SourceError: the page is empty.
    """
    from lxml import etree
    from lxml.html import HTMLParser, document_fromstring

    text = _CONTROL_REFERENCES.sub("", _CONTROLS.sub("", text))
    try:
        # As bytes, since lxml refuses text that declares an encoding.
        parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
        return document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError) as exc:
        raise SourceError("it is an empty page") from exc
