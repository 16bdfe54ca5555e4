"""Follow-up detection, measured on dialogues of our own; half of them were kept aside while the rules were written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple, TypedDict

import pytest

from bot.conversation.dialogue import Ask, DialogueState, resolve, step
from bot.conversation.followups import is_followup
from tests.bot.answers import FIRST, TEXT, answer, article, quote


class Turn(TypedDict, total=False):
    say: str
    kind: str  # fresh, follow-up, talk or more
    topic: list[str]  # words that the question and its context must hold


class Dialogue(TypedDict, total=False):
    half: str
    library: str  # of which articles, where not the English ones
    turns: list[Turn]


DIALOGUES: list[Dialogue] = json.loads((Path(__file__).parents[2] / "data" / "dialogues.json").read_text("utf-8"))


class Score(NamedTuple):
    """How many of the turns that stand after a question were read rightly, and which were not."""

    right: int
    judged: int
    wrong: list[str]


def score(half: str) -> Score:
    """Every turn is judged as it would be if all before it had been read rightly."""
    right, judged, wrong = 0, 0, []
    for dialogue in DIALOGUES:
        if dialogue["half"] != half:
            continue
        thread: list[str] = []
        for turn in dialogue["turns"]:
            if turn["kind"] in ("talk", "more"):
                continue
            follows = turn["kind"] == "follow-up"
            if thread:
                judged += 1
                if is_followup(turn["say"], thread) == follows:
                    right += 1
                else:
                    wrong.append(turn["say"])
            thread = [*thread, turn["say"]] if follows else [turn["say"]]
    return Score(right, judged, wrong)


@pytest.mark.parametrize(
    ("half", "least"),
    # measured: fit 86 of 88 (.977), held out 96 of 98 (.980)
    [
        pytest.param("fit", 0.96, id="fit"),
        pytest.param("held", 0.96, id="held out"),
        pytest.param("later", 0.95, id="written later"),
    ],
)
def test_follow_ups_are_told_from_fresh_questions(half: str, least: float) -> None:
    right, judged, wrong = score(half)
    assert judged >= 80
    assert right / judged >= least, wrong


def test_there_are_dialogues_enough_in_both_halves() -> None:
    halves = [dialogue["half"] for dialogue in DIALOGUES]
    assert len(halves) >= 60
    assert min(halves.count("fit"), halves.count("held")) >= 30


def test_a_whole_dialogue_carries_its_topic_from_turn_to_turn() -> None:
    """With the dialogue's own state, mistakes included: the words the question needs are in it or in its context."""
    covered = asked = dragged = fresh = 0
    for dialogue in DIALOGUES:
        state = DialogueState()
        for turn in dialogue["turns"]:
            state, done = step(state, turn["say"])
            assert isinstance(done, Ask) == (turn["kind"] in ("fresh", "follow-up")), turn
            if not isinstance(done, Ask):
                continue
            if turn["kind"] == "follow-up":
                asked += 1
                words = " ".join((*done.query.context, done.query.text)).casefold()
                covered += all(topic.casefold() in words for topic in turn["topic"])
            else:
                fresh += 1
                dragged += bool(done.query.context)
            state, _ = resolve(state, done, answer())
    # measured: 129 of 132 covered, 2 of 124 dragged back
    assert covered / asked >= 0.96
    assert dragged / fresh <= 0.03


@pytest.mark.parametrize(
    "question",
    [
        "why?",
        "and when?",
        "what about the officials?",
        "How many of them?",
        "who said that?",
        "Is that so?",
        "لماذا؟",
        "ومتى؟",
        "وماذا عن المسؤولين؟",
        "كم عددهم؟",
    ],
)
def test_leaning_needs_something_to_lean_on(question: str) -> None:
    assert [is_followup(question, ()), is_followup(question, ("Which tier is Kuwait in?",))] == [False, True]


@pytest.mark.parametrize(
    "question",
    [
        "Which tier is Qatar in?",
        "Is it true that Kuwait deports victims of trafficking?",
        "Is there a law that protects migrant workers?",
        "What did Romanowski say about her country?",
        "And who won the Ostrava Bay marathon in June?",
        "romanowski palermo protocol",
        "What happened in Kuwait this year?",
        "KUWAIT TIER RANKING LEVEL",
        "Who are the officials that use arbitration in Kuwait?",
        'what does "second level" mean',
        "Kuwait's minimum standards",
        "Alina Romanowski?",
        "من هي ألينا رومانوفسكي؟",
        "هل ترحّل الكويت ضحايا الاتجار بالبشر؟",
    ],
)
def test_a_question_with_a_subject_of_its_own_stands_alone(question: str) -> None:
    assert not is_followup(question, ("How did Storm Odile get its name?",))


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("When did the storm hit?", False),
        ("Who wrote the criteria?", True),
        ("Did the officials resign?", True),
        ("Who was arrested?", True),
        ("When did they hit the coast?", True),
    ],
)
def test_a_question_of_few_words_follows_an_article_that_has_one_of_them(question: str, expected: bool) -> None:
    assert is_followup(question, ("Which tier is Kuwait in?",), TEXT) is expected
    assert is_followup(question, ("Which tier is Kuwait in?",)) is True


@pytest.mark.parametrize("question", ["Who is the emir?", "and who is the emir", "Who are the sponsors?"])
def test_who_holds_an_office_follows_only_an_article_that_has_the_office(question: str) -> None:
    assert not is_followup(question, ("Which tier is Kuwait in?",), TEXT)
    assert is_followup(question, ("Which tier is Kuwait in?",), f"{TEXT} The emir and his sponsors came.")


def test_the_dialogue_looks_into_the_article_that_answered_but_not_into_one_that_only_came_near() -> None:
    contexts = []
    for answered in (True, False):
        state = DialogueState(
            questions=("Which tier is Kuwait in?",), answer=answer(quote(article(), FIRST), answered=answered)
        )
        _, ask = step(state, "When did the storm hit?")
        assert isinstance(ask, Ask)
        contexts.append(ask.query.context)
    assert contexts == [(), ("Which tier is Kuwait in?",)]
