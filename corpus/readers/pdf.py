"""A PDF to an article: the only door to pypdf."""

from __future__ import annotations

import io
import logging
import re
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

from corpus.article import Article
from corpus.clean import clean_text, one_line
from corpus.errors import SourceError
from corpus.readers.text import article_from_text, make_article

if TYPE_CHECKING:
    from pypdf import PageObject

# A newspaper's issue has a hundred; more is a book, an archive or an attack.
PAGE_LIMIT = 1000
_TEXT_LIMIT = 20_000_000
# What stands at the same end of so many pages, numbers aside, is no text.
_REPEATED_SHARE, _REPEATED_LEAST = 0.5, 3
_EDGE_LINES = 2
# Each of two columns has so many lines that start alike and that share of all; between their starts is that part of the
# page.
_COLUMN_LINES, _COLUMN_SHARE, _COLUMN_WIDTH = 4, 0.3, 0.25
# Drawn by turns: the next piece is in the other column this often.
_BY_TURNS = 0.5
_PAGE_NUMBER = re.compile(
    r"(?:page|seite|p\.)?\s*[-–—]?\s*\d{1,4}\s*[-–—]?(?:\s*(?:/|of|von|de)\s*\d{1,4})?", re.IGNORECASE
)
_HYPHENATED = re.compile(r"(\w{2,})[-\u2010\u00ad]\n(?=[^\W\d_A-Z])(\S+)\s?")
_ENDED = re.compile(r"[.!?…:]['\"”’»)\]]*$")
_FILE_NAME = re.compile(r"\.(?:docx?|pdf|indd|qxd|tex|pages)$|^(?:microsoft word|untitled|slide)\b", re.IGNORECASE)


def read_pdf(data: bytes, *, name: str) -> Article:
    """The article in a PDF: running heads and page numbers gone, words and lines that the page cut put together.

    Its title is the document's own where that is one, its author the document's. When it was made is not when it was
    published, so it has no date.

    Raises:
        SourceError: it is damaged, encrypted, too long, or holds no text (a scan).
    """
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    # pypdf warns of every oddity in a file; what matters raises.
    logging.getLogger("pypdf").setLevel(logging.ERROR)
    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise SourceError("the PDF is locked with a password")
        if len(reader.pages) > PAGE_LIMIT:
            raise SourceError(f"the PDF has {len(reader.pages)} pages; at most {PAGE_LIMIT} are read")
        pages, size = [], 0
        for page in reader.pages:
            pages.append(_text_of(page))
            size += len(pages[-1])
            if size > _TEXT_LIMIT:
                raise SourceError(f"the PDF holds more than {_TEXT_LIMIT} characters of text")
        about = reader.metadata
        title, author = (about.title, about.author) if about else (None, None)
    except SourceError:
        raise
    except (
        PyPdfError,
        ValueError,
        KeyError,
        IndexError,
        TypeError,
        AttributeError,
        RecursionError,
        OverflowError,
    ) as exc:
        raise SourceError(f"the PDF is damaged: {one_line(str(exc))[:120] or type(exc).__name__}") from exc
    except (NotImplementedError, ImportError) as exc:
        raise SourceError(f"the PDF cannot be read: {one_line(str(exc))[:120]}") from exc
    text = text_of_pages(pages)
    if not text:
        raise SourceError("the PDF holds no text; if its pages are scans, run OCR on it first")
    title = one_line(str(title or ""))
    if not title or _FILE_NAME.search(title):
        found = article_from_text(text, name=name)
        title, text = found.title, found.text
    elif text.startswith(title):
        text = text.removeprefix(title).lstrip() or text
    return make_article(title, text, author=one_line(str(author or "")) or None)


def _text_of(page: PageObject) -> str:
    """The page's text, column by column also where the file draws it line by line across them."""
    pieces: list[tuple[float, float, str]] = []

    def keep(text: str, transform: list[float], matrix: list[float], *_: object) -> None:
        if text.strip():
            pieces.append((matrix[4] + transform[4], matrix[5] + transform[5], " ".join(text.split())))

    text = page.extract_text(visitor_text=keep)
    gutter = _gutter(pieces, float(page.mediabox.width))
    if gutter is None:
        return text
    columns = [sorted((p for p in pieces if (p[0] < gutter) is left), key=lambda p: -p[1]) for left in (True, False)]
    return "\n".join(piece[2] for column in columns for piece in column)


def _gutter(pieces: list[tuple[float, float, str]], width: float) -> float | None:
    """Where the second of two columns starts that are drawn by turns, or None."""
    starts = Counter(round(x) for x, _, _ in pieces)
    common = sorted(x for x, count in starts.items() if count >= max(_COLUMN_LINES, _COLUMN_SHARE * len(pieces)))
    if len(common) != 2 or common[1] - common[0] < _COLUMN_WIDTH * width:
        return None
    gutter = common[1] - 1.0
    sides = [x < gutter for x, _, _ in pieces]
    turns = sum(one is not two for one, two in pairwise(sides))
    return gutter if turns > _BY_TURNS * len(pieces) else None


def text_of_pages(pages: list[str]) -> str:
    """The paragraphs of pages of lines, without what is printed at the ends of most of them."""
    lined = [[line.strip() for line in clean_text(page).split("\n")] for page in pages]
    lined = [[line for line in lines if not _PAGE_NUMBER.fullmatch(line)] for lines in _without_running_heads(lined)]
    text = "\n".join("\n".join(lines) for lines in lined)
    return _in_paragraphs(_HYPHENATED.sub(r"\1\2\n", text))


def _without_running_heads(pages: list[list[str]]) -> list[list[str]]:
    """The pages without lines that most have at the same end."""
    seen = Counter(key for lines in pages for key in {_head_key(line) for line in _edges(lines)})
    least = max(_REPEATED_LEAST, _REPEATED_SHARE * len(pages))
    heads = {key for key, count in seen.items() if key and count >= least}
    kept = []
    for lines in pages:
        start, end = 0, len(lines)
        while start < min(end, _EDGE_LINES) and _head_key(lines[start]) in heads:
            start += 1
        while end > max(start, len(lines) - _EDGE_LINES) and _head_key(lines[end - 1]) in heads:
            end -= 1
        kept.append(lines[start:end])
    return kept


def _edges(lines: list[str]) -> list[str]:
    return lines[:_EDGE_LINES] + lines[-_EDGE_LINES:]


def _head_key(line: str) -> str:
    return re.sub(r"\d+", "0", line).casefold()


def _in_paragraphs(text: str) -> str:
    """Lines put together: a paragraph ends at a blank line, or where a sentence ends well before the edge."""
    lines = text.split("\n")
    lengths = sorted(len(line) for line in lines if line)
    width = lengths[len(lengths) * 3 // 4] if lengths else 0
    paragraphs: list[list[str]] = [[]]
    for line in lines:
        if not line:
            paragraphs.append([])
            continue
        current = paragraphs[-1]
        if current and (
            (_ENDED.search(current[-1]) and len(current[-1]) < 0.85 * width)
            or (len(current) == 1 and len(current[0]) < 0.6 * width and len(line) > 0.6 * width and line[0].isupper())
        ):
            paragraphs.append([line])
        else:
            current.append(line)
    return "\n\n".join(" ".join(lines) for lines in paragraphs if lines)
