"""What lies where in a library's folder, remembered between runs. Nothing is lost with it: it is made from the files.

One SQLite file in a hidden folder. A file whose size, time and inode are those of the last look is not read again, so
that adding one article to two hundred thousand costs a look at the folder and three searches.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from corpus.article import Article
from corpus.errors import LibraryError, SourceError
from corpus.readers.item import Found, Item, Refused
from corpus.readers.records import parse_record
from corpus.readers.source import read
from corpus.text.dedupe import SKETCH, sketch, url_key

HIDDEN = ".newsquote"
_FILE = "catalog.sqlite"
# Counts up whenever what is remembered, or how it is worked out, changes.
_VERSION = 2
# Articles that might be nearly the same are compared word by word, so many of them and no more.
_CANDIDATES = 10
_WAIT_S = 10.0
# The sketches of 200,000 articles lie in a tree of 50 MB that is entered anywhere.
_CACHE_KIB = 65_536
_SCHEMA = """
CREATE TABLE file (path BLOB PRIMARY KEY, size INTEGER, time INTEGER, inode INTEGER) WITHOUT ROWID;
CREATE TABLE entry (
    row INTEGER PRIMARY KEY, id TEXT, rank INTEGER, path BLOB, start INTEGER, url TEXT, words BLOB, digest BLOB,
    sketch BLOB
);
CREATE UNIQUE INDEX entry_id ON entry (id, rank, path, start);
CREATE INDEX entry_path ON entry (path);
CREATE INDEX entry_url ON entry (url) WHERE url IS NOT NULL;
CREATE INDEX entry_words ON entry (words);
CREATE TABLE sketched (value INTEGER, row INTEGER, PRIMARY KEY (value, row)) WITHOUT ROWID;
CREATE TABLE refused (path BLOB, source TEXT, reason TEXT);
CREATE INDEX refused_path ON refused (path);
"""
_COLUMNS = "id, path, start, url, words, digest, sketch"

_SKETCHED = f"<{SKETCH}I"

Stat = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Entry:
    """Where an article lies, and what tells it from others.

    `path` is relative to the folder. `start` is its line's first byte in a file of records, -1 in any other. `url` is
    the key of its address, `words` equal where two texts differ in white space and case alone, `digest` where all is
    equal. `sketch` holds the values of which nearly equal texts share some.
    """

    id: str
    path: str
    start: int
    url: str | None
    words: bytes
    digest: bytes
    sketch: bytes = field(repr=False)

    @property
    def is_record(self) -> bool:
        """Whether it is a line of a file of records."""
        return self.start >= 0

    def sketched(self) -> list[int]:
        """The values of the sketch, each with its place in it, so that equal numbers are equal values."""
        return [place << 32 | value for place, value in enumerate(struct.unpack(_SKETCHED, self.sketch))]


def entry_of(article: Article, path: str, start: int = -1) -> Entry:
    """The entry of an article that lies there."""
    words = hashlib.blake2b("".join(article.text.split()).casefold().encode(), digest_size=16).digest()
    url = url_key(article.url) if article.url else None
    values = struct.pack(_SKETCHED, *sketch(article.text))
    return Entry(article.id, path, start, url, words, digest_of(article), values)


def digest_of(article: Article) -> bytes:
    """16 bytes that change with anything the article says, its id excepted."""
    optional = (article.url, article.source, article.author, article.published, article.language)
    parts = (article.title, article.text, *(value or "" for value in optional))
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).digest()


class Catalog:
    """The entries of a folder. `refresh` brings them up to date; what else is asked is answered as of then."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._db: sqlite3.Connection | None = None
        self._in_memory = False

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file; the next question opens it again."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def listing(self) -> list[tuple[str, Stat]]:
        """Each file that is not hidden, sorted, with what changes when it does.

        Raises:
            LibraryError: the folder cannot be read.
        """
        found = []
        root = os.fspath(self._folder)
        try:
            for parent, folders, files in os.walk(root, onerror=_raise):
                folders[:] = [name for name in folders if not name.startswith(".")]
                for name in files:
                    if not name.startswith("."):
                        path = os.path.join(parent, name)  # noqa: PTH118 - a Path for each of 200,000 files takes seconds
                        with suppress(FileNotFoundError):
                            stat = os.stat(path)  # noqa: PTH116
                            found.append((path[len(root) + 1 :], (stat.st_size, stat.st_mtime_ns, stat.st_ino)))
        except FileNotFoundError:
            return []
        except OSError as exc:
            raise LibraryError(f"cannot read the library {self._folder}: {exc.strerror}") from exc
        return sorted(found)

    def refresh(self, step: Callable[[int], None] = lambda _: None) -> None:
        """Reads the files that changed since the last look, in this process or another; `step` counts them.

        Raises:
            LibraryError: the folder cannot be read.
        """
        listing = dict(self.listing())
        if self._in_memory and self._folder.is_dir():
            self.close()
        try:
            self._refresh(listing, step)
        except sqlite3.OperationalError:
            # Another process is at it for long, or the disk is full: this one remembers for itself.
            self.close()
            self._in_memory, self._db = True, _prepared(sqlite3.connect(":memory:", check_same_thread=False))
            self._refresh(listing, step)

    def _refresh(self, listing: dict[str, Stat], step: Callable[[int], None]) -> None:
        db = self._opened()
        known = {os.fsdecode(path): (size, time, inode) for path, size, time, inode in db.execute("SELECT * FROM file")}
        gone = [path for path in known if path not in listing]
        changed = [path for path, stat in listing.items() if known.get(path) != stat]
        if not gone and not changed:
            return
        with db:
            for path in (*gone, *changed):
                _forget(db, path)
            for done, path in enumerate(changed, start=1):
                entries, refusals = _read_entries(self._folder, path)
                _remember(db, path, listing[path], entries, refusals)
                step(done)

    def note(self, path: str, entries: Iterable[Entry]) -> None:
        """Remembers what was just written to a file, so that it need not be read again."""
        stat = (self._folder / path).stat()
        db = self._opened()
        # Where another process holds the catalog for long, the file is read at the next look.
        with suppress(sqlite3.OperationalError), db:
            _forget(db, path)
            _remember(db, path, (stat.st_size, stat.st_mtime_ns, stat.st_ino), entries, [])

    def find(self, article_id: str) -> list[Entry]:
        """The entries with this id. Of several the library's own file comes first, then records, then others."""
        return self._entries("WHERE id = ? ORDER BY rank, path, start", article_id)

    def with_url(self, key: str) -> Entry | None:
        """An entry with this key of an address, the first by id."""
        return next(iter(self._entries("WHERE url = ? ORDER BY id, rank LIMIT 1", key)), None)

    def with_words(self, words: bytes) -> Entry | None:
        """An entry of a text with these words, the first by id."""
        return next(iter(self._entries("WHERE words = ? ORDER BY id, rank LIMIT 1", words)), None)

    def similar(self, sketched: list[int]) -> list[Entry]:
        """The entries with most of these values of a sketch, those with most first, then by id; few at most."""
        marks = ", ".join("?" * len(sketched))
        rows = self._opened().execute(
            f"SELECT {_COLUMNS} FROM entry JOIN (SELECT row, count(*) AS shared FROM sketched WHERE value IN ({marks})"
            f" GROUP BY row ORDER BY shared DESC, row LIMIT {_CANDIDATES}) USING (row) ORDER BY shared DESC, id, rank",
            sketched,
        )
        return [_entry(row) for row in rows]

    def entries(self) -> Iterator[Entry]:
        """The first entry of each id, ascending."""
        last = None
        for row in self._opened().execute(f"SELECT {_COLUMNS} FROM entry ORDER BY id, rank, path, start"):
            if row[0] != last:
                last = row[0]
                yield _entry(row)

    def digests(self) -> dict[str, bytes]:
        """The digest of the first entry of each id, by ascending id."""
        query = "SELECT id, digest FROM entry ORDER BY id, rank, path, start"
        rows: list[tuple[str, bytes]] = self._opened().execute(query).fetchall()
        found = dict(rows)
        if len(found) < len(rows):
            first = dict(reversed(rows))
            return {one: first[one] for one in found}
        return found

    def count_ids(self) -> int:
        """The number of ids."""
        return self._number("SELECT count(DISTINCT id) FROM entry")

    def ids(self) -> list[str]:
        """Every id, ascending."""
        return [row[0] for row in self._opened().execute("SELECT DISTINCT id FROM entry ORDER BY id")]

    def count(self, limit: int = -1) -> int:
        """The number of entries; with a limit no more are counted, which takes no longer in a larger library."""
        return self._number("SELECT count(*) FROM (SELECT 1 FROM entry LIMIT ?)", limit)

    def count_in(self, path: str) -> int:
        """The number of articles in a file."""
        return self._number("SELECT count(*) FROM entry WHERE path = ?", os.fsencode(path))

    def refused(self) -> list[Refused]:
        """What in the folder's files is no usable article, by file."""
        rows = self._opened().execute("SELECT source, reason FROM refused ORDER BY path, rowid")
        return [Refused(*row) for row in rows]

    def _number(self, query: str, *values: bytes | int) -> int:
        return int(self._opened().execute(query, values).fetchone()[0])

    def _entries(self, where: str, value: str | bytes) -> list[Entry]:
        return [_entry(row) for row in self._opened().execute(f"SELECT {_COLUMNS} FROM entry {where}", (value,))]

    def _opened(self) -> sqlite3.Connection:
        if self._db is None:
            self._db = self._open_file()
            self._in_memory = self._db is None
            self._db = self._db or _prepared(sqlite3.connect(":memory:", check_same_thread=False))
        return self._db

    def _open_file(self) -> sqlite3.Connection | None:
        """The catalog's file, made anew where it is of another version or damaged; None where it cannot be written."""
        if not self._folder.is_dir():
            return None
        path = self._folder / HIDDEN / _FILE
        for _ in range(2):
            try:
                make_hidden(self._folder)
                return _prepared(sqlite3.connect(path, timeout=_WAIT_S, check_same_thread=False))
            except sqlite3.DatabaseError:
                with suppress(OSError):
                    path.unlink(missing_ok=True)
            except OSError:
                break
        return None


