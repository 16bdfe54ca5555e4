from __future__ import annotations

import errno
import itertools
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.article import Article, Passage
from corpus.text.split import split_article
from retrieval.errors import PublishError
from retrieval.index import snapshot_folder
from retrieval.index.build_progress import BuildProgress, Stage
from retrieval.index.snapshot import Snapshot
from retrieval.index.writing.publishing import publish
from tests.fakes import HashingEncoder, StoppingEncoder
from tests.sample_library import BEES, BRIDGE, HARBOUR, LIBRARY, NOW, articles_in, built, ticking


def test_a_published_snapshot_is_current(tmp_path: Path) -> None:
    done = publish(LIBRARY, HashingEncoder(), tmp_path, now=lambda: NOW)
    assert (done.articles, done.passages, done.encoded) == (3, 3, 3)
    assert done.name.startswith("20261124T001500Z-")
    assert snapshot_folder.current_name(tmp_path) == done.name


def test_unchanged_passages_are_never_encoded_twice(tmp_path: Path) -> None:
    encoder, now = HashingEncoder(), ticking()
    publish(LIBRARY, encoder, tmp_path, now=now)
    moved = replace(
        HARBOUR, text="The ferry is late. " + "Nobody minds waiting in the sun. " * 30 + "\n\n" + HARBOUR.text
    )
    done = publish([BRIDGE, moved], encoder, tmp_path, now=now)
    assert encoder.passages == 3 + done.encoded
    assert done.encoded < done.passages
    assert publish([BRIDGE, moved], encoder, tmp_path, now=now).encoded == 0


def test_publishing_the_same_articles_makes_no_snapshot_unless_full(tmp_path: Path) -> None:
    now = ticking()
    first = publish(LIBRARY, HashingEncoder(), tmp_path, now=now)
    again = publish(LIBRARY, HashingEncoder(), tmp_path, now=now)
    assert (again.name, again.articles, again.encoded) == (first.name, 3, 0)
    assert snapshot_folder.snapshot_names(tmp_path) == [first.name]
    assert publish(LIBRARY, HashingEncoder(), tmp_path, full=True, now=now).name != first.name


def test_another_encoder_encodes_everything(tmp_path: Path) -> None:
    now = ticking()
    publish(LIBRARY, HashingEncoder(name="one"), tmp_path, now=now)
    assert publish(LIBRARY, HashingEncoder(name="two"), tmp_path, now=now).encoded == 3


ARTICLES = st.lists(
    st.sampled_from(
        [BEES, BRIDGE, HARBOUR, replace(HARBOUR, id="harbour-2", title="Another title"), replace(BEES, text="Short.")]
    ),
    unique_by=lambda a: a.id,
    min_size=1,
)


@settings(max_examples=15)
@given(st.lists(ARTICLES, min_size=1, max_size=4))
def test_incremental_and_full_builds_write_the_same_files(
    tmp_path_factory: pytest.TempPathFactory, steps: list[list[Article]]
) -> None:
    gradual, anew = tmp_path_factory.mktemp("gradual"), tmp_path_factory.mktemp("anew")
    now = ticking()
    for step in steps:
        publish(step, HashingEncoder(), gradual, now=now)
    publish(steps[-1], HashingEncoder(), anew, full=True, now=now)

    def answers_from(folder: Path) -> dict[str, bytes]:
        found = [one.folder for one in Snapshot.open(folder).segments]
        assert len(found) == 1
        return {
            path.name: path.read_bytes() for path in found[0].iterdir() if path.suffix in {".bin", ".jsonl", ".txt"}
        }

    assert answers_from(gradual) == answers_from(anew)


def test_unchanged_articles_are_copied_and_not_split_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cut: list[str] = []

    def counted(article: Article) -> list[Passage]:
        cut.append(article.id)
        return split_article(article)

    monkeypatch.setattr("retrieval.index.writing.publishing.split_article", counted)
    monkeypatch.setattr("retrieval.index.writing.segment_writer._ARTICLES_PER_COPY", 1)
    now = ticking()
    publish([BEES, HARBOUR], HashingEncoder(), tmp_path, now=now)
    publish([BEES, BRIDGE, HARBOUR], HashingEncoder(), tmp_path, now=now)
    assert cut == [BEES.id, HARBOUR.id, BRIDGE.id]
    assert articles_in(Snapshot.open(tmp_path)) == [BEES, BRIDGE, HARBOUR]


