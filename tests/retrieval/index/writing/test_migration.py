from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from corpus.article import Article
from retrieval.errors import PublishError
from retrieval.index.contract import Published
from retrieval.index.store import SnapshotStore
from retrieval.index.writing import publishing as embedded
from retrieval.index.writing.migration import IndexSource, contents_digest, migrate
from retrieval.milvus import publishing
from retrieval.milvus.store import MilvusStore
from tests.fakes import HashingEncoder
from tests.sample_library import BEES, BRIDGE, HARBOUR, LIBRARY, built

LONG = Article("long", "Long", " ".join(f"Sentence {n} of this report is about the {n}th gate." for n in range(60)))


def test_an_index_moves_to_milvus_and_back_and_nothing_is_encoded(tmp_path: Path) -> None:
    here = built(tmp_path / "here", [*LIBRARY, LONG])
    milvus, encoder = MilvusStore(str(tmp_path / "milvus.db")), HashingEncoder()

    def there(source: IndexSource, **more: object) -> Published:
        return publishing.publish(source, encoder, milvus, **more)  # type: ignore[arg-type]

    done = migrate(here, there, milvus.open)
    assert (done.articles, done.encoded, encoder.passages) == (4, 0, 0)
    assert contents_digest(milvus.open()) == contents_digest(here)

    def back(source: IndexSource, **more: object) -> Published:
        return embedded.publish(source, encoder, tmp_path / "back", **more)  # type: ignore[arg-type]

    migrate(milvus.open(), back, SnapshotStore(tmp_path / "back").open)
    assert encoder.passages == 0
    again = SnapshotStore(tmp_path / "back").open()
    assert again.manifest.segments == here.manifest.segments


def test_a_migration_that_changes_the_contents_is_refused(tmp_path: Path) -> None:
    old = built(tmp_path / "old")
    publish = partial(embedded.publish, encoder=HashingEncoder(), snapshots=tmp_path / "new")

    def wrong(source: IndexSource, **_: object) -> Published:
        return publish(list(source.load(list(source.digests())[:2])))

    with pytest.raises(PublishError, match=r"3 articles with 3 passages .* 2 with 2 \(digest .*\) arrived"):
        migrate(old, wrong, SnapshotStore(tmp_path / "new").open)


@pytest.mark.parametrize(
    "other",
    [
        (BEES, BRIDGE),
        (*LIBRARY, LONG),
        (BEES, BRIDGE, replace(HARBOUR, title="Another title")),
        (BEES, BRIDGE, replace(HARBOUR, source="Another")),
        (BEES, BRIDGE, replace(HARBOUR, text=HARBOUR.text + " Yes.")),
    ],
    ids=["fewer", "more", "a title", "an outlet", "a text"],
)
def test_a_contents_digest_changes_with_anything_stored(tmp_path: Path, other: Sequence[Article]) -> None:
    assert contents_digest(built(tmp_path / "one"))[2] != contents_digest(built(tmp_path / "other", other))[2]


def test_a_digest_does_not_depend_on_the_order(tmp_path: Path) -> None:
    assert contents_digest(built(tmp_path / "one")) == contents_digest(built(tmp_path / "other", LIBRARY[::-1]))


def test_a_source_holds_ids_and_loads_texts(tmp_path: Path) -> None:
    source = IndexSource(built(tmp_path))
    assert list(source.digests()) == [article.id for article in LIBRARY]
    assert [article.text for article in source.load([HARBOUR.id, BEES.id])] == [HARBOUR.text, BEES.text]
