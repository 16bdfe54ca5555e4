"""Reads an article from a PDF. The only module that imports pypdf."""

from __future__ import annotations

import io
import logging
import re
import unicodedata
from bisect import bisect
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from corpus.article import Article
from corpus.errors import SourceError
from corpus.readers.text import article_from_text, make_article
from corpus.text.clean import clean_text, one_line

if TYPE_CHECKING:
    from pypdf import PageObject

# An issue of a newspaper has a hundred pages; more is a book, an archive or an attack.
PAGE_LIMIT = 1000
_TEXT_LIMIT = 20_000_000
# A line at the same end of this share of the pages, and of this many, is a running head; numbers are ignored.
_REPEATED_SHARE, _REPEATED_LEAST = 0.5, 2
_EDGE_LINES, _HEAD_LIMIT = 2, 80
# A column has at least this many lines with the same start, and this share of all lines; its lines have on average this
# many letters, since a table's cells are shorter; and columns start at least this share of the page's width apart.
_MIN_COLUMN_LINES, _MIN_COLUMN_SHARE, _MIN_COLUMN_LETTERS, _MIN_COLUMN_WIDTH = 4, 0.2, 18, 0.2
# The columns are drawn line by line across if the next piece is in another column more often than this.
_MIN_ALTERNATION = 0.5
# Letters this much larger than most belong to a heading.
_LARGER = 1.25
_TITLE_LIMIT = 250
_ARABIC = re.compile(r"[\u0600-\u06ff\ufb50-\ufdff\ufe70-\ufefc]")
# Presentation forms of Arabic letters, which some programs write instead of the letters.
_FORMS = re.compile(r"[\ufb50-\ufdff\ufe70-\ufefc]+")
_LEFT_TO_RIGHT = re.compile(r"[A-Za-z0-9\u0660-\u0669]+(?:[.,:/%-][A-Za-z0-9\u0660-\u0669]+)*")
_PAGE_NUMBER = re.compile(
    r"(?:page|seite|p\.)?\s*[-–—]?\s*\d{1,4}\s*[-–—]?(?:\s*(?:/|of|von|de)\s*\d{1,4})?", re.IGNORECASE
)
_HYPHENATED = re.compile(r"(\w{2,})[-\u2010\u00ad]\n(?=[^\W\d_A-Z])([^\W\d_]+)(\S*)\s?")
_WORD = re.compile(r"\w+(?:-\w+)*")
_BROKEN_NUMBER = re.compile(r"(\d[-\u2010–/])\n(\d\S*)\s?")
_ENDED = re.compile(r"[.!?…:]['\"”’»)\]]*$")
_FILE_NAME = re.compile(
    r"\.(?:docx?|pdf|indd|qxd|tex|pages|html?|aspx?|php)$|^(?:microsoft word|untitled|slide)\b", re.IGNORECASE
)


def read_pdf(data: bytes, *, name: str) -> Article:
    """The article in a PDF, without running heads and page numbers, its lines and hyphenated words joined.

    The title is the first heading, or else the one in the document's properties unless that is a file name. The author
    is the one in the properties. There is no date, since the date of creation is not the date of publication.

    Raises:
        SourceError: it is damaged, encrypted, too long, or holds no text (a scan).
    """
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    # pypdf warns about every oddity in a file; what matters is raised.
    logging.getLogger("pypdf").setLevel(logging.ERROR)
    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise SourceError("the PDF is locked with a password")
        if len(reader.pages) > PAGE_LIMIT:
            raise SourceError(f"the PDF has {len(reader.pages)} pages; at most {PAGE_LIMIT} are read")
        pages: list[str] = []
        size, heading = 0, ""
        for page in reader.pages:
            text, largest = _text_of(page)
            heading = heading if pages else largest
            pages.append(text)
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
    text = join_pages(pages)
    if not text:
        raise SourceError("the PDF holds no text; if its pages are scans, run OCR on it first")
    title = one_line(str(title or ""))
    if heading and (before := text.find(heading)) >= 0 and before <= _TITLE_LIMIT:
        title, text = heading, text[before + len(heading) :].lstrip() or text
    elif not title or _FILE_NAME.search(title):
        found = article_from_text(text, name=name)
        title, text = found.title, found.text
    elif text.startswith(title):
        text = text.removeprefix(title).lstrip() or text
    return make_article(title, text, author=one_line(str(author or "")) or None)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A piece of a page's text, where it starts, and the size of its letters, in points."""

    x: float
    y: float
    size: float
    text: str


def _text_of(page: PageObject) -> tuple[str, str]:
    """The page's text and its first heading, "" if there is none.

    Columns follow each other even if the file draws them line by line across, Arabic is in reading order even if the
    file draws it from left to right, and headings have blank lines around them.
    """
    pieces: list[_Piece] = []

    def keep(text: str, transform: list[float], matrix: list[float], _: object, size: float) -> None:
        if text.strip("\n"):
            x, y, (a, b, c, d, e, f) = matrix[4], matrix[5], transform
            pieces.append(_Piece(x * a + y * c + e, x * b + y * d + f, size * abs(matrix[3] * d or 1), text))

    text = page.extract_text(visitor_text=keep)
    words = [_Piece(p.x, p.y, p.size, " ".join(p.text.split())) for p in pieces if p.text.strip()]
    gutters = _gutters(words, float(page.mediabox.width))
    if 2 * len(_ARABIC.findall(text)) > sum(map(str.isalpha, text)):
        text = "\n".join(line for _, line in _right_to_left(pieces))
    elif gutters:
        by_column = sorted(words, key=lambda piece: (bisect(gutters, piece.x), -piece.y))
        text = "\n".join(piece.text for piece in by_column)
    return _with_headings_apart(text, pieces)


