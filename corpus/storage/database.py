"""The tables of a catalog in SQLite."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable

from corpus.readers.item import Refused
from corpus.storage.entry import CatalogEntry, precedence

# Counts up whenever what is remembered, or how it is worked out, changes.
VERSION = 2
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
COLUMNS = "id, path, start, url, words, digest, sketch"
FileStat = tuple[int, int, int]


def prepare_connection(db: sqlite3.Connection) -> sqlite3.Connection:
    """The connection with its tables there.

    Raises:
        sqlite3.DatabaseError: the file is no database, of another version, or cannot be written.
    """
    try:
        version = db.execute("PRAGMA user_version").fetchone()[0]
        # It can be made anew at any time, so nothing waits for the disk.
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
    """Removes all that is known of a file."""
    rows = db.execute(f"SELECT row, {COLUMNS} FROM entry WHERE path = ?", (os.fsencode(path),)).fetchall()
    for row, *columns in rows:
        pairs = ((value, row) for value in entry_from_row(tuple(columns)).sketch_values())
        db.executemany("DELETE FROM sketched WHERE value = ? AND row = ?", pairs)
    for table in ("file", "entry", "refused"):
        db.execute(f"DELETE FROM {table} WHERE path = ?", (os.fsencode(path),))


def entry_from_row(row: tuple[str, bytes, int, str | None, bytes, bytes, bytes]) -> CatalogEntry:
    """The entry in a row of `COLUMNS`."""
    article_id, path, start, url, words, digest, values = row
    return CatalogEntry(article_id, os.fsdecode(path), start, url, words, digest, values)


def insert_file(
    db: sqlite3.Connection, path: str, stat: FileStat, entries: Iterable[CatalogEntry], refusals: Iterable[Refused]
) -> None:
    """Adds what a file holds."""
    for e in entries:
        values = (e.id, precedence(e), os.fsencode(e.path), e.start, e.url_key, e.text_hash, e.digest, e.sketch)
        row = db.execute("INSERT OR REPLACE INTO entry VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)", values).lastrowid
        # What one that is replaced leaves here names no entry, or another that the comparison then turns down.
        db.executemany("INSERT OR IGNORE INTO sketched VALUES (?, ?)", ((value, row) for value in e.sketch_values()))
    db.executemany("INSERT INTO refused VALUES (?, ?, ?)", ((os.fsencode(path), r.source, r.reason) for r in refusals))
    db.execute("INSERT INTO file VALUES (?, ?, ?, ?)", (os.fsencode(path), *stat))
