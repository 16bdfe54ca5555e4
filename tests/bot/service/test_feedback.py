from __future__ import annotations

import json

from bot.service.feedback import votes_to_squad
from bot.service.state import Vote
from corpus.article import content_id
from retrieval.evaluation import read_questions
from tests.sample_library import BEES, HARBOUR, LIBRARY

HELD = {article.id: article for article in LIBRARY}
HARBOUR_CONTENT = content_id(HARBOUR.title, HARBOUR.text)
START = HARBOUR.text.index("The strike had")
STOP = START + len("The strike had lasted eleven days.")


def vote(
    question: str | None = "How long was the strike?", *, good: bool = True, content: str = HARBOUR_CONTENT
) -> Vote:
    return Vote(good, 0.0, "s", "harbour", content, START, STOP, question)


def test_good_votes_are_questions_that_eval_can_read() -> None:
    bees = Vote(True, 1.0, "s", "bees", content_id(BEES.title, BEES.text), 0, 4, "Who makes honey?")
    file = votes_to_squad([vote(), bees, vote("What ended?")], HELD)
    articles, cases = read_questions(json.dumps(file).encode())
    assert [article.title for article in articles] == [HARBOUR.title, BEES.title]
    assert [(case.question, case.gold[0].words) for case in cases] == [
        ("How long was the strike?", "The strike had lasted eleven days."),
        ("What ended?", "The strike had lasted eleven days."),
        ("Who makes honey?", "Bees"),
    ]


def test_a_question_with_many_good_votes_is_exported_once() -> None:
    assert len(votes_to_squad([vote(), vote()], HELD)["data"][0]["paragraphs"][0]["qas"]) == 1


def test_bad_votes_and_votes_on_changed_articles_are_left_out() -> None:
    gone = Vote(True, 0.0, "s", "gone", "c", 0, 3, "Who?")
    assert votes_to_squad([vote(None), vote(good=False), vote(content="other"), gone], HELD)["data"] == []
