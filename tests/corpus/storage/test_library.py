"""A library keeps what it is given, changes only what changed, and says what became of each article."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus import (
    Article,
    Found,
    Item,
    Library,
    LibraryError,
    LibraryLocked,
    Outcome,
    OutcomeKind,
    Refused,
    content_id,
    read,
)
from corpus.storage.library import exclusive_lock
from tests.corpus.articles import articles

ONE = Article("one", "First title", "The first text.", url="https://x.kw/1", language="en")
LONG = "The council of Jahra said on Monday that the road to the coast is closed from May until the end of the year."
TWO = Article("two", "Second title", "The second text.", language="en")


def library(tmp_path: Path, *given: Article) -> Library:
    made = Library(tmp_path / "library", lock_timeout_s=0.05)
    made.add(given)
    return made


def records(*given: Article) -> Iterator[Found]:
    return (Found(article, f"r.jsonl, line {n}", record=True) for n, article in enumerate(given, start=1))


def texts(of: Library) -> dict[str, str]:
    return {article.id: article.text for article in of.articles()}


def files(of: Library) -> list[str]:
    return sorted(path.name for path in of.folder.iterdir() if not path.name.startswith("."))


def test_a_library_that_is_not_there_is_empty(tmp_path: Path) -> None:
    empty = Library(tmp_path / "library")
    assert (list(empty.articles()), empty.ids(), empty.get("one"), empty.refused()) == ([], [], None, [])
    assert not empty.folder.exists()


def test_added_articles_are_files_named_by_title_and_id(tmp_path: Path) -> None:
    made = library(tmp_path, TWO, ONE)
    assert files(made) == ["first-title-one.md", "second-title-two.md"]
    assert list(made.articles()) == [ONE, TWO]
    assert texts(made) == {"one": "The first text.", "two": "The second text."}
    assert made.get("two") == TWO


def test_every_item_has_its_outcome_in_order(tmp_path: Path) -> None:
    made = library(tmp_path, ONE)
    told: list[Outcome] = []
    changed = replace(ONE, id="other", text="A new text.")
    items: list[Item | Article] = [Refused("bad.txt", "it is empty"), TWO, Found(ONE, "a.txt"), changed]
    outcomes = made.add(items, on_outcome=told.append)
    assert outcomes == [
        Outcome(OutcomeKind.REFUSED, "bad.txt", reason="it is empty"),
        Outcome(OutcomeKind.ADDED, "two", "Second title", "two"),
        Outcome(OutcomeKind.SKIPPED, "a.txt", "First title", "one", "already in the library"),
        Outcome(OutcomeKind.REPLACED, "other", "First title", "one", "its text changed"),
    ]
    assert told == outcomes
    assert texts(made) == {"one": "A new text.", "two": "The second text."}
    assert files(made) == ["first-title-one.md", "second-title-two.md"]


def test_what_a_new_version_does_not_say_is_kept(tmp_path: Path) -> None:
    made = library(tmp_path, replace(ONE, author="Ann", published="2026-11-24"))
    (skipped,) = made.add([ONE])
    (replaced,) = made.add([replace(ONE, author="Bo", language="fr")])
    assert (skipped.kind, replaced.kind) == (OutcomeKind.SKIPPED, OutcomeKind.REPLACED)
    assert replaced.reason == "what is known about it changed"
    assert made.get("one") == replace(ONE, author="Bo", published="2026-11-24", language="fr")


def test_names_are_put_on_one_line_and_blanks_are_unknown(tmp_path: Path) -> None:
    made = library(tmp_path, Article("x", " A\ntitle ", "The text.", source=" ", author="Ann\tLee"))
    assert made.get("x") == Article("x", "A title", "The text.", author="Ann Lee")


def test_an_article_without_language_gets_one(tmp_path: Path) -> None:
    made = library(tmp_path, Article("x", "T", "Laut dem Bericht bleibt Kuwait weiterhin auf der zweiten Stufe."))
    assert [article.language for article in made.articles()] == ["de"]


def test_records_stay_records(tmp_path: Path) -> None:
    made = library(tmp_path)
    outcomes = made.add(records(ONE, TWO, ONE))
    assert [outcome.kind for outcome in outcomes] == [OutcomeKind.ADDED, OutcomeKind.ADDED, OutcomeKind.SKIPPED]
    (name,) = files(made)
    assert name.startswith("records-")
    assert list(made.articles()) == [ONE, TWO]
    assert [made.add(records(TWO))[0].kind, files(made)] == [OutcomeKind.SKIPPED, [name]]


def test_a_changed_record_changes_its_line_alone(tmp_path: Path) -> None:
    made = library(tmp_path)
    made.add(records(ONE, TWO))
    changed = replace(ONE, text="A new text.")
    outcomes = made.add([*records(changed), *records(changed), *records(replace(changed, text="A newer text."))])
    assert [outcome.kind for outcome in outcomes] == [OutcomeKind.REPLACED, OutcomeKind.SKIPPED, OutcomeKind.REPLACED]
    (name,) = files(made)
    lines = (made.folder / name).read_text().splitlines()
    assert [json.loads(line)["text"] for line in lines] == ["A newer text.", "The second text."]


def test_a_record_that_comes_twice_in_one_batch_keeps_its_last_text(tmp_path: Path) -> None:
    made = library(tmp_path)
    made.add(records(ONE, TWO, replace(ONE, text="A new text.")))
    assert texts(made) == {"one": "A new text.", "two": "The second text."}
    assert made.add(records(replace(ONE, text="A new text.")))[0].kind is OutcomeKind.SKIPPED


def test_removed_articles_are_gone_with_their_files(tmp_path: Path) -> None:
    made = library(tmp_path, ONE)
    made.add(records(TWO, Article("three", "Third", "Three.")))
    assert made.remove(["two", "none", "one", "two"]) == ["two", "one"]
    assert made.ids() == ["three"]
    assert made.remove(["three"]) == ["three"]
    assert files(made) == []


def test_files_a_person_drops_in_count_whatever_their_format(tmp_path: Path) -> None:
    made = library(tmp_path, ONE)
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


def test_a_file_of_another_format_that_changes_is_kept_behind_the_librarys_own(tmp_path: Path) -> None:
    made = library(tmp_path)
    made.folder.joinpath("note.txt").write_text("A note\n\nIts body.")
    (found,) = made.articles()
    (outcome,) = made.add([replace(found, author="Ann")])
    assert outcome.kind is OutcomeKind.REPLACED
    assert files(made) == [f"a-note-{found.id}.md", "note.txt"]
    assert [article.author for article in made.articles()] == ["Ann"]
    assert made.remove([found.id]) == [found.id]
    assert files(made) == []


def test_an_article_that_shares_a_file_with_others_is_not_removed_behind_their_back(tmp_path: Path) -> None:
    made = library(tmp_path)
    (made.folder / "two.json").write_text(
        '[{"id": "a", "title": "A", "text": "a"}, {"id": "b", "title": "B", "text": "b"}]'
    )
    with pytest.raises(LibraryError, match=r"two.json holds more articles than a; take that one out of it by hand"):
        made.remove(["a"])
    assert made.ids() == ["a", "b"]


def test_an_edit_by_hand_is_seen_and_changes_the_digest(tmp_path: Path) -> None:
    made = library(tmp_path, ONE)
    before = made.digest()
    path = made.folder / "first-title-one.md"
    path.write_text(path.read_text().replace("first text", "text as edited"))
    assert texts(made) == {"one": "The text as edited."}
    assert made.digest() != before


def test_the_digest_stays_while_nothing_changes(tmp_path: Path) -> None:
    made = library(tmp_path, ONE)
    before = made.digest()
    made.add([ONE])
    made.remove(["none"])
    assert Library(made.folder).digest() == before


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
    made = library(tmp_path, Article(article_id, title, "The text."))
    assert (files(made)[0].split("-")[:-1], len(files(made))) == (name.split("-")[:-1], 1)
    assert len(files(made)[0].split("-")[-1]) == len(name.split("-")[-1])
    assert made.ids() == [article_id]


def test_a_name_that_is_taken_is_left_alone(tmp_path: Path) -> None:
    made = library(tmp_path)
    (made.folder / "first-title-one.md").write_text("Notes\n\nNot that article.")
    made.add([ONE])
    assert files(made) == ["first-title-one-2.md", "first-title-one.md"]
    assert len(made.ids()) == 2


def test_a_folder_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "library").write_text("a file")
    with pytest.raises(
        LibraryError, match=r"^cannot write to the library .*; check its permissions and the space left"
    ):
        Library(tmp_path / "library").add([ONE])


def test_a_folder_that_cannot_be_read_is_said_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(LibraryError, match=r"^cannot read the library .*: Permission denied$"):
        Library(tmp_path).ids()


def test_a_file_of_records_that_cannot_be_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = library(tmp_path, ONE)
    made.add(records(TWO))

    def refuse(path: Path, *_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    shutil.rmtree(made.folder / ".newsquote")
    monkeypatch.setattr(Path, "open", refuse)
    assert [refused.reason for refused in Library(made.folder).refused()] == [
        "no permission to read it",
        "it cannot be read: Permission denied",
    ]


def test_a_full_disk_leaves_the_library_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = library(tmp_path, ONE)
    made.add(records(TWO))
    before = (files(made), texts(made))

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    for attempt in (
        [replace(ONE, text="New.")],
        records(Article("n", "N", "New.")),
        records(replace(TWO, text="New.")),
    ):
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(LibraryError, match="No space left on device"):
            made.add(attempt)
        monkeypatch.undo()
        assert (files(made), texts(made)) == before
        assert not list(made.folder.glob(".new-*"))


def test_two_writers_at_once_are_told_who_holds_the_library(tmp_path: Path) -> None:
    made = library(tmp_path, ONE)
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


def test_a_holder_nobody_wrote_down_is_unknown(tmp_path: Path) -> None:
    made = library(tmp_path)
    with Library(made.folder).lock():
        (made.folder / ".newsquote" / "writer").unlink()
        with pytest.raises(LibraryLocked, match="process unknown"):
            made.remove(["x"])


def test_what_one_does_alone_nobody_else_does_meanwhile(tmp_path: Path) -> None:
    with exclusive_lock(tmp_path / "lock") as first, exclusive_lock(tmp_path / "lock") as second:
        assert (first, second) == (True, False)
    with exclusive_lock(tmp_path / "lock") as third:
        assert third


def test_the_lock_may_be_held_around_several_changes(tmp_path: Path) -> None:
    made = library(tmp_path)
    with made.lock():
        made.add([ONE, TWO])
        made.remove(["one"])
    assert made.ids() == ["two"]


def test_what_a_killed_writer_left_is_cleared_by_the_next(tmp_path: Path) -> None:
    made = library(tmp_path, ONE)
    (made.folder / ".new-0123").write_text("half a fi")
    made.add([TWO])
    assert not list(made.folder.glob(".new-*"))


def test_an_interrupted_addition_keeps_what_was_whole(tmp_path: Path) -> None:
    def interrupted() -> Iterator[Article]:
        yield ONE
        raise KeyboardInterrupt

    made = library(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        made.add(interrupted())
    assert texts(made) == {"one": "The first text."}
    assert made.add([TWO])[0].kind is OutcomeKind.ADDED


def test_a_file_that_changes_while_it_is_read_is_said(tmp_path: Path) -> None:
    made = library(tmp_path, ONE, TWO)
    reading = made.articles()
    next(reading)
    (made.folder / "second-title-two.md").unlink()
    with pytest.raises(LibraryError, match=r"second-title-two.md changed while it was read; try again"):
        next(reading)


def test_the_same_address_with_new_text_replaces_whatever_tracks_its_reader(tmp_path: Path) -> None:
    made = library(tmp_path, ONE)
    page = replace(ONE, id="new", text="A new text.", url="http://www.x.kw/1/?utm_source=mail&fbclid=2#top")
    (outcome,) = made.add([page])
    assert outcome == Outcome(OutcomeKind.REPLACED, "new", "First title", "one", "its text changed")
    assert [article.url for article in made.articles()] == ["http://www.x.kw/1/"]


def test_the_same_text_elsewhere_is_kept_as_a_further_source(tmp_path: Path) -> None:
    made = library(tmp_path, ONE)
    reprint = Article("re", "Another title", "THE FIRST\n\ntext.", url="https://y.kw/1")
    (near, outcome, again) = made.add([Article("n", "N", LONG), reprint, Article("m", "M", LONG + " It rained.")])
    assert (near.reason, outcome.kind, again.kind) == (None, OutcomeKind.ADDED, OutcomeKind.ADDED)
    assert outcome.reason == "the same text as one, kept as a further source"
    assert again.reason == "nearly the same text as n, kept as a further source"
    assert Library(made.folder).add([Article("o", "O", LONG + " It snowed.")])[0].reason == again.reason
    assert made.ids() == ["m", "n", "o", "one", "re"]


def test_the_same_text_twice_in_one_batch_is_noticed(tmp_path: Path) -> None:
    made = library(tmp_path)
    outcomes = made.add([*records(ONE), replace(ONE, id="re", url="https://y.kw/1"), replace(TWO, text=LONG)])
    assert [outcome.reason for outcome in outcomes] == [None, "the same text as one, kept as a further source", None]


def test_a_digest_changes_with_anything_an_article_says(tmp_path: Path) -> None:
    made = library(tmp_path, ONE, TWO)
    before = made.digests()
    made.add([replace(TWO, author="Ann")])
    after = made.digests()
    assert list(before) == list(after) == ["one", "two"]
    assert (before["one"] == after["one"], before["two"] == after["two"]) == (True, False)


def test_the_page_of_an_article_in_the_library_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("A title\n\nThe body.")
    made = library(tmp_path)
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


def test_the_same_text_at_another_address_is_a_further_source_and_the_first_keeps_its_own(tmp_path: Path) -> None:
    one = Article(content_id("Road", LONG), "Road", LONG, url="https://x.kw/1", source="The Daily", language="en")
    two = replace(one, url="https://y.kw/2?utm_source=x", source="The Post")
    made = library(tmp_path, one)
    (outcome,) = made.add([two])
    assert (outcome.kind, outcome.reason) == (OutcomeKind.ADDED, f"the same text as {one.id}, kept as a further source")
    assert {(a.source, a.url) for a in made.articles()} == {
        ("The Daily", "https://x.kw/1"),
        ("The Post", "https://y.kw/2"),
    }
    assert [o.kind for o in made.add([one, two, replace(one, url="https://www.x.kw/1/?fbclid=1", author="Ann")])] == [
        OutcomeKind.SKIPPED,
        OutcomeKind.SKIPPED,
        OutcomeKind.REPLACED,
    ]
    assert len(made.ids()) == 2


def test_of_several_that_are_one_story_the_nearest_is_named_then_the_first(tmp_path: Path) -> None:
    parts = [f"{LONG} This is part {n} of what was said that day in the council, word by word." for n in range(6)]
    made = library(
        tmp_path, Article("c", "C", " ".join(parts[:4])), Article("b", "B", " ".join(parts)), Article("a", "A", "No.")
    )
    (outcome,) = made.add([Article("d", "D", " ".join([*parts[:5], "It rained."]))])
    assert outcome.reason == "nearly the same text as c, kept as a further source"


def test_records_are_kept_by_the_part_and_what_came_before_ctrl_c_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("corpus.storage.library._PART", 2)
    given = [Article(f"a{n}", f"Title {n}", f"Text number {n}.", language="en") for n in range(5)]

    def stopped() -> Iterator[Item]:
        yield from records(*given)
        yield from records(replace(given[0], text="A new text."), replace(given[4], text="Another new text."))
        raise KeyboardInterrupt

    made = library(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        made.add(stopped())
    expected = {article.id: article.text for article in given} | {"a0": "A new text.", "a4": "Another new text."}
    assert texts(made) == texts(Library(made.folder)) == expected
    assert made.refused() == []
    assert not list(made.folder.glob(".new-*"))
    assert [outcome.kind for outcome in made.add(records(*given[1:4]))] == [OutcomeKind.SKIPPED] * 3


def test_what_somebody_changed_is_read_and_counted(tmp_path: Path) -> None:
    made = library(tmp_path, ONE)
    for name in ("a", "b"):
        (made.folder / f"{name}.txt").write_text(f"Title {name}\n\nText {name}.")
    seen: list[int] = []
    made.refresh(seen.append)
    made.refresh(seen.append)
    assert (seen, len(made.ids())) == ([1, 2], 3)
