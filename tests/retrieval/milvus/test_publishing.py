"""What publishing to Milvus does beyond the suite that both engines share: generations, kills, counts."""

from __future__ import annotations

import datetime as dt
import itertools
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from corpus.article import Article
from retrieval.errors import IndexUnreachable, PublishError, SnapshotOutdated
from retrieval.index.contract import ArticleFilter
from retrieval.milvus import publishing
from retrieval.milvus.publishing import publish, use
from retrieval.milvus.store import KINDS, LIVING, Milvus, MilvusIndex
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


def test_what_passages_are_chosen_by_has_an_index(tmp_path: Path) -> None:
    milvus = Milvus(str(tmp_path / "milvus.db"))
    publish([BEES], HashingEncoder(), milvus)
    about = milvus.serving()
    assert about is not None
    indexes = milvus.client.list_indexes(milvus.collection(about.generation, "passages"))
    assert sorted(indexes) == ["day", "key", "outlet", "sparse", "vector"]


@pytest.mark.parametrize("full", [False, True])
def test_what_a_server_lost_is_told_and_does_not_serve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, full: bool
) -> None:
    milvus, now = Milvus(str(tmp_path / "milvus.db")), ticking()
    first = publish([BEES], HashingEncoder(), milvus, now=now).name
    upsert = milvus.client.upsert

    def forgetful(name: str, rows: list[dict[str, object]], **more: object) -> object:
        return upsert(name, rows[:-1] if name.endswith("_passages") else rows, **more)

    with monkeypatch.context() as patch:
        patch.setattr(milvus.client, "upsert", forgetful)
        with pytest.raises(PublishError, match=r"Milvus has 2 articles with 1 passages, not the 2 with 2 .* --full"):
            publish([BEES, HARBOUR], HashingEncoder(), milvus, full=full, now=now)
    assert seen_by(milvus.open()) == ({BEES.text}, {BEES.text})
    assert first == milvus.open().name
    publish([BEES, HARBOUR], HashingEncoder(), milvus, full=True, now=now)
    assert seen_by(milvus.open()) == ({BEES.text, HARBOUR.text}, {BEES.text, HARBOUR.text})


