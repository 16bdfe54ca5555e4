from __future__ import annotations

import numpy as np
import pytest

from retrieval.ranking.question import Question
from retrieval.ranking.unknown_names import SAME_WORD, count_unknown_names
from retrieval.results import Query

KNOWN = {"visit", "kuwait", "pay", "emir"}


def unknown(text: str, *context: str, match: float = 0.0) -> int:
    question = Question.parse(Query(text, context=context))
    return count_unknown_names(
        question, np.full(len(question.content), match, np.float32), lambda term: int(term in KNOWN)
    )


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Who visited Kuwait?", 0),
        ("Who visited Bahrain?", 1),
        ("Who visited Bahrain in 1987?", 2),
        ("Bahrain visited Kuwait?", 0),
        ("Who visited the UAE?", 0),
        ("WHO VISITED BAHRAIN?", 0),
        ("who visited bahrain?", 0),
    ],
    ids=["known", "name", "name and number", "first word", "abbreviation", "all capitals", "no capitals"],
)
def test_names_and_numbers_the_library_never_mentions_are_counted(text: str, count: int) -> None:
    assert unknown(text) == count


def test_another_form_of_a_word_in_the_library_is_known() -> None:
    assert unknown("Who visited Bahrain?", match=SAME_WORD) == 0


def test_in_a_follow_up_what_it_calls_the_something_counts_too() -> None:
    assert unknown("What did the sultan pay?") == 0
    assert unknown("What did the sultan pay?", "Who visited Kuwait?") == 1
    assert unknown("What did the emir pay?", "Who visited Kuwait?") == 0
