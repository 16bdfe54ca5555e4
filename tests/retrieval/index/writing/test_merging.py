"""Segments are merged in the background, and publishers do not wait for it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest

from corpus.article import Article
from corpus.errors import LibraryLocked
from corpus.storage.lock import exclusive_lock
from retrieval.errors import PublishError, SnapshotCorrupt
from retrieval.index import snapshot_folder
from retrieval.index.build_progress import BuildProgress, Stage
from retrieval.index.contract import ArticleFilter
from retrieval.index.snapshot import Snapshot
from retrieval.index.writing import publishing as publishing
from retrieval.index.writing.current_snapshot import switch_to
from retrieval.index.writing.merging import choose_segments, merge, merge_due
from retrieval.index.writing.publishing import publish
from tests.fakes import HashingEncoder
from tests.retrieval.index.writing.test_publishing_large import TREES, articles_with_word, segment_sizes
from tests.sample_library import articles_in


@pytest.fixture(autouse=True)
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments of up to four passages count as small; each of these articles has one passage."""
    monkeypatch.setattr(publishing, "SMALL_SEGMENT", 4)


def publish_articles(folder: Path, articles: Sequence[Article], *, full: bool = False) -> str:
    return publish(articles, HashingEncoder(), folder, full=full).name


def three_segments(folder: Path) -> Snapshot:
    """Segments of eight, five and two articles."""
    for count in (8, 13, 15):
        name = publish_articles(folder, TREES[:count])
    return Snapshot.open(folder, name)


def lock_after(work: Callable[[], object]) -> Callable[[], nullcontext[None]]:
    """A lock that is acquired only after other work, as if another process had held it."""

    def lock() -> nullcontext[None]:
        work()
        return nullcontext()

    return lock


class Case(NamedTuple):
    sizes: list[tuple[int, int]]
    chosen: list[int]


@pytest.mark.parametrize(
    "case",
    [
        Case([], []),
        Case([(100, 100)], []),
        Case([(100, 100), (4, 4)], []),
        Case([(100, 100), (30, 30), (10, 10)], []),
        Case([(100, 100), (20, 20), (10, 10)], [1, 2]),
        Case([(100, 100), (20, 20), (10, 10), (3, 3)], [1, 2]),
        Case([(60, 60), (20, 20), (10, 10)], [0, 1, 2]),
        Case([(20, 20), (100, 100)], [0, 1]),
        Case([(49, 100), (20, 20)], [0]),
        Case([(50, 100), (20, 20)], []),
        Case([(3, 100), (20, 20)], []),
    ],
)
def test_segments_are_merged_once_those_after_them_hold_half_as_much(case: Case) -> None:
    assert choose_segments(case.sizes) == case.chosen


def test_a_passage_is_rewritten_no_more_often_than_a_library_doubles() -> None:
    held: list[int] = []
    rewritten = 0
    for _ in range(1000):
        held.append(5)
        while chosen := choose_segments([(size, size) for size in held]):
            total = sum(held[number] for number in chosen)
            rewritten += total
            held = [size for number, size in enumerate(held) if number not in chosen]
            held.insert(chosen[0], total)
    assert sum(held) == 5000
    assert len(held) < 12
    assert rewritten < 12 * 5000


def test_large_segments_become_one_with_the_same_contents(tmp_path: Path) -> None:
    before = three_segments(tmp_path)
    assert merge_due(tmp_path)
    seen: list[BuildProgress] = []
    name = merge(tmp_path, nullcontext, progress=seen.append)
    after = Snapshot.open(tmp_path)
    assert (after.name, segment_sizes(before), segment_sizes(after)) == (name, [8, 5, 2], [13, 2])
    assert articles_in(after) == TREES[:15]
    assert [articles_with_word(after, tree.title.split()[-1]) for tree in TREES[:15]] == [
        [tree.id] for tree in TREES[:15]
    ]
    vector = HashingEncoder().encode_query("Who planted the maple?").vector
    ours, theirs = (one.retrieve(vector, {}, 10, ArticleFilter()) for one in (after, before))
    assert (ours.rows.tolist(), ours.cosine.tolist()) == (theirs.rows.tolist(), theirs.cosine.tolist())
    assert [(step.done, step.total) for step in seen if step.what == Stage.MERGED] == [(8, 13), (13, 13)]
    assert snapshot_folder.check_files(after.folder, after.manifest, memory=None) > 0
    assert (merge_due(tmp_path), merge(tmp_path, nullcontext)) == (False, None)


