"""Hits to quotes: overlapping passages merged, no article filling the page, the best sentences marked. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from corpus.article import Span

HIGHLIGHTS = 3
HIGHLIGHT_SHARE = 0.6
"""A further sentence is marked when it scores at least this share of the best one's."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A quote to be: its article's row, its span, its sentences with their scores, and its passage's score."""

    article: int
    span: Span
    sentences: tuple[tuple[Span, float], ...]
    score: float
    hit: int


def merged(drafts: Iterable[Draft]) -> list[Draft]:
    """Drafts, best first, in which no two of one article overlap: a later one gives its words to no other.

    An overlapping draft that scored lower is dropped; what it alone would have quoted is found in the wider context.
    """
    found: list[Draft] = []
    for draft in drafts:
        if not any(
            draft.article == other.article and draft.span.start < other.span.end and other.span.start < draft.span.end
            for other in found
        ):
            found.append(draft)
    return found


def spread(
    drafts: Iterable[Draft], *, most: int = 2, among: int = 3, named: frozenset[int] = frozenset()
) -> Iterator[Draft]:
    """The same drafts with at most `most` of one article among the first `among`, unless the question named it."""
    held: list[Draft] = []
    seen: dict[int, int] = {}
    given = 0
    for draft in drafts:
        if given < among and draft.article not in named and seen.get(draft.article, 0) >= most:
            held.append(draft)
            continue
        seen[draft.article] = seen.get(draft.article, 0) + 1
        given += 1
        yield draft
        if given == among:
            yield from sorted(held, key=lambda d: -d.score)
            held.clear()
    yield from held


def highlights(sentences: Iterable[tuple[Span, float]]) -> tuple[Span, ...]:
    """The sentences to mark, best first: at most three, none far behind the best; equal scores by place."""
    ranked = sorted(sentences, key=lambda pair: (-pair[1], pair[0].start))
    return tuple(
        span for span, score in ranked[:HIGHLIGHTS] if score >= HIGHLIGHT_SHARE * ranked[0][1] or span == ranked[0][0]
    )
