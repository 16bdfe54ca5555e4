"""What a reader of an index on Milvus sees while it changes."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from retrieval.milvus.index import MilvusIndex
from retrieval.milvus.publishing import publish
from retrieval.milvus.store import MilvusStore
from tests.fakes import HashingEncoder
from tests.retrieval.milvus.reading import visible_texts
from tests.sample_library import BEES, BRIDGE, HARBOUR, ticking


def test_a_reader_sees_all_of_a_change_or_nothing_at_every_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    milvus, now = MilvusStore(str(tmp_path / "milvus.db")), ticking()
    calm = replace(HARBOUR, text="The harbour is calm. Nobody strikes.")
    steps = [[BEES, HARBOUR], [calm, BRIDGE], [BEES, BRIDGE, HARBOUR], [BRIDGE], [BEES, calm]]
    publish(steps[0], HashingEncoder(), milvus, now=now)
    seen: list[tuple[set[str], set[str]]] = []
    opened: list[MilvusIndex] = []
    for name in ("upsert", "delete"):
        real = getattr(milvus.client, name)

        def call(*arguments: object, real: Callable[..., object] = real, **more: object) -> object:
            done = real(*arguments, **more)
            seen.append(visible_texts(opened[-1]))
            seen.append(visible_texts(milvus.open()))
            return done

        monkeypatch.setattr(milvus.client, name, call)
    for before, after in itertools.pairwise(steps):
        opened.append(milvus.open())
        publish(after, HashingEncoder(), milvus, now=now)
        old, new = ({article.text for article in articles} for articles in (before, after))
        assert seen[::2] == [(old, old)] * (len(seen) // 2)
        served = seen[1::2]
        turn = served.index((new, new))
        assert served == [(old, old)] * turn + [(new, new)] * (len(served) - turn)
        assert visible_texts(opened[-1]) == (old, old)
        seen.clear()
