"""Reading and writing the files in a library's folder. Each write succeeds as a whole or changes nothing."""

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
    """Creates the hidden folder for what is not an article, with a .gitignore for all of it, and returns its path."""
    state = folder / STATE_FOLDER
    if not state.is_dir():
        state.mkdir(exist_ok=True)
        (state / ".gitignore").write_text("*\n")
    return state


class ArticleReader:
    """Loads articles by their catalog entries, keeping record files open in between."""

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
            LibraryError: its file has changed since the catalog was refreshed.
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
    """Replaces the lines that start at these byte offsets; None deletes one. An empty file is deleted."""
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
    """Writes a file as a whole or not at all, even if the process crashes; the caller has to sync the folder."""
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
    """Turns an OSError into a LibraryError that says what failed and what to do."""
    try:
        yield
    except OSError as exc:
        raise LibraryError(
            f"cannot write to the library {folder}: {exc.strerror}; check its permissions and the space left, "
            "or choose another home"
        ) from exc


def unused_path(folder: Path, stem: str, suffix: str) -> Path:
    """A path in the folder that no file has yet: the stem, with a number after it if needed, and the suffix."""
    path, number = folder / f"{stem}{suffix}", 1
    while path.exists():
        number += 1
        path = folder / f"{stem}-{number}{suffix}"
    return path
