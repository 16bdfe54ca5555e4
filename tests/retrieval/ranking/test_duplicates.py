from __future__ import annotations

from corpus.article import Span
from retrieval.ranking.duplicates import drop_duplicates
from retrieval.ranking.quoting import QuoteDraft
from tests.sample_library import BRIDGE, HARBOUR

TEXTS = [HARBOUR.text, BRIDGE.text, HARBOUR.text + " More follows.", HARBOUR.text.split("\n\n")[0]]


def draft(article: int, start: int = 0, end: int | None = None) -> QuoteDraft:
    span = Span(start, len(TEXTS[article]) if end is None else end)
    return QuoteDraft(article, span, ((span, 1.0),), 1.0, (article,), article)


def found(quotes: list[QuoteDraft], passages: list[QuoteDraft], limit: int = 5) -> list[tuple[int, list[int]]]:
    distinct = drop_duplicates(iter(quotes), passages, limit, TEXTS.__getitem__)
    return [(quote.draft.article, quote.reprints) for quote in distinct]


def test_a_quote_that_repeats_an_earlier_one_is_dropped_and_its_article_named_as_a_reprint() -> None:
    assert found([draft(0), draft(1), draft(2)], []) == [(0, [2]), (1, [])]


def test_reprints_are_found_among_all_passages() -> None:
    quotes = [draft(0), draft(1)]
    assert found(quotes, [*quotes, draft(2), draft(2)], limit=1) == [(0, [2])]


def test_no_more_quotes_are_taken_than_needed() -> None:
    quotes = iter([draft(0), draft(1), draft(2)])
    assert len(drop_duplicates(quotes, [], 1, TEXTS.__getitem__)) == 1
    assert [quote.article for quote in quotes] == [1, 2]


def test_quotes_of_one_article_do_not_repeat_each_other() -> None:
    assert found([draft(0), draft(0)], []) == [(0, []), (0, [])]


def test_without_quotes_nothing_is_distinct() -> None:
    assert found([], [draft(0)]) == []
