from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from corpus.article import Span
from retrieval.errors import SnapshotMissing, SnapshotOutdated
from retrieval.index import snapshot, snapshot_folder
from retrieval.index.contract import ArticleFilter
from retrieval.index.snapshot import Snapshot
from retrieval.text.late_interaction import int8_scale
from tests.fakes import HashingEncoder
from tests.sample_library import BEES, HARBOUR, LIBRARY, articles_in, built


def test_it_gives_back_the_articles_word_for_word(tmp_path: Path) -> None:
    opened = built(tmp_path)
    assert articles_in(opened) == list(LIBRARY)
    assert [article.text for article in articles_in(opened)] == [article.text for article in LIBRARY]


def test_its_passages_are_spans_of_whole_sentences(tmp_path: Path) -> None:
    opened = built(tmp_path)
    found = opened.passages(np.array([2, 0]))
    assert found.article.tolist() == [2, 0]
    assert found.spans == (Span(0, len(HARBOUR.text)), Span(0, len(BEES.text)))
    assert opened.texts(np.array([2, 0])) == [HARBOUR.text, BEES.text]
    bees = found.sentences[found.sentence_counts[0] :]
    assert [BEES.text[s["start"] : s["end"]] for s in bees] == [
        "Bees on city roofs made more honey than ever. ",
        "“Nobody expected it,” said Ada Lund.",
    ]


def test_a_filter_by_day_and_outlet_limits_what_is_found(tmp_path: Path) -> None:
    opened = built(tmp_path)
    day = dt.date(2026, 11, 1)
    vector = HashingEncoder().encode_query("the bridge and the bees").vector

    def found(where: ArticleFilter) -> tuple[list[int], list[int]]:
        fetched = opened.retrieve(vector, {"bee": 1.0, "bridg": 1.0, "harbour": 1.0}, 3, where)
        return sorted(fetched.dense_ranking.tolist()), sorted(fetched.lexical_ranking.tolist())

    assert found(ArticleFilter()) == ([0, 1, 2], [0, 1, 2])
    assert found(ArticleFilter(since=day)) == ([1], [1])
    assert found(ArticleFilter(until=dt.date(2026, 10, 31))) == ([2], [2])
    assert found(ArticleFilter(since=day, until=day)) == ([1], [1])
    assert found(ArticleFilter(source="the vell COURIER ")) == ([2], [2])
    assert found(ArticleFilter(since=day, source="the vell COURIER")) == ([], [])


def test_vectors_have_unit_length(tmp_path: Path) -> None:
    opened = built(tmp_path)
    [segment] = opened.segments
    assert np.allclose(np.linalg.norm(segment.passage_vectors, axis=1), 1, atol=1e-5)
    assert np.allclose(np.linalg.norm(segment.sentence_vectors.astype(np.float32), axis=1), int8_scale(32), rtol=2e-2)


def test_pages_released_while_articles_are_summarised_are_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "ARTICLES_PER_RELEASE", 1)
    index = built(tmp_path)
    assert [one.id for one in index.summaries()] == [article.id for article in articles_in(index)]


def test_without_an_index_it_names_the_command_that_builds_one(tmp_path: Path) -> None:
    with pytest.raises(SnapshotMissing, match="newsquote index build"):
        Snapshot.open(tmp_path / "none")


@pytest.mark.parametrize("name", ["20200101T000000Z-00000000", "../../etc", ""], ids=["unknown", "a path", "blank"])
def test_only_an_existing_snapshot_can_be_opened(tmp_path: Path, name: str) -> None:
    built(tmp_path)
    if name:
        with pytest.raises(SnapshotMissing, match="newsquote index list"):
            Snapshot.open(tmp_path, name)
    else:
        assert Snapshot.open(tmp_path, name).name == snapshot_folder.current_name(tmp_path)


def test_another_encoder_is_refused_with_the_command_that_rebuilds(tmp_path: Path) -> None:
    built(tmp_path, encoder=HashingEncoder(name="old"))
    with pytest.raises(SnapshotOutdated, match=r"old-32.*new-32.*newsquote index build"):
        Snapshot.open(tmp_path, encoder="new-32")
