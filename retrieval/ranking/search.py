"""A question to ranked passages: candidates by meaning and by words, then the evidence of each of their sentences."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from corpus.article import Span
from retrieval.index.contract import ArticleFilter, Index, PassageData
from retrieval.models.encoder import Encoded, Encoder
from retrieval.models.reranker import Reranker
from retrieval.ranking import confidence, fusion
from retrieval.ranking.reranking import rerank
from retrieval.ranking.weights import fitted_weights
from retrieval.results import Hit, Query
from retrieval.text import answer_types, late_interaction, spelling
from retrieval.text.analysis import Word, fold, folded_words, standard_question_word, stem, words
from retrieval.text.languages import LanguagePair, is_arabic, language_pair_of

RETRIEVED = 100
"""Passages fetched by meaning, and as many by words."""

CANDIDATES = 24
"""Passages whose words are compared one by one: the best of those fetched."""

MORE_CANDIDATES = 64
"""The same for Arabic and for multilingual encoders, whose first ranking is weaker: of the answers to Arabic questions
on English articles (XQuAD), .959 are in its best 24 and .985 in its best 64."""

ARTICLE_SMOOTHING = 0.2
"""How far a passage is lifted towards the best of its article, in Arabic and with a multilingual encoder: what is about
the right thing elsewhere is likelier to be so here (Callan 1994, document beside passage evidence).

Of Arabic questions (XQuAD), with 0, .1, .2 and .4, recall@5 is .984, .985, .985 and .987 on Arabic articles and .948,
.949, .949 and .951 on English ones, recall@1 on Arabic ones .928, .928, .931 and .933, where a first quote has 148,
152, 157 and 170 words.
"""

MIN_LIBRARY_SIZE = 300
"""A library of fewer passages weighs its words as if it had so many: in one article nearly every word is common."""

SAME_WORD = 0.8
"""A word is another form of one in the library when their vectors are this near (Kuwait, Kuwaiti; not Bahrain)."""

ASKED_NOUN_WEIGHT = 0.3
"""The share of its rarity that the noun after "which" keeps: an answer need not repeat it ("Which newspaper ...").

