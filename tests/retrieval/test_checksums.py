from __future__ import annotations

import os
from pathlib import Path

from retrieval.checksums import matches, remember_moved, sha256_of

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_files_digest_is_that_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"abc")
    assert sha256_of(tmp_path / "f") == ABC


def test_a_good_file_is_read_once_and_a_changed_file_again(tmp_path: Path) -> None:
    path, cache = tmp_path / "f", tmp_path / "cache.json"
    path.write_bytes(b"abc")
    assert matches(path, ABC, cache)
    known = cache.read_bytes()
    assert matches(path, ABC, cache)
    assert cache.read_bytes() == known
    path.write_bytes(b"abd")
    assert not matches(path, ABC, cache)


def test_a_cached_digest_does_not_match_another(tmp_path: Path) -> None:
    path, cache = tmp_path / "f", tmp_path / "cache.json"
    path.write_bytes(b"abc")
    assert matches(path, ABC, cache)
    assert not matches(path, "0" * 64, cache)


def test_changed_bytes_under_an_old_modification_time_are_noticed(tmp_path: Path) -> None:
    path, cache = tmp_path / "f", tmp_path / "cache.json"
    path.write_bytes(b"abc")
    assert matches(path, ABC, cache)
    times = path.stat()
    path.write_bytes(b"abd")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert not matches(path, ABC, cache)


def test_a_damaged_or_unwritable_cache_changes_no_result(tmp_path: Path) -> None:
    path, cache = tmp_path / "f", tmp_path / "cache.json"
    path.write_bytes(b"abc")
    for text in ("{", "[]", ""):
        cache.write_text(text)
        assert matches(path, ABC, cache)
    assert matches(path, ABC, path / "cannot" / "be")


def test_deleted_files_are_dropped_from_the_cache(tmp_path: Path) -> None:
    cache = tmp_path / "cache.json"
    for name in ("one", "two"):
        (tmp_path / name).write_bytes(b"abc")
    assert matches(tmp_path / "one", ABC, cache)
    (tmp_path / "one").unlink()
    assert matches(tmp_path / "two", ABC, cache)
    assert str(tmp_path / "one") not in cache.read_text()


def test_files_of_a_renamed_folder_are_not_read_again(tmp_path: Path) -> None:
    old, new, cache = tmp_path / "old", tmp_path / "new", tmp_path / "cache.json"
    for folder in (old, tmp_path / "older"):
        folder.mkdir()
        (folder / "f").write_bytes(b"abc")
        assert matches(folder / "f", ABC, cache)
    old.rename(new)
    remember_moved(old, new, cache)
    known = cache.read_bytes()
    assert matches(new / "f", ABC, cache)
    assert matches(tmp_path / "older" / "f", ABC, cache)
    assert cache.read_bytes() == known
