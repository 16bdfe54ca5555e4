"""How a reader changes the order, the marked sentence and the words that answer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from retrieval.answering import Answerer
from retrieval.index.snapshot import Snapshot
from retrieval.models.reader import OnnxReader
from retrieval.ranking.hit_reading import READ, READ_WITHIN, READER_WEIGHT
from retrieval.ranking.question import Question
from retrieval.ranking.search import Searcher, SearchResult
from retrieval.results import Answer, Query
from tests.fakes import HashingEncoder
from tests.retrieval.ranking.test_search import ARTICLES
from tests.retrieval.tiny_reader import build_reader
from tests.sample_library import BRIDGE, built

QUESTION = "How much will the work on the bridge cost?"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return built(tmp_path_factory.mktemp("snapshots"))


@pytest.fixture(scope="module")
def prices(tmp_path_factory: pytest.TempPathFactory) -> OnnxReader:
    """A reader for which every answer goes from "3" to "crowns"."""
    folder = tmp_path_factory.mktemp("models") / "prices"
    return OnnxReader.open(build_reader(folder, {"3": 30.0}, {"crowns": 30.0}))


def found(snapshot: Snapshot, question: str, reader: OnnxReader | None = None) -> SearchResult:
    query = Query(question)
    return Searcher(snapshot, HashingEncoder(), reader=reader).search(query, Question.parse(query))


def answered(snapshot: Snapshot, question: str, reader: OnnxReader | None = None) -> Answer:
    return replace(Answerer(snapshot, HashingEncoder(), reader=reader).answer(Query(question)), took_ms=0)


def test_without_a_reader_no_quote_names_the_words_that_answer(library: Snapshot) -> None:
    assert {hit.answers for hit in found(library, QUESTION).hits} == {()}
    assert {quote.answer for quote in answered(library, QUESTION).quotes} == {None}


def test_the_sentence_the_reader_finds_is_marked_first_and_its_words_named(
    library: Snapshot, prices: OnnxReader
) -> None:
    quote = answered(library, "Which bridge closes in May?", prices).quotes[0]
    assert quote.article == BRIDGE
    start, end = quote.highlights[0]
    assert BRIDGE.text[start:end] == "The work will cost 3.2 million crowns."
    assert quote.answer is not None
    assert BRIDGE.text[quote.answer.start : quote.answer.end] == "3.2 million crowns"


def test_a_sentences_score_is_the_sum_of_its_evidence_and_the_weighted_readers(
    library: Snapshot, prices: OnnxReader
) -> None:
    plain = {hit.row: hit for hit in found(library, QUESTION).hits}
    hits_read = [hit for hit in found(library, QUESTION, prices).hits if hit.answers]
    assert len(hits_read) == 1
    for hit in hits_read:
        before = plain[hit.row].sentences
        assert [span for span, _ in hit.sentences] == [span for span, _ in before]
        for (_, score), (_, old), (_, read) in zip(hit.sentences, before, hit.answers, strict=True):
            assert score == pytest.approx(old + READER_WEIGHT * read)
        best = max(score for _, score in hit.sentences) - max(score for _, score in before)
        assert hit.score == pytest.approx(plain[hit.row].score + best)


def test_at_most_so_many_hits_are_read_and_the_others_gain_as_much_as_the_read_one_that_gains_least(
    tmp_path: Path, prices: OnnxReader
) -> None:
    articles = [replace(BRIDGE, id=f"b{at}", title=f"Bridge {at} over the Ostra closes") for at in range(READ + 3)]
    snapshot = built(tmp_path, articles)
    plain = {hit.row: hit for hit in found(snapshot, QUESTION).hits}
    hits = found(snapshot, QUESTION, prices).hits
    assert [bool(hit.answers) for hit in hits] == [True] * READ + [False] * 3
    gain = min(hit.score - plain[hit.row].score for hit in hits[:READ])
    for hit in hits[READ:]:
        assert hit.score == pytest.approx(plain[hit.row].score + gain)


def test_hits_far_below_the_best_are_not_read(library: Snapshot, prices: OnnxReader) -> None:
    plain = found(library, QUESTION).hits
    near = {hit.row for hit in plain if hit.score >= plain[0].score - READ_WITHIN}
    assert 0 < len(near) < len(plain)
    assert {hit.row for hit in found(library, QUESTION, prices).hits if hit.answers} == near


def test_an_arabic_question_is_left_to_readers_that_read_arabic(tmp_path: Path, prices: OnnxReader) -> None:
    snapshot = built(tmp_path, ARTICLES)
    question = "ماذا نفق في البحيرة؟"
    assert answered(snapshot, question, prices) == answered(snapshot, question)


def test_a_question_without_hits_has_nothing_to_read(tmp_path: Path, prices: OnnxReader) -> None:
    assert answered(built(tmp_path, []), QUESTION, prices).quotes == ()
