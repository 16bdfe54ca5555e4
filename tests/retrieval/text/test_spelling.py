from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.article import Span
from retrieval.text.analysis import words
from retrieval.text.spelling import closest_word, corrected, edits, split_by_encoder

LIBRARY = {"romanovsky": 2, "palermo": 1, "protocol": 3, "chief": 4, "against": 9, "قرار": 1}


def correct(text: str) -> tuple[str, int]:
    return corrected(
        text,
        words(text),
        known=lambda word: word.folded in LIBRARY,
        found=LIBRARY.keys().__and__,
        frequency=lambda term: LIBRARY.get(term, 0),
    )


@pytest.mark.parametrize(
    ("question", "expected", "count"),
    [
        ("Who is romanovski?", "Who is romanovsky?", 1),
        ("the Palermo Protocal", "the Palermo Protocol", 1),
        ("police cheif agianst palerno", "police chief against palermo", 3),
        ("Who is the chief?", "Who is the chief?", 0),
        ("Zanzibar", "Zanzibar", 0),
        ("chif", "chief", 1),
        ("chi 12345 x", "chi 12345 x", 0),
        ("قرارر", "قرار", 1),
    ],
    ids=[
        "a name",
        "capitals kept",
        "three",
        "right",
        "not in the library",
        "a letter left out",
        "short or no word",
        "Arabic",
    ],
)
def test_misspelt_words_are_replaced_by_words_of_the_library(question: str, expected: str, count: int) -> None:
    assert correct(question) == (expected, count)


def test_the_most_frequent_candidate_is_taken_unless_another_keeps_the_first_letter() -> None:
    words = {"cart": 1, "card": 5, "bars": 9}
    assert closest_word("carx", words.keys().__and__, lambda term: words.get(term, 0)) == "card"
    assert closest_word("bard", words.keys().__and__, lambda term: words.get(term, 0)) == "bars"
    assert closest_word("zzzz", words.keys().__and__, lambda term: len(term)) is None


@given(st.text("abcdefgh", min_size=2, max_size=8), st.data())
def test_every_single_edit_is_tried(word: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(word) - 1))
    tried = set(edits(word))
    assert word[:at] + word[at + 1 :] in tried
    assert word[:at] + "x" + word[at + 1 :] in tried
    assert word[:at] + "x" + word[at:] in tried
    if at:
        assert word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :] in tried


def test_a_word_of_one_token_is_known_to_the_encoder() -> None:
    assert not split_by_encoder(Span(4, 9), [0, 4, 10])
    assert split_by_encoder(Span(4, 9), [0, 4, 6, 10])
    assert split_by_encoder(Span(4, 9), [0])
