"""The words that retrieval and the bot share: a query, search hits, quotes and an answer."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from corpus.article import Article, Span

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from retrieval.text.languages import LanguagePair


CERTAIN = 0.8
"""An answer at and above this confidence is stated; one below only may answer, and is said to."""


@dataclass(frozen=True, slots=True)
class Query:
    """A question and which articles may answer it.

    `text` is as the person wrote it, operators included ("..." must occur, -word must not). `since` and
    `until` are inclusive days of publication; an article without a date matches neither. `source` is an
    outlet's name, compared without case. `context` holds the earlier questions that this one follows up, oldest first.
    """

    text: str
    limit: int = 3
    since: dt.date | None = None
    until: dt.date | None = None
    source: str | None = None
    context: tuple[str, ...] = ()


class Hit(NamedTuple):
    """A passage that search found, and the evidence for it.

    `row` and `article` are the positions of the passage and its article in the index. `sentences` are its sentences
    with their scores; `score` is the best of these, smoothed as `search.ARTICLE_SMOOTHING` says. `evidence` (s,
    len(fusion.EVIDENCE)) holds the evidence for each sentence. `dense_rank` and `lexical_rank` count from 1, None where
    that search did not find the passage; `reranked` is the reranker's score, None where none read it. `answers` holds,
    for each sentence, the best answer a reader found in it and that answer's score; it is empty where none read it.
    """

    row: int
    article: int
    span: Span
    score: float
    dense_rank: int | None
    lexical_rank: int | None
    sentences: tuple[tuple[Span, float], ...]
    evidence: NDArray[np.float32]
    language_pair: LanguagePair
    reranked: float | None = None
    answers: tuple[tuple[Span | None, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Quote:
    """A span of an article, and the whole sentences in it to highlight, best first, at most three.

    `text` is always the slice of `article.text` that `span` gives. `context` is a wider span around it, for a reader
    who wants more. Higher scores are better. `also_in` holds other articles that tell the same story in nearly the same
    words, best first. `answer` are the words of the first highlight that answer, None where none stand out.

    Raises:
        ValueError: a span that does not lie inside the article, or a highlight outside the quote, or an
            answer outside the first highlight.
    """

    article: Article
    span: Span
    highlights: tuple[Span, ...]
    score: float
    context: Span
    link: str | None = None
    answer: Span | None = None
    also_in: tuple[Article, ...] = ()
    evidence: dict[str, float] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        start, end = self.span
        if not 0 <= start < end <= len(self.article.text):
            raise ValueError(f"the quote {start}:{end} is not in a text of {len(self.article.text)} characters")
        if any(not start <= h.start < h.end <= end for h in self.highlights):
            raise ValueError(f"a highlight of {self.highlights} lies outside the quote {start}:{end}")
        if self.answer is not None:
            first = self.highlights[0] if self.highlights else self.span
            if not first.start <= self.answer.start < self.answer.end <= first.end:
                raise ValueError(f"the answer {self.answer} lies outside the first highlight {first}")

    @property
    def text(self) -> str:
        """The quoted words, sliced from the article."""
        return self.article.text[self.span.start : self.span.end]


@dataclass(frozen=True, slots=True)
class Answer:
    """Ranked quotes, and whether the first is taken for an answer.

    `confidence` is the probability that the first quote answers; `answered` follows from it. Where `answered` is false,
    `quotes` holds the nearest passages. `evidence` is what `confidence` was computed from, name to value.
    """

    question: str
    answered: bool
    confidence: float
    quotes: tuple[Quote, ...]
    snapshot: str
    took_ms: float
    evidence: dict[str, float] = field(default_factory=dict, compare=False)

    @property
    def certain(self) -> bool:
        """Whether it may be stated as an answer and not only as what may answer."""
        return self.answered and self.confidence >= CERTAIN
