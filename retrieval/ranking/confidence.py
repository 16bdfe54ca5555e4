"""The evidence for the first quote, and the probability that it answers. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.ranking.fusion import EVIDENCE as SENTENCE_EVIDENCE
from retrieval.ranking.fusion import Evidence
from retrieval.text.answer_types import AnswerType

Floats = NDArray[np.float32]

THRESHOLD = 0.5
"""Answer at and above this probability. A higher one declines more: fewer wrong answers, more missed ones.

On 203 news questions, 62 of them unanswerable, .91 of the answered ones have an answer, and of those with an answer .92
are answered; without a reader .91 and .88.
"""

UNKNOWN_NAME_PENALTY = 2.0
"""What an unknown name or number takes off the log odds of `RegressionProduct`, which did not learn it.

In 203 news questions 10 of the 62 without an answer have one and 5 of the 141 with an answer, which is worth 1.5; in 47
questions on one article 6 of 18 and none of 29.
"""

UNKNOWN_NAME_WITHOUT_RIVALS_PENALTY = 3.0
"""What it takes off the log odds of `Network`, beyond what that learnt, where no other article could mention it."""

WORD_BOUND_TYPES = frozenset(
    {AnswerType.NUMBER, AnswerType.MONEY, AnswerType.SHARE, AnswerType.DURATION, AnswerType.DATE}
)
"""Types of answer that are recognised by their words: a sentence without such a word cannot hold the answer."""

ANSWER_TYPES = tuple(str(answer_type) for answer_type in AnswerType)

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
    "lacks",
    "unknown",
    "alone",
    *ANSWER_TYPES,
)
"""The names of what confidence is computed from; `answer_evidence` explains each."""


MAX_READ = 12.0
"""A reader's score counts up to this much either way."""

MAX_DEVIATIONS = 5.0
"""Evidence counts up to this many standard deviations from its mean."""


@dataclass(frozen=True, slots=True)
class Network:
    """The probability that the first quote answers, by a linear part and one hidden layer of h units.

    With x = (evidence - centre) / scale, clipped to MAX_DEVIATIONS either way, the log odds are
    x @ direct + tanh(x @ hidden + shift) @ out + bias. `centre`, `scale` and `direct` are (f,), `hidden` (f, h),
    `shift` and `out` (h,), where f is len(EVIDENCE).
    """

    centre: Floats
    scale: Floats
    direct: Floats
    hidden: Floats
    shift: Floats
    out: Floats
    bias: float

    def log_odds(self, evidence: Floats) -> Floats:
        """The log odds of each row of evidence (n, f), (n,)."""
        scaled = np.clip((evidence - self.centre) / self.scale, -MAX_DEVIATIONS, MAX_DEVIATIONS)
        nonlinear = np.tanh(scaled @ self.hidden + self.shift) @ self.out
        return np.asarray(scaled @ self.direct + nonlinear + np.float32(self.bias), np.float32)

    def __call__(self, evidence: Floats) -> Floats:
        """The probability that the first quote answers for each row of evidence (n, f), (n,)."""
        unknown = evidence[:, EVIDENCE.index("unknown")] * evidence[:, EVIDENCE.index("alone")]
        log_odds = self.log_odds(evidence) - UNKNOWN_NAME_WITHOUT_RIVALS_PENALTY * unknown
        return np.asarray(1 / (1 + np.exp(-np.clip(log_odds, -30, 30))), np.float32)


@dataclass(frozen=True, slots=True)
class RegressionProduct:
    """The same probability by the product of two logistic regressions, calibrated.

    `topic` and `answer` (f + 1,) are the weights of each, with the bias last; `calibration` is as in `calibrate`.
    """

    topic: Floats
    answer: Floats
    calibration: Floats

    def __call__(self, evidence: Floats) -> Floats:
        """The probability that the first quote answers for each row of evidence (n, f), (n,)."""
        probabilities = calibrate(log_product(evidence, self.topic, self.answer), self.calibration)
        unknown = evidence[:, EVIDENCE.index("unknown")]
        odds = probabilities / np.maximum(1 - probabilities, np.float32(1e-9)) * np.exp(-UNKNOWN_NAME_PENALTY * unknown)
        return np.asarray(odds / (1 + odds), np.float32)


@dataclass(frozen=True, slots=True)
class ReadConfidence:
    """The same probability where a reader read the first quote, by a logistic regression over two numbers.

    These are the log odds that the words compared give (`Network` or `RegressionProduct`), and the score of the best
    answer that the reader found in the quote's passage, less that of "not here", at most MAX_READ either way. Its lead
    over what it found elsewhere, and whether there are rivals, add nothing to the two (tests/fit/README.md).
    """

    odds: float
    read: float
    bias: float

    def __call__(self, probability: float, read: float) -> float:
        """The probability that the first quote answers, from that of the words compared and the reader's score."""
        odds, read = read_evidence(probability, read)
        return 1 / (1 + math.exp(-(self.odds * odds + self.read * read + self.bias)))


def read_evidence(probability: float, read: float) -> tuple[float, float]:
    """What `ReadConfidence` weighs: the log odds of a probability, and a reader's score within MAX_READ."""
    sure = min(max(probability, 1e-6), 1 - 1e-6)
    return math.log(sure / (1 - sure)), min(max(read, -MAX_READ), MAX_READ)


