"""Entries tell articles apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from corpus.readers.records import format_record
from corpus.storage.entry import article_digest, make_entry
from tests.corpus.storage.catalogs import ONE, TWO, refreshed_catalog


def test_entries_are_found_by_id_address_and_text(folder: Path) -> None:
    made = refreshed_catalog(folder)
    one, two = made.entries()
    assert (one.path, one.is_record, two.is_record, two.start) == ("first-title-one.md", False, True, 0)
    assert (made.ids(), made.count_in_file(one.path)) == (["one", "two"], 1)
    assert made.find("two") == [two]
    assert (made.find_by_url("x.kw/1?"), made.find_by_url("x.kw/2?")) == (one, None)
    assert made.find_by_text_hash(make_entry(replace(TWO, text="THE second\n\ntext."), "").text_hash) == two
    assert one.digest == article_digest(ONE) != article_digest(replace(ONE, author="Ann"))


def test_the_digest_of_an_id_is_that_of_its_first_entry(folder: Path) -> None:
    other = replace(ONE, title="An older record of it")
    (folder / "more.jsonl").write_text(format_record(other), encoding="utf-8")
    made = refreshed_catalog(folder)
    assert len(made.find("one")) == 2
    assert made.digests() == {"one": article_digest(ONE), "two": article_digest(TWO)}
    assert made.ids() == ["one", "two"]
