from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from retrieval.index import lexical
from retrieval.index.contract import ArticleFilter, outlet_key
from retrieval.index.lexical import LexicalIndex

DAY, OUTLET = dt.date(2026, 11, 1), outlet_key("Ostra Post")
PASSAGES = [
    (["kuwait", "tier", "report"], DAY.toordinal(), OUTLET),
    (["report", "report", "law"], 0, OUTLET),
    (["law", "court"], DAY.toordinal() + 1, 0),
    (["law", "court"], DAY.toordinal(), 0),
]


@pytest.fixture
def index(tmp_path: Path) -> LexicalIndex:
    lexical.build(tmp_path / "lexical", PASSAGES)
    return LexicalIndex.open(tmp_path / "lexical")


def found(index: LexicalIndex, *terms: str, limit: int = 10) -> list[int]:
    return list(map(int, index.search(dict.fromkeys(terms, 1.0), limit)[0]))


def test_passages_with_rare_terms_come_first(index: LexicalIndex) -> None:
    assert found(index, "kuwait", "report") == [0, 1]


def test_equal_scores_are_ordered_by_row(index: LexicalIndex) -> None:
    assert found(index, "court") == [2, 3]


def test_a_weight_multiplies_its_terms_score(index: LexicalIndex) -> None:
    one = index.search({"court": 1.0}, 1)[1][0]
    assert index.search({"court": 2.0}, 1)[1][0] == pytest.approx(2 * one)


def test_terms_that_occur_nowhere_find_nothing(index: LexicalIndex) -> None:
    assert found(index, "qatar") == []
    assert found(index) == []
    assert found(index, "law", limit=0) == []


def test_query_syntax_has_no_meaning_in_terms(index: LexicalIndex) -> None:
    assert found(index, "law AND court", "*", "(", 'terms:"law"') == []


@pytest.mark.parametrize(
    ("where", "rows"),
    [
        (ArticleFilter(since=DAY), [3, 2]),
        (ArticleFilter(until=DAY), [3]),
        (ArticleFilter(since=DAY, until=DAY), [3]),
        (ArticleFilter(source="ostra POST"), [1]),
        (ArticleFilter(since=DAY, source="Ostra Post"), []),
    ],
    ids=["since", "until", "a day", "an outlet", "both"],
)
def test_a_filter_does_not_change_scores(index: LexicalIndex, where: ArticleFilter, rows: list[int]) -> None:
    everything = dict(zip(*index.search({"law": 1.0}, 10), strict=True))
    found, scores = index.search({"law": 1.0}, 10, where)
    assert sorted(found.tolist()) == sorted(rows)
    assert scores.tolist() == [everything[row] for row in found]


def test_document_frequency_counts_passages(index: LexicalIndex) -> None:
    assert [index.document_frequency(term) for term in ("report", "law", "qatar")] == [2, 3, 0]


def test_an_empty_index_finds_nothing(tmp_path: Path) -> None:
    lexical.build(tmp_path / "empty", [])
    index = LexicalIndex.open(tmp_path / "empty")
    assert found(index, "law") == []


def test_a_folder_without_an_index_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="tantivy cannot read"):
        LexicalIndex.open(tmp_path)
