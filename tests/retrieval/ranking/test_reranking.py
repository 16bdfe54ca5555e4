"""How search and answers change with a reranker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from corpus.article import Article
from retrieval.answering import Answerer
from retrieval.index.snapshot import Snapshot
from retrieval.ranking import confidence
from retrieval.ranking.question import Question
from retrieval.ranking.reranking import RERANKED
from retrieval.ranking.search import Searcher, SearchResult
from retrieval.results import Answer, Query
from retrieval.text.search_text import search_text
from tests.fakes import HashingEncoder
from tests.retrieval.ranking.test_search import ARTICLES
from tests.sample_library import HARBOUR, built, whole

QUESTION = "Which bridge closes in May?"


class Preferring:
    """A reranker that adds a word's points for each text with that word, and keeps what it was asked."""

    def __init__(self, multilingual: bool = False, **points: float) -> None:
        self.multilingual = multilingual
        self._points = points
        self.asked: list[tuple[str, Sequence[str]]] = []

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked.append((question, texts))
        return np.array(
            [sum(self._points[word] for word in self._points if word in text) for text in texts], np.float32
        )


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return built(tmp_path_factory.mktemp("snapshots"))


def found(snapshot: Snapshot, question: str, reranker: Preferring | None = None) -> SearchResult:
    query = Query(question)
    return Searcher(snapshot, HashingEncoder(), reranker=reranker).search(query, Question.parse(query))


def answered(snapshot: Snapshot, question: str, reranker: Preferring | None = None) -> Answer:
    return replace(Answerer(snapshot, HashingEncoder(), reranker=reranker).answer(Query(question)), took_ms=0)


def test_without_a_reranker_no_hit_has_its_score(library: Snapshot) -> None:
    assert {hit.reranked for hit in found(library, QUESTION).hits} == {None}
    assert all("reranker" not in quote.evidence for quote in answered(library, QUESTION).quotes)


def test_a_reranker_that_prefers_nothing_changes_nothing_but_the_evidence(library: Snapshot) -> None:
    plain, reranked = answered(library, QUESTION), answered(library, QUESTION, Preferring())
    assert reranked == plain
    assert reranked.evidence == plain.evidence
    assert [quote.evidence for quote in reranked.quotes] == [{**q.evidence, "reranker": 0.0} for q in plain.quotes]


def test_the_order_is_that_of_the_sum_of_both_scores(library: Snapshot) -> None:
    plain = {hit.row: hit.score for hit in found(library, QUESTION).hits}
    (bees, bridge, harbour) = sorted(plain)
    gap = plain[bridge] - plain[harbour]
    for points, order in ((gap - 0.01, [bridge, harbour]), (gap + 0.01, [harbour, bridge])):
        hits = found(library, QUESTION, Preferring(Quill=points, Bees=-100.0)).hits
        assert [hit.row for hit in hits] == [*order, bees]
        assert {hit.row: hit.score for hit in hits} == plain
        assert {hit.row: hit.reranked for hit in hits} == {
            bees: -100.0,
            bridge: 0.0,
            harbour: pytest.approx(points, abs=1e-5),
        }


def test_equal_sums_go_by_row(tmp_path: Path) -> None:
    twins = built(tmp_path, [Article(f"a{n}", "Ferry late", "The ferry was late.") for n in range(3)])
    hits = found(twins, "Was the ferry late?", Preferring(Ferry=1.0)).hits
    assert [hit.row for hit in hits] == [0, 1, 2]


def test_only_the_best_are_reranked_with_their_titles_and_none_of_the_others_overtakes_them(tmp_path: Path) -> None:
    articles = [Article(f"a{n}", f"Ferry {n}", f"Ferry {n} was late. " + "Rain fell. " * n) for n in range(12)]
    snapshot = built(tmp_path, articles)
    reranker = Preferring(Ferry=-1000.0)
    plain = found(snapshot, "Which ferry was late?").hits
    hits = found(snapshot, "Which ferry was late?", reranker).hits
    assert [hit.row for hit in hits] == [hit.row for hit in plain]
    assert [hit.reranked for hit in hits] == [-1000.0] * RERANKED + [None] * 4
    texts = [search_text(whole(snapshot.article(hit.article))) for hit in plain[:RERANKED]]
    assert reranker.asked == [("Which ferry was late?", texts)]


def test_confidence_is_about_the_passage_that_came_first(library: Snapshot) -> None:
    plain, turned = found(library, QUESTION), found(library, QUESTION, Preferring(Quill=100.0))
    first, second = turned.hits[0], turned.hits[1]
    assert library.article(first.article) == HARBOUR
    named = dict(zip(confidence.EVIDENCE, turned.evidence.tolist(), strict=True))
    assert named["score"] == pytest.approx(first.score)
    assert named["lead"] == pytest.approx(first.score - second.score)
    assert named["lead"] < 0
    assert named["words"] in first.evidence[:, 0].tolist()
    assert turned.confidence < plain.confidence


def test_the_evidence_of_a_quote_names_the_rerankers_score(library: Snapshot) -> None:
    quotes = answered(library, QUESTION, Preferring(Quill=100.0)).quotes
    assert [(quote.article.id, quote.evidence["reranker"]) for quote in quotes] == [
        ("harbour", 100.0),
        ("bridge", 0.0),
        ("bees", 0.0),
    ]


@pytest.mark.parametrize(
    ("multilingual", "read"), [(False, 0), (True, 1)], ids=["does not read Arabic", "reads Arabic"]
)
def test_an_arabic_question_is_left_to_rerankers_that_read_arabic(
    tmp_path: Path, read: int, *, multilingual: bool
) -> None:
    reranker = Preferring(multilingual, البحيرة=100.0)
    answer = answered(built(tmp_path, ARTICLES), "هل زار مدير المصرف البحيرة؟", reranker)
    assert len(reranker.asked) == read
    assert answer.quotes[0].article.id == ("lake" if read else "court")


def test_a_question_without_hits_has_no_quotes_to_rerank(tmp_path: Path) -> None:
    assert answered(built(tmp_path, []), QUESTION, Preferring()).quotes == ()
