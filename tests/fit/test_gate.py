"""What was measured may not get worse unnoticed: the invented news, asked with the shipped model."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval.answering import Answerer
from retrieval.evaluation import auroc, read_questions
from retrieval.index.snapshot import Snapshot
from retrieval.index.writing.publishing import publish
from retrieval.models.encoder import OnnxEncoder
from retrieval.results import Answer, Query
from tests.fit.invented import InventedQuestion, read_news

ANSWERABLE = {"fact", "keyword", "typo", "reader"}
MISSING = {"near-miss", "plain", "far"}

Answered = list[tuple[InventedQuestion, Answer]]


@pytest.fixture(scope="module")
def answered(minilm: OnnxEncoder, tmp_path_factory: pytest.TempPathFactory) -> Answered:
    """Every third question that people may ask, answerable or not, with its answer."""
    folder = tmp_path_factory.mktemp("snapshots")
    articles, questions = read_news()
    publish(articles, minilm, folder)
    answerer = Answerer(Snapshot.open(folder), minilm)
    wanted = [asked for asked in questions if asked.kind in ANSWERABLE | MISSING][::3]
    return [(asked, answerer.answer(Query(asked.text))) for asked in wanted]


def share(answered: Answered, kinds: set[str], *, marked: int | None = None) -> float:
    """How many of the first quotes, or of their first marked sentences, hold the answer."""
    hits = []
    for asked, answer in answered:
        if asked.kind in kinds:
            quote = answer.quotes[0]
            spans = [quote.span] if marked is None else quote.highlights[:marked]
            hits.append(
                quote.article.id == f"invented-{asked.article:03d}"
                and any(s.start <= a.start and a.end <= s.end for s in spans for a in asked.answers)
            )
    return sum(hits) / len(hits)


def test_answers_are_found(answered: Answered) -> None:
    found = {
        "fact": share(answered, {"fact"}),
        "keyword": share(answered, {"keyword"}),
        "typo": share(answered, {"typo"}),
        "reader": share(answered, {"reader"}),
        "marked first": share(answered, {"fact", "keyword", "typo", "reader"}, marked=1),
    }
    least = {"fact": 0.84, "keyword": 0.9, "typo": 0.79, "reader": 0.61, "marked first": 0.59}
    assert {name: value for name, value in found.items() if value < least[name]} == {}, found


def test_confidence_separates_answerable_from_unanswerable_questions(answered: Answered) -> None:
    yes = [answer.confidence for asked, answer in answered if asked.kind in ANSWERABLE]
    apart = {
        kind: auroc(yes, [answer.confidence for asked, answer in answered if asked.kind == kind]) for kind in MISSING
    }
    least = {"near-miss": 0.69, "plain": 0.76, "far": 0.91}
    assert {kind: value for kind, value in apart.items() if value < least[kind]} == {}, apart


def test_what_the_shipped_article_does_not_say_is_declined(minilm: OnnxEncoder, tmp_path: Path) -> None:
    articles, questions = read_questions((Path(__file__).parents[1] / "data" / "acceptance.json").read_bytes())
    publish(articles, minilm, tmp_path)
    answerer = Answerer(Snapshot.open(tmp_path), minilm)
    wrong = []
    for question in questions:
        answer = answerer.answer(Query(question.question))
        right = not answer.answered
        if question.gold:
            right = answer.answered and question.rank(answer) == 0 and question.highlighted(answer.quotes[0], 2)
        if not right:
            wrong.append(question.question)
    assert (len(questions), sum(not question.gold for question in questions)) == (47, 18)
    assert len(wrong) <= 6, wrong
    assert not {"Which tier is Kuwait in?", "Which tier is Qatar in?", "Who is the emir?"}.intersection(wrong)


@pytest.mark.parametrize("others", [1, 10])
def test_unrelated_articles_change_nothing_about_an_answer(others: int, minilm: OnnxEncoder, tmp_path: Path) -> None:
    articles, questions = read_questions((Path(__file__).parents[1] / "data" / "acceptance.json").read_bytes())
    publish([*articles, *read_news()[0][:others]], minilm, tmp_path)
    answerer = Answerer(Snapshot.open(tmp_path), minilm)
    answers = {question.question: answerer.answer(Query(question.question)) for question in questions}
    right = {question.question for question in questions if answers[question.question].answered == bool(question.gold)}
    # measured: 41 of 47 with either
    assert len(right) >= 40, {question for question in answers if question not in right}
    assert {"Which tier is Kuwait in?", "Which tier is Qatar in?", "Who is the emir?"} <= right