def _right_to_left(pieces: list[_Piece]) -> list[tuple[float, str]]:
    """The lines of right-to-left text from top to bottom, in plain letters, each with the size of its letters."""
    rows: dict[int, list[_Piece]] = {}
    for piece in pieces:
        rows.setdefault(round(piece.y), []).append(piece)
    lines = []
    for _, row in sorted(rows.items(), reverse=True):
        line = "".join(piece.text for piece in sorted(row, key=lambda p: -p.x))
        line = _FORMS.sub(lambda found: unicodedata.normalize("NFKC", found[0]), " ".join(line.split()))
        lines.append((max(piece.size for piece in row), line))
    words = " ".join(line for _, line in lines).split()
    # The article "al" starts every third word; if words end with it instead, the letters are in reverse order.
    if sum(word.endswith("لا") for word in words) > sum(word.startswith("ال") for word in words):
        lines = [(size, _LEFT_TO_RIGHT.sub(lambda run: run[0][::-1], line[::-1])) for size, line in lines]
    return lines


def _with_headings_apart(text: str, pieces: list[_Piece]) -> tuple[str, str]:
    """The text with blank lines around headings, which are lines of larger letters, and the first heading or ""."""
    if not pieces:
        return text, ""
    sizes = Counter[float]()
    for piece in pieces:
        sizes[round(piece.size, 1)] += len(piece.text)
    larger = _LARGER * sizes.most_common(1)[0][0]
    big = {_without_spaces(piece.text) for piece in pieces if piece.size >= larger}
    big |= {_without_spaces(line) for size, line in _right_to_left(pieces) if size >= larger}
    lines: list[str] = []
    headings: list[str] = []
    follows = False
    for line in text.split("\n"):
        if is_big := bool(_without_spaces(line)) and (_without_spaces(line) in big):
            if follows:
                lines[-1] = headings[-1] = f"{lines[-1]} {line.strip()}"
            else:
                lines += ["", line.strip()]
                headings.append(line.strip())
        else:
            lines += ["", line] if follows else [line]
        follows = is_big
    first = one_line(headings[0]) if headings else ""
    return "\n".join(lines), first if len(first) <= _TITLE_LIMIT and any(map(str.isalpha, first)) else ""


def _without_spaces(line: str) -> str:
    return "".join(line.split())


def _gutters(pieces: list[_Piece], width: float) -> list[float]:
    """Where the second and further columns start, if the columns are drawn line by line across; else empty."""
    starts = Counter(round(piece.x) for piece in pieces)
    least = max(_MIN_COLUMN_LINES, _MIN_COLUMN_SHARE * len(pieces))
    common = sorted(x for x, count in starts.items() if count >= least)
    if len(common) < 2 or any(two - one < _MIN_COLUMN_WIDTH * width for one, two in pairwise(common)):
        return []
    if sum(len(piece.text) for piece in pieces) < _MIN_COLUMN_LETTERS * len(pieces):
        return []
    gutters = [start - 1.0 for start in common[1:]]
    columns = [bisect(gutters, piece.x) for piece in pieces]
    turns = sum(one != two for one, two in pairwise(columns))
    return gutters if turns > _MIN_ALTERNATION * len(pieces) else []


def join_pages(pages: list[str]) -> str:
    """Joins the lines of pages into paragraphs, without running heads and page numbers."""
    lined = [[line.strip() for line in clean_text(page).split("\n")] for page in pages]
    lined = [[line for line in lines if not _PAGE_NUMBER.fullmatch(line)] for lines in _without_running_heads(lined)]
    text = "\n".join("\n".join(lines) for lines in lined)
    known = set(_WORD.findall(text))

    def join_word(found: re.Match[str]) -> str:
        one, two, rest = found.groups()
        # The hyphen stays if the word is written with one elsewhere in the text, and never without.
        hyphen = "-" if f"{one}-{two}" in known and f"{one}{two}" not in known else ""
        return f"{one}{hyphen}{two}{rest}\n"

    return _join_lines(_BROKEN_NUMBER.sub(r"\1\2\n", _HYPHENATED.sub(join_word, text)))


def _without_running_heads(pages: list[list[str]]) -> list[list[str]]:
    """The pages without running heads: short lines that most pages have at the same end."""
    least = max(_REPEATED_LEAST, _REPEATED_SHARE * len(pages))
    tops = Counter(key for lines in pages for key in {_head_key(line) for line in lines[:_EDGE_LINES]})
    ends = Counter(key for lines in pages for key in {_head_key(line) for line in lines[-_EDGE_LINES:]})

    def is_head(line: str, seen: Counter[str]) -> bool:
        return 0 < len(line) <= _HEAD_LIMIT and seen[_head_key(line)] >= least

    kept = []
    for lines in pages:
        start, end = 0, len(lines)
        while start < min(end, _EDGE_LINES) and is_head(lines[start], tops):
            start += 1
        while end > max(start, len(lines) - _EDGE_LINES) and is_head(lines[end - 1], ends):
            end -= 1
        kept.append(lines[start:end])
    return kept


def _head_key(line: str) -> str:
    return re.sub(r"\d+", "0", line).casefold()


def _join_lines(text: str) -> str:
    """Joins lines into paragraphs, which end at a blank line or where a sentence ends well before the margin."""
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