def answer_evidence(
    evidence: Evidence,
    scores: Floats,
    articles: NDArray[np.int64],
    idf: Floats,
    bm25: float,
    *,
    answer_type: AnswerType,
    respelt: int,
    unknown: int,
    first: int | None = None,
) -> Floats:
    """The evidence that the best sentence's passage answers, (len(EVIDENCE),) float32.

    score, cosine, passage cosine, words, around, passage words, kind: the best sentence's own.
    lead: how far its score is above that of the best sentence of any rival, at most 6; below 0 where `first` is not the
    passage that scores best. Rivals are the candidates of other articles. Where any of these has a word of the
    question, those without one do not count: unrelated articles in the library should not lower the confidence.
    article words: how well the best sentence's article matches the question's words, each by its best candidate
    passage.
    exact: the same where equal index terms are the only match.
    best cosine, best passage words: the highest of any candidate.
    bm25: the best BM25 of any passage, divided by the sum of the question's rarities.
    unmet, around unmet, article unmet: the largest share of the question's rarity in one word without a match in the
    passage, in the sentence and its neighbours, in the article.
    weakest: how well the passage matches the rare word of the question that it matches worst.
    absent: the share of the question's rarity in words that no candidate has.
    length: the logarithm of the number of the question's content words.
    respelt: how many of its words were taken for misspelt.
    lacks: how badly the best sentence fits the type of answer, where that is one of WORD_BOUND_TYPES.
    unknown: how many names and numbers of the question the library never mentions.
    alone: whether there is no rival.
    number, money and so on: whether the question asks for an answer of that type.

    Args:
        evidence: The evidence for at least one sentence.
        scores: (s,) the sentences' scores.
        articles: (n,) the article of each candidate passage.
        idf: (t,) the rarity of the question's words, above zero.
        bm25: The best BM25 of any passage.
        answer_type: What the question asks for.
        respelt: How many words were corrected.
        unknown: How many names and numbers the library never mentions.
        first: The position of the passage whose best sentence is judged; that of the best of all by default.
    """
    best = int((scores if first is None else np.where(evidence.owner == first, scores, -np.inf)).argmax())
    passage = int(evidence.owner[best])
    own = articles == articles[passage]
    related = evidence.passage_exact.any(axis=1)
    rivals = ~own & (related | ~related.any())
    weights = idf / idf.sum()
    match, article_match = evidence.passage_match[passage], evidence.passage_match[own].max(axis=0)
    named = dict(zip(SENTENCE_EVIDENCE, evidence.sentences[best].tolist(), strict=True))
    found = {
        "score": float(scores[best]),
        "lead": min(6.0, float(scores[best] - scores[rivals[evidence.owner]].max(initial=-np.inf))),
        "cosine": named["cosine"],
        "words": named["words"],
        "passage words": named["passage words"],
        "article words": float(article_match @ weights),
        "exact": float(evidence.passage_exact[own].max(axis=0) @ weights),
        "around": named["around"],
        "passage cosine": named["passage cosine"],
        "best cosine": float(evidence.sentences[:, SENTENCE_EVIDENCE.index("cosine")].max()),
        "best passage words": float((evidence.passage_match @ weights).max()),
        "bm25": bm25 / float(idf.sum()),
        "around unmet": float((weights * (1 - evidence.neighbourhood_match[best])).max()),
        "unmet": float((weights * (1 - match)).max()),
        "article unmet": float((weights * (1 - article_match)).max()),
        "weakest": named["weakest"],
        "absent": float(weights[~evidence.passage_exact.any(axis=0)].sum()),
        "kind": named["kind"],
        "length": math.log(len(idf)),
        "respelt": float(respelt),
        "lacks": 1 - named["kind"] if answer_type in WORD_BOUND_TYPES else 0.0,
        "unknown": float(unknown),
        "alone": float(not rivals.any()),
        **dict.fromkeys(ANSWER_TYPES, 0.0),
        str(answer_type): 1.0,
    }
    return np.array([found[name] for name in EVIDENCE], np.float32)


def log_product(evidence: Floats, topic: Floats, answer: Floats) -> Floats:
    """The logarithm of the probability that the library has the topic times that that the passage has the fact, (n,).

    These are two logistic regressions over the same evidence (n, len(EVIDENCE)): one recognises questions whose article
    is missing, one near misses. They need different weights, so one regression over both does worse at each.
    """
    log_odds = [evidence @ weights[:-1] + weights[-1] for weights in (topic, answer)]
    return np.asarray(sum(-np.logaddexp(0, -odds) for odds in log_odds), np.float32)


def log_odds(log_probabilities: Floats) -> Floats:
    """The logarithm of p / (1 - p), (n,)."""
    below = np.minimum(log_probabilities, np.float32(-1e-6))
    return np.asarray(below - np.log(-np.expm1(below)), np.float32)


def calibrate(log_probabilities: Floats, calibration: Floats) -> Floats:
    """Calibrated probabilities, (n,): a logistic curve (Platt 1999) over log probabilities, by its slope and offset.

    With a third number that is not 0 the curve is over the log odds, which keep high probabilities further apart.
    """
    slope, offset, over_odds = (*calibration.tolist(), 0.0)[:3]
    values = log_odds(log_probabilities) if over_odds else log_probabilities
    return np.asarray(1 / (1 + np.exp(-np.clip(slope * values + offset, -30, 30))), np.float32)
