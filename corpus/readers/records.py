"""Reads and writes record files: one JSON object per line, each an article."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO

from corpus.article import Article, content_id
from corpus.errors import ArticleError, SourceError
from corpus.readers.item import Found, Item, Refused
from corpus.text.clean import normalize, one_line
from corpus.text.language import detect_language

# A longer line is not an article, and reading all of it could exhaust the memory.
_LINE_LIMIT = 32 << 20
_OPTIONAL = ("url", "source", "author", "published", "language")


def read_records(stream: BinaryIO, name: str) -> Iterator[Item]:
    """Yields an article or a refusal for each line that is not blank, in order.

    The first of two records with one id is kept. A refusal's source is the file's name and the line's number.
    """
    first_lines: dict[str, int] = {}
    number = 0
    while line := stream.readline(_LINE_LIMIT):
        number += 1
        source = f"{name}, line {number}"
        if len(line) == _LINE_LIMIT and not line.endswith(b"\n"):
            yield Refused(source, f"the line is longer than {_LINE_LIMIT >> 20} MiB")
            while line and not line.endswith(b"\n"):
                line = stream.readline(_LINE_LIMIT)
            continue
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if not line.strip():
            continue
        try:
            article, has_id = parse_record(line)
        except SourceError as exc:
            yield Refused(source, str(exc))
            continue
        if has_id and first_lines.setdefault(article.id, number) != number:
            yield Refused(source, f"its id {article.id!r} was already used in line {first_lines[article.id]}")
        else:
            yield Found(article, source, record=True)
    if number == 0:
        yield Refused(name, "it is empty")


def parse_record(line: bytes) -> tuple[Article, bool]:
    """The article in one line of JSON, and whether the line gave it an id.

    Raises:
        SourceError: the line is not a JSON object with a `title` and a `text`, or a field is not usable.
    """
    try:
        record = json.loads(line)
    except UnicodeDecodeError as exc:
        raise SourceError(f"it is not UTF-8 (byte {exc.start})") from exc
    except json.JSONDecodeError as exc:
        raise SourceError(f"it is not JSON: {exc.msg} at column {exc.colno}") from exc
    except (RecursionError, ValueError) as exc:
        raise SourceError("it is not JSON that can be read: nested too deep, or a number too long") from exc
    return article_from_record(record)


def article_from_record(record: object) -> tuple[Article, bool]:
    """The article that one parsed record holds, and whether the record gave it an id.

    The text is kept unchanged, apart from Unicode NFC and line ends. A missing id is made from the content.

    Raises:
        SourceError: it is not an object with a `title` and a `text`, or a field is not usable.
    """
    if not isinstance(record, dict):
        raise SourceError("it is not an object with a title and a text")
    for key in ("title", "text"):
        if not isinstance(record.get(key), str) or not record[key].strip():
            raise SourceError(f"it has no {key}" if record.get(key) in (None, "") else f"its {key} is not usable text")
    title, text = unicodedata.normalize("NFC", record["title"].strip()), normalize(record["text"])
    optional = {key: _field(record, key) for key in _OPTIONAL}
    given = _field(record, "id")
    try:
        article = Article(given or content_id(title, text), title, text, **optional)
    except ArticleError as exc:
        raise SourceError(str(exc)) from exc
    except UnicodeEncodeError as exc:
        raise SourceError("it holds a lone surrogate") from exc
    if article.language is None:
        article = replace(article, language=detect_language(text))
    return article, given is not None


def format_record(article: Article) -> str:
    """The article as a line of JSON, with its line end; `parse_record` reads it back as equal, with equal text."""
    fields = {"id": article.id, "title": article.title, "text": article.text}
    fields |= {key: value for key in _OPTIONAL if (value := getattr(article, key)) is not None}
    return json.dumps(fields, ensure_ascii=False) + "\n"


def _field(record: dict[str, object], key: str) -> str | None:
    """The value of an optional field; an integer becomes text, a blank None."""
    value = record.get(key)
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise SourceError(f"its {key} is {json.dumps(value)[:40]}, not text")
    return one_line(value) or None
