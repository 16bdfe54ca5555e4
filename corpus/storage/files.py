"""The files in a library's folder: articles read from them, and each write whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from corpus.article import Article
from corpus.errors import LibraryError, SourceError
from corpus.readers.item import Found
from corpus.readers.records import format_record, parse_record
from corpus.readers.source import read
from corpus.storage.entry import CatalogEntry

STATE_FOLDER = ".newsquote"
TEMPORARY_PREFIX = ".new-"


def make_state_folder(folder: Path) -> Path:
    """The folder in the library for what is not an article; git leaves it out."""
    hidden = folder / STATE_FOLDER
    if not hidden.is_dir():
        hidden.mkdir(exist_ok=True)
        (hidden / ".gitignore").write_text("*\n")
    return hidden


class ArticleReader:
    """Loads entries, keeping files of records open between them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, BinaryIO] = {}

    def __enter__(self) -> ArticleReader:
        return self

    def __exit__(self, *_: object) -> None:
        for stream in self._open.values():
            stream.close()
        self._open.clear()

    def load(self, entry: CatalogEntry) -> Article:
        """The article of an entry.

        Raises:
            LibraryError: its file changed meanwhile.
        """
        path = self._folder / entry.path
        try:
            if not entry.is_record:
                return next(i.article for i in read(path) if isinstance(i, Found) and i.article.id == entry.id)
            if entry.path not in self._open:
                self._open[entry.path] = path.open("rb")
            self._open[entry.path].seek(entry.start)
            article, _ = parse_record(self._open[entry.path].readline())
        except (OSError, SourceError, StopIteration) as exc:
            raise LibraryError(f"{path} changed while it was read; try again") from exc
        return article


def rewrite_records(path: Path, changes: dict[int, Article | None]) -> None:
    """Replaces the lines that begin at these bytes; None leaves one out. A file without lines goes."""
    temporary = path.with_name(f"{TEMPORARY_PREFIX}{os.urandom(8).hex()}")
    offset, size = 0, 0
    try:
        with path.open("rb") as old, temporary.open("wb") as new:
            for line in old:
                article = changes.get(offset)
                if offset not in changes:
                    size += new.write(line)
                elif article is not None:
                    size += new.write(format_record(article).encode())
                offset += len(line)
            new.flush()
            os.fsync(new.fileno())
        if size:
            temporary.replace(path)
        else:
            path.unlink()
    finally:
        temporary.unlink(missing_ok=True)


def write_atomically(path: Path, data: bytes) -> None:
    """The file whole or not at all, also after a crash; the folder's own entry is synced by the caller."""
    temporary = path.with_name(f"{TEMPORARY_PREFIX}{os.urandom(8).hex()}")
    try:
        with temporary.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def explain_write_errors(folder: Path) -> Iterator[None]:
    """Says of a failed write what failed and what to do."""
    try:
        yield
    except OSError as exc:
        raise LibraryError(
            f"cannot write to the library {folder}: {exc.strerror}; check its permissions and the space left, "
            "or choose another home"
        ) from exc


def unused_path(folder: Path, stem: str, suffix: str) -> Path:
    """A path in the folder that no file has yet."""
    path, number = folder / f"{stem}{suffix}", 1
    while path.exists():
        number += 1
        path = folder / f"{stem}-{number}{suffix}"
    return path