With 1, .5 and .3 news answers and refusals are alike, and "Which tier is Kuwait in?" on an article that says "level"
rises from .40 over .48 to .62; recall@1 on XQuAD is .956, .956 and .951.
"""

_WHICH = re.compile(r"\b(?:[Ww]hich|[Ww]hat)\s+(?:[A-Z][\w'’.-]*\s+)*(?=[a-z])")
_ASKS = re.compile(
    r"\s*(?:who|whose|whom|what|which|when|where|why|how|is|are|was|were|do|does|did|has|have|had|can|could|will|would)\b",
    re.I,
)
_DEFINITE = frozenset({"the", "its", "his", "her", "their"})
_QUOTED = re.compile(r'["“”«»]([^"“”«»]+)["“”«»]')
_EXCLUDED = re.compile(r"(?:^|\s)-(?=\w)([\w'’]+)")


@dataclass(frozen=True, slots=True)
class Question:
    """A question taken apart: what to encode, its words, the kind of answer, what must and must not occur.

    `content` are its content words in order, each term once; the first `lent` of `words` are of earlier questions.
    """

    text: str
    words: tuple[Word, ...]
    content: tuple[Word, ...]
    lent: int
    kind: answer_types.AnswerType
    phrases: tuple[tuple[str, ...], ...]
    excluded: frozenset[str]

    @property
    def terms(self) -> tuple[str, ...]:
        """The index terms of its content."""
        return tuple(word.term for word in self.content)

    @property
    def asks_beyond_phrases(self) -> bool:
        """Whether it has content outside its quotation marks, which Arabic also puts around names, inflected or not."""
        quoted = {stem(word) for phrase in self.phrases for word in phrase}
        return any(term not in quoted for term in self.terms)

    @classmethod
    def of(cls, query: Query) -> Question:
        """Read the operators out of a question; earlier questions lend it their words."""
        plain = standard_question_word(_EXCLUDED.sub(" ", query.text))
        phrases = tuple(folded for match in _QUOTED.findall(plain) if (folded := tuple(folded_words(match))))
        text = " ".join(" ".join((*query.context, plain)).split())
        if _ASKS.match(plain) and text[-1:].isalnum():
            text += "?"  # or the encoder takes it for another text than with its mark
        found = tuple(words(text))
        return cls(
            text=text,
            words=found,
            content=content_words(found),
            lent=len(words(" ".join(query.context))),
            kind=answer_types.answer_type_of(plain),
            phrases=phrases,
            excluded=frozenset(fold(word) for word in _EXCLUDED.findall(query.text)),
        )

    def reworded(self, text: str) -> Question:
        """The same question with some words put right, one for one."""
        found = tuple(words(text))
        return replace(self, text=text, words=found, content=content_words(found))


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Passages, best first, equal scores by row, and what the first says about itself (`confidence.EVIDENCE`).

    Where a reranker read them, theirs is the order that `reranking.reordered` gives.
    """

    hits: tuple[Hit, ...]
    evidence: NDArray[np.float32]

    @property
    def confidence(self) -> float:
        """The probability that the first answers; 0 where there is none."""
        if not self.hits:
            return 0.0
        return float(fitted_weights(self.hits[0].case).confidence(self.evidence[None, :])[0])


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
    ) -> None:
        """`weights` takes the place of every case's."""
        self.snapshot = snapshot
        self._encoder = encoder
        self._weights = weights
        self._reranker = reranker
        self._frequency = functools.lru_cache(maxsize=4096)(snapshot.document_frequency)

    @np.errstate(invalid="ignore")  # OpenBLAS may raise that flag on finite numbers; numpy would warn of it
    def search(self, query: Query, question: Question) -> SearchResult:
        """The passages that may answer; none when the question has no content or nothing is allowed or matches."""
        if not question.terms:
            return NO_RESULT
        question, encoded, respelt = self._spelled(question)
        arabic_question = is_arabic(question.text)
        blind = arabic_question and not self._encoder.multilingual
        fetched = self.snapshot.fetch(
            None if blind else encoded.vector,
            dict.fromkeys(question.terms, 1.0),
            RETRIEVED,
            ArticleFilter(query.since, query.until, query.source),
        )
        if question.phrases or question.excluded:
            rules = replace(question, phrases=()) if arabic_question and question.asks_beyond_phrases else question
            obeying = [_obeys(text, rules) for text in self.snapshot.texts(fetched.rows)]
            fetched = fetched.only(np.array(obeying, np.bool_))
        # What the encoder makes of a script that it cannot read is noise: words alone find such passages.
        reads = self._encoder.multilingual or blind or not len(fetched.rows)
        unread = np.full(len(fetched.rows), blind) if reads else self.snapshot.arabic(fetched.rows)
        met = ~unread | (fetched.bm25 > 0)
        fetched, unread = fetched.only(met), unread[met]
        rows, lexical = fetched.rows, fetched.bm25
        if not len(rows):
            return NO_RESULT
        dense = np.where(unread, np.float32(0), fetched.cosine)
        wanted, lent = (
            (MORE_CANDIDATES, ARTICLE_SMOOTHING) if arabic_question or self._encoder.multilingual else (CANDIDATES, 0.0)
        )
        best = fusion.best_first(fusion.candidate_scores(dense, lexical))[:wanted]
        passages, places = self.snapshot.passages(rows[best]), rows[best].tolist()
        candidates, sentences = self._candidates(
            question, encoded, passages, dense[best], fusion.relative_to_best(lexical)[best], unread[best]
        )
        weighed = fusion.sentence_evidence(candidates)
        of_passage = [
            language_pair_of(
                multilingual=self._encoder.multilingual, arabic_question=arabic_question, arabic_passage=arabic
            )
            for arabic in passages.arabic.tolist()
        ]
        scores = self._scores(weighed, of_passage)
        dense_ranks = {row: rank for rank, row in enumerate(fetched.nearest.tolist(), 1)}
        lexical_ranks = {row: rank for rank, row in enumerate(fetched.matching.tolist(), 1)}
        edges = np.searchsorted(weighed.owner, np.arange(len(of_passage) + 1))
        lifted = _lifted(np.maximum.reduceat(scores, edges[:-1]), passages.article, lent).tolist()
        ranked = list(zip(sentences, scores.tolist(), strict=True))
        hits = [
            Hit(
                row=row,
                article=article,
                span=passages.spans[at],
                score=lifted[at],
                dense_rank=dense_ranks.get(row),
                lexical_rank=lexical_ranks.get(row),
                sentences=tuple(ranked[first:last]),
                evidence=weighed.sentences[first:last],
                case=of_passage[at],
            )
            for at, (row, article, (first, last)) in enumerate(
                zip(places, passages.article.tolist(), pairwise(edges.tolist()), strict=True)
            )
        ]
        hits.sort(key=lambda hit: (-hit.score, hit.row))
        first = None
        if self._reranker is not None:
            hits = rerank(hits, question.text, self.snapshot, self._reranker)
            first = places.index(hits[0].row)
        evidence = confidence.evidence_of(
            weighed,
            scores,
            passages.article,
            candidates.idf,
            float(lexical.max()),
            kind=question.kind,
            respelt=respelt,
            unknown=self._unknown(question, weighed),
            first=first,
        )
        return SearchResult(tuple(hits), evidence)

    def _unknown(self, question: Question, weighed: fusion.Evidence) -> int:
        """How many names and numbers the question has that the library never mentions, in no other form either.

        A word is taken for a name by its capital; the first word, short abbreviations and questions that are all
        capitals tell nothing. In a question that leans on earlier ones so is what it speaks of as known ("the emir"):
        the words lent to it match, whatever it asks.
        """
        text = question.text
        shown = [text[word.span.start : word.span.end] for word in question.content]
        capital = [word[0].isupper() and not (word.isupper() and len(word) < 5) for word in shown]
        opening = len(text) - len(text.lstrip(" \"'“‘«(["))
        definite = {
            word.term
            for before, word in pairwise(question.words[question.lent :])
            if question.lent and before.folded in _DEFINITE
        }
        return sum(
            (
                shown[at][0].isdigit()
                or (capital[at] and not all(capital) and word.span.start > opening)
                or word.term in definite
            )
            and self._frequency(word.term) == 0
            and float(weighed.met[:, at].max()) < SAME_WORD
            for at, word in enumerate(question.content)
        )

    def _scores(self, weighed: fusion.Evidence, of_passage: list[LanguagePair]) -> NDArray[np.float32]:
        """One score a sentence, by the weights of its passage's case."""
        if self._weights is not None:
            return fusion.sentence_scores(weighed.sentences, self._weights)
        scores = np.empty(len(weighed.owner), np.float32)
        for case in set(of_passage):
            own = np.array([one is case for one in of_passage])[weighed.owner]
            fitted = fitted_weights(case)
            scores[own] = fusion.sentence_scores(weighed.sentences[own], fitted.ranking) + np.float32(fitted.offset)
        return scores

    def _spelled(self, question: Question) -> tuple[Question, Encoded, int]:
        """The question with its misspelt words put right, encoded, and how many there were."""
        encoded = self._encoder.encode_query(question.text)
        starts = encoded.offsets[:, 0].tolist() if len(encoded.offsets) else []

        def known(word: Word) -> bool:
            return (
                self._frequency(word.term) > 0
                or (bool(starts) and not spelling.split_by_encoder(word.span, starts))
                or bool(self.snapshot.known([word.folded]))
            )

        text, replaced = spelling.corrected(
            question.text,
            question.words,
            known=known,
            found=self.snapshot.known,
            frequency=self._frequency,
        )
        if not replaced:
            return question, encoded, 0
        respelt = question.reworded(text)
        return (respelt, self._encoder.encode_query(text), replaced) if respelt.terms else (question, encoded, 0)

    def _candidates(
        self,
        question: Question,
        encoded: Encoded,
        passages: PassageData,
        dense: NDArray[np.float32],
        bm25: NDArray[np.float32],
        unread: NDArray[np.bool_],
    ) -> tuple[fusion.Candidates, list[Span]]:
        """What is known about passages, and the spans of their sentences, in that order.

        Of passages that are `unread` the vectors say nothing: a word is met where it stands.
        """
        stored, sentences = passages.words, passages.sentences
        asked = [word for word in question.words if not word.stop]
        content = question.content
        vectors = late_interaction.word_vectors(
            [word.span for word in asked], encoded.tokens, encoded.offsets, encoded.basis
        )
        own = [asked.index(word) for word in content]
        same = stored["term"][:, None] == late_interaction.term_keys([word.term for word in content])[None, :]
        if len(encoded.tokens):
            similar = late_interaction.similarities(passages.word_vectors, vectors[own])
            unread_words = np.repeat(unread, passages.word_counts)
            similar[unread_words] = same[unread_words]
        else:  # a model without token vectors: a word is met where it stands
            similar = same.astype(np.float32)

        counts = passages.sentence_counts
        owner = np.repeat(np.arange(len(counts)), counts)
        ahead = np.concatenate(([0], np.cumsum(passages.word_counts)))
        # One part more for each passage, its title, before its first sentence.
        at = np.arange(len(sentences)) + owner + 1
        titles = np.ones(len(sentences) + len(counts), np.bool_)
        titles[at] = False
        edges = np.empty(len(titles) + 1, np.int64)
        edges[:-1][titles] = ahead[:-1]
        edges[:-1][~titles] = ahead[owner] + sentences["word"]
        edges[-1] = ahead[-1]
        cosine, heading = np.zeros(len(titles), np.float32), np.zeros(len(titles), np.bool_)
        cosine[at] = late_interaction.similarities(passages.sentence_vectors, encoded.vector[None, :])[:, 0]
        cosine[at[np.repeat(unread, counts)]] = 0
        heading[at] = sentences["heading"]
        every = late_interaction.term_keys([word.term for word in question.words])
        known = (stored["term"][:, None] == every[None, :]).any(axis=1)
        marks = np.where(known, np.uint16(0), stored["mark"])
        return (
            fusion.Candidates(
                similar=similar,
                same=same,
                idf=np.array([self._idf(word.term) for word in content], np.float32) * rarity_weights(question),
                edges=edges,
                owner=np.repeat(np.arange(len(counts)), counts + 1),
                titles=titles,
                cosine=cosine,
                kind=answer_types.answer_type_match(marks, edges, question.kind),
                heading=heading,
                passage_cosine=dense,
                bm25=bm25,
            ),
            [
                Span(start, end)
                for start, end in zip(sentences["start"].tolist(), sentences["end"].tolist(), strict=True)
            ],
        )

    def _idf(self, term: str) -> float:
        count = self._frequency(term)
        size = max(self.snapshot.size, MIN_LIBRARY_SIZE)
        return math.log(1 + (size - count + 0.5) / (count + 0.5))


