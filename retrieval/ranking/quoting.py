"""Passages to quotes: joins neighbours, limits the quotes of one article, picks the sentences to highlight. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from corpus.article import Span

HIGHLIGHTS = 3
HIGHLIGHT_WITHIN = 4.0
"""A further sentence is highlighted when its score is at most this far below the best one's."""

JOIN_WITHIN = 3.0
"""An adjacent passage joins a quote when its score is at most this far below the quote's.

With one sentence more on either side, recall@1 on news questions is .879 with 2.5, 3 and 4, on XQuAD .954, .956 and
.958, and the first quote has 138, 142 and 152 words.
"""

MAX_WORDS = 250
"""A quote of more words than these would be hard to read; it does not grow beyond them."""


class QuoteDraft(NamedTuple):
    """A quote being assembled from one passage or more, neighbours in their article.

    `article` is the article's row, `sentences` are in the article's order with their scores, `score` is the best
    passage's. `rows` are the passages, the best one first; `hit` is that one's position among the search hits.
    """

    article: int
    span: Span
    sentences: tuple[tuple[Span, float], ...]
    score: float
    rows: tuple[int, ...]
    hit: int


def join_adjacent(
    drafts: Sequence[QuoteDraft], word_count: Callable[[int, Span], int], *, limit: int = MAX_WORDS
) -> Iterator[QuoteDraft]:
    """The drafts in their order, each joined with the adjacent ones of its article that score nearly as well.

    Args:
        drafts: One for each hit, best first; those of one article do not overlap.
        word_count: The number of words in an article's span.
        limit: The most words a quote may grow to.
    """
    begins = {(draft.article, draft.span.start): number for number, draft in enumerate(drafts)}
    ends = {(draft.article, draft.span.end): number for number, draft in enumerate(drafts)}
    used: set[int] = set()
    for number, draft in enumerate(drafts):
        if number in used:
            continue
        used.add(number)
        while True:
            adjacent = {begins.get((draft.article, draft.span.end)), ends.get((draft.article, draft.span.start))}
            near = [
                other
                for other in adjacent
                if other is not None
                and other not in used
                and drafts[other].score >= draft.score - JOIN_WITHIN
                and word_count(draft.article, _hull(draft, drafts[other])) <= limit
            ]
            if not near:
                break
            used.add(min(near))
            draft = _join(draft, drafts[min(near)])
        yield draft


def add_neighbour_sentences(
    drafts: Iterable[QuoteDraft], neighbours: Callable[[QuoteDraft], tuple[Span | None, Span | None]]
) -> Iterator[QuoteDraft]:
    """The drafts with one sentence more on either side, to which their first and last may refer.

    On XQuAD recall@1 is .956 with them, .946 with them only where the best sentence is at the edge. A sentence that an
    earlier draft has is left out of the later ones; a draft with nothing left is dropped.

    Args:
        drafts: Best first.
        neighbours: The sentences of the article right before and right after a draft.
    """
    taken: dict[int, list[Span]] = {}
    for draft in drafts:
        mine = taken.setdefault(draft.article, [])
        sentences = tuple(pair for pair in draft.sentences if not _within(pair[0], mine))
        if not sentences:
            continue
        start, end = sentences[0][0].start, sentences[-1][0].end
        before, after = neighbours(draft)
        if before is not None and before.end == start and not _within(before, mine):
            start = before.start
        if after is not None and after.start == end and not _within(after, mine):
            end = after.end
        mine.append(Span(start, end))
        yield draft._replace(span=Span(start, end), sentences=sentences)


def mentions_title(asked: Iterable[str], title: Iterable[str]) -> bool:
    """Whether a question names an article: most of its title's terms, at least two, stand in it one after the other.

    Args:
        asked: The question's content terms in order.
        title: The title's content terms.
    """
    wanted = set(title)
    runs = (set(run) for shared, run in itertools.groupby(asked, wanted.__contains__) if shared)
    return any(len(run) >= 2 and 2 * len(run) > len(wanted) for run in runs)


def limit_per_article(
    drafts: Iterable[QuoteDraft], *, named: Callable[[int], bool], limit: int = 2, among: int = 3
) -> Iterator[QuoteDraft]:
    """The same drafts with at most `limit` of one article among the first `among`, unless the question named it."""
    held: list[QuoteDraft] = []
    seen: dict[int, int] = {}
    yielded = 0
    for draft in drafts:
        if yielded < among and seen.get(draft.article, 0) >= limit and not named(draft.article):
            held.append(draft)
            continue
        seen[draft.article] = seen.get(draft.article, 0) + 1
        yielded += 1
        yield draft
        if yielded == among:
            yield from held
            held.clear()
    yield from held


def highlights(sentences: Iterable[tuple[Span, float]]) -> tuple[Span, ...]:
    """The sentences to highlight, best first, at most HIGHLIGHTS; equal scores in the article's order."""
    ranked = sorted(sentences, key=lambda pair: (-pair[1], pair[0].start))
    return tuple(span for span, score in ranked[:HIGHLIGHTS] if score >= ranked[0][1] - HIGHLIGHT_WITHIN)


def _within(span: Span, others: Iterable[Span]) -> bool:
    return any(other.start <= span.start and span.end <= other.end for other in others)


def _hull(one: QuoteDraft, other: QuoteDraft) -> Span:
    return Span(min(one.span.start, other.span.start), max(one.span.end, other.span.end))


def _join(one: QuoteDraft, other: QuoteDraft) -> QuoteDraft:
    sentences = tuple(sorted((*one.sentences, *other.sentences)))
    return QuoteDraft(one.article, _hull(one, other), sentences, one.score, (*one.rows, *other.rows), one.hit)
