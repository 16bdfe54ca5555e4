"""What a change of a generation leaves on the server."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval.errors import PublishError
from retrieval.milvus import generation_update
from retrieval.milvus.generation import NEVER
from retrieval.milvus.publishing import publish
from retrieval.milvus.store import MilvusStore
from tests.fakes import HashingEncoder
from tests.retrieval.milvus.reading import visible_texts
from tests.sample_library import BEES, BRIDGE, HARBOUR, ticking


def test_an_update_is_made_in_place(tmp_path: Path) -> None:
    milvus, now = MilvusStore(str(tmp_path / "milvus.db")), ticking()
    publish([BEES], HashingEncoder(), milvus, now=now)
    before = set(milvus.client.list_collections())
    name = publish([BEES, BRIDGE], HashingEncoder(), milvus, now=now).name
    assert set(milvus.client.list_collections()) == before
    assert [one for one, _ in milvus.descriptions()] == [name]


@pytest.mark.parametrize("full", [False, True])
def test_an_update_that_the_server_lost_part_of_is_not_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, full: bool
) -> None:
    milvus, now = MilvusStore(str(tmp_path / "milvus.db")), ticking()
    first = publish([BEES], HashingEncoder(), milvus, now=now).name
    upsert = milvus.client.upsert

    def forgetful(name: str, rows: list[dict[str, object]], **more: object) -> object:
        return upsert(name, rows[:-1] if name.endswith("_passages") else rows, **more)

    with monkeypatch.context() as patch:
        patch.setattr(milvus.client, "upsert", forgetful)
        with pytest.raises(PublishError, match=r"Milvus has 2 articles with 1 passages, not the 2 with 2 .* --full"):
            publish([BEES, HARBOUR], HashingEncoder(), milvus, full=full, now=now)
    assert visible_texts(milvus.open()) == ({BEES.text}, {BEES.text})
    assert first == milvus.open().name
    publish([BEES, HARBOUR], HashingEncoder(), milvus, full=True, now=now)
    assert visible_texts(milvus.open()) == ({BEES.text, HARBOUR.text}, {BEES.text, HARBOUR.text})


def test_dead_passages_are_deleted_when_the_version_after_next_is_made(tmp_path: Path) -> None:
    milvus, now = MilvusStore(str(tmp_path / "milvus.db")), ticking()
    rows = []
    for articles in ([BEES, HARBOUR], [BEES], [BEES, BRIDGE], [BRIDGE]):
        publish(articles, HashingEncoder(), milvus, now=now)
        about = milvus.open().about
        found = milvus.rows(about.generation, "passages", "row >= 0", ("row", "died"))
        rows.append((about.version, sorted(row["died"] for row in found)))
    assert rows == [(1, [NEVER, NEVER]), (2, [2, NEVER]), (3, [2, NEVER, NEVER]), (4, [4, NEVER])]


def test_an_article_with_more_passages_than_rows_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generation_update, "ROWS_PER_ARTICLE", 0)
    milvus = MilvusStore(str(tmp_path / "milvus.db"))
    with pytest.raises(PublishError, match="the article bees has 1 passages, a Milvus index has room for 0; divide"):
        publish([BEES], HashingEncoder(), milvus)
