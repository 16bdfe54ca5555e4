"""A database that cannot be used is recreated."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.corpus.storage.catalogs import refreshed_catalog


@pytest.mark.parametrize("damage", [b"", b"rubbish" * 1000, b"SQLite format 3\0" + b"\xff" * 4000])
def test_a_damaged_catalog_is_rebuilt(folder: Path, damage: bytes) -> None:
    (folder / ".newsquote" / "catalog.sqlite").write_bytes(damage)
    assert refreshed_catalog(folder).ids() == ["one", "two"]


def test_a_catalog_of_another_version_is_rebuilt(folder: Path) -> None:
    with sqlite3.connect(folder / ".newsquote" / "catalog.sqlite") as db:
        db.execute("PRAGMA user_version = 99")
        db.execute("DROP TABLE entry")
    db.close()
    assert refreshed_catalog(folder).ids() == ["one", "two"]
