"""An export can be added again and gives equal articles."""

from __future__ import annotations

import io
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus import Article, Library, LibraryError, read
from corpus.storage.export import FORMS, export, write_records
from corpus.text.clean import normalize
from tests.corpus.articles import articles

BEES = Article("bees", "Bees swarm", "A swarm.", published="2026-11-02", source="The Daily", language="en")
IDS = st.text("abZ/.-é", min_size=1)
BRIDGE = Article("br/idge", 'Bridge: "closes"', "It closes.\n\n- and opens", author="Ann Lee", language="en")


@settings(max_examples=20, deadline=None)
@given(st.lists(articles(IDS), max_size=4, unique_by=lambda a: a.id), st.sampled_from(FORMS))
def test_an_export_reads_back_as_the_same_articles(given: list[Article], form: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"out{form}")
        assert export(given, path) == len(given)
        first, second = Library(Path(folder, "one")), Library(Path(folder, "two"))
        # A record's line ends are line feeds.
        first.add(replace(article, text=normalize(article.text)) for article in given)
        path.unlink()
        export(first.articles(), path)
        second.add(read(path))
        held = [[(article, article.text) for article in library.articles()] for library in (first, second)]
        assert held[0] == held[1]


def test_records_are_written_one_per_line() -> None:
    out = io.BytesIO()
    assert write_records([BEES, BRIDGE], out) == 2
    assert out.getvalue().decode().splitlines()[0] == (
        '{"id": "bees", "title": "Bees swarm", "text": "A swarm.", "source": "The Daily", '
        '"published": "2026-11-02", "language": "en"}'
    )


def test_an_existing_file_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("mine")
    with pytest.raises(LibraryError, match="exists; remove it or choose another name"):
        export([BEES], path)
    assert path.read_text() == "mine"


@pytest.mark.parametrize("name", ["a.txt", "jsonl", "a.jsonl.zip.x"])
def test_an_unknown_suffix_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(LibraryError, match=r"ends in none of \.jsonl, \.jsonl\.gz, \.zip"):
        export([BEES], tmp_path / name)


def test_an_export_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def broken() -> object:
        yield BEES
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(broken(), tmp_path / "a.zip")  # type: ignore[arg-type]
    with pytest.raises(LibraryError, match="cannot be written: No such file or directory"):
        export([BEES], tmp_path / "none" / "a.zip")
    assert list(tmp_path.iterdir()) == []