WRITER = """
import sys
from retrieval.milvus.store import Milvus
from retrieval.milvus.publishing import publish
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


def seen_by(index: MilvusIndex) -> tuple[set[str], set[str]]:
    """The texts of the articles that an open index lists, and of those that its searches find."""
    fetched = index.fetch(
        HashingEncoder().encode_query("the").vector, {"the": 1.0, "harbour": 1.0}, 100, ArticleFilter()
    )
    found = {index.article(int(row)).text for row in index.passages(fetched.rows).article}
    return {article.text for article in index.articles()}, found


def test_at_every_moment_of_a_change_a_reader_sees_all_of_it_or_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    milvus, now = Milvus(str(tmp_path / "milvus.db")), ticking()
    calm = replace(HARBOUR, text="The harbour is calm. Nobody strikes.")
    steps = [[BEES, HARBOUR], [calm, BRIDGE], [BEES, BRIDGE, HARBOUR], [BRIDGE], [BEES, calm]]
    publish(steps[0], HashingEncoder(), milvus, now=now)
    seen: list[tuple[set[str], set[str]]] = []
    opened: list[MilvusIndex] = []
    for name in ("upsert", "delete"):
        real = getattr(milvus.client, name)

        def call(*arguments: object, real: Callable[..., object] = real, **more: object) -> object:
            done = real(*arguments, **more)
            seen.append(seen_by(opened[-1]))
            seen.append(seen_by(milvus.open()))
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
        assert seen_by(opened[-1]) == (old, old)
        seen.clear()


def test_what_is_dead_is_deleted_when_the_version_after_next_is_made(tmp_path: Path) -> None:
    milvus, now = Milvus(str(tmp_path / "milvus.db")), ticking()
    rows = []
    for articles in ([BEES, HARBOUR], [BEES], [BEES, BRIDGE], [BRIDGE]):
        publish(articles, HashingEncoder(), milvus, now=now)
        about = milvus.open().about
        found = milvus.rows(about.generation, "passages", "row >= 0", ("row", "died"))
        rows.append((about.version, sorted(row["died"] for row in found)))
    assert rows == [(1, [LIVING, LIVING]), (2, [2, LIVING]), (3, [2, LIVING, LIVING]), (4, [4, LIVING])]


def test_an_index_of_another_format_is_made_anew_and_its_collections_go(tmp_path: Path) -> None:
    milvus, now = Milvus(str(tmp_path / "milvus.db")), ticking()
    first = publish([BEES], HashingEncoder(), milvus, now=now).name
    about = milvus.open().about
    older = {"id": 0, "content": about.to_json().replace('"format": 3', '"format": 1'), "nothing": [0.0, 0.0]}
    milvus.client.upsert(milvus.collection(about.generation, "about"), [older])
    assert milvus.listed() == [
        (about.generation, "the index has format 1, this newsquote reads 3; run: newsquote index build")
    ]
    with pytest.raises(SnapshotOutdated):
        milvus.current()
    second = publish([BEES], HashingEncoder(), milvus, now=now).name
    assert (milvus.current(), [name for name, _ in milvus.listed()]) == (second, [second])
    assert second > first
    assert len(milvus.client.list_collections()) == len(KINDS)


def test_passages_that_other_code_cut_keep_their_vectors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    milvus, now = Milvus(str(tmp_path / "milvus.db")), ticking()
    first = publish(LIBRARY, HashingEncoder(), milvus, now=now)
    monkeypatch.setattr("retrieval.index.writing.passage_records.pipeline_version", lambda: "another")
    second = publish(LIBRARY, HashingEncoder(), milvus, now=now)
    assert (first.encoded, second.encoded) == (3, 0)
    assert [name for name, _ in milvus.listed()] == [first.name, second.name]
    assert publish(LIBRARY, HashingEncoder(), milvus, full=True, now=now).encoded == 3


def test_a_clock_that_was_put_back_makes_no_two_generations_of_one_name(tmp_path: Path) -> None:
    milvus = Milvus(str(tmp_path / "milvus.db"))
    made = [publish([BEES], HashingEncoder(), milvus, full=True, now=lambda: NOW).name for _ in range(3)]
    assert made == sorted(set(made))
    assert [name for name, _ in milvus.listed()] == made[1:]


def test_every_call_to_a_server_ends_in_time_and_what_serves_no_longer_is_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    milvus, now = Milvus(str(tmp_path / "milvus.db")), ticking()
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
    assert seen_by(milvus.open()) == ({BEES.text, HARBOUR.text}, {BEES.text, HARBOUR.text})
    assert milvus.check().startswith(f"{first} is intact")
    assert endless == set()
    assert {"query", "query_iterator", "hybrid_search", "upsert", "delete"} <= {name for name, _ in called}


def test_an_article_with_more_passages_than_rows_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "PER_ARTICLE", 0)
    milvus = Milvus(str(tmp_path / "milvus.db"))
    with pytest.raises(PublishError, match="the article bees has 1 passages, a Milvus index has room for 0; divide"):
        publish([BEES], HashingEncoder(), milvus)


class Killed(Exception):
    """In place of a kill."""


@pytest.mark.parametrize("full", [False, True])
def test_killed_at_any_call_the_next_run_puts_everything_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, full: bool
) -> None:
    now = ticking()
    milvus = Milvus(str(tmp_path / "milvus.db"))
    publish([BEES, HARBOUR], HashingEncoder(), milvus, now=now)
    changed = Article(HARBOUR.id, "Harbour", "The harbour is calm. Nobody strikes.")
    steps = [[changed, BRIDGE], [BEES, HARBOUR]]
    for at, articles in zip(range(1, 40), itertools.cycle(steps), strict=False):
        before = seen_by(milvus.open())
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
                assert seen_by(milvus.open()) == before
            else:
                break
        done = publish(articles, HashingEncoder(), milvus, full=full, now=now)
        index = milvus.open()
        assert {a.id: a.text for a in index.articles()} == {a.id: a.text for a in articles}
        assert (done.articles, index.size, index.about.tokens > 0) == (len(articles), len(articles), True)
        assert milvus.check().startswith(f"{done.name} is intact")
        for term, having in (("honey", BEES), ("ostra", BRIDGE), ("calm", changed)):
            assert index.document_frequency(term) == (
                having in articles and any(a.text == having.text for a in articles)
            )
    assert at > (15 if full else 5)


def test_the_alias_moves_only_when_the_new_generation_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    milvus, now = Milvus(str(tmp_path / "milvus.db")), ticking()
    first = publish([BEES], HashingEncoder(), milvus, now=now).name

    def stop(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(publishing, "_serve", stop)
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