def make_hidden(folder: Path) -> Path:
    """The folder in the library for what is not an article; git leaves it out."""
    hidden = folder / HIDDEN
    if not hidden.is_dir():
        hidden.mkdir(exist_ok=True)
        (hidden / ".gitignore").write_text("*\n")
    return hidden


def _prepared(db: sqlite3.Connection) -> sqlite3.Connection:
    """The connection with its tables there.

    Raises:
        sqlite3.DatabaseError: the file is no database, of another version, or cannot be written.
    """
    try:
        version = db.execute("PRAGMA user_version").fetchone()[0]
        # It can be made anew at any time, so nothing waits for the disk.
        db.execute("PRAGMA synchronous = OFF")
        db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        if version not in (0, _VERSION):
            raise sqlite3.DatabaseError(f"version {version}")
        if version == 0:
            with db:
                db.executescript(f"BEGIN;{_SCHEMA}PRAGMA user_version = {_VERSION};COMMIT;")
    except sqlite3.DatabaseError:
        db.close()
        raise
    return db


def _forget(db: sqlite3.Connection, path: str) -> None:
    rows = db.execute(f"SELECT row, {_COLUMNS} FROM entry WHERE path = ?", (os.fsencode(path),)).fetchall()
    for row, *columns in rows:
        pairs = ((value, row) for value in _entry(tuple(columns)).sketched())
        db.executemany("DELETE FROM sketched WHERE value = ? AND row = ?", pairs)
    for table in ("file", "entry", "refused"):
        db.execute(f"DELETE FROM {table} WHERE path = ?", (os.fsencode(path),))


