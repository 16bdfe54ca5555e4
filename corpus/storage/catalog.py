"""An index of the files in a library's folder, kept between runs and rebuilt from the files if it is lost.

It is one SQLite file in a hidden folder. A file with the same size, time and inode as before is not read again, so
adding one article to two hundred thousand takes a listing of the folder and three look-ups.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from corpus.errors import LibraryError, SourceError
from corpus.readers.item import Found, Item, Refused
from corpus.readers.records import parse_record
from corpus.readers.source import read
from corpus.storage.database import COLUMNS, FileStat, delete_file, entry_from_row, insert_file, prepare_connection
from corpus.storage.entry import CatalogEntry, make_entry
from corpus.storage.files import STATE_FOLDER, make_state_folder

_FILE_NAME = "catalog.sqlite"
# At most this many possible near-duplicates are compared word by word.
_CANDIDATES = 10
_BUSY_TIMEOUT_S = 10.0


class Catalog:
    """The entries of a folder, as of the last `refresh`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._db: sqlite3.Connection | None = None
        self._in_memory = False

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file; the next query opens it again."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def list_files(self) -> list[tuple[str, FileStat]]:
        """Every visible file, sorted, with its size, time and inode.

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
                        path = os.path.join(parent, name)  # noqa: PTH118 - making 200,000 Paths takes seconds
                        with suppress(FileNotFoundError):
                            stat = os.stat(path)  # noqa: PTH116
                            found.append((path[len(root) + 1 :], (stat.st_size, stat.st_mtime_ns, stat.st_ino)))
        except FileNotFoundError:
            return []
        except OSError as exc:
            raise LibraryError(f"cannot read the library {self._folder}: {exc.strerror}") from exc
        return sorted(found)

    def refresh(self, step: Callable[[int], None] = lambda _: None) -> None:
        """Reads the files that changed since the last refresh by any process; `step` gets the number read so far.

        Raises:
            LibraryError: the folder cannot be read.
        """
        listing = dict(self.list_files())
        if self._in_memory and self._folder.is_dir():
            self.close()
        try:
            self._refresh(listing, step)
        except sqlite3.OperationalError:
            # Another process holds the file for too long, or the disk is full: use a catalog in memory.
            self.close()
            self._in_memory, self._db = True, prepare_connection(sqlite3.connect(":memory:", check_same_thread=False))
            self._refresh(listing, step)

    def _refresh(self, listing: dict[str, FileStat], step: Callable[[int], None]) -> None:
        db = self._connection()
        known = {os.fsdecode(path): (size, time, inode) for path, size, time, inode in db.execute("SELECT * FROM file")}
        gone = [path for path in known if path not in listing]
        changed = [path for path, stat in listing.items() if known.get(path) != stat]
        if not gone and not changed:
            return
        with db:
            for path in (*gone, *changed):
                delete_file(db, path)
            for done, path in enumerate(changed, start=1):
                entries, refusals = _read_entries(self._folder, path)
                insert_file(db, path, listing[path], entries, refusals)
                step(done)

    def update_file(self, path: str, entries: Iterable[CatalogEntry]) -> None:
        """Records what was just written to a file, so that it need not be read again."""
        stat = (self._folder / path).stat()
        db = self._connection()
        # If another process holds the catalog for too long, the file is read at the next refresh.
        with suppress(sqlite3.OperationalError), db:
            delete_file(db, path)
            insert_file(db, path, (stat.st_size, stat.st_mtime_ns, stat.st_ino), entries, [])

    def find(self, article_id: str) -> list[CatalogEntry]:
        """The entries with this id: the library's own file first, then records, then other files."""
        return self._query_entries("WHERE id = ? ORDER BY rank, path, start", article_id)

    def find_by_url(self, key: str) -> CatalogEntry | None:
        """The first entry by id that has this `url_key`."""
        return next(iter(self._query_entries("WHERE url = ? ORDER BY id, rank LIMIT 1", key)), None)

    def find_by_text_hash(self, text_hash: bytes) -> CatalogEntry | None:
        """The first entry by id that has this hash of its text."""
        return next(iter(self._query_entries("WHERE words = ? ORDER BY id, rank LIMIT 1", text_hash)), None)

    def similar(self, sketch_values: list[int]) -> list[CatalogEntry]:
        """The ten entries that share the most of these sketch values, most first, then by id."""
        marks = ", ".join("?" * len(sketch_values))
        rows = self._connection().execute(
            f"SELECT {COLUMNS} FROM entry JOIN (SELECT row, count(*) AS shared FROM sketched WHERE value IN ({marks})"
            f" GROUP BY row ORDER BY shared DESC, row LIMIT {_CANDIDATES}) USING (row) ORDER BY shared DESC, id, rank",
            sketch_values,
        )
        return [entry_from_row(row) for row in rows]

    def entries(self) -> Iterator[CatalogEntry]:
        """The first entry for each id, by ascending id."""
        last = None
        for row in self._connection().execute(f"SELECT {COLUMNS} FROM entry ORDER BY id, rank, path, start"):
            if row[0] != last:
                last = row[0]
                yield entry_from_row(row)

    def digests(self) -> dict[str, bytes]:
        """The digest of the first entry for each id, by ascending id."""
        query = "SELECT id, digest FROM entry ORDER BY id, rank, path, start"
        rows: list[tuple[str, bytes]] = self._connection().execute(query).fetchall()
        found = dict(rows)
        if len(found) < len(rows):
            first = dict(reversed(rows))
            return {one: first[one] for one in found}
        return found

    def ids(self) -> list[str]:
        """Every id, ascending."""
        return [row[0] for row in self._connection().execute("SELECT DISTINCT id FROM entry ORDER BY id")]

    def count_in_file(self, path: str) -> int:
        """The number of entries in a file."""
        query = "SELECT count(*) FROM entry WHERE path = ?"
        return int(self._connection().execute(query, (os.fsencode(path),)).fetchone()[0])

    def refused(self) -> list[Refused]:
        """What is not a usable article in the folder's files, by file."""
        rows = self._connection().execute("SELECT source, reason FROM refused ORDER BY path, rowid")
        return [Refused(*row) for row in rows]

    def _query_entries(self, where: str, value: str | bytes) -> list[CatalogEntry]:
        return [
            entry_from_row(row) for row in self._connection().execute(f"SELECT {COLUMNS} FROM entry {where}", (value,))
        ]

    def _connection(self) -> sqlite3.Connection:
        if self._db is None:
            self._db = self._open_file()
            self._in_memory = self._db is None
            self._db = self._db or prepare_connection(sqlite3.connect(":memory:", check_same_thread=False))
        return self._db

    def _open_file(self) -> sqlite3.Connection | None:
        """Opens the file, recreated if it is damaged or has another version; None if it cannot be written."""
        if not self._folder.is_dir():
            return None
        path = self._folder / STATE_FOLDER / _FILE_NAME
        for _ in range(2):
            try:
                make_state_folder(self._folder)
                return prepare_connection(sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S, check_same_thread=False))
            except sqlite3.DatabaseError:
                with suppress(OSError):
                    path.unlink(missing_ok=True)
            except OSError:
                break
        return None


def _read_entries(folder: Path, path: str) -> tuple[list[CatalogEntry], list[Refused]]:
    entries, refusals = [], []
    full = folder / path
    items = _read_records(full) if path.endswith(".jsonl") else ((item, -1) for item in read(full))
    for item, start in items:
        if isinstance(item, Refused):
            refusals.append(item)
        else:
            entries.append(make_entry(item.article, path, start))
    return entries, refusals


def _read_records(path: Path) -> Iterator[tuple[Item, int]]:
    """The records of a file, each with its byte offset; -1 for refusals."""
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
