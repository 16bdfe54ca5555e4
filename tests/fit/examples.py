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
from tests.fit.invented import InventedQuestion

Floats = NDArray[np.float32]
WEIGHT_BY_KIND = {
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
"""How much a question of each kind counts; the invented paraphrases name nothing, so that confidence should be low."""

MISSED_WEIGHT = 0.5
"""How much an answerable question counts whose first quote does not answer."""


@dataclass(frozen=True, slots=True)
class RankingExample:
    """The candidate sentences of one answerable question.

    `evidence` is (s, len(fusion.EVIDENCE)), `answers` (s,) says which of them answer, `article` is its position.
    """

    evidence: Floats
    answers: NDArray[np.bool_]
    article: int


@dataclass(frozen=True, slots=True)
class ConfidenceExample:
    """The evidence (len(confidence.EVIDENCE),) for the first passage found, and whether it answers (`right`).

    `known` says whether the library has the answer at all; `article`, `kind` and `weight` are the question's.
    """

    evidence: Floats
    right: bool
    known: bool
    article: int
    kind: str
    weight: float = 1.0

    @property
    def fitting_weight(self) -> float:
        """How much it counts in the fit."""
        return self.weight * WEIGHT_BY_KIND[self.kind] * (MISSED_WEIGHT if self.known and not self.right else 1.0)


def search_all(
    articles: Sequence[Article], asked: Iterable[InventedQuestion], encoder: Encoder, snapshots: Path, weights: Floats
) -> list[tuple[InventedQuestion, SearchResult]]:
    """Publish a library of the articles and search it for each question."""
    name = publish(articles, encoder, snapshots).name
    searcher = Searcher(Snapshot.open(snapshots, name), encoder, weights=weights)
    queries = [(one, Query(one.text)) for one in asked]
    return [(one, searcher.search(query, Question.parse(query))) for one, query in queries]


def ranking_examples(found: Iterable[tuple[InventedQuestion, SearchResult]]) -> list[RankingExample]:
    """An example for each question that has an answer among its candidates."""
    examples = []
    for asked, result in found:
        pairs = [(hit, span) for hit in result.hits for span, _ in hit.sentences]
        answers = [
            hit.article == asked.article and any(span.start <= a.start and a.end <= span.end for a in asked.answers)
            for hit, span in pairs
        ]
        if any(answers):
            evidence = np.concatenate([hit.evidence for hit in result.hits])
            examples.append(RankingExample(evidence, np.array(answers), asked.article))
    return examples


def confidence_examples(
    found: Iterable[tuple[InventedQuestion, SearchResult]], *, missing: str | None = None
) -> list[ConfidenceExample]:
    """An example for each question that found something; with `missing`, of that kind and without an answer."""
    examples = []
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
        examples.append(ConfidenceExample(result.evidence, right, known, asked.article, missing or asked.kind))
    return examples