def test_a_segment_that_lost_half_of_its_articles_is_rewritten(tmp_path: Path) -> None:
    publish_articles(tmp_path, TREES)
    opened = Snapshot.open(tmp_path, publish_articles(tmp_path, TREES[1:9]))
    assert (segment_sizes(opened), len(opened.manifest.gone)) == ([18], 10)
    merge(tmp_path, nullcontext)
    merged = Snapshot.open(tmp_path)
    assert (segment_sizes(merged), merged.manifest.gone) == ([8], ())
    assert articles_in(merged) == TREES[1:9]


def test_a_snapshot_from_before_a_merge_can_be_used_and_merged_again(tmp_path: Path) -> None:
    before = three_segments(tmp_path)
    merge(tmp_path, nullcontext)
    switch_to(tmp_path, before.name)
    assert segment_sizes(Snapshot.open(tmp_path)) == [8, 5, 2]
    assert merge(tmp_path, nullcontext) is not None
    assert segment_sizes(Snapshot.open(tmp_path)) == [13, 2]


def test_merged_segments_are_removed_once_no_snapshot_uses_them(tmp_path: Path) -> None:
    three_segments(tmp_path)
    merge(tmp_path, nullcontext)
    for count in (14, 16, 17):
        publish_articles(tmp_path, TREES[:count])
    held = {
        name
        for one in snapshot_folder.snapshot_names(tmp_path)
        for name in Snapshot.open(tmp_path, one).manifest.segments
    }
    assert {path.name for path in (tmp_path / "segments").iterdir()} == held
    assert not list(tmp_path.glob(".merge-*"))
    assert segment_sizes(Snapshot.open(tmp_path)) == [13, 4]


def test_changes_published_during_a_merge_are_kept(tmp_path: Path) -> None:
    three_segments(tmp_path)
    now = [tree for tree in TREES if tree.id not in {"02", "05"}]
    merge(tmp_path, lock_after(lambda: publish_articles(tmp_path, now)))
    opened = Snapshot.open(tmp_path)
    assert (segment_sizes(opened), opened.manifest.gone) == ([13, 5], (2, 5))
    assert articles_in(opened) == now
    assert [articles_with_word(opened, name) for name in ("cedar", "fir", "rowan")] == [[], [], ["17"]]


@pytest.mark.parametrize("end", ["a full build", "an older snapshot"])
def test_a_merge_of_segments_no_longer_current_is_dropped(tmp_path: Path, end: str) -> None:
    oldest = publish_articles(tmp_path, TREES[:6])
    publish_articles(tmp_path, TREES[:11])
    publish_articles(tmp_path, TREES[:11][::-1])

    def work() -> None:
        if end == "a full build":
            publish_articles(tmp_path, TREES, full=True)
        else:
            switch_to(tmp_path, oldest)

    before = snapshot_folder.snapshot_names(tmp_path)
    assert merge_due(tmp_path)
    assert merge(tmp_path, lock_after(work)) is None
    assert segment_sizes(Snapshot.open(tmp_path)) == ([18] if end == "a full build" else [6])
    assert len(snapshot_folder.snapshot_names(tmp_path)) <= len(before) + 1
    assert not list(tmp_path.glob(".merge-*"))


