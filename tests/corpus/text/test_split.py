"""Passages contain every sentence, keep to their budget, and change only near an edit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus import Article, shipped_articles, split_article, split_sentences


def article(text: str) -> Article:
    return Article("id", "Title", text)


def texts(text: str, *, words: int, overlap: int = 1) -> list[str]:
    return [passage.text for passage in split_article(article(text), words=words, overlap=overlap)]


WORDS = st.lists(st.sampled_from(["Kuwait", "it", "signs", "stop.", "Stop!", "\n\n", "-", "5.", "“End.”"]), min_size=1)
TEXTS = WORDS.map(" ".join).filter(str.strip)


def test_sentences_share_a_passage_while_they_fit() -> None:
    assert texts("One two. Three four. Five six.", words=4, overlap=0) == ["One two. Three four. ", "Five six."]


def test_a_passage_begins_with_the_last_sentence_of_the_one_before() -> None:
    assert texts("One two. Three four. Five six.", words=4) == ["One two. Three four. ", "Three four. Five six."]


def test_an_old_sentence_that_leaves_no_room_is_not_repeated() -> None:
    assert texts("One two three. Four five. Six.", words=4) == ["One two three. ", "Four five. Six."]


def test_a_sentence_over_the_budget_is_a_passage_of_its_own() -> None:
    assert texts("An ox. Cats do eat fresh green hay. It ran.", words=4) == [
        "An ox. ",
        "Cats do eat fresh green hay. ",
        "It ran.",
    ]


def test_a_passage_ends_at_a_paragraph_in_its_second_half() -> None:
    text = "One two. Three four.\n\nFive six. Seven eight. Nine ten."
    assert texts(text, words=7, overlap=0) == ["One two. Three four.\n\n", "Five six. Seven eight. Nine ten."]


def test_a_paragraph_that_ends_early_does_not_end_the_passage() -> None:
    assert texts("One.\n\nTwo three. Four five. Six.", words=5, overlap=0) == ["One.\n\nTwo three. Four five. ", "Six."]


def test_a_short_article_is_one_passage() -> None:
    assert texts("One two.\n\nThree.", words=120) == ["One two.\n\nThree."]


def test_the_shipped_article_is_cut_between_its_paragraphs() -> None:
    (shipped,) = shipped_articles()
    passages = split_article(shipped, words=120, overlap=1)
    assert [len(passage.text.split()) for passage in passages] == [105, 101, 105, 65, 118, 87]


@pytest.mark.parametrize(("words", "overlap"), [(0, 1), (10, -1)])
def test_an_impossible_budget_is_refused_with_both_numbers(words: int, overlap: int) -> None:
    with pytest.raises(ValueError, match=f"words is {words} and overlap {overlap}"):
        split_article(article("One."), words=words, overlap=overlap)


@given(TEXTS, st.integers(1, 12), st.integers(0, 3))
def test_passages_cover_every_sentence_in_order_and_each_brings_a_new_one(text: str, words: int, overlap: int) -> None:
    passages = split_article(article(text), words=words, overlap=overlap)
    seen = 0
    for passage in passages:
        assert passage.span.start <= seen < passage.span.end
        seen = passage.span.end
    assert seen == len(text)
    assert list(dict.fromkeys(s for p in passages for s in p.sentences)) == split_sentences(text)


@given(TEXTS, st.integers(1, 12), st.integers(0, 3))
def test_only_a_passage_of_one_new_sentence_exceeds_the_budget(text: str, words: int, overlap: int) -> None:
    for passage in split_article(article(text), words=words, overlap=overlap):
        assert len(passage.text.split()) <= words or len(passage.sentences) == 1


@given(TEXTS, TEXTS, st.integers(2, 12))
def test_passages_after_a_common_break_are_the_same(one: str, two: str, words: int) -> None:
    tail = "\n\n" + "\n\n".join(f"Paragraph {n} is here. It has two." for n in range(40))
    first, second = texts(one.strip() + tail, words=words), texts(two.strip() + tail, words=words)
    assert first[-20:] == second[-20:]
