"""A question taken apart: operators, words and what they weigh."""

from __future__ import annotations

import pytest

from retrieval.ranking.question import Question
from retrieval.results import Query
from retrieval.text.answer_types import AnswerType


def test_operators_are_taken_out_of_the_text_that_is_encoded() -> None:
    question = Question.parse(Query('Who crossed the "Old Bridge" -Ferry'))
    assert question.text == 'Who crossed the "Old Bridge"'
    assert question.phrases == (("old", "bridge"),)
    assert question.excluded == {"ferry"}
    assert question.answer_type is AnswerType.PERSON


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("They crossed the old bridge.", True),
        ("The OLD bridge is closed.", True),
        ("The bridge is old.", False),
        ("From the old bridge one sees the ferry.", False),
    ],
    ids=["phrase", "case", "other order", "excluded word"],
)
def test_a_passage_needs_every_phrase_and_no_excluded_word(text: str, *, allowed: bool) -> None:
    assert Question.parse(Query('Who crossed the "old bridge" -ferry')).allows(text) is allowed


def test_the_words_of_earlier_questions_come_first() -> None:
    question = Question.parse(Query("And how much?", context=("Who repairs the bridge?",)))
    assert question.text == "Who repairs the bridge? And how much?"
    assert [word.folded for word in question.words[: question.context_words]] == ["who", "repairs", "the", "bridge"]


def test_content_holds_each_term_once() -> None:
    assert Question.parse(Query("bridges, bridge and ferry")).terms == ("bridg", "ferri")


@pytest.mark.parametrize(("text", "unquoted"), [("«bridge»", False), ("«bridge» ferry", True), ("the «bridge»", False)])
def test_content_outside_quotation_marks_is_noticed(text: str, *, unquoted: bool) -> None:
    assert Question.parse(Query(text)).has_unquoted_content is unquoted


def test_a_corrected_question_keeps_its_operators() -> None:
    question = Question.parse(Query('brigde "old" -ferry'))
    corrected = question.with_text(question.text.replace("brigde", "bridge"))
    assert corrected.terms == ("bridg", "old")
    assert (corrected.phrases, corrected.excluded) == (question.phrases, question.excluded)


@pytest.mark.parametrize(
    ("typed", "encoded"),
    [
        ("which tier is kuwait in", "which tier is kuwait in?"),
        ("Which tier is Kuwait in?", "Which tier is Kuwait in?"),
        ("did it rain today.", "did it rain today."),
        ("palermo protocol", "palermo protocol"),
        ("whooping cough", "whooping cough"),
    ],
)
def test_a_question_typed_without_its_mark_is_encoded_with_it(typed: str, encoded: str) -> None:
    assert Question.parse(Query(typed)).text == encoded


@pytest.mark.parametrize(
    ("question", "lighter"),
    [
        ("Which tier is Kuwait in?", ["tier"]),
        ("Which UN agreement are the criteria based on?", ["agreement"]),
        ("what newspaper said so", ["newspaper"]),
        ("What is the price of oil?", []),
        ("Which?", []),
        ("Who said which?", []),
    ],
)
def test_the_noun_that_names_what_is_asked_for_weighs_less(question: str, lighter: list[str]) -> None:
    asked = Question.parse(Query(question))
    weighed = zip(asked.content, asked.rarity_weights(), strict=True)
    found = [question[word.span.start : word.span.end] for word, share in weighed if share < 1]
    assert found == lighter
