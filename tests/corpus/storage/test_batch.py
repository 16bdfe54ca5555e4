"""An article is added, replaced, skipped or kept as a further source of another."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from corpus import (
    Article,
    Item,
    Library,
    Outcome,
    OutcomeKind,
    content_id,
)
from tests.corpus.storage.libraries import LONG, ONE, TWO, as_records, files, make_library, texts


def test_fields_missing_in_a_new_version_are_kept(tmp_path: Path) -> None:
    made = make_library(tmp_path, replace(ONE, author="Ann", published="2026-11-24"))
    (skipped,) = made.add([ONE])
    (replaced,) = made.add([replace(ONE, author="Bo", language="fr")])
    assert (skipped.kind, replaced.kind) == (OutcomeKind.SKIPPED, OutcomeKind.REPLACED)
    assert replaced.reason == "what is known about it changed"
    assert made.get("one") == replace(ONE, author="Bo", published="2026-11-24", language="fr")


def test_fields_are_put_on_one_line_and_blank_ones_are_none(tmp_path: Path) -> None:
    made = make_library(tmp_path, Article("x", " A\ntitle ", "The text.", source=" ", author="Ann\tLee"))
    assert made.get("x") == Article("x", "A title", "The text.", author="Ann Lee")


def test_an_article_without_language_gets_one(tmp_path: Path) -> None:
    made = make_library(tmp_path, Article("x", "T", "Laut dem Bericht bleibt Kuwait weiterhin auf der zweiten Stufe."))
    assert [article.language for article in made.articles()] == ["de"]


def test_records_stay_records(tmp_path: Path) -> None:
    made = make_library(tmp_path)
    outcomes = made.add(as_records(ONE, TWO, ONE))
    assert [outcome.kind for outcome in outcomes] == [OutcomeKind.ADDED, OutcomeKind.ADDED, OutcomeKind.SKIPPED]
    (name,) = files(made)
    assert name.startswith("records-")
    assert list(made.articles()) == [ONE, TWO]
    assert [made.add(as_records(TWO))[0].kind, files(made)] == [OutcomeKind.SKIPPED, [name]]


def test_a_changed_record_changes_its_line_alone(tmp_path: Path) -> None:
    made = make_library(tmp_path)
    made.add(as_records(ONE, TWO))
    changed = replace(ONE, text="A new text.")
    outcomes = made.add(
        [*as_records(changed), *as_records(changed), *as_records(replace(changed, text="A newer text."))]
    )
    assert [outcome.kind for outcome in outcomes] == [OutcomeKind.REPLACED, OutcomeKind.SKIPPED, OutcomeKind.REPLACED]
    (name,) = files(made)
    lines = (made.folder / name).read_text().splitlines()
    assert [json.loads(line)["text"] for line in lines] == ["A newer text.", "The second text."]


def test_a_record_that_comes_twice_in_one_batch_keeps_its_last_text(tmp_path: Path) -> None:
    made = make_library(tmp_path)
    made.add(as_records(ONE, TWO, replace(ONE, text="A new text.")))
    assert texts(made) == {"one": "A new text.", "two": "The second text."}
    assert made.add(as_records(replace(ONE, text="A new text.")))[0].kind is OutcomeKind.SKIPPED


def test_an_interrupted_addition_keeps_what_was_added_before(tmp_path: Path) -> None:
    def interrupted() -> Iterator[Article]:
        yield ONE
        raise KeyboardInterrupt

    made = make_library(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        made.add(interrupted())
    assert texts(made) == {"one": "The first text."}
    assert made.add([TWO])[0].kind is OutcomeKind.ADDED


def test_the_same_address_with_new_text_replaces_despite_tracking_parameters(tmp_path: Path) -> None:
    made = make_library(tmp_path, ONE)
    page = replace(ONE, id="new", text="A new text.", url="http://www.x.kw/1/?utm_source=mail&fbclid=2#top")
    (outcome,) = made.add([page])
    assert outcome == Outcome(OutcomeKind.REPLACED, "new", "First title", "one", "its text changed")
    assert [article.url for article in made.articles()] == ["http://www.x.kw/1/"]


def test_the_same_text_elsewhere_is_kept_as_a_further_source(tmp_path: Path) -> None:
    made = make_library(tmp_path, ONE)
    reprint = Article("re", "Another title", "THE FIRST\n\ntext.", url="https://y.kw/1")
    (near, outcome, again) = made.add([Article("n", "N", LONG), reprint, Article("m", "M", LONG + " It rained.")])
    assert (near.reason, outcome.kind, again.kind) == (None, OutcomeKind.ADDED, OutcomeKind.ADDED)
    assert outcome.reason == "the same text as one, kept as a further source"
    assert again.reason == "nearly the same text as n, kept as a further source"
    assert Library(made.folder).add([Article("o", "O", LONG + " It snowed.")])[0].reason == again.reason
    assert made.ids() == ["m", "n", "o", "one", "re"]


def test_the_same_text_twice_in_one_batch_is_noticed(tmp_path: Path) -> None:
    made = make_library(tmp_path)
    outcomes = made.add([*as_records(ONE), replace(ONE, id="re", url="https://y.kw/1"), replace(TWO, text=LONG)])
    assert [outcome.reason for outcome in outcomes] == [None, "the same text as one, kept as a further source", None]


def test_the_same_text_at_another_address_is_a_further_source_and_the_first_keeps_its_own(tmp_path: Path) -> None:
    one = Article(content_id("Road", LONG), "Road", LONG, url="https://x.kw/1", source="The Daily", language="en")
    two = replace(one, url="https://y.kw/2?utm_source=x", source="The Post")
    made = make_library(tmp_path, one)
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


def test_of_several_near_duplicates_the_nearest_is_named_then_the_first(tmp_path: Path) -> None:
    parts = [f"{LONG} This is part {n} of what was said that day in the council, word by word." for n in range(6)]
    made = make_library(
        tmp_path, Article("c", "C", " ".join(parts[:4])), Article("b", "B", " ".join(parts)), Article("a", "A", "No.")
    )
    (outcome,) = made.add([Article("d", "D", " ".join([*parts[:5], "It rained."]))])
    assert outcome.reason == "nearly the same text as c, kept as a further source"


def test_records_are_written_in_parts_and_those_before_ctrl_c_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("corpus.storage.batch._RECORDS_PER_FILE", 2)
    given = [Article(f"a{n}", f"Title {n}", f"Text number {n}.", language="en") for n in range(5)]

    def stopped() -> Iterator[Item]:
        yield from as_records(*given)
        yield from as_records(replace(given[0], text="A new text."), replace(given[4], text="Another new text."))
        raise KeyboardInterrupt

    made = make_library(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        made.add(stopped())
    expected = {article.id: article.text for article in given} | {"a0": "A new text.", "a4": "Another new text."}
    assert texts(made) == texts(Library(made.folder)) == expected
    assert made.refused() == []
    assert not list(made.folder.glob(".new-*"))
    assert [outcome.kind for outcome in made.add(as_records(*given[1:4]))] == [OutcomeKind.SKIPPED] * 3
