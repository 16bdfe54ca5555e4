"""Entries tell articles apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from corpus.readers.records import record_line
from corpus.storage.entry import digest_of, entry_of
from tests.corpus.storage.catalogs import ONE, TWO, refreshed


def test_entries_are_found_by_id_address_and_words(folder: Path) -> None:
    made = refreshed(folder)
    one, two = made.entries()
    assert (one.path, one.is_record, two.is_record, two.start) == ("first-title-one.md", False, True, 0)
    assert (made.ids(), made.count(), made.count_in(one.path)) == (["one", "two"], 2, 1)
    assert made.find("two") == [two]
    assert (made.with_url("x.kw/1?"), made.with_url("x.kw/2?")) == (one, None)
    assert made.with_words(entry_of(replace(TWO, text="THE second\n\ntext."), "").words) == two
    assert one.digest == digest_of(ONE) != digest_of(replace(ONE, author="Ann"))


def test_the_digest_of_an_id_is_that_of_its_first_entry(folder: Path) -> None:
    other = replace(ONE, title="An older record of it")
    (folder / "more.jsonl").write_text(record_line(other), encoding="utf-8")
    made = refreshed(folder)
    assert len(made.find("one")) == 2
    assert made.digests() == {"one": digest_of(ONE), "two": digest_of(TWO)}
    assert made.count_ids() == 2
