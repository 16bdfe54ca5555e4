from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.article import Span
from retrieval.ranking.quoting import (
    QuoteDraft,
    add_neighbour_sentences,
    highlights,
    join_adjacent,
    limit_per_article,
    mentions_title,
)
from retrieval.text.analysis import terms


def draft(article: int, row: int, *scores: float) -> QuoteDraft:
    """A passage of ten characters a row, with a sentence for each score that tile it."""
    edges = [row * 10 + 10 * at // len(scores) for at in range(len(scores))] + [row * 10 + 10]
    spans = [Span(start, end) for start, end in pairwise(edges)]
    return QuoteDraft(
        article, Span(edges[0], edges[-1]), tuple(zip(spans, scores, strict=True)), max(scores), (row,), row
    )


def word_count(_: int, span: Span) -> int:
    return span.end - span.start


def test_a_neighbour_that_scores_nearly_as_well_joins_the_quote() -> None:
    quotes = list(join_adjacent([draft(0, 1, 9), draft(0, 2, 7), draft(1, 3, 7)], word_count))
    assert [(quote.article, quote.span, quote.score, quote.rows) for quote in quotes] == [
        (0, Span(10, 30), 9, (1, 2)),
        (1, Span(30, 40), 7, (3,)),
    ]
    assert quotes[0].sentences == ((Span(10, 20), 9), (Span(20, 30), 7))


def test_a_quote_grows_on_both_sides_up_to_the_limit() -> None:
    drafts = [draft(0, 2, 9), draft(0, 1, 8), draft(0, 3, 8), draft(0, 4, 8)]
    assert [quote.span for quote in join_adjacent(drafts, word_count)] == [Span(10, 50)]
    assert [quote.span for quote in join_adjacent(drafts, word_count, limit=30)] == [Span(10, 40), Span(40, 50)]


def test_a_neighbour_with_a_much_lower_score_does_not_join() -> None:
    assert [quote.span for quote in join_adjacent([draft(0, 1, 9), draft(0, 2, 3.9)], word_count)] == [
        Span(10, 20),
        Span(20, 30),
    ]


def test_one_sentence_more_on_either_side_is_quoted() -> None:
    def neighbours(_: QuoteDraft) -> tuple[Span | None, Span | None]:
        return Span(5, 10), Span(20, 25)

    assert [quote.span for quote in add_neighbour_sentences([draft(0, 1, 1, 9, 1)], neighbours)] == [Span(5, 25)]
    assert [quote.span for quote in add_neighbour_sentences([draft(0, 1, 9)], lambda _: (None, None))] == [Span(10, 20)]


def test_no_sentence_is_in_two_quotes() -> None:
    def neighbours(quote: QuoteDraft) -> tuple[Span | None, Span | None]:
        return (None, Span(20, 25)) if quote.hit == 1 else (Span(15, 20), None)

    quotes = list(add_neighbour_sentences([draft(0, 1, 1, 9), draft(0, 2, 3, 2)], neighbours))
    assert [quote.span for quote in quotes] == [Span(10, 25), Span(25, 30)]
    assert list(quotes[1].sentences) == [(Span(25, 30), 2)]
    assert [
        quote.span
        for quote in add_neighbour_sentences([draft(0, 1, 1, 9), draft(0, 2, 3)], lambda _: (None, Span(20, 30)))
    ] == [Span(10, 30)]


def test_no_article_has_three_of_the_first_three_unless_it_is_named() -> None:
    drafts = [draft(0, 1, 9), draft(0, 3, 8), draft(0, 5, 7), draft(1, 7, 6), draft(0, 9, 5)]
    assert [quote.hit for quote in limit_per_article(drafts, named=lambda _: False)] == [1, 3, 7, 5, 9]
    assert [quote.hit for quote in limit_per_article(drafts, named={0}.__contains__)] == [1, 3, 5, 7, 9]
    assert [quote.hit for quote in limit_per_article(drafts[:3], named=lambda _: False)] == [1, 3, 5]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9)), max_size=12))
def test_limiting_quotes_per_article_only_reorders_them(rows: list[tuple[int, int]]) -> None:
    drafts = [draft(article, row, 1) for article, row in rows]
    assert sorted(limit_per_article(drafts, named=lambda _: False), key=repr) == sorted(drafts, key=repr)


@pytest.mark.parametrize(
    ("question", "title", "named"),
    [
        ("What does Harbour Strike Ends in Port Vell say about pay?", "Harbour strike ends in Port Vell", True),
        ("in “harbour strike ends”, who spoke?", "Harbour strike ends in Port Vell", True),
        ("Did the strike in the harbour of Vell, a port, end?", "Harbour strike ends in Port Vell", True),
        ("harbour strike?", "Harbour strike ends in Port Vell", False),
        ("Who called the strike on Monday, and did Quill leave Port Vell?", "Harbour strike ends in Port Vell", False),
        ("Which tier is Kuwait in?", "Kuwait", False),
        ("Who is she?", "", False),
    ],
    ids=["all of it", "quoted, cut short", "other order", "too little", "in pieces", "one word", "no title"],
)
def test_a_question_names_an_article_by_most_of_its_title_in_one_piece(question: str, title: str, named: bool) -> None:
    assert mentions_title(terms(question), terms(title)) is named


def test_at_most_three_sentences_near_the_best_are_marked() -> None:
    marked = highlights([(Span(0, 1), 5), (Span(1, 2), 9), (Span(2, 3), 9), (Span(3, 4), 4.9), (Span(4, 5), 6)])
    assert marked == (Span(1, 2), Span(2, 3), Span(4, 5))
    assert highlights([(Span(0, 1), 9), (Span(1, 2), 4.9)]) == (Span(0, 1),)
