"""The stored words and sentences of candidate passages compared with a question's words and vector. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from corpus.article import Span
from retrieval.index.contract import PassageData
from retrieval.models.encoder import Encoded
from retrieval.ranking.fusion import CandidateFeatures
from retrieval.ranking.question import Question
from retrieval.text import answer_types, late_interaction

Floats = NDArray[np.float32]


def compare_candidates(
    question: Question,
    encoded: Encoded,
    passages: PassageData,
    *,
    idf: Floats,
    cosine: Floats,
    bm25: Floats,
    unreadable: NDArray[np.bool_],
) -> tuple[CandidateFeatures, list[Span]]:
    """What is known about candidate passages, and the spans of their sentences, both in the order of the passages.

    Args:
        question: What was asked.
        encoded: The question's vectors.
        passages: The n candidates as they are stored.
        idf: (t,) the inverse document frequency of each content word.
        cosine: (n,) the cosine of each passage with the question.
        bm25: (n,) the BM25 of each passage as a share of the best one's.
        unreadable: (n,) the passages whose vectors say nothing, for want of an encoder that reads their script: a
            word matches there where the same index term stands.
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
        unreadable_words = np.repeat(unreadable, passages.word_counts)
        similar[unreadable_words] = same[unreadable_words]
    else:  # a model without token vectors: a word matches where the same index term stands
        similar = same.astype(np.float32)

    counts = passages.sentence_counts
    owner = np.repeat(np.arange(len(counts)), counts)
    first_words = np.concatenate(([0], np.cumsum(passages.word_counts)))
    # Each passage has one part more than sentences: its title comes before its first sentence.
    sentence_parts = np.arange(len(sentences)) + owner + 1
    titles = np.ones(len(sentences) + len(counts), np.bool_)
    titles[sentence_parts] = False
    edges = np.empty(len(titles) + 1, np.int64)
    edges[:-1][titles] = first_words[:-1]
    edges[:-1][~titles] = first_words[owner] + sentences["word"]
    edges[-1] = first_words[-1]
    part_cosine, heading = np.zeros(len(titles), np.float32), np.zeros(len(titles), np.bool_)
    part_cosine[sentence_parts] = late_interaction.similarities(passages.sentence_vectors, encoded.vector[None, :])[
        :, 0
    ]
    part_cosine[sentence_parts[np.repeat(unreadable, counts)]] = 0
    heading[sentence_parts] = sentences["heading"]
    question_terms = late_interaction.term_keys([word.term for word in question.words])
    in_question = (stored["term"][:, None] == question_terms[None, :]).any(axis=1)
    marks = np.where(in_question, np.uint16(0), stored["mark"])
    candidates = CandidateFeatures(
        similar=similar,
        same=same,
        idf=idf,
        edges=edges,
        owner=np.repeat(np.arange(len(counts)), counts + 1),
        titles=titles,
        cosine=part_cosine,
        answer_type_match=answer_types.answer_type_match(marks, edges, question.answer_type),
        heading=heading,
        passage_cosine=cosine,
        bm25=bm25,
    )
    spans = zip(sentences["start"].tolist(), sentences["end"].tolist(), strict=True)
    return candidates, [Span(start, end) for start, end in spans]
