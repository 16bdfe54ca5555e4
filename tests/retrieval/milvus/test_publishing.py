"""What publishing to Milvus does beyond the suite that both engines share: generations, kills, counts."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from corpus.article import Article
from retrieval.errors import IndexUnreachable
from retrieval.milvus.publishing import publish, use
from retrieval.milvus.store import MilvusStore
from tests.fakes import HashingEncoder
from tests.retrieval.milvus.reading import visible_texts
from tests.sample_library import BEES, BRIDGE, HARBOUR, LIBRARY, articles_in, ticking

WRITER = """
import sys
from retrieval.milvus.store import MilvusStore
from retrieval.milvus.publishing import publish
from tests.fakes import HashingEncoder
from tests.sample_library import LIBRARY
print(publish(LIBRARY[:2], HashingEncoder(), MilvusStore(sys.argv[1])).name)
"""


def test_one_process_reads_and_updates_what_another_published(tmp_path: Path) -> None:
    path = str(tmp_path / "milvus.db")
    done = subprocess.run([sys.executable, "-c", WRITER, path], capture_output=True, text=True, check=True)
    milvus = MilvusStore(path)
    assert milvus.current() == done.stdout.strip()
    assert "Traceback" not in done.stderr
    assert articles_in(milvus.open()) == list(LIBRARY[:2])
    assert publish(LIBRARY, HashingEncoder(), milvus).encoded == 1


def test_a_new_pipeline_version_fills_a_new_generation_with_the_same_vectors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    milvus, now = MilvusStore(str(tmp_path / "milvus.db")), ticking()
    first = publish(LIBRARY, HashingEncoder(), milvus, now=now)
    monkeypatch.setattr("retrieval.index.writing.passage_records.pipeline_version", lambda: "another")
    second = publish(LIBRARY, HashingEncoder(), milvus, now=now)
    assert (first.encoded, second.encoded) == (3, 0)
    assert [name for name, _ in milvus.descriptions()] == [first.name, second.name]
    assert publish(LIBRARY, HashingEncoder(), milvus, full=True, now=now).encoded == 3


def test_every_call_has_a_timeout_and_old_generations_are_released(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    milvus, now = MilvusStore(str(tmp_path / "milvus.db")), ticking()
    called: list[tuple[str, object]] = []
    endless: set[str] = set()
    for name in dir(milvus.client):
        real = getattr(milvus.client, name)
        if name.startswith("_") or not callable(real) or name in {"prepare_index_params", "create_schema"}:
            continue

        def call(*arguments: object, name: str = name, real: Callable[..., object] = real, **more: object) -> object:
            called.append((name, arguments[0] if arguments else None))
            if more.get("timeout") is None:
                endless.add(name)
            return real(*arguments, **more)

        monkeypatch.setattr(milvus.client, name, call)
    first = publish([BEES, HARBOUR], HashingEncoder(), milvus, now=now).name
    old = milvus.open().about.generation
    publish([BEES, HARBOUR], HashingEncoder(), milvus, full=True, now=now)
    assert not [call for call in called if call[0] == "release_collection"]
    publish([BEES], HashingEncoder(), milvus, now=now)
    released = [collection for name, collection in called if name == "release_collection"]
    assert released == [milvus.collection(old, kind) for kind in ("articles", "passages", "terms")]
    use(milvus, first)
    assert visible_texts(milvus.open()) == ({BEES.text, HARBOUR.text}, {BEES.text, HARBOUR.text})
    assert milvus.check().startswith(f"{first} is intact")
    assert endless == set()
    assert {"query", "query_iterator", "hybrid_search", "upsert", "delete"} <= {name for name, _ in called}


class Killed(Exception):
    """In place of a kill."""


@pytest.mark.parametrize("full", [False, True])
def test_the_next_run_repairs_an_update_killed_at_any_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, full: bool
) -> None:
    now = ticking()
    milvus = MilvusStore(str(tmp_path / "milvus.db"))
    publish([BEES, HARBOUR], HashingEncoder(), milvus, now=now)
    changed = Article(HARBOUR.id, "Harbour", "The harbour is calm. Nobody strikes.")
    steps = [[changed, BRIDGE], [BEES, HARBOUR]]
    for at, articles in zip(range(1, 40), itertools.cycle(steps), strict=False):
        before = visible_texts(milvus.open())
        with monkeypatch.context() as patch:
            left = at
            for name in ("create_collection", "create_index", "upsert", "delete", "alter_alias"):
                real = getattr(milvus.client, name)

                def call(*arguments: object, real: Callable[..., object] = real, **more: object) -> object:
                    nonlocal left
                    left -= 1
                    if left == 0:
                        raise Killed
                    return real(*arguments, **more)

                patch.setattr(milvus.client, name, call)
            try:
                publish(articles, HashingEncoder(), milvus, full=full, now=now)
            except Killed:
                assert visible_texts(milvus.open()) == before
            else:
                break
        done = publish(articles, HashingEncoder(), milvus, full=full, now=now)
        index = milvus.open()
        assert {a.id: a.text for a in articles_in(index)} == {a.id: a.text for a in articles}
        assert (done.articles, index.size, index.about.tokens > 0) == (len(articles), len(articles), True)
        assert milvus.check().startswith(f"{done.name} is intact")
        for term, having in (("honey", BEES), ("ostra", BRIDGE), ("calm", changed)):
            assert index.document_frequency(term) == (
                having in articles and any(a.text == having.text for a in articles)
            )
    assert at > (15 if full else 5)


def test_a_server_that_goes_away_gives_a_one_line_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pymilvus.exceptions import MilvusException

    milvus = MilvusStore(str(tmp_path / "milvus.db"))

    def away(*_: object, **__: object) -> None:
        raise MilvusException(message="the server\nwent away")

    monkeypatch.setattr(milvus.client, "upsert", away)
    with pytest.raises(IndexUnreachable, match="cannot be used: the server went away; check index_url"):
        publish([BEES], HashingEncoder(), milvus)
