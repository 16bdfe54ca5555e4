"""A question to ranked passages: candidates by meaning and by words, then the evidence of each of their sentences."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from corpus.article import Span
from retrieval.index.contract import ArticleFilter, Candidates, Index, PassageData
from retrieval.models.encoder import Encoded, Encoder
from retrieval.models.reader import Reader
from retrieval.models.reranker import Reranker
from retrieval.ranking import confidence, fusion
from retrieval.ranking.candidates import compare_candidates
from retrieval.ranking.hit_reading import read_hits
from retrieval.ranking.question import Question
from retrieval.ranking.reranking import rerank
from retrieval.ranking.unknown_names import count_unknown_names
from retrieval.ranking.weights import fitted_weights, read_confidence
from retrieval.results import Hit, Query
from retrieval.text import spelling
from retrieval.text.analysis import Word
from retrieval.text.languages import LanguagePair, is_arabic, language_pair_of

RETRIEVED = 100
"""Passages retrieved by meaning, and as many by words."""

CANDIDATES = 24
"""How many of the best passages retrieved have their words compared one by one."""

MORE_CANDIDATES = 64
"""The same for Arabic and for multilingual encoders, whose first ranking is weaker: of the answers to Arabic questions
on English articles (XQuAD), .959 are in its best 24 and .985 in its best 64."""

ARTICLE_SMOOTHING = 0.2
"""The share of the way by which a passage's score moves to the best of its article, in Arabic and with a multilingual
encoder: an article with one passage on the subject is likelier to have more (Callan 1994, who combines the evidence of
document and passage).

