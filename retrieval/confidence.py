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
"""Answer at and above this probability. Higher declines more: fewer wrong answers, more missed ones.

On 203 news questions, 62 of them unanswerable, .86 of the answered ones have an answer at .5, .88 at .6 and .92 at .7;
of those with an answer .94, .87 and .77 are answered. In a library of one article answers lie lower, about .55 to .85.
tests/fit/FIGURES.md has the same for the data it was fitted on.
"""

UNKNOWN = 2.0
"""What an unknown name or number takes off the logarithm of the odds. In 203 news questions 10 of 62 without an answer
have one and 5 of 141 with, which is worth 1.5; in 47 questions on one article 6 of 18 and none of 29."""

EVIDENCE = (
    "score",
    "lead",
    "cosine",
    "words",
    "passage words",
    "article words",
    "exact",
    "around",
    "passage cosine",
    "best cosine",
    "best passage words",
    "bm25",
    "around unmet",
    "unmet",
    "article unmet",
    "weakest",
    "absent",
    "kind",
    "length",
    "respelt",
)
"""What decides; what each is, is said in `evidence_of`."""

TOPIC = np.array([*(fitted.TOPIC[name] for name in EVIDENCE), fitted.TOPIC_BIAS], np.float32)
ANSWER = np.array([*(fitted.ANSWER[name] for name in EVIDENCE), fitted.ANSWER_BIAS], np.float32)
CALIBRATION = np.array(fitted.CALIBRATION, np.float32)


def evidence_of(
    weighed: Evidence, scores: Floats, articles: NDArray[np.int64], idf: Floats, bm25: float, respelt: int
) -> Floats:
    """What the best sentence's passage says about the question, (len(EVIDENCE),) float32.

    score, cosine, passage cosine, words, around, passage words, kind: the best sentence's own.
    lead: how far its score is above that of the best sentence of any other article, at most 6.
    article words: how well the best sentence's article meets the question's words, each by its best candidate passage.
    exact: the same by equal index terms alone.
    best cosine, best passage words: the highest of any candidate.
    bm25: the best BM25, for each unit of the question's rarity.
    unmet, around unmet, article unmet: the share of the question's weight in that word which is met worst, by the
    passage, by the sentence with its neighbours, by the article.
    weakest: how well the passage meets the worst met of the rare words.
    absent: the share of the question's weight in words that no candidate has.
    length: the logarithm of the number of the question's content words.
    respelt: how many of its words were taken for misspelt.

    Args:
        weighed: The evidence of at least one sentence.
        scores: (s,) the sentences' scores.
        articles: (n,) the article of each candidate passage.
        idf: (t,) the rarity of the question's words, above zero.
        bm25: The best BM25 of any passage.
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
        "around": named["around"],
        "passage cosine": named["passage cosine"],
        "best cosine": float(weighed.sentences[:, SENTENCE_EVIDENCE.index("cosine")].max()),
        "best passage words": float((weighed.met @ weights).max()),
        "bm25": bm25 / float(idf.sum()),
        "around unmet": float((weights * (1 - weighed.around[best])).max()),
        "unmet": float((weights * (1 - met)).max()),
        "article unmet": float((weights * (1 - article_met)).max()),
        "weakest": named["weakest"],
        "absent": float(weights[~weighed.exact.any(axis=0)].sum()),
        "kind": named["kind"],
        "length": math.log(len(idf)),
        "respelt": float(respelt),
    }
    return np.array([found[name] for name in EVIDENCE], np.float32)


def log_chance(evidence: Floats, topic: Floats = TOPIC, answer: Floats = ANSWER) -> Floats:
    """The logarithm of (chance that the library has the topic) x (chance that the passage has the fact), (n,).

    Two logistic regressions over the same evidence (n, len(EVIDENCE)): one that tells questions whose article is gone,
    one that tells near misses. Their weights pull apart, so one regression over both does worse at each.
    """
    chances = [evidence @ weights[:-1] + weights[-1] for weights in (topic, answer)]
    return np.asarray(sum(-np.logaddexp(0, -chance) for chance in chances), np.float32)


def probability(evidence: Floats) -> float:
    """The probability that the first quote answers; 0 without evidence."""
    if not len(evidence):
        return 0.0
    return float(calibrated(log_chance(evidence[None, :]))[0])


def log_odds(log_chances: Floats) -> Floats:
    """The logarithm of chance / (1 - chance), (n,)."""
    below = np.minimum(log_chances, np.float32(-1e-6))
    return np.asarray(below - np.log(-np.expm1(below)), np.float32)


def doubted(chance: float, unknown: int) -> float:
    """A probability, less for each name or number of the question that the library never mentions (`UNKNOWN`)."""
    odds = chance / max(1 - chance, 1e-9) * math.exp(-UNKNOWN * unknown)
    return odds / (1 + odds)


def calibrated(log_chances: Floats, calibration: Floats = CALIBRATION) -> Floats:
    """Probabilities, (n,): a logistic curve (Platt 1999) over the logarithms of chances, by its slope and offset.

    With a third number that is not 0 the curve is over the log odds, which tell the surest from the sure.
    """
    slope, offset, over_odds = (*calibration.tolist(), 0.0)[:3]
    steps = log_odds(log_chances) if over_odds else log_chances
    return np.asarray(1 / (1 + np.exp(-np.clip(slope * steps + offset, -30, 30))), np.float32)
