"""Evidence to one score: pure, higher is better."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

DENSE, LEXICAL, SENTENCE = 0.55, 0.25, 0.35
SENTENCE_DENSE, SENTENCE_LEXICAL = 0.6, 0.4


def relative(scores: Floats) -> Floats:
    """Scores as shares of the best one; all zero where none is above zero."""
    best = float(scores.max(initial=0.0))
    return np.asarray(scores / best if best > 0 else np.zeros_like(scores), np.float32)


def passage_scores(dense: Floats, lexical: Floats, sentence: Floats) -> Floats:
    """One score a passage, from its cosine, its BM25 and its best sentence's score, each (n,)."""
    return DENSE * dense + LEXICAL * relative(lexical) + SENTENCE * sentence


def sentence_scores(dense: Floats, covered: Floats) -> Floats:
    """One score a sentence, from its cosine and the weighted share of the question's terms in it, each (n,)."""
    return SENTENCE_DENSE * dense + SENTENCE_LEXICAL * covered


def best_first(scores: Floats) -> NDArray[np.int64]:
    """The positions of `scores`, best first; equal scores by position."""
    return np.lexsort((np.arange(len(scores)), -scores))
