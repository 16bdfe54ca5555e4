"""Exports articles to a file that `newsquote add` can read: records, or Markdown files in a zip archive."""

from __future__ import annotations

import gzip
import os
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from corpus.article import Article
from corpus.errors import LibraryError
from corpus.readers.markdown import file_stem, format_markdown
from corpus.readers.records import format_record

FORMS = (".jsonl", ".jsonl.gz", ".zip")


def write_records(articles: Iterable[Article], stream: BinaryIO | gzip.GzipFile) -> int:
    """Writes one record per line and returns how many."""
    count = 0
    for article in articles:
        stream.write(format_record(article).encode())
        count += 1
    return count


def export(articles: Iterable[Article], path: Path) -> int:
    """Writes the articles to a new file in the format its suffix names; returns how many. Nothing is left if it fails.

    Raises:
        LibraryError: the suffix names no known format, the file exists, or it cannot be written.
    """
    if not path.name.lower().endswith(FORMS):
        raise LibraryError(f"{path} ends in none of {', '.join(FORMS)}: that says in which form articles are exported")
    if path.exists():
        raise LibraryError(f"{path} exists; remove it or choose another name")
    temporary = path.with_name(f".{path.name}.new-{os.getpid()}")
    try:
        with temporary.open("xb") as stream:
            count = _write(articles, stream, path.name.lower())
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError as exc:
        raise LibraryError(f"{path} cannot be written: {exc.strerror}") from exc
    finally:
        temporary.unlink(missing_ok=True)
    return count


def _write(articles: Iterable[Article], stream: BinaryIO, name: str) -> int:
    if name.endswith(".zip"):
        return _write_zip(articles, stream)
    if not name.endswith(".gz"):
        return write_records(articles, stream)
    with gzip.GzipFile(fileobj=stream, mode="wb", mtime=0) as packed:
        return write_records(articles, packed)


def _write_zip(articles: Iterable[Article], stream: BinaryIO) -> int:
    count = 0
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for article in articles:
            archive.writestr(f"{file_stem(article)}.md", format_markdown(article))
            count += 1
    return count
