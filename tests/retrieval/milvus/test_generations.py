"""Generations of collections are made, served and dropped."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval.errors import SnapshotOutdated
from retrieval.milvus import publishing
from retrieval.milvus.generation import COLLECTIONS
from retrieval.milvus.publishing import publish, use
from retrieval.milvus.store import MilvusStore
from tests.fakes import HashingEncoder
from tests.sample_library import BEES, BRIDGE, HARBOUR, LIBRARY, NOW, articles_in, ticking


class Killed(Exception):
    """In place of a kill."""


def test_a_full_build_fills_a_new_generation_and_keeps_the_one_before(tmp_path: Path) -> None:
    milvus, now = MilvusStore(str(tmp_path / "milvus.db")), ticking()
    names = [publish(LIBRARY[:count], HashingEncoder(), milvus, full=True, now=now).name for count in (1, 2, 3)]
    assert [name for name, _ in milvus.descriptions()] == names[1:]
    assert len(milvus.client.list_collections()) == 2 * len(COLLECTIONS)
    last = publish([HARBOUR], HashingEncoder(), milvus, now=now).name
    assert [name for name, _ in milvus.descriptions()] == [names[1], last]
    use(milvus, names[1])
    assert {article.id for article in articles_in(milvus.open())} == {BEES.id, BRIDGE.id}


def test_filtered_fields_have_an_index(tmp_path: Path) -> None:
    milvus = MilvusStore(str(tmp_path / "milvus.db"))
    publish([BEES], HashingEncoder(), milvus)
    about = milvus.current_generation()
    assert about is not None
    indexes = milvus.client.list_indexes(milvus.collection(about.generation, "passages"))
    assert sorted(indexes) == ["day", "key", "outlet", "sparse", "vector"]


def test_an_index_of_another_format_is_rebuilt_and_dropped(tmp_path: Path) -> None:
    milvus, now = MilvusStore(str(tmp_path / "milvus.db")), ticking()
    first = publish([BEES], HashingEncoder(), milvus, now=now).name
    about = milvus.open().about
    older = {"id": 0, "content": about.to_json().replace('"format": 3', '"format": 1'), "nothing": [0.0, 0.0]}
    milvus.client.upsert(milvus.collection(about.generation, "about"), [older])
    assert milvus.descriptions() == [
        (about.generation, "the index has format 1, this newsquote reads 3; run: newsquote index build")
    ]
    with pytest.raises(SnapshotOutdated):
        milvus.current()
    second = publish([BEES], HashingEncoder(), milvus, now=now).name
    assert (milvus.current(), [name for name, _ in milvus.descriptions()]) == (second, [second])
    assert second > first
    assert len(milvus.client.list_collections()) == len(COLLECTIONS)


def test_generations_have_different_names_even_if_the_clock_stands_still(tmp_path: Path) -> None:
    milvus = MilvusStore(str(tmp_path / "milvus.db"))
    made = [publish([BEES], HashingEncoder(), milvus, full=True, now=lambda: NOW).name for _ in range(3)]
    assert made == sorted(set(made))
    assert [name for name, _ in milvus.descriptions()] == made[1:]


def test_the_alias_moves_only_when_the_new_generation_is_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    milvus, now = MilvusStore(str(tmp_path / "milvus.db")), ticking()
    first = publish([BEES], HashingEncoder(), milvus, now=now).name

    def stop(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(publishing, "move_alias", stop)
        with pytest.raises(Killed):
            publish([BRIDGE], HashingEncoder(), milvus, full=True, now=now)
    assert milvus.current() == first
    assert [article.id for article in articles_in(milvus.open())] == [BEES.id]
