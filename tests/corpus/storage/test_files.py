"""Files are written whole, under safe names, and never over another."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest

from corpus import (
    Article,
    Library,
    LibraryError,
)
from tests.corpus.storage.libraries import ONE, TWO, as_records, files, make_library, texts


@pytest.mark.parametrize(
    ("title", "article_id", "name"),
    [
        ("Élan: “Über” 50% off!", "a1", "elan-uber-50-off-a1.md"),
        ("الكويت في المستوى الثاني", "a1", "الكويت-في-المستوى-الثاني-a1.md"),
        ("🙂", "a1", "article-a1.md"),
        ("../../etc/passwd", "a1", "etc-passwd-a1.md"),
        ("word " * 30, "a1", "word-word-word-word-word-word-word-word-word-word-word-word-a1.md"),
        ("語" * 100, "a1", "語" * 40 + "-a1.md"),
        ("T", "../x", "t-4d6ba5a7dda39eee.md"),
        ("T", "UPPER", "t-80a8d21d4e0a8eb6.md"),
    ],
)
def test_the_name_of_a_file_is_safe_everywhere(tmp_path: Path, title: str, article_id: str, name: str) -> None:
    made = make_library(tmp_path, Article(article_id, title, "The text."))
    assert (files(made)[0].split("-")[:-1], len(files(made))) == (name.split("-")[:-1], 1)
    assert len(files(made)[0].split("-")[-1]) == len(name.split("-")[-1])
    assert made.ids() == [article_id]


def test_a_file_of_the_same_name_is_not_overwritten(tmp_path: Path) -> None:
    made = make_library(tmp_path)
    (made.folder / "first-title-one.md").write_text("Notes\n\nNot that article.")
    made.add([ONE])
    assert files(made) == ["first-title-one-2.md", "first-title-one.md"]
    assert len(made.ids()) == 2


def test_an_unwritable_folder_is_a_one_line_error(tmp_path: Path) -> None:
    (tmp_path / "library").write_text("a file")
    with pytest.raises(
        LibraryError, match=r"^cannot write to the library .*; check its permissions and the space left"
    ):
        Library(tmp_path / "library").add([ONE])


def test_a_full_disk_leaves_the_library_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make_library(tmp_path, ONE)
    made.add(as_records(TWO))
    before = (files(made), texts(made))

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    for attempt in (
        [replace(ONE, text="New.")],
        as_records(Article("n", "N", "New.")),
        as_records(replace(TWO, text="New.")),
    ):
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(LibraryError, match="No space left on device"):
            made.add(attempt)
        monkeypatch.undo()
        assert (files(made), texts(made)) == before
        assert not list(made.folder.glob(".new-*"))


def test_a_file_that_changes_while_it_is_read_is_an_error(tmp_path: Path) -> None:
    made = make_library(tmp_path, ONE, TWO)
    reading = made.articles()
    next(reading)
    (made.folder / "second-title-two.md").unlink()
    with pytest.raises(LibraryError, match=r"second-title-two.md changed while it was read; try again"):
        next(reading)
