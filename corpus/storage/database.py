"""The SQLite tables of a catalog."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable

from corpus.readers.item import Refused
from corpus.storage.entry import CatalogEntry, precedence

# To be raised whenever the tables, or how their values are computed, change.
VERSION = 2
# The sketches of 200,000 articles are a B-tree of 50 MB with random access.
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
COLUMNS = "id, path, start, url, words, digest, sketch"
FileStat = tuple[int, int, int]


def prepare_connection(db: sqlite3.Connection) -> sqlite3.Connection:
    """Creates the tables if there are none, and returns the connection.

    Raises:
        sqlite3.DatabaseError: the file is not a database, has another version, or cannot be written.
    """
    try:
        version = db.execute("PRAGMA user_version").fetchone()[0]
        # The catalog can be rebuilt at any time, so there is no need to wait for the disk.
        db.execute("PRAGMA synchronous = OFF")
        db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        if version not in (0, VERSION):
            raise sqlite3.DatabaseError(f"version {version}")
        if version == 0:
            with db:
                db.executescript(f"BEGIN;{_SCHEMA}PRAGMA user_version = {VERSION};COMMIT;")
    except sqlite3.DatabaseError:
        db.close()
        raise
    return db


def delete_file(db: sqlite3.Connection, path: str) -> None:
    """Deletes all rows about a file."""
    rows = db.execute(f"SELECT row, {COLUMNS} FROM entry WHERE path = ?", (os.fsencode(path),)).fetchall()
    for row, *columns in rows:
        pairs = ((value, row) for value in entry_from_row(tuple(columns)).sketch_values())
        db.executemany("DELETE FROM sketched WHERE value = ? AND row = ?", pairs)
    for table in ("file", "entry", "refused"):
        db.execute(f"DELETE FROM {table} WHERE path = ?", (os.fsencode(path),))


def entry_from_row(row: tuple[str, bytes, int, str | None, bytes, bytes, bytes]) -> CatalogEntry:
    """The entry from a row of `COLUMNS`."""
    article_id, path, start, url, text_hash, digest, sketch = row
    return CatalogEntry(article_id, os.fsdecode(path), start, url, text_hash, digest, sketch)


def insert_file(
    db: sqlite3.Connection, path: str, stat: FileStat, entries: Iterable[CatalogEntry], refusals: Iterable[Refused]
) -> None:
    """Inserts the entries and refusals of a file, and its size, time and inode."""
    for e in entries:
        values = (e.id, precedence(e), os.fsencode(e.path), e.start, e.url_key, e.text_hash, e.digest, e.sketch)
        row = db.execute("INSERT OR REPLACE INTO entry VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)", values).lastrowid
        # Rows left over from a replaced entry name no entry, or one that the comparison of the texts then rejects.
        db.executemany("INSERT OR IGNORE INTO sketched VALUES (?, ?)", ((value, row) for value in e.sketch_values()))
    db.executemany("INSERT INTO refused VALUES (?, ?, ?)", ((os.fsencode(path), r.source, r.reason) for r in refusals))
    db.execute("INSERT INTO file VALUES (?, ?, ?, ?)", (os.fsencode(path), *stat))
