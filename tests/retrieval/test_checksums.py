from __future__ import annotations

import os
from pathlib import Path

from retrieval.checksums import matches, remember_moved, sha256_of

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_files_digest_is_that_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"abc")
    assert sha256_of(tmp_path / "f") == ABC


def test_a_good_file_is_read_once_and_a_changed_one_again(tmp_path: Path) -> None:
    path, memory = tmp_path / "f", tmp_path / "memory.json"
    path.write_bytes(b"abc")
    assert matches(path, ABC, memory)
    known = memory.read_bytes()
    assert matches(path, ABC, memory)
    assert memory.read_bytes() == known
    path.write_bytes(b"abd")
    assert not matches(path, ABC, memory)


def test_another_digest_is_never_taken_for_the_remembered_one(tmp_path: Path) -> None:
    path, memory = tmp_path / "f", tmp_path / "memory.json"
    path.write_bytes(b"abc")
    assert matches(path, ABC, memory)
    assert not matches(path, "0" * 64, memory)


def test_changed_bytes_under_an_old_modification_time_are_noticed(tmp_path: Path) -> None:
    path, memory = tmp_path / "f", tmp_path / "memory.json"
    path.write_bytes(b"abc")
    assert matches(path, ABC, memory)
    times = path.stat()
    path.write_bytes(b"abd")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert not matches(path, ABC, memory)


def test_a_damaged_or_unwritable_memory_only_costs_time(tmp_path: Path) -> None:
    path, memory = tmp_path / "f", tmp_path / "memory.json"
    path.write_bytes(b"abc")
    for text in ("{", "[]", ""):
        memory.write_text(text)
        assert matches(path, ABC, memory)
    assert matches(path, ABC, path / "cannot" / "be")


def test_files_that_are_gone_are_forgotten(tmp_path: Path) -> None:
    memory = tmp_path / "memory.json"
    for name in ("one", "two"):
        (tmp_path / name).write_bytes(b"abc")
    assert matches(tmp_path / "one", ABC, memory)
    (tmp_path / "one").unlink()
    assert matches(tmp_path / "two", ABC, memory)
    assert str(tmp_path / "one") not in memory.read_text()


def test_files_of_a_folder_that_was_renamed_are_not_read_again(tmp_path: Path) -> None:
    old, new, memory = tmp_path / "old", tmp_path / "new", tmp_path / "memory.json"
    for folder in (old, tmp_path / "older"):
        folder.mkdir()
        (folder / "f").write_bytes(b"abc")
        assert matches(folder / "f", ABC, memory)
    old.rename(new)
    remember_moved(old, new, memory)
    known = memory.read_bytes()
    assert matches(new / "f", ABC, memory)
    assert matches(tmp_path / "older" / "f", ABC, memory)
    assert memory.read_bytes() == known
