"""Hits to quotes: neighbours that also answer joined, no article filling the page, the best sentences marked. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from corpus.article import Span

HIGHLIGHTS = 3
HIGHLIGHT_WITHIN = 4.0
"""A further sentence is marked when its score is at most this far below the best one's."""

JOIN_WITHIN = 3.0
"""An adjacent passage joins a quote when its score is at most this far below the quote's.

With one sentence more on either side, recall@1 on news questions is .879 with 2.5, 3 and 4, on XQuAD .954, .956 and
.958, and the first quote has 138, 142 and 152 words.
"""

MOST_WORDS = 250
"""A quote does not grow beyond these, so that it stays readable."""


class QuoteDraft(NamedTuple):
    """A quote to be: its article's row, its span, its sentences in order with their scores, the best of these scores.

    `rows` are the passages it was made of, neighbours in the article, the best one first; `hit` is that one's position.
    """

    article: int
    span: Span
    sentences: tuple[tuple[Span, float], ...]
    score: float
    rows: tuple[int, ...]
    hit: int


def join_adjacent(
    drafts: Sequence[QuoteDraft], words: Callable[[int, Span], int], *, most: int = MOST_WORDS
) -> Iterator[QuoteDraft]:
    """The drafts, best first as they came, each grown by the adjacent ones of its article that score nearly as well.

    Args:
        drafts: One for each hit, best first; those of one article do not overlap.
        words: The number of words in an article's span.
        most: The words a quote may have; one that has more to begin with does not grow.
    """
    begins = {(draft.article, draft.span.start): number for number, draft in enumerate(drafts)}
    ends = {(draft.article, draft.span.end): number for number, draft in enumerate(drafts)}
    used: set[int] = set()
    for number, draft in enumerate(drafts):
        if number in used:
            continue
        used.add(number)
        while True:
            beside = {begins.get((draft.article, draft.span.end)), ends.get((draft.article, draft.span.start))}
            near = [
                other
                for other in beside
                if other is not None
                and other not in used
                and drafts[other].score >= draft.score - JOIN_WITHIN
                and words(draft.article, _over(draft, drafts[other])) <= most
            ]
            if not near:
                break
            used.add(min(near))
            draft = _join(draft, drafts[min(near)])
        yield draft


def add_neighbour_sentences(
    drafts: Iterable[QuoteDraft], beside: Callable[[QuoteDraft], tuple[Span | None, Span | None]]
) -> Iterator[QuoteDraft]:
    """The drafts with one sentence more on either side, so that what the first and last lean on is seen.

    On XQuAD recall@1 is .956 with them, .946 with one only where the best sentence is at the edge. A sentence that an
    earlier draft took is left out of the later ones; a draft with nothing left is dropped.

    Args:
        drafts: Best first.
        beside: The sentences of the article right before and right after a draft.
    """
    taken: dict[int, list[Span]] = {}
    for draft in drafts:
        mine = taken.setdefault(draft.article, [])
        sentences = tuple(pair for pair in draft.sentences if not _within(pair[0], mine))
        if not sentences:
            continue
        start, end = sentences[0][0].start, sentences[-1][0].end
        before, after = beside(draft)
        if before is not None and before.end == start and not _within(before, mine):
            start = before.start
        if after is not None and after.start == end and not _within(after, mine):
            end = after.end
        mine.append(Span(start, end))
        yield draft._replace(span=Span(start, end), sentences=sentences)


def mentions_title(asked: Iterable[str], title: Iterable[str]) -> bool:
    """Whether a question names an article: it has, one after the other, most of its title's terms, two at least.

    Args:
        asked: The question's content terms in order.
        title: The title's content terms.
    """
    wanted = set(title)
    runs = (set(run) for shared, run in itertools.groupby(asked, wanted.__contains__) if shared)
    return any(len(run) >= 2 and 2 * len(run) > len(wanted) for run in runs)


def limit_per_article(
    drafts: Iterable[QuoteDraft], *, named: Callable[[int], bool], most: int = 2, among: int = 3
) -> Iterator[QuoteDraft]:
    """The same drafts with at most `most` of one article among the first `among`, unless the question named it."""
    held: list[QuoteDraft] = []
    seen: dict[int, int] = {}
    given = 0
    for draft in drafts:
        if given < among and seen.get(draft.article, 0) >= most and not named(draft.article):
            held.append(draft)
            continue
        seen[draft.article] = seen.get(draft.article, 0) + 1
        given += 1
        yield draft
        if given == among:
            yield from held
            held.clear()
    yield from held


def highlights(sentences: Iterable[tuple[Span, float]]) -> tuple[Span, ...]:
    """The sentences to mark, best first: at most three, none far behind the best; equal scores by place."""
    ranked = sorted(sentences, key=lambda pair: (-pair[1], pair[0].start))
    return tuple(span for span, score in ranked[:HIGHLIGHTS] if score >= ranked[0][1] - HIGHLIGHT_WITHIN)


def _within(span: Span, others: Iterable[Span]) -> bool:
    return any(other.start <= span.start and span.end <= other.end for other in others)


def _over(one: QuoteDraft, other: QuoteDraft) -> Span:
    return Span(min(one.span.start, other.span.start), max(one.span.end, other.span.end))


def _join(one: QuoteDraft, other: QuoteDraft) -> QuoteDraft:
    sentences = tuple(sorted((*one.sentences, *other.sentences)))
    return QuoteDraft(one.article, _over(one, other), sentences, one.score, (*one.rows, *other.rows), one.hit)
