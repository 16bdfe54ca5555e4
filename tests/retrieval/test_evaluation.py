from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.article import Article, Span
from retrieval.evaluation import (
    CalibrationBin,
    EvaluationError,
    GoldAnswer,
    GoldQuestion,
    auroc,
    exact_match,
    measure,
    read_questions,
    word_f1,
)
from retrieval.results import Answer, Quote

CONTEXT = "The strike lasted eleven days. Pay rises by 7 percent. The mayor called it fair."
FILE: dict[str, Any] = {
    "data": [
        {
            "title": "Strike ends",
            "paragraphs": [
                {
                    "context": CONTEXT,
                    "qas": [
                        {
                            "question": " How  long? ",
                            "is_impossible": False,
                            "answers": [{"text": "eleven days", "answer_start": 18}],
                        },
                        {"question": "Who paid?", "is_impossible": True, "answers": []},
                    ],
                },
                {"context": "Second paragraph.", "qas": []},
            ],
        },
        {"title": "Missing", "paragraphs": [{"context": "", "qas": [{"question": "Why?", "is_impossible": True}]}]},
    ]
}
HOW_LONG, WHO_PAID, WHY = read_questions(json.dumps(FILE).encode())[1]
ARTICLE = read_questions(json.dumps(FILE).encode())[0][0]


def answer(confidence: float, *quotes: tuple[int, int], answered: bool = True, took_ms: float = 1.0) -> Answer:
    made = tuple(Quote(ARTICLE, Span(start, end), (Span(start, end),), 1.0, Span(start, end)) for start, end in quotes)
    return Answer("", answered, confidence, made, "snapshot", took_ms)


def test_a_file_gives_its_articles_and_questions_in_order() -> None:
    articles, questions = read_questions(json.dumps(FILE).encode())
    assert [(a.id, a.title, a.text) for a in articles] == [("a0000", "Strike ends", f"{CONTEXT}\n\nSecond paragraph.")]
    assert questions == [
        GoldQuestion("How long?", "a0000", (GoldAnswer("eleven days", "rike lasted eleven days. Pay rises"),)),
        GoldQuestion("Who paid?", "a0000", ()),
        GoldQuestion("Why?", "a0001", ()),
    ]


@pytest.mark.parametrize(
    "data", [b"", b"[]", b'{"data": [{}]}', b'{"data": []}', b"\xff", b'{"data": [{"paragraphs": 3}]}']
)
def test_a_file_in_another_form_is_refused(data: bytes) -> None:
    with pytest.raises(EvaluationError, match=r"SQuAD|no question"):
        read_questions(data)


def test_a_quote_is_right_when_it_covers_the_answer_where_it_stands() -> None:
    assert HOW_LONG.rank(answer(1, (0, len(CONTEXT)))) == 0
    assert HOW_LONG.rank(answer(1, (31, 80), (0, 55))) == 1
    assert HOW_LONG.rank(answer(1, (18, 29))) is None
    other = Article(id="a0009", title="T", text=CONTEXT)
    elsewhere = Quote(other, Span(0, 80), (), 1.0, Span(0, 80))
    assert HOW_LONG.rank(Answer("", True, 1.0, (elsewhere,), "s", 1.0)) is None


def test_the_figures_of_a_file() -> None:
    answers = [
        answer(0.9, (0, len(CONTEXT)), took_ms=1.0),
        answer(0.6, (0, 30), took_ms=2.0),
        answer(0.2, answered=False, took_ms=9.0),
    ]
    figures = measure([HOW_LONG, WHO_PAID, WHY], answers, articles=1)
    assert (figures.articles, figures.questions, figures.answerable) == (1, 3, 1)
    assert (figures.recall_at_1, figures.recall_at_3, figures.recall_at_5, figures.mrr) == (1, 1, 1, 1)
    assert (figures.first_highlight, figures.first_two_highlights) == (1, 1)
    assert (figures.auroc, figures.answered_precision, figures.answered_recall) == (1.0, 0.5, 1.0)
    assert figures.false_answers == 0.5
    assert figures.calibration_error == pytest.approx((0.1 + 0.6 + 0.2) / 3)
    assert (figures.ms_median, figures.ms_p95) == (2.0, 9.0)
    assert [b for b in figures.bins if b.count] == [
        CalibrationBin(1, 0.2, 0.0),
        CalibrationBin(1, 0.6, 0.0),
        CalibrationBin(1, 0.9, 1.0),
    ]


def test_without_unanswerable_questions_abstention_is_not_measured() -> None:
    figures = measure([HOW_LONG], [answer(0.9, (31, 80), (0, 55))], articles=1)
    assert (figures.auroc, figures.answered_precision, figures.false_answers) == (None, None, None)
    assert (figures.recall_at_1, figures.recall_at_3, figures.mrr, figures.first_highlight) == (0, 1, 0.5, 0)


@given(st.lists(st.integers(0, 5), min_size=1), st.lists(st.integers(0, 5), min_size=1))
def test_auroc_is_the_share_of_pairs_won(positive: list[float], negative: list[float]) -> None:
    pairs = [1.0 if p > n else 0.5 if p == n else 0.0 for p in positive for n in negative]
    assert auroc(positive, negative) == pytest.approx(sum(pairs) / len(pairs))


def test_answering_words_are_compared_as_squad_does() -> None:
    assert [exact_match(words, "the Eleven days") for words in ("eleven days.", "eleven days more", "")] == [1, 0, 0]
    assert word_f1("eleven days", "the eleven days") == 1
    assert word_f1("for eleven days", "eleven days") == pytest.approx(0.8)
    assert word_f1("a week", "eleven days") == 0


def test_the_overlap_of_answering_words_counts_over_answerable_questions() -> None:
    whole = answer(1, (0, len(CONTEXT)))
    read = replace(whole, quotes=(replace(whole.quotes[0], answer=Span(18, 29)),))
    figures = measure([HOW_LONG, HOW_LONG, WHO_PAID], [read, whole, read], articles=1)
    assert (figures.answer_exact_match, figures.answer_f1) == (0.5, 0.5)


def test_without_answering_words_there_is_nothing_to_compare() -> None:
    figures = measure([HOW_LONG], [answer(1, (0, 30))], articles=1)
    assert (figures.answer_exact_match, figures.answer_f1) == (None, None)
