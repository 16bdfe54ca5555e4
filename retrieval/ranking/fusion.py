"""Candidate passages to the evidence for each of their sentences, and evidence to one score a sentence. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

DENSE_WEIGHT, LEXICAL_WEIGHT = 0.55, 0.25
"""The weights of the first ranking, which only chooses the candidates: its best 24 hold .996 of the news answers."""

EVIDENCE = (
    "words",
    "around",
    "passage words",
    "exact",
    "passage exact",
    "cosine",
    "passage cosine",
    "bm25",
    "kind",
    "weakest",
    "heading",
)
"""The columns of `Evidence.sentences`; `sentence_evidence` explains each."""

_FOLLOWING = np.float32(0.9)
"""What a match in the following sentence counts, compared with one in the sentence itself."""


@dataclass(frozen=True, slots=True)
class CandidateFeatures:
    """What is known about a question's n candidate passages, in flat arrays.

    Each passage has parts: its title, empty or not, and then its sentences. Part p holds the words edges[p] to
    edges[p + 1], `owner` (p,) is the position of its passage, and `titles` (p,) says which parts are titles.
    """

    similar: Floats
    """(w, t) cosine of each word with each of the question's words."""
    same: Bools
    """(w, t) whether they are the same index term."""
    idf: Floats
    """(t,) inverse document frequency of the question's words, above zero."""
    edges: Ints
    owner: Ints
    titles: Bools
    cosine: Floats
    """(p,) cosine of each part with the question; of no meaning for titles."""
    answer_type_match: Floats
    """(p,) how well each part fits the type of answer asked for, 0 to 1."""
    heading: Bools
    """(p,) whether a part is a line without an end mark."""
    passage_cosine: Floats
    """(n,) cosine of each passage with the question."""
    bm25: Floats
    """(n,) BM25 of each passage as a share of the best one's."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The evidence for s sentences of n passages on a question of t content words.

    `sentences` (s, len(EVIDENCE)) is what scores are made of. `owner` (s,) is the position of each sentence's passage.
    `neighbourhood_match` (s, t) says how well each sentence with its neighbours matches each of the question's words,
    `passage_match` (n, t) how well each passage does, and `passage_exact` (n, t) whether the passage has the very term.
    """

    sentences: Floats
    owner: Ints
    neighbourhood_match: Floats
    passage_match: Floats
    passage_exact: Bools


def candidate_scores(dense: Floats, lexical: Floats) -> Floats:
    """One score a passage that chooses the candidates, from its cosine and its BM25, each (n,)."""
    return np.asarray(DENSE_WEIGHT * dense + LEXICAL_WEIGHT * relative_to_best(lexical), np.float32)


def relative_to_best(scores: Floats) -> Floats:
    """Scores as shares of the best one; all zero where none is above zero."""
    best = float(scores.max(initial=0.0))
    return scores / np.float32(best) if best > 0 else np.zeros_like(scores)


def sentence_evidence(candidates: CandidateFeatures) -> Evidence:
    """The evidence for each sentence of the candidates.

    words: how well its words match the question's: the best match of each question word, weighted by rarity.
    around: the same where the sentences before and after it in the passage may match too, the latter a little less.
    passage words: the same for the whole passage with its title.
    exact, passage exact: like words and passage words, but equal index terms are the only match.
    cosine, passage cosine, bm25: taken over from `candidates`.
    kind: how well it fits the type of answer, such as by a number where one is asked for.
    weakest: how well the passage matches the rare word of the question that it matches worst.
    heading: whether it is a line without an end mark.
    """
    weights = candidates.idf / candidates.idf.sum()
    match = max_per_run(candidates.similar, candidates.edges)
    exact = max_per_run(candidates.same.astype(np.float32), candidates.edges)
    first = np.flatnonzero(candidates.titles)
    passage_match = np.maximum.reduceat(match, first) if len(first) else match[:0]
    passage_exact = np.maximum.reduceat(exact, first) if len(first) else exact[:0]
    rare = candidates.idf >= candidates.idf.max(initial=0.0) / 2
    weakest = passage_match[:, rare].min(axis=1)

    # Where a part and the next are both sentences, they are sentences of one passage.
    adjacent = ~candidates.titles[1:] & ~candidates.titles[:-1]
    previous, following = np.zeros_like(match), np.zeros_like(match)
    previous[1:][adjacent] = match[:-1][adjacent]
    following[:-1][adjacent] = match[1:][adjacent] * _FOLLOWING
    neighbourhood = np.maximum(match, np.maximum(previous, following))

    sentences = ~candidates.titles
    owner = candidates.owner[sentences]
    columns = (
        match[sentences] @ weights,
        neighbourhood[sentences] @ weights,
        (passage_match @ weights)[owner],
        exact[sentences] @ weights,
        (passage_exact @ weights)[owner],
        candidates.cosine[sentences],
        candidates.passage_cosine[owner],
        candidates.bm25[owner],
        candidates.answer_type_match[sentences],
        weakest[owner],
        candidates.heading[sentences].astype(np.float32),
    )
    return Evidence(
        sentences=np.stack(columns, axis=1).astype(np.float32),
        owner=owner,
        neighbourhood_match=neighbourhood[sentences],
        passage_match=passage_match,
        passage_exact=passage_exact > 0,
    )


def max_per_run(values: Floats, edges: Ints) -> Floats:
    """The maximum of each column over each run of rows, edges[i] to edges[i + 1], (m, t); zeros for an empty run."""
    found = np.zeros((len(edges) - 1, values.shape[1]), np.float32)
    full = np.flatnonzero(edges[1:] > edges[:-1])
    if len(full):
        found[full] = np.maximum.reduceat(values, edges[full])
    return found


def sentence_scores(sentences: Floats, weights: Floats) -> Floats:
    """One score a sentence, (s,), from its evidence (s, len(EVIDENCE))."""
    return np.asarray(sentences @ weights, np.float32)


def smooth_by_article(scores: Floats, articles: Ints, share: float) -> Floats:
    """The scores of passages, (n,), each moved by `share` of the way to the best score of its article."""
    _, numbers = np.unique(articles, return_inverse=True)
    highest = np.full(numbers.max() + 1, -np.inf, np.float32)
    np.maximum.at(highest, numbers, scores)
    return np.asarray(scores + np.float32(share) * (highest[numbers] - scores), np.float32)


def best_first(scores: Floats) -> Ints:
    """The positions of `scores`, best first; equal scores by position."""
    return np.lexsort((np.arange(len(scores)), -scores))
