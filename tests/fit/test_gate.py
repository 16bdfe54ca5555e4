"""What was measured may not get worse unnoticed: the invented news, asked with the shipped model."""

from __future__ import annotations

import pytest

from retrieval.answering import Answerer
from retrieval.encoder import OnnxEncoder
from retrieval.evaluation import auroc
from retrieval.publish import publish
from retrieval.results import Answer, Query
from retrieval.snapshot import Snapshot
from tests.fit.invented import Asked, read

Answered = list[tuple[Asked, Answer]]


@pytest.fixture(scope="module")
def answered(minilm: OnnxEncoder, tmp_path_factory: pytest.TempPathFactory) -> Answered:
    """Every third question in readers' words, fact, search words or misspelling, and plain one, with its answer."""
    folder = tmp_path_factory.mktemp("snapshots")
    articles, questions = read()
    publish(articles, minilm, folder)
    answerer = Answerer(Snapshot.open(folder), minilm)
    wanted = [asked for asked in questions if asked.kind in {"fact", "keyword", "typo", "reader", "plain"}][::3]
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
    least = {"fact": 0.84, "keyword": 0.96, "typo": 0.83, "reader": 0.75, "marked first": 0.69}
    assert {name: value for name, value in found.items() if value < least[name]} == {}, found


def test_what_no_article_says_is_told_from_what_one_does(answered: Answered) -> None:
    yes = [answer.confidence for asked, answer in answered if asked.kind != "plain"]
    no = [answer.confidence for asked, answer in answered if asked.kind == "plain"]
    assert auroc(yes, no) > 0.85
