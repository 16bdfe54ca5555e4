"""Evidence to one score for each sentence of the candidates, and for each passage its best sentence's. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

FIRST_DENSE, FIRST_LEXICAL = 0.55, 0.25
"""The first ranking's weights, which only chooses the candidates: .996 of the news answers are in its best 24."""

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
"""The columns of `Evidence.sentences`; what each is, is said in `weigh`."""

_NEXT = np.float32(0.9)


@dataclass(frozen=True, slots=True)
class Candidates:
    """What is known about a question's candidate passages, flat.

    A passage's words are its title's and then its sentences', so its parts are the title and the sentences:
    part p holds words edges[p] to edges[p + 1], and `owner` (p,) names its passage by position; `titles` (p,) says
    which parts are titles. There is a title part for each passage, empty or not.
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
    kind: Floats
    """(p,) how well each part fits the kind of answer asked for, 0 to 1."""
    heading: Bools
    """(p,) whether a part is a line without an end mark."""
    passage_cosine: Floats
    """(n,) cosine of each passage with the question."""
    bm25: Floats
    """(n,) BM25 of each passage as a share of the best one's."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """`sentences` is (s, len(EVIDENCE)) float32, `owner` (s,) the passage of each, by position.

    `met` is (n, t): how well each passage meets each of the question's words, `exact` (n, t) whether it has it, and
    `around` (s, t) how well each sentence with its neighbours meets them.
    """

    sentences: Floats
    owner: Ints
    around: Floats
    met: Floats
    exact: Bools


def candidate_scores(dense: Floats, lexical: Floats) -> Floats:
    """One score a passage that chooses the candidates, from its cosine and its BM25, each (n,)."""
    return np.asarray(FIRST_DENSE * dense + FIRST_LEXICAL * relative_to_best(lexical), np.float32)


def relative_to_best(scores: Floats) -> Floats:
    """Scores as shares of the best one; all zero where none is above zero."""
    best = float(scores.max(initial=0.0))
    return scores / np.float32(best) if best > 0 else np.zeros_like(scores)


def sentence_evidence(found: Candidates) -> Evidence:
    """What speaks for each sentence of the candidates.

    words: how well its words meet the question's, each question word by its best match, weighted by rarity.
    around: the same where its neighbours in the passage may help, the next one a little less.
    passage words, exact, passage exact: the same for the passage with its title, and by equal index terms alone.
    cosine, passage cosine, bm25: as they are.
    kind: whether it holds a word that could answer, such as a number where one is asked for.
    weakest: how well the passage meets that rare word of the question which it meets worst.
    heading: whether it is a line without an end mark.
    """
    weights = found.idf / found.idf.sum()
    met = max_per_run(found.similar, found.edges)
    exact = max_per_run(found.same.astype(np.float32), found.edges)
    first = np.flatnonzero(found.titles)
    passage_met = np.maximum.reduceat(met, first) if len(first) else met[:0]
    passage_exact = np.maximum.reduceat(exact, first) if len(first) else exact[:0]
    rare = found.idf >= found.idf.max(initial=0.0) / 2
    weakest = passage_met[:, rare].min(axis=1)

    beside = np.zeros_like(met)
    follows = ~found.titles[1:] & ~found.titles[:-1]  # a part and the next are sentences of one passage
    beside[1:][follows] = met[:-1][follows]
    after = np.zeros_like(met)
    after[:-1][follows] = met[1:][follows] * _NEXT
    around = np.maximum(met, np.maximum(beside, after))

    own = ~found.titles
    owner = found.owner[own]
    columns = (
        met[own] @ weights,
        around[own] @ weights,
        (passage_met @ weights)[owner],
        exact[own] @ weights,
        (passage_exact @ weights)[owner],
        found.cosine[own],
        found.passage_cosine[owner],
        found.bm25[owner],
        found.kind[own],
        weakest[owner],
        found.heading[own].astype(np.float32),
    )
    return Evidence(np.stack(columns, axis=1).astype(np.float32), owner, around[own], passage_met, passage_exact > 0)


def max_per_run(values: Floats, edges: Ints) -> Floats:
    """The greatest of each column in each run of rows edges[i] to edges[i + 1], (m, t); zeros for an empty run."""
    found = np.zeros((len(edges) - 1, values.shape[1]), np.float32)
    full = np.flatnonzero(edges[1:] > edges[:-1])
    if len(full):
        found[full] = np.maximum.reduceat(values, edges[full])
    return found


def sentence_scores(sentences: Floats, weights: Floats) -> Floats:
    """One score a sentence, (s,), from its evidence (s, len(EVIDENCE))."""
    return np.asarray(sentences @ weights, np.float32)


def best_first(scores: Floats) -> Ints:
    """The positions of `scores`, best first; equal scores by position."""
    return np.lexsort((np.arange(len(scores)), -scores))