Of Arabic questions (XQuAD), with 0, .1, .2 and .4, recall@5 is .984, .985, .985 and .987 on Arabic articles and .948,
.949, .949 and .951 on English ones, recall@1 on Arabic ones .928, .928, .931 and .933, where a first quote has 148,
152, 157 and 170 words.
"""

MIN_LIBRARY_SIZE = 300
"""Rarity is computed as in a library of at least so many passages: in a single article most words are common."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Passages, best first, equal scores by row, and the evidence for the first (`confidence.EVIDENCE`).

    With a reranker they are in the order that `reranking.rerank` gives.
    """

    hits: tuple[Hit, ...]
    evidence: NDArray[np.float32]

    @property
    def read(self) -> float | None:
        """The best score that a reader found in the first hit, None where it was not read."""
        return max((score for _, score in self.hits[0].answers), default=None) if self.hits else None

    @property
    def confidence(self) -> float:
        """The probability that the first hit answers; 0 where there is none."""
        if not self.hits:
            return 0.0
        compared = float(fitted_weights(self.hits[0].language_pair).confidence(self.evidence[None, :])[0])
        return compared if self.read is None else read_confidence()(compared, self.read)


NO_RESULT = SearchResult((), np.zeros(0, np.float32))


class Searcher:
    """Ranks the passages of one snapshot. Not for several threads at once."""

    def __init__(
        self,
        snapshot: Index,
        encoder: Encoder,
        *,
        weights: NDArray[np.float32] | None = None,
        reranker: Reranker | None = None,
        reader: Reader | None = None,
    ) -> None:
        """`weights` (len(fusion.EVIDENCE),) rank sentences instead of the fitted ones of their language pair."""
        self.snapshot = snapshot
        self._encoder = encoder
        self._weights = weights
        self._reranker = reranker
        self._reader = reader
        self._frequency = functools.lru_cache(maxsize=4096)(snapshot.document_frequency)

    @np.errstate(invalid="ignore")  # OpenBLAS may raise that flag on finite numbers; numpy would warn of it
    def search(self, query: Query, question: Question) -> SearchResult:
        """The passages that may answer; none when the question has no content or nothing is allowed or matches."""
        if not question.terms:
            return NO_RESULT
        question, encoded, respelt = self._correct_spelling(question)
        arabic_question = is_arabic(question.text)
        retrieved, unreadable = self._retrieve(query, question, encoded, arabic_question=arabic_question)
        if not len(retrieved.rows):
            return NO_RESULT
        if arabic_question or self._encoder.multilingual:
            limit, smoothing = MORE_CANDIDATES, ARTICLE_SMOOTHING
        else:
            limit, smoothing = CANDIDATES, 0.0
        cosine = np.where(unreadable, np.float32(0), retrieved.cosine)
        best = fusion.best_first(fusion.candidate_scores(cosine, retrieved.bm25))[:limit]
        passages = self.snapshot.passages(retrieved.rows[best])
        candidates, spans = compare_candidates(
            question,
            encoded,
            passages,
            idf=np.array([self._idf(word.term) for word in question.content], np.float32) * question.rarity_weights(),
            cosine=cosine[best],
            bm25=fusion.relative_to_best(retrieved.bm25)[best],
            unreadable=unreadable[best],
        )
        languages = [
            language_pair_of(
                multilingual=self._encoder.multilingual, arabic_question=arabic_question, arabic_passage=arabic
            )
            for arabic in passages.arabic.tolist()
        ]
        evidence = fusion.sentence_evidence(candidates)
        scores = self._sentence_scores(evidence, languages)
        rows = retrieved.rows[best].tolist()
        hits = self._hits(retrieved, rows, passages, languages, evidence, spans, scores, smoothing)
        first = None
        if self._reranker is not None:
            hits = rerank(hits, question.text, self.snapshot, self._reranker)
            first = rows.index(hits[0].row)
        if self._reader is not None:
            hits = read_hits(hits, question.text, self.snapshot, self._reader)
            first = rows.index(hits[0].row)
        answer_evidence = confidence.answer_evidence(
            evidence,
            scores,
            passages.article,
            candidates.idf,
            float(retrieved.bm25.max()),
            answer_type=question.answer_type,
            respelt=respelt,
            unknown=count_unknown_names(question, evidence.passage_match.max(axis=0), self._frequency),
            first=first,
        )
        return SearchResult(tuple(hits), answer_evidence)

    def _retrieve(
        self, query: Query, question: Question, encoded: Encoded, *, arabic_question: bool
    ) -> tuple[Candidates, NDArray[np.bool_]]:
        """The passages that match and that the question allows, and which of them the encoder cannot read, (n,).

        What the encoder makes of a script that it cannot read is noise: words alone find such passages.
        """
        unreadable_question = arabic_question and not self._encoder.multilingual
        retrieved = self.snapshot.retrieve(
            None if unreadable_question else encoded.vector,
            dict.fromkeys(question.terms, 1.0),
            RETRIEVED,
            ArticleFilter(query.since, query.until, query.source),
        )
        if question.phrases or question.excluded:
            condition = replace(question, phrases=()) if arabic_question and question.has_unquoted_content else question
            allowed = [condition.allows(text) for text in self.snapshot.texts(retrieved.rows)]
            retrieved = retrieved.select(np.array(allowed, np.bool_))
        if self._encoder.multilingual or unreadable_question or not len(retrieved.rows):
            unreadable = np.full(len(retrieved.rows), unreadable_question)
        else:
            unreadable = self.snapshot.arabic(retrieved.rows)
        found = ~unreadable | (retrieved.bm25 > 0)
        return retrieved.select(found), unreadable[found]

    def _sentence_scores(self, evidence: fusion.Evidence, languages: Sequence[LanguagePair]) -> NDArray[np.float32]:
        """One score a sentence, (s,), by the weights of its passage's language pair."""
        if self._weights is not None:
            return fusion.sentence_scores(evidence.sentences, self._weights)
        scores = np.empty(len(evidence.owner), np.float32)
        for pair in set(languages):
            own = np.array([one is pair for one in languages])[evidence.owner]
            fitted = fitted_weights(pair)
            scores[own] = fusion.sentence_scores(evidence.sentences[own], fitted.ranking) + np.float32(fitted.offset)
        return scores

    def _hits(
        self,
        retrieved: Candidates,
        rows: Sequence[int],
        passages: PassageData,
        languages: Sequence[LanguagePair],
        evidence: fusion.Evidence,
        spans: Sequence[Span],
        scores: NDArray[np.float32],
        smoothing: float,
    ) -> list[Hit]:
        """A hit for each candidate passage, best first, equal scores by row."""
        dense_ranks = {row: rank for rank, row in enumerate(retrieved.dense_ranking.tolist(), 1)}
        lexical_ranks = {row: rank for rank, row in enumerate(retrieved.lexical_ranking.tolist(), 1)}
        edges = np.searchsorted(evidence.owner, np.arange(len(rows) + 1))
        best = np.maximum.reduceat(scores, edges[:-1])
        smoothed = fusion.smooth_by_article(best, passages.article, smoothing).tolist()
        sentences = list(zip(spans, scores.tolist(), strict=True))
        hits = [
            Hit(
                row=row,
                article=article,
                span=passages.spans[at],
                score=smoothed[at],
                dense_rank=dense_ranks.get(row),
                lexical_rank=lexical_ranks.get(row),
                sentences=tuple(sentences[start:end]),
                evidence=evidence.sentences[start:end],
                language_pair=languages[at],
            )
            for at, (row, article, (start, end)) in enumerate(
                zip(rows, passages.article.tolist(), pairwise(edges.tolist()), strict=True)
            )
        ]
        return sorted(hits, key=lambda hit: (-hit.score, hit.row))

    def _correct_spelling(self, question: Question) -> tuple[Question, Encoded, int]:
        """The question with its misspelt words corrected, encoded, and how many there were."""
        encoded = self._encoder.encode_query(question.text)
        starts = encoded.offsets[:, 0].tolist() if len(encoded.offsets) else []

        def known(word: Word) -> bool:
            return (
                self._frequency(word.term) > 0
                or (bool(starts) and not spelling.split_by_encoder(word.span, starts))
                or bool(self.snapshot.known_words([word.folded]))
            )

        text, replaced = spelling.corrected(
            question.text,
            question.words,
            known=known,
            found=self.snapshot.known_words,
            frequency=self._frequency,
        )
        if not replaced:
            return question, encoded, 0
        corrected = question.with_text(text)
        if not corrected.terms:
            return question, encoded, 0
        return corrected, self._encoder.encode_query(text), replaced

    def _idf(self, term: str) -> float:
        """The inverse document frequency of an index term, as BM25 has it."""
        count = self._frequency(term)
        size = max(self.snapshot.size, MIN_LIBRARY_SIZE)
        return math.log(1 + (size - count + 0.5) / (count + 0.5))
