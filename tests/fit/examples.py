"""What the invented libraries find for their questions, as examples that ranking and confidence are fitted on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from corpus.article import Article
from retrieval.index.snapshot import Snapshot
from retrieval.index.writing.publishing import publish
from retrieval.models.encoder import Encoder
from retrieval.ranking.question import Question
from retrieval.ranking.search import Searcher, SearchResult
from retrieval.results import Query
from tests.fit.invented import Asked

Floats = NDArray[np.float32]
COUNTS = {
    "fact": 1.0,
    "reader": 1.0,
    "keyword": 1.0,
    "typo": 1.0,
    "paraphrase": 0.5,
    "near-miss": 1.0,
    "plain": 1.0,
    "far": 1.0,
    "gap": 0.5,
    "gone": 2.5,
}
"""How much a question of each kind counts; a paraphrase that names nothing is no question a library can be sure of."""

MISSED = 0.5
"""How much an answerable question counts whose first quote does not answer."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """One answerable question's candidate sentences: evidence (s, columns), which answer (s,), and its article."""

    evidence: Floats
    answers: NDArray[np.bool_]
    article: int


@dataclass(frozen=True, slots=True)
class Judged:
    """What the first passage said about itself, whether it answers, the question's article, kind and weight.

    `known` tells whether the library has the answer.
    """

    evidence: Floats
    right: bool
    known: bool
    article: int
    kind: str
    weight: float = 1.0

    @property
    def counts(self) -> float:
        """How much it counts in the fit."""
        return self.weight * COUNTS[self.kind] * (MISSED if self.known and not self.right else 1.0)


def searched(
    articles: Sequence[Article], asked: Iterable[Asked], encoder: Encoder, snapshots: Path, weights: Floats
) -> list[tuple[Asked, SearchResult]]:
    """What a library of the articles finds for each question."""
    name = publish(articles, encoder, snapshots).name
    searcher = Searcher(Snapshot.open(snapshots, name), encoder, weights=weights)
    queries = [(one, Query(one.text)) for one in asked]
    return [(one, searcher.search(query, Question.parse(query))) for one, query in queries]


def ranked(found: Iterable[tuple[Asked, SearchResult]]) -> list[Ranked]:
    """The questions among whose candidates the answer is."""
    rows = []
    for asked, result in found:
        pairs = [(hit, span) for hit in result.hits for span, _ in hit.sentences]
        answers = [
            hit.article == asked.article and any(span.start <= a.start and a.end <= span.end for a in asked.answers)
            for hit, span in pairs
        ]
        if any(answers):
            evidence = np.concatenate([hit.evidence for hit in result.hits])
            rows.append(Ranked(evidence, np.array(answers), asked.article))
    return rows


def judged(found: Iterable[tuple[Asked, SearchResult]], *, missing: str | None = None) -> list[Judged]:
    """Every question that found something; with `missing`, of that kind and answered by nothing."""
    rows = []
    for asked, result in found:
        if not result.hits:
            continue
        top = result.hits[0]
        known = missing is None and bool(asked.answers)
        right = (
            known
            and top.article == asked.article
            and any(top.span.start <= answer.start and answer.end <= top.span.end for answer in asked.answers)
        )
        rows.append(Judged(result.evidence, right, known, asked.article, missing or asked.kind))
    return rows
