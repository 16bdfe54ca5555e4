"""What publishing to Milvus does beyond the suite that both engines share: generations, kills, counts."""

from __future__ import annotations

import datetime as dt
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from corpus.article import Article
from retrieval import publish_milvus
from retrieval.errors import IndexUnreachable
from retrieval.milvus import KINDS, Milvus
from retrieval.publish_milvus import publish, use
from tests.fakes import HashingEncoder
from tests.library_of import BEES, BRIDGE, HARBOUR, LIBRARY, NOW


def ticking() -> Callable[[], dt.datetime]:
    moments = iter(range(10_000))
    return lambda: NOW + dt.timedelta(seconds=next(moments))


def test_a_full_build_fills_a_new_generation_and_keeps_the_one_before(tmp_path: Path) -> None:
    milvus, now = Milvus(str(tmp_path / "milvus.db")), ticking()
    names = [publish(LIBRARY[:count], HashingEncoder(), milvus, full=True, now=now).name for count in (1, 2, 3)]
    assert [name for name, _ in milvus.listed()] == names[1:]
    assert len(milvus.client.list_collections()) == 2 * len(KINDS)
    last = publish([HARBOUR], HashingEncoder(), milvus, now=now).name
    assert [name for name, _ in milvus.listed()] == [names[1], last]
    use(milvus, names[1])
    assert {article.id for article in milvus.open().articles()} == {BEES.id, BRIDGE.id}


def test_a_change_is_made_in_place(tmp_path: Path) -> None:
    milvus, now = Milvus(str(tmp_path / "milvus.db")), ticking()
    publish([BEES], HashingEncoder(), milvus, now=now)
    before = set(milvus.client.list_collections())
    name = publish([BEES, BRIDGE], HashingEncoder(), milvus, now=now).name
    assert set(milvus.client.list_collections()) == before
    assert [one for one, _ in milvus.listed()] == [name]


WRITER = """
import sys
from retrieval.milvus import Milvus
from retrieval.publish_milvus import publish
from tests.fakes import HashingEncoder
from tests.library_of import LIBRARY
print(publish(LIBRARY[:2], HashingEncoder(), Milvus(sys.argv[1])).name)
"""


def test_what_one_process_published_another_reads_and_changes(tmp_path: Path) -> None:
    path = str(tmp_path / "milvus.db")
    done = subprocess.run([sys.executable, "-c", WRITER, path], capture_output=True, text=True, check=True)
    milvus = Milvus(path)
    assert milvus.current() == done.stdout.strip()
    assert "Traceback" not in done.stderr
    assert list(milvus.open().articles()) == list(LIBRARY[:2])
    assert publish(LIBRARY, HashingEncoder(), milvus).encoded == 1


class Killed(Exception):
    """In place of a kill."""


def test_killed_at_any_call_the_next_run_puts_everything_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw, now = random.Random(4), ticking()
    milvus = Milvus(str(tmp_path / "milvus.db"))
    publish([BEES, HARBOUR], HashingEncoder(), milvus, now=now)
    changed = Article(HARBOUR.id, "Harbour", "The harbour is calm. Nobody strikes.")
    steps: list[tuple[list[Article], bool]] = [([changed, BRIDGE], False), ([BEES, HARBOUR], False), ([BRIDGE], True)]
    for articles, full in steps:
        left = draw.randint(1, 9)
        with monkeypatch.context() as patch:
            for name in ("upsert", "delete"):
                real = getattr(milvus.client, name)

                def call(*arguments: object, real: Callable[..., object] = real, **more: object) -> object:
                    nonlocal left
                    left -= 1
                    if left == 0:
                        raise Killed
                    return real(*arguments, **more)

                patch.setattr(milvus.client, name, call)
            with pytest.raises(Killed):
                publish(articles, HashingEncoder(), milvus, full=full, now=now)
        assert milvus.current() is not None
        done = publish(articles, HashingEncoder(), milvus, full=full, now=now)
        index = milvus.open()
        assert {a.id: a.text for a in index.articles()} == {a.id: a.text for a in articles}
        assert (done.articles, index.size, index.about.tokens > 0) == (len(articles), len(articles), True)
        assert milvus.check().startswith(f"{done.name} is whole")
        for term, having in (("honey", BEES), ("ostra", BRIDGE), ("calm", changed)):
            assert index.document_frequency(term) == (
                having in articles and any(a.text == having.text for a in articles)
            )


def test_the_alias_moves_only_when_the_new_generation_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    milvus, now = Milvus(str(tmp_path / "milvus.db")), ticking()
    first = publish([BEES], HashingEncoder(), milvus, now=now).name

    def stop(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(publish_milvus, "_serve", stop)
        with pytest.raises(Killed):
            publish([BRIDGE], HashingEncoder(), milvus, full=True, now=now)
    assert milvus.current() == first
    assert [article.id for article in milvus.open().articles()] == [BEES.id]


def test_a_server_that_goes_away_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pymilvus.exceptions import MilvusException

    milvus = Milvus(str(tmp_path / "milvus.db"))

    def away(*_: object, **__: object) -> None:
        raise MilvusException(message="the server\nwent away")

    monkeypatch.setattr(milvus.client, "upsert", away)
    with pytest.raises(IndexUnreachable, match="cannot be used: the server went away; check index_url"):
        publish([BEES], HashingEncoder(), milvus)
