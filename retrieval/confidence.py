"""Evidence to the probability that the first quote answers, and the decision taken from it. Pure."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from retrieval import fitted
from retrieval.fusion import EVIDENCE as SENTENCE_EVIDENCE
from retrieval.fusion import Evidence

Floats = NDArray[np.float32]

THRESHOLD = 0.5
"""Answer at and above this probability. Higher declines more: fewer wrong answers, more missed ones."""

EVIDENCE = (
    "score",
    "lead",
    "cosine",
    "words",
    "passage words",
    "article words",
    "exact",
    "unmet",
    "article unmet",
    "weakest",
    "absent",
    "kind",
    "length",
    "respelt",
)
"""What decides; what each is, is said in `evidence_of`."""

WEIGHTS = np.array([fitted.CONFIDENCE[name] for name in EVIDENCE], np.float32)


def evidence_of(weighed: Evidence, scores: Floats, articles: NDArray[np.int64], idf: Floats, respelt: int) -> Floats:
    """What the best sentence's passage says about the question, (len(EVIDENCE),) float32.

    score, cosine, words, passage words, kind: the best sentence's own.
    lead: how far its score is above that of the best sentence of any other article, at most 6.
    article words: how well the best sentence's article meets the question's words, each by its best candidate passage.
    exact: the same by equal index terms alone.
    unmet, article unmet: the share of the question's weight in that word which is met worst.
    weakest: how well the passage meets the worst met of the rare words.
    absent: the share of the question's weight in words that no candidate has.
    length: the logarithm of the number of the question's content words.
    respelt: how many of its words were taken for misspelt.

    Args:
        weighed: The evidence of at least one sentence.
        scores: (s,) the sentences' scores.
        articles: (n,) the article of each candidate passage.
        idf: (t,) the rarity of the question's words, above zero.
        respelt: How many words were put right.
    """
    best = int(scores.argmax())
    passage = int(weighed.owner[best])
    own = articles == articles[passage]
    others = scores[~own[weighed.owner]]
    weights = idf / idf.sum()
    met, article_met = weighed.met[passage], weighed.met[own].max(axis=0)
    named = dict(zip(SENTENCE_EVIDENCE, weighed.sentences[best].tolist(), strict=True))
    found = {
        "score": float(scores[best]),
        "lead": min(6.0, float(scores[best] - others.max(initial=-np.inf))),
        "cosine": named["cosine"],
        "words": named["words"],
        "passage words": named["passage words"],
        "article words": float(article_met @ weights),
        "exact": float(weighed.exact[own].max(axis=0) @ weights),
        "unmet": float((weights * (1 - met)).max()),
        "article unmet": float((weights * (1 - article_met)).max()),
        "weakest": named["weakest"],
        "absent": float(weights[~weighed.exact.any(axis=0)].sum()),
        "kind": named["kind"],
        "length": math.log(len(idf)),
        "respelt": float(respelt),
    }
    return np.array([found[name] for name in EVIDENCE], np.float32)


def probability(evidence: Floats, weights: Floats = WEIGHTS, bias: float = fitted.BIAS) -> float:
    """The probability that the first quote answers; 0 without evidence."""
    if not len(evidence):
        return 0.0
    return 1 / (1 + math.exp(-float(np.clip(evidence @ weights + bias, -30, 30))))
