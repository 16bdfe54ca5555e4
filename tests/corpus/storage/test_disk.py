from __future__ import annotations

import os
from pathlib import Path

import pytest

from corpus.storage.disk import sync, sync_all


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The inodes that are seen to be on the disk, in order."""
    found: list[int] = []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        fsync(descriptor)
        found.append(os.fstat(descriptor).st_ino)

    monkeypatch.setattr(os, "fsync", noted)
    return found


def test_a_folder_is_synced_after_its_contents(tmp_path: Path, synced: list[int]) -> None:
    (tmp_path / "inner").mkdir()
    files = [tmp_path / "inner" / "deep.txt", tmp_path / "one.txt"]
    for path in files:
        path.write_text("words")
    sync_all(tmp_path)
    places = {path: synced.index(path.stat().st_ino) for path in (tmp_path, tmp_path / "inner", *files)}
    assert len(synced) == 4
    assert places[tmp_path] == 3
    assert places[files[0]] < places[tmp_path / "inner"]


def test_a_file_and_a_folder_are_synced_by_themselves(tmp_path: Path, synced: list[int]) -> None:
    path = tmp_path / "one.txt"
    path.write_text("words")
    sync(path)
    sync(tmp_path)
    assert synced == [path.stat().st_ino, tmp_path.stat().st_ino]


def test_what_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        sync(tmp_path / "missing")