def test_a_merge_whose_segments_are_deleted_meanwhile_is_dropped(tmp_path: Path) -> None:
    three_segments(tmp_path)

    def work(_: BuildProgress) -> None:
        for count in (18, 17, 16):
            publish_articles(tmp_path, TREES[:count], full=True)

    assert merge(tmp_path, nullcontext, progress=work) is None
    assert articles_in(Snapshot.open(tmp_path)) == TREES[:16]
    assert not list(tmp_path.glob(".merge-*"))


def test_an_article_added_back_during_a_merge_is_not_lost(tmp_path: Path) -> None:
    three_segments(tmp_path)
    publish_articles(tmp_path, [*TREES[:3], *TREES[4:15]])
    merge(tmp_path, lock_after(lambda: publish_articles(tmp_path, TREES[:15])))
    assert articles_in(Snapshot.open(tmp_path)) == TREES[:15]
    merge(tmp_path, nullcontext)
    assert (segment_sizes(Snapshot.open(tmp_path)), articles_in(Snapshot.open(tmp_path))) == ([13, 2], TREES[:15])


def test_a_merge_that_could_not_be_published_is_published_by_the_next(tmp_path: Path) -> None:
    before = three_segments(tmp_path)

    def busy() -> nullcontext[None]:
        raise LibraryLocked("process 7 has been writing")

    with pytest.raises(LibraryLocked):
        merge(tmp_path, busy)
    assert Snapshot.open(tmp_path).name == before.name
    publish_articles(tmp_path, TREES[:16])
    copied: list[BuildProgress] = []
    assert merge_due(tmp_path)
    merge(tmp_path, nullcontext, progress=copied.append)
    assert (copied, segment_sizes(Snapshot.open(tmp_path))) == ([], [13, 3])
    assert articles_in(Snapshot.open(tmp_path)) == TREES[:16]


def test_leftovers_of_an_interrupted_merge_are_removed(tmp_path: Path) -> None:
    before = three_segments(tmp_path)

    def stop(_: BuildProgress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        merge(tmp_path, nullcontext, progress=stop)
    assert not list(tmp_path.glob(".merge-*"))
    (tmp_path / ".merge-killed").mkdir()
    publish_articles(tmp_path, TREES[:8], full=True)
    assert Snapshot.open(tmp_path).name != before.name
    assert merge_due(tmp_path)
    assert merge(tmp_path, nullcontext) is None
    assert not list(tmp_path.glob(".merge-*"))


def test_a_damaged_segment_is_not_merged(tmp_path: Path) -> None:
    before = three_segments(tmp_path)
    words = before.segments[1].folder / "words.bin"
    words.write_bytes(b"\1" + words.read_bytes()[1:])
    with pytest.raises(SnapshotCorrupt, match=f"segment {before.segments[1].folder.name} is damaged"):
        merge(tmp_path, nullcontext)
    assert snapshot_folder.current_name(tmp_path) == before.name
    assert not list(tmp_path.glob(".merge-*"))


def test_only_one_merge_runs_at_a_time(tmp_path: Path) -> None:
    three_segments(tmp_path)
    with exclusive_lock(tmp_path / ".merging"):
        assert (merge_due(tmp_path), merge(tmp_path, nullcontext)) == (False, None)
    assert merge(tmp_path, nullcontext) is not None


def test_no_merge_starts_without_disk_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = three_segments(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1))
    assert not merge_due(tmp_path)
    with pytest.raises(PublishError, match="MB more room is needed to merge segments"):
        merge(tmp_path, nullcontext)
    assert Snapshot.open(tmp_path).name == before.name


def test_segments_of_another_pipeline_version_are_not_merged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    three_segments(tmp_path)
    monkeypatch.setattr("retrieval.index.writing.passage_records.pipeline_version", lambda: "another")
    assert (merge_due(tmp_path), merge(tmp_path, nullcontext)) == (False, None)


def test_an_empty_folder_has_nothing_to_merge(tmp_path: Path) -> None:
    assert not merge_due(tmp_path / "none")
    assert not merge_due(tmp_path)
    assert merge(tmp_path, nullcontext) is None
