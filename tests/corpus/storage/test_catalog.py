"""The catalog follows the folder's files, and can be rebuilt from them at any time."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from corpus import Library, Refused
from corpus.storage import catalog
from corpus.storage.catalog import Catalog
from tests.corpus.storage.catalogs import refreshed_catalog


def test_a_file_that_did_not_change_is_not_read_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(catalog, "_read_entries", fail)
    assert refreshed_catalog(folder).ids() == ["one", "two"]


def test_what_changed_by_hand_is_read_again(folder: Path) -> None:
    made = refreshed_catalog(folder)
    (folder / "first-title-one.md").unlink()
    (folder / "note.txt").write_text("A note\n\nIts text.")
    (folder / "bad.txt").write_bytes(b"\0")
    made.refresh()
    assert [entry.path for entry in made.entries()] == ["note.txt", made.find("two")[0].path]
    assert made.refused() == [Refused(f"{folder}/bad.txt", "it is binary, not text")]
    (folder / "bad.txt").unlink()
    made.refresh()
    assert made.refused() == []


def test_a_lost_catalog_is_rebuilt(folder: Path) -> None:
    shutil.rmtree(folder / ".newsquote")
    assert refreshed_catalog(folder).ids() == ["one", "two"]
    assert (folder / ".newsquote" / ".gitignore").read_text() == "*\n"


def test_a_catalog_that_cannot_be_written_is_kept_in_memory(folder: Path) -> None:
    shutil.rmtree(folder / ".newsquote")
    (folder / ".newsquote").write_text("a file in the way")
    assert refreshed_catalog(folder).ids() == ["one", "two"]


def test_a_folder_that_comes_later_is_seen(tmp_path: Path) -> None:
    made = Catalog(tmp_path / "library")
    made.refresh()
    assert made.ids() == []
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "note.txt").write_text("A note\n\nIts text.")
    made.refresh()
    assert [entry.path for entry in made.entries()] == ["note.txt"]
    assert (tmp_path / "library" / ".newsquote" / "catalog.sqlite").exists()


def test_a_catalog_that_another_process_locks_is_kept_in_memory(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "_BUSY_TIMEOUT_S", 0.01)
    other = sqlite3.connect(folder / ".newsquote" / "catalog.sqlite", isolation_level=None)
    made = refreshed_catalog(folder)
    other.execute("BEGIN EXCLUSIVE")
    (folder / "note.txt").write_text("A note\n\nIts text.")
    made.refresh()
    assert len(made.ids()) == 3
    other.execute("ROLLBACK")
    noting = refreshed_catalog(folder)
    other.execute("BEGIN IMMEDIATE")
    noting.update_file("note.txt", [])
    other.execute("ROLLBACK")
    other.close()
    assert len(refreshed_catalog(folder).ids()) == 3


def test_a_file_name_that_is_not_valid_utf8_is_accepted(folder: Path) -> None:
    with open(os.fsencode(folder) + b"/caf\xe9.txt", "w") as file:  # noqa: PTH123 - a Path cannot be made of these bytes
        file.write("A note\n\nIts text.")
    made = refreshed_catalog(folder)
    (found,) = [entry for entry in made.entries() if entry.path.endswith(".txt")]
    assert Library(folder).remove([found.id]) == [found.id]


def test_several_processes_may_refresh_at_once(folder: Path) -> None:
    for number in range(30):
        (folder / f"{number}.txt").write_text(f"Note {number}\n\nIts text.")
    code = f"from pathlib import Path; from corpus import Library; print(len(Library(Path({str(folder)!r})).ids()))"
    runs = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [run.communicate()[0] for run in runs] == ["32\n"] * 3
