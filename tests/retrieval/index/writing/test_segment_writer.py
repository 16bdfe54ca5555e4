"""A segment holds the same bytes whether its articles were written or copied."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.article import Article
from corpus.text.split import split_article
from retrieval.errors import SnapshotCorrupt
from retrieval.index.build_progress import Stage
from retrieval.index.contract import PassageRecord
from retrieval.index.segment import MANIFEST, Segment, SegmentManifest
from retrieval.index.writing.passage_records import encode_articles
from retrieval.index.writing.segment_writer import CHECKPOINT, SegmentWriter, resume_segment
from tests.fakes import Clock, HashingEncoder
from tests.sample_library import BEES, BRIDGE, HARBOUR, LIBRARY

ARTICLES = [*LIBRARY, replace(BEES, id="short", text="Short."), replace(HARBOUR, id="long", text=HARBOUR.text * 9)]
ENCODER = HashingEncoder()


def records_of(article: Article) -> list[PassageRecord]:
    [(_, passages, _)] = encode_articles([(article, split_article(article))], ENCODER, lambda _: {})
    return passages


def write_segment(folder: Path, articles: Sequence[Article]) -> Segment:
    folder.mkdir()
    with SegmentWriter(folder, ENCODER.fingerprint, ENCODER.dim) as writer:
        for article in articles:
            writer.write(article, records_of(article))
        return Segment(folder, writer.finish(lambda _: None))


def table_files(segment: Segment) -> dict[str, bytes]:
    paths = sorted(segment.folder.iterdir())
    return {path.name: path.read_bytes() for path in paths if path.suffix in {".bin", ".jsonl", ".txt"}}


@settings(max_examples=20)
@given(
    st.lists(st.lists(st.sampled_from(ARTICLES), min_size=1, max_size=4), min_size=1, max_size=4),
    st.lists(st.booleans(), min_size=4, max_size=4),
)
def test_copying_and_writing_give_the_same_files(
    tmp_path_factory: pytest.TempPathFactory, runs: list[list[Article]], copying: list[bool]
) -> None:
    folder = tmp_path_factory.mktemp("segments")
    before = [BRIDGE, *(article for run in runs for article in run), BEES]
    old = write_segment(folder / "old", before)
    (folder / "new").mkdir()
    at = 1
    with SegmentWriter(folder / "new", ENCODER.fingerprint, ENCODER.dim) as writer:
        for run, copy in zip(runs, copying, strict=False):
            if copy:
                assert list(writer.copy_articles(old, at, at + len(run))) == [None]
            else:
                for article in run:
                    writer.write(article, records_of(article))
            at += len(run)
        new = Segment(folder / "new", writer.finish(lambda _: None))
    assert table_files(new) == table_files(write_segment(folder / "anew", before[1:-1]))


def test_written_articles_and_passages_are_read_back(tmp_path: Path) -> None:
    segment = write_segment(tmp_path / "one", ARTICLES)
    assert SegmentManifest.read(segment.folder) == segment.manifest
    assert (segment.manifest.articles, segment.manifest.passages) == (5, segment.size)
    assert [segment.article(row) for row in range(5)] == ARTICLES
    assert [len(found) for _, found in segment.export(segment.days >= 0)] == [len(records_of(one)) for one in ARTICLES]


def test_a_segment_is_resumed_from_its_checkpoint(tmp_path: Path) -> None:
    clock = Clock()
    with SegmentWriter(tmp_path, ENCODER.fingerprint, ENCODER.dim, full=True, clock=clock) as writer:
        writer.write(BEES, records_of(BEES))
        writer.checkpoint()
        assert not (tmp_path / CHECKPOINT).exists(), "not every article is worth a flush of all files"
        writer.write(BRIDGE, records_of(BRIDGE))
        clock.now += 10
        writer.checkpoint()
        writer.write(HARBOUR, records_of(HARBOUR))
    noted = json.loads((tmp_path / CHECKPOINT).read_text())
    assert (noted["full"], noted["encoder"], noted["counts"]["articles"]) == (True, "hashing-32", 2)
    half = resume_segment(tmp_path, noted)
    assert not (tmp_path / MANIFEST).exists()
    assert [half.article(row) for row in range(half.manifest.articles)] == [BEES, BRIDGE]
    (tmp_path / "again").mkdir()
    with SegmentWriter(tmp_path / "again", ENCODER.fingerprint, ENCODER.dim) as writer:
        for _ in writer.copy_articles(half, 0, 2):
            step = writer.progress(Stage.ARTICLES, 3)
            assert (step.what, step.done, step.total) == (Stage.ARTICLES, 2, 3)
        writer.write(HARBOUR, records_of(HARBOUR))
        again = Segment(tmp_path / "again", writer.finish(lambda _: None))
    assert table_files(again) == table_files(write_segment(tmp_path / "anew", [BEES, BRIDGE, HARBOUR]))


def test_a_segment_that_ends_early_is_not_copied_from(tmp_path: Path) -> None:
    old = write_segment(tmp_path / "old", LIBRARY)
    (old.folder / "folded.txt").write_text("short\n")
    (tmp_path / "new").mkdir()
    with (
        SegmentWriter(tmp_path / "new", ENCODER.fingerprint, ENCODER.dim) as writer,
        pytest.raises(SnapshotCorrupt, match=f"folded.txt of segment {old.folder.name} ends early; run: "),
    ):
        list(writer.copy_articles(old, 0, 3))