def test_a_new_pipeline_version_splits_again_and_keeps_the_vectors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = ticking()
    publish(LIBRARY, HashingEncoder(), tmp_path, now=now)
    cut: list[str] = []
    monkeypatch.setattr("retrieval.index.writing.passage_records.pipeline_version", lambda: "another")

    def counted(article: Article) -> list[Passage]:
        cut.append(article.id)
        return split_article(article)

    monkeypatch.setattr("retrieval.index.writing.publishing.split_article", counted)
    done = publish(LIBRARY, HashingEncoder(), tmp_path, now=now)
    assert (cut, done.encoded) == ([article.id for article in LIBRARY], 0)


def test_a_library_without_articles_gives_an_index_that_finds_nothing(tmp_path: Path) -> None:
    opened = built(tmp_path, [])
    assert opened.manifest.passages == 0
    assert articles_in(opened) == []


@pytest.mark.parametrize("at", [0, 1, 2])
def test_interrupted_while_encoding_the_old_snapshot_serves_and_nothing_is_left(tmp_path: Path, at: int) -> None:
    old = built(tmp_path, [BEES]).name
    changed = [replace(article, title=f"{article.title}!") for article in LIBRARY]
    with pytest.raises(KeyboardInterrupt):
        publish(changed, StoppingEncoder(at), tmp_path)
    assert Snapshot.open(tmp_path).name == old
    assert not list(tmp_path.glob(".build-*"))


def test_a_full_disk_is_one_clear_line_and_the_old_snapshot_serves(tmp_path: Path) -> None:
    old = built(tmp_path, [BEES]).name
    with pytest.raises(PublishError, match="No space left on device; what served before still serves"):
        publish(LIBRARY, StoppingEncoder(0, OSError(errno.ENOSPC, "No space left on device")), tmp_path)
    assert Snapshot.open(tmp_path).name == old
    assert not list(tmp_path.glob(".build-*"))


@pytest.mark.parametrize("step", ["rename", "replace", "fsync"])
def test_stopped_at_each_step_of_publishing_a_snapshot_still_serves(
    tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = built(tmp_path, [BEES]).name

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        if step == "fsync":
            patch.setattr("os.fsync", stop)
        else:
            patch.setattr(Path, step, stop)
        with pytest.raises(KeyboardInterrupt):
            publish(LIBRARY, HashingEncoder(), tmp_path)
    assert Snapshot.open(tmp_path).name == old
    assert publish(LIBRARY, HashingEncoder(), tmp_path).articles == 3


def test_leftovers_of_a_killed_build_are_removed(tmp_path: Path) -> None:
    (tmp_path / ".build-1").mkdir()
    (tmp_path / ".build-1" / "tokens.bin").write_bytes(b"half")
    built(tmp_path)
    assert not list(tmp_path.glob(".build-*"))


def test_progress_reports_every_stage_and_the_time_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    many = [Article(f"{n}", f"Article {n}", f"Word{n} and word{n % 7} stand by gate {n % 13}.") for n in range(100)]
    monkeypatch.setattr("retrieval.index.vectors.MAX_FLAT", 50)
    monkeypatch.setattr("retrieval.index.writing.segment_writer._PASSAGES_PER_REPORT", 40)
    seen: list[BuildProgress] = []
    publish(many, HashingEncoder(), tmp_path, progress=seen.append)
    parts = [(what, [step.done for step in steps]) for what, steps in itertools.groupby(seen, lambda step: step.what)]
    assert parts[:5] == [
        (Stage.ARTICLES, list(range(1, 101))),
        (Stage.TERMS, [0, 40, 80]),
        (Stage.GROUPS, [0]),
        (Stage.VECTORS, [0]),
        (Stage.RECALL, [0]),
    ]
    assert [what for what, _ in parts[5:]] == [Stage.FILES, Stage.CHECK]
    assert {step.total for step in seen if step.what in {Stage.ARTICLES, Stage.TERMS, Stage.VECTORS}} == {100}
    left = [step.then_s for step in seen]
    assert left[0] > left[-1] > 0
    assert all(later <= step for step, later in itertools.pairwise(left[99:101] + left[103:]))


def test_progress_counts_new_articles_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retrieval.index.writing.publishing.SMALL_SEGMENT", 1)
    publish(LIBRARY[:2], HashingEncoder(), tmp_path)
    seen: list[BuildProgress] = []
    publish(LIBRARY, HashingEncoder(), tmp_path, progress=seen.append)
    assert [(step.done, step.total) for step in seen if step.what == Stage.ARTICLES] == [(1, 1)]