def _lifted(scores: NDArray[np.float32], articles: NDArray[np.int64], share: float) -> NDArray[np.float32]:
    """The scores of passages (n,), each moved by `share` of the way to the best of its article."""
    _, numbers = np.unique(articles, return_inverse=True)
    highest = np.full(numbers.max() + 1, -np.inf, np.float32)
    np.maximum.at(highest, numbers, scores)
    return np.asarray(scores + np.float32(share) * (highest[numbers] - scores), np.float32)


def rarity_weights(question: Question) -> NDArray[np.float32]:
    """How much of its rarity each content word keeps, (t,): `ASKED` of it where it only names what is asked for.

    That is the common noun after "which" or "what", capitals before it left out ("Which UN agreement").
    """
    kept = np.ones(len(question.content), np.float32)
    opening = _WHICH.search(question.text)
    if opening is not None and len(kept) > 1:
        for at, word in enumerate(question.content):
            if word.span.start == opening.end():
                kept[at] = ASKED_NOUN_WEIGHT
    return kept


def _obeys(text: str, question: Question) -> bool:
    """Whether a text holds the question's phrases and none of what it excludes."""
    found = folded_words(text)
    return question.excluded.isdisjoint(found) and all(
        any(tuple(found[at : at + len(phrase)]) == phrase for at in range(len(found))) for phrase in question.phrases
    )


def content_words(found: Sequence[Word]) -> tuple[Word, ...]:
    """The content words among those of a text, in order, each term once."""
    first: dict[str, Word] = {}
    for word in found:
        if not word.stop:
            first.setdefault(word.term, word)
    return tuple(first.values())
