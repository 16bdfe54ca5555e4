"""A library keeps its articles, rewrites only what changed, and follows edits by hand."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus import (
    Article,
    Found,
    Library,
    LibraryError,
    OutcomeKind,
    Refused,
    read,
)
from tests.corpus.articles import articles
from tests.corpus.storage.libraries import ONE, TWO, as_records, files, make_library, texts


def test_a_library_without_a_folder_is_empty(tmp_path: Path) -> None:
    empty = Library(tmp_path / "library")
    assert (list(empty.articles()), empty.ids(), empty.get("one"), empty.refused()) == ([], [], None, [])
    assert not empty.folder.exists()


def test_added_articles_are_files_named_by_title_and_id(tmp_path: Path) -> None:
    made = make_library(tmp_path, TWO, ONE)
    assert files(made) == ["first-title-one.md", "second-title-two.md"]
    assert list(made.articles()) == [ONE, TWO]
    assert texts(made) == {"one": "The first text.", "two": "The second text."}
    assert made.get("two") == TWO


def test_removed_articles_are_gone_with_their_files(tmp_path: Path) -> None:
    made = make_library(tmp_path, ONE)
    made.add(as_records(TWO, Article("three", "Third", "Three.")))
    assert made.remove(["two", "none", "one", "two"]) == ["two", "one"]
    assert made.ids() == ["three"]
    assert made.remove(["three"]) == ["three"]
    assert files(made) == []


def test_files_that_the_user_puts_in_count_in_any_format(tmp_path: Path) -> None:
    made = make_library(tmp_path, ONE)
    (made.folder / "sub").mkdir()
    (made.folder / "sub" / "note.txt").write_text("A note\n\nIts body.")
    (made.folder / "mine.jsonl").write_text('{"id": "r", "title": "R", "text": "Record."}\n\nbad\n')
    (made.folder / "broken.txt").write_bytes(b"\0")
    (made.folder / ".hidden.txt").write_text("Hidden\n\nNot an article.")
    assert sorted(article.title for article in made.articles()) == ["A note", "First title", "R"]
    assert made.refused() == [
        Refused(f"{made.folder}/broken.txt", "it is binary, not text"),
        Refused(f"{made.folder}/mine.jsonl, line 3", "it is not JSON: Expecting value at column 1"),
    ]


def test_a_changed_article_in_another_format_gets_a_library_file_that_takes_precedence(tmp_path: Path) -> None:
    made = make_library(tmp_path)
    made.folder.joinpath("note.txt").write_text("A note\n\nIts body.")
    (found,) = made.articles()
    (outcome,) = made.add([replace(found, author="Ann")])
    assert outcome.kind is OutcomeKind.REPLACED
    assert files(made) == [f"a-note-{found.id}.md", "note.txt"]
    assert [article.author for article in made.articles()] == ["Ann"]
    assert made.remove([found.id]) == [found.id]
    assert files(made) == []


def test_an_article_that_shares_a_file_with_others_is_not_removed(tmp_path: Path) -> None:
    made = make_library(tmp_path)
    (made.folder / "two.json").write_text(
        '[{"id": "a", "title": "A", "text": "a"}, {"id": "b", "title": "B", "text": "b"}]'
    )
    with pytest.raises(LibraryError, match=r"two.json holds more articles than a; take that one out of it by hand"):
        made.remove(["a"])
    assert made.ids() == ["a", "b"]


def test_an_edit_by_hand_is_seen_and_changes_the_fingerprint(tmp_path: Path) -> None:
    made = make_library(tmp_path, ONE)
    before = made.fingerprint()
    path = made.folder / "first-title-one.md"
    path.write_text(path.read_text().replace("first text", "text as edited"))
    assert texts(made) == {"one": "The text as edited."}
    assert made.fingerprint() != before


def test_the_fingerprint_stays_while_nothing_changes(tmp_path: Path) -> None:
    made = make_library(tmp_path, ONE)
    before = made.fingerprint()
    made.add([ONE])
    made.remove(["none"])
    assert Library(made.folder).fingerprint() == before


def test_an_unreadable_folder_is_a_one_line_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(LibraryError, match=r"^cannot read the library .*: Permission denied$"):
        Library(tmp_path).ids()


def test_an_unreadable_records_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make_library(tmp_path, ONE)
    made.add(as_records(TWO))

    def refuse(path: Path, *_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    shutil.rmtree(made.folder / ".newsquote")
    monkeypatch.setattr(Path, "open", refuse)
    assert [refused.reason for refused in Library(made.folder).refused()] == [
        "no permission to read it",
        "it cannot be read: Permission denied",
    ]


def test_a_digest_changes_with_anything_an_article_says(tmp_path: Path) -> None:
    made = make_library(tmp_path, ONE, TWO)
    before = made.digests()
    made.add([replace(TWO, author="Ann")])
    after = made.digests()
    assert list(before) == list(after) == ["one", "two"]
    assert (before["one"] == after["one"], before["two"] == after["two"]) == (True, False)


def test_the_page_of_an_article_in_the_library_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("A title\n\nThe body.")
    made = make_library(tmp_path)
    kinds = [made.add(read(tmp_path / "a.txt"))[0].kind for _ in range(2)]
    assert kinds == [OutcomeKind.ADDED, OutcomeKind.SKIPPED]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(articles(st.sampled_from(["a", "b", "Ω/", "c"])), st.booleans(), st.booleans()), max_size=8))
def test_the_library_holds_what_a_dictionary_would(steps: list[tuple[Article, bool, bool]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        made = Library(Path(folder, "library"))
        expected: dict[str, str] = {}
        for article, record, remove in steps:
            article = replace(article, url=None, text=article.text.replace("\r", ""))
            if remove or not article.text.strip():
                assert made.remove([article.id]) == [article.id] * (article.id in expected)
                expected.pop(article.id, None)
            else:
                made.add([Found(article, "x", record=record)])
                expected[article.id] = article.text
            assert texts(made) == texts(Library(made.folder)) == expected


def test_refresh_reads_changed_files_and_counts_them(tmp_path: Path) -> None:
    made = make_library(tmp_path, ONE)
    for name in ("a", "b"):
        (made.folder / f"{name}.txt").write_text(f"Title {name}\n\nText {name}.")
    seen: list[int] = []
    made.refresh(seen.append)
    made.refresh(seen.append)
    assert (seen, len(made.ids())) == ([1, 2], 3)
