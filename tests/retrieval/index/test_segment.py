from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from retrieval.errors import SnapshotCorrupt
from retrieval.index.contract import ArticleFilter
from retrieval.index.segment import Segment, SegmentManifest, article_key, map_array, word_key
from tests.sample_library import BEES, BRIDGE, HARBOUR, LIBRARY, built


@pytest.fixture
def segment(tmp_path: Path) -> Segment:
    [found] = built(tmp_path).segments
    return found


def test_it_gives_back_its_articles_word_for_word(segment: Segment) -> None:
    assert [segment.article(row) for row in range(3)] == list(LIBRARY)
    assert [segment.article(row).text for row in range(3)] == [one.text for one in LIBRARY]


def test_a_filter_selects_articles(segment: Segment) -> None:
    day = dt.date(2026, 11, 1)
    assert segment.article_mask(ArticleFilter()).tolist() == [True, True, True]
    assert segment.article_mask(ArticleFilter(since=day)).tolist() == [False, True, False]
    assert segment.article_mask(ArticleFilter(until=day)).tolist() == [False, True, True]
    assert segment.article_mask(ArticleFilter(source=" OSTRA post ")).tolist() == [False, True, False]
    assert segment.article_mask(ArticleFilter(until=dt.date(2026, 10, 31), source="Ostra Post")).tolist() == [
        False,
        False,
        False,
    ]


def test_a_mask_of_articles_becomes_a_mask_of_their_passages(segment: Segment) -> None:
    assert segment.passage_mask(np.array([True, False, True])).tolist() == [True, False, True]


def test_it_knows_the_words_of_its_titles_and_texts(segment: Segment) -> None:
    asked = {word_key(word): word for word in ("bees", "ostra", "the", "zanzibar", "ostr")}
    assert segment.known_words(asked) == {"bees", "ostra", "the"}
    assert segment.known_words({}) == set()


def test_a_passages_first_and_last_sentence_are_found(segment: Segment) -> None:
    first, last = segment.sentence(0, 0), segment.sentence(0, -1)
    assert BEES.text[first.start : first.end] == "Bees on city roofs made more honey than ever. "
    assert BEES.text[last.start : last.end] == "“Nobody expected it,” said Ada Lund."


def test_an_article_key_changes_with_the_id_and_with_the_content() -> None:
    keys = {article_key(i, digest) for i in ("a", "b") for digest in (b"1" * 16, b"2" * 16)}
    assert len(keys) == 4


def test_its_name_depends_on_its_content_only(tmp_path: Path) -> None:
    names = [
        built(tmp_path / name, articles).segments[0].folder.name
        for name, articles in (("one", LIBRARY), ("same", LIBRARY), ("other", (BRIDGE, HARBOUR)))
    ]
    assert names[0] == names[1] != names[2]


@pytest.mark.parametrize("damage", ["[]", "{", "{}", '{"files": 1}'])
def test_a_damaged_manifest_is_refused(segment: Segment, damage: str) -> None:
    (segment.folder / "segment.json").write_text(damage)
    with pytest.raises(SnapshotCorrupt, match="newsquote index build --full"):
        SegmentManifest.read(segment.folder)


def test_released_pages_are_read_again(segment: Segment) -> None:
    before = [array.copy() for array in (segment.words, segment.passage_vectors, segment.sentence_vectors)]
    for turn in range(20):
        segment.release_pages(turn)
    after = (segment.words, segment.passage_vectors, segment.sentence_vectors)
    assert all(np.array_equal(one, other) for one, other in zip(before, after, strict=True))
    assert [segment.article(row) for row in range(3)] == list(LIBRARY)


def test_a_file_that_is_too_short_is_refused(tmp_path: Path) -> None:
    (tmp_path / "short").write_bytes(b"12345678")
    with pytest.raises(ValueError, match="buffer"):
        map_array(tmp_path / "short", np.dtype("<i8"), (2,))
    assert map_array(tmp_path / "short", np.dtype("<i8"), (0, 3))[0].shape == (0, 3)