def _entry(row: tuple[str, bytes, int, str | None, bytes, bytes, bytes]) -> Entry:
    article_id, path, start, url, words, digest, values = row
    return Entry(article_id, os.fsdecode(path), start, url, words, digest, values)


def _remember(
    db: sqlite3.Connection, path: str, stat: Stat, entries: Iterable[Entry], refusals: Iterable[Refused]
) -> None:
    for e in entries:
        values = (e.id, _rank(e), os.fsencode(e.path), e.start, e.url, e.words, e.digest, e.sketch)
        row = db.execute("INSERT OR REPLACE INTO entry VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)", values).lastrowid
        # What one that is replaced leaves here names no entry, or another that the comparison then turns down.
        db.executemany("INSERT OR IGNORE INTO sketched VALUES (?, ?)", ((value, row) for value in e.sketched()))
    db.executemany("INSERT INTO refused VALUES (?, ?, ?)", ((os.fsencode(path), r.source, r.reason) for r in refusals))
    db.execute("INSERT INTO file VALUES (?, ?, ?, ?)", (os.fsencode(path), *stat))


def is_own(path: str) -> bool:
    """Whether a file has the form in which the library keeps an article."""
    return path.endswith(".md")


def _rank(entry: Entry) -> int:
    return 1 if entry.is_record else 0 if is_own(entry.path) else 2


def _read_entries(folder: Path, path: str) -> tuple[list[Entry], list[Refused]]:
    entries, refusals = [], []
    full = folder / path
    items = _read_lines(full) if path.endswith(".jsonl") else ((item, -1) for item in read(full))
    for item, start in items:
        if isinstance(item, Refused):
            refusals.append(item)
        else:
            entries.append(entry_of(item.article, path, start))
    return entries, refusals


def _read_lines(path: Path) -> Iterator[tuple[Item, int]]:
    """The records of a file with the byte each begins at."""
    shown = os.fsencode(path).decode("utf-8", "replace")
    try:
        with path.open("rb") as stream:
            start = 0
            for number, line in enumerate(stream, start=1):
                source = f"{shown}, line {number}"
                if line.strip():
                    try:
                        yield Found(parse_record(line)[0], source, record=True), start
                    except SourceError as exc:
                        yield Refused(source, str(exc)), -1
                start += len(line)
    except OSError as exc:
        yield Refused(shown, f"it cannot be read: {exc.strerror}"), -1


def _raise(error: OSError) -> None:
    raise error
