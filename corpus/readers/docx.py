"""Reads an article from a Word document. The only module that imports python-docx."""

from __future__ import annotations

import io
import zipfile

from corpus.article import Article
from corpus.errors import SourceError
from corpus.readers.text import article_from_text, make_article
from corpus.text.clean import clean_text, one_line

# Unpacked; a bomb of a few kilobytes unpacks to gigabytes.
_UNPACKED_LIMIT = 64 << 20
_HEADINGS = ("Title", "Heading 1")


def read_docx(data: bytes, *, name: str) -> Article:
    """The article in a .docx file: its paragraphs and tables in order.

    The title is the first line if it has the style of a title or heading, else the title in the document's properties,
    else the first short line.

    Raises:
        SourceError: it is damaged, unpacks to too much, or holds no text.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > _UNPACKED_LIMIT:
                raise SourceError(f"the document unpacks to more than {_UNPACKED_LIMIT >> 20} MiB")
        blocks, title, author = _contents(data)
    except SourceError:
        raise
    except (zipfile.BadZipFile, ValueError, KeyError, AttributeError, OSError, SyntaxError, RuntimeError) as exc:
        raise SourceError(f"the document is damaged: {one_line(str(exc))[:120] or type(exc).__name__}") from exc
    if blocks and blocks[0][0] in _HEADINGS and len(blocks) > 1:
        title, blocks = blocks[0][1], blocks[1:]
    text = clean_text("\n\n".join(words for _, words in blocks))
    if not title:
        found = article_from_text(text, name=name)
        title, text = found.title, found.text
    return make_article(title, text, author=author or None)


def _contents(data: bytes) -> tuple[list[tuple[str, str]], str, str]:
    """The style and text of each block that is not blank, and the title and author in the document's properties."""
    from docx import Document
    from docx.table import Table
    from docx.text.paragraph import Paragraph

    document = Document(io.BytesIO(data))
    blocks = []
    for block in document.iter_inner_content():
        if isinstance(block, Paragraph):
            style = block.style.name if block.style is not None else None
            blocks.append((style or "", block.text))
        elif isinstance(block, Table):
            rows = ("\t".join(dict.fromkeys(cell.text.strip() for cell in row.cells)) for row in block.rows)
            blocks.append(("", "\n".join(row for row in rows if row.strip())))
    properties = document.core_properties
    # The template of python-docx names python-docx as the author.
    author = "" if properties.author == "python-docx" else one_line(properties.author or "")
    return [(style, words) for style, words in blocks if words.strip()], one_line(properties.title or ""), author
