"""Only one process writes at a time, and the others are told which."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from corpus import (
    Library,
    LibraryLocked,
    OutcomeKind,
)
from corpus.storage.lock import exclusive_lock
from tests.corpus.storage.libraries import ONE, TWO, make_library, texts


def test_a_second_writer_is_told_which_process_has_the_lock(tmp_path: Path) -> None:
    made = make_library(tmp_path, ONE)
    script = (
        "import sys; from pathlib import Path; from corpus import Library\n"
        f"with Library(Path({str(made.folder)!r})).lock():\n print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LibraryLocked) as caught:
            made.add([TWO])
        assert f"process {holder.pid} has been writing to {made.folder} for longer than 0.05 s" in str(caught.value)
        assert texts(made) == {"one": "The first text."}
    finally:
        holder.communicate("")
    assert made.add([TWO])[0].kind is OutcomeKind.ADDED


def test_a_holder_without_a_recorded_process_is_unknown(tmp_path: Path) -> None:
    made = make_library(tmp_path)
    with Library(made.folder).lock():
        (made.folder / ".newsquote" / "writer").unlink()
        with pytest.raises(LibraryLocked, match="process unknown"):
            made.remove(["x"])


def test_an_exclusive_lock_is_held_once_at_a_time(tmp_path: Path) -> None:
    with exclusive_lock(tmp_path / "lock") as first, exclusive_lock(tmp_path / "lock") as second:
        assert (first, second) == (True, False)
    with exclusive_lock(tmp_path / "lock") as third:
        assert third


def test_the_lock_may_be_held_for_several_changes(tmp_path: Path) -> None:
    made = make_library(tmp_path)
    with made.lock():
        made.add([ONE, TWO])
        made.remove(["one"])
    assert made.ids() == ["two"]


def test_temporary_files_of_a_killed_writer_are_removed_by_the_next(tmp_path: Path) -> None:
    made = make_library(tmp_path, ONE)
    (made.folder / ".new-0123").write_text("half a fi")
    made.add([TWO])
    assert not list(made.folder.glob(".new-*"))
