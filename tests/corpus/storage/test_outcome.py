"""Every added item has an outcome."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from corpus import (
    Article,
    Found,
    Item,
    Outcome,
    OutcomeKind,
    Refused,
)
from tests.corpus.storage.libraries import ONE, TWO, files, make_library, texts


def test_every_item_has_its_outcome_in_order(tmp_path: Path) -> None:
    made = make_library(tmp_path, ONE)
    reported: list[Outcome] = []
    changed = replace(ONE, id="other", text="A new text.")
    items: list[Item | Article] = [Refused("bad.txt", "it is empty"), TWO, Found(ONE, "a.txt"), changed]
    outcomes = made.add(items, on_outcome=reported.append)
    assert outcomes == [
        Outcome(OutcomeKind.REFUSED, "bad.txt", reason="it is empty"),
        Outcome(OutcomeKind.ADDED, "two", "Second title", "two"),
        Outcome(OutcomeKind.SKIPPED, "a.txt", "First title", "one", "already in the library"),
        Outcome(OutcomeKind.REPLACED, "other", "First title", "one", "its text changed"),
    ]
    assert reported == outcomes
    assert texts(made) == {"one": "A new text.", "two": "The second text."}
    assert files(made) == ["first-title-one.md", "second-title-two.md"]
