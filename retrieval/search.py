"""A question to ranked passages: candidates by meaning and by words, one score each."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corpus.article import Span
from retrieval import fusion
from retrieval.analysis import fold, terms, words
from retrieval.encoder import Encoded, Encoder
from retrieval.results import Query
from retrieval.snapshot import Snapshot

CANDIDATES = 50
_QUOTED = re.compile(r'["“”«»]([^"“”«»]+)["“”«»]')
_EXCLUDED = re.compile(r"(?:^|\s)-(?=\w)([\w'’]+)")


@dataclass(frozen=True, slots=True)
class Question:
    """A question taken apart: what to encode, its content terms, and what must and must not occur."""

    text: str
    terms: tuple[str, ...]
    phrases: tuple[tuple[str, ...], ...]
    excluded: frozenset[str]

    @classmethod
    def of(cls, query: Query) -> Question:
        """Read the operators out of a question; earlier questions lend it their words."""
        plain = _EXCLUDED.sub(" ", query.text)
        phrases = tuple(folded for match in _QUOTED.findall(plain) if (folded := tuple(w.folded for w in words(match))))
        text = " ".join(" ".join((*query.context, plain)).split())
        return cls(
            text=text,
            terms=tuple(dict.fromkeys(terms(text))),
            phrases=phrases,
            excluded=frozenset(fold(word) for word in _EXCLUDED.findall(query.text)),
        )


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage's row and its evidence: cosine, BM25, the score of each of its sentences, and how it ranked."""

    row: int
    score: float
    dense: float
    lexical: float
    dense_rank: int | None
    lexical_rank: int | None
    covered: float
    sentences: tuple[tuple[Span, float], ...]


class Searcher:
    """Ranks the passages of one snapshot. Not for several threads at once."""

    def __init__(self, snapshot: Snapshot, encoder: Encoder) -> None:
        self.snapshot = snapshot
        self._encoder = encoder

    def search(self, query: Query, question: Question) -> list[Hit]:
        """The passages that may answer, best first, equal scores by row. Empty when nothing is allowed or matches."""
        snapshot = self.snapshot
        allowed = self._allowed(query)
        encoded = self._encoder.encode_query(question.text)
        dense_rows, _ = snapshot.vectors.search(encoded.vector, CANDIDATES, allowed)
        weights = {term: self._idf(term) for term in question.terms}
        lexical_rows, bm25 = snapshot.lexical.search(
            dict.fromkeys(question.terms, 1.0), CANDIDATES if allowed is None else snapshot.manifest.passages
        )
        if allowed is not None:
            inside = np.isin(lexical_rows, allowed)
            lexical_rows, bm25 = lexical_rows[inside][:CANDIDATES], bm25[inside][:CANDIDATES]
        rows = np.union1d(dense_rows, lexical_rows)
        if not len(rows):
            return []
        by_terms = dict(zip(lexical_rows.tolist(), bm25.tolist(), strict=True))
        lexical = np.array([by_terms.get(row, 0.0) for row in rows.tolist()], np.float32)
        dense = snapshot.vectors.take(rows) @ encoded.vector
        sentences = [self._sentences(int(row), encoded, weights) for row in rows]
        best = np.array([max(score for _, score in found) for found in sentences], np.float32)
        scores = fusion.passage_scores(dense, lexical, best)
        dense_ranks = {row: rank for rank, row in enumerate(dense_rows.tolist(), 1)}
        lexical_ranks = {row: rank for rank, row in enumerate(lexical_rows.tolist(), 1)}
        hits = [
            Hit(
                row=int(rows[at]),
                score=float(scores[at]),
                dense=float(dense[at]),
                lexical=float(lexical[at]),
                dense_rank=dense_ranks.get(int(rows[at])),
                lexical_rank=lexical_ranks.get(int(rows[at])),
                covered=self._covered(self._text(int(rows[at])), weights),
                sentences=tuple(sentences[at]),
            )
            for at in fusion.best_first(scores)
        ]
        if question.phrases or question.excluded:
            hits = [hit for hit in hits if self._obeys(hit.row, question)]
        return hits

    def _allowed(self, query: Query) -> NDArray[np.int64] | None:
        mask: NDArray[np.bool_] | None = None
        if query.since is not None or query.until is not None:
            mask = self.snapshot.published_between(query.since, query.until)
        if query.source is not None:
            named = self.snapshot.from_source(query.source)
            mask = named if mask is None else mask & named
        return None if mask is None else np.flatnonzero(mask).astype(np.int64)

    def _idf(self, term: str) -> float:
        count, size = self.snapshot.lexical.document_frequency(term), self.snapshot.lexical.size
        return math.log(1 + (size - count + 0.5) / (count + 0.5))

    def _text(self, row: int) -> str:
        article, span = self.snapshot.passage(row)
        return self.snapshot.article(article).text[span.start : span.end]

    def _covered(self, text: str, weights: dict[str, float]) -> float:
        total = sum(weights.values())
        found = set(terms(text))
        return sum(weight for term, weight in weights.items() if term in found) / total if total else 0.0

    def _sentences(self, row: int, encoded: Encoded, weights: dict[str, float]) -> list[tuple[Span, float]]:
        snapshot = self.snapshot
        first, last = int(snapshot.passages["sentence"][row]), int(snapshot.passages["sentence"][row + 1])
        dense = snapshot.sentence_vectors[first:last].astype(np.float32) @ encoded.vector
        spans = snapshot.passage_sentences(row)
        text = snapshot.article(snapshot.passage(row)[0]).text
        covered = np.array([self._covered(text[span.start : span.end], weights) for span in spans], np.float32)
        return list(zip(spans, fusion.sentence_scores(dense, covered).tolist(), strict=True))

    def _obeys(self, row: int, question: Question) -> bool:
        found = [word.folded for word in words(self._text(row))]
        return question.excluded.isdisjoint(found) and all(
            any(tuple(found[at : at + len(phrase)]) == phrase for at in range(len(found)))
            for phrase in question.phrases
        )
