"""Drops quotes that repeat an earlier one of another article, and finds the reprints of those kept. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from corpus.text.dedupe import are_near_duplicates, may_be_near_duplicates, same_story, shingles
from retrieval.ranking.quoting import QuoteDraft


@dataclass(frozen=True, slots=True)
class DistinctQuote:
    """A quote that repeats no earlier one, its text and words, and the other articles that reprint it, best first."""

    draft: QuoteDraft
    text: str
    words: set[str]
    reprints: list[int] = field(default_factory=list)


def drop_duplicates(
    quotes: Iterator[QuoteDraft], passages: Iterable[QuoteDraft], limit: int, article_text: Callable[[int], str]
) -> list[DistinctQuote]:
    """The first `limit` quotes that differ, each with the articles that reprint it.

    Args:
        quotes: Best first; no more are taken than needed.
        passages: All passages found, best first; reprints are looked for in these too.
        limit: The most quotes to return.
        article_text: The text of the article in a row.
    """

    def with_text(draft: QuoteDraft) -> DistinctQuote:
        text = article_text(draft.article)[draft.span.start : draft.span.end]
        return DistinctQuote(draft, text, set(text.split()))

    distinct: list[DistinctQuote] = []
    while len(distinct) < limit and (draft := next(quotes, None)) is not None:
        quote = with_text(draft)
        if not _is_reprint(quote, distinct, article_text):
            distinct.append(quote)
    quoted = {quote.draft.article for quote in distinct}
    for passage in passages:
        if passage.article not in quoted:
            _is_reprint(with_text(passage), distinct, article_text)
    return distinct


def _is_reprint(quote: DistinctQuote, distinct: Iterable[DistinctQuote], article_text: Callable[[int], str]) -> bool:
    """Whether a quote repeats one of another article; if so, its article joins that one's reprints."""
    article = quote.draft.article
    for earlier in distinct:
        if earlier.draft.article == article or not may_be_near_duplicates(quote.words, earlier.words):
            continue
        if are_near_duplicates(shingles(quote.text), shingles(earlier.text)) and same_story(
            article_text(earlier.draft.article), article_text(article)
        ):
            if article not in earlier.reprints:
                earlier.reprints.append(article)
            return True
    return False
