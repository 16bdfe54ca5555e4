"""Evidence to the probability that the first quote answers, and the decision taken from it. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.ranking.fusion import EVIDENCE as SENTENCE_EVIDENCE
from retrieval.ranking.fusion import Evidence
from retrieval.text.answer_types import AnswerType

Floats = NDArray[np.float32]

THRESHOLD = 0.48
"""Answer at and above this probability. Higher declines more: fewer wrong answers, more missed ones.

On 203 news questions, 62 of them unanswerable, .87 of the answered ones have an answer at .45, .89 at .48 and .91 at
.5; of those with an answer .89, .89 and .88 are answered. tests/fit/FIGURES.md has the same for the data it was fitted
on.
"""

UNKNOWN = 2.0
"""What an unknown name or number takes off the logarithm of the odds where that is not learnt. In 203 news questions 10
of 62 without an answer have one and 5 of 141 with, which is worth 1.5; in 47 questions on one article 6 of 18 and none
of 29."""

UNKNOWN_ALONE = 3.0
"""The same where no other article could speak of it, on top of what is learnt."""

HARD = frozenset({AnswerType.NUMBER, AnswerType.MONEY, AnswerType.SHARE, AnswerType.DURATION, AnswerType.DATE})
"""Kinds of answer that are told by their words alone: a sentence without one cannot hold it."""

KINDS = tuple(str(kind) for kind in AnswerType)

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
    *KINDS,
)
"""What decides; what each is, is said in `evidence_of`."""


REACH = 5.0
"""Standard deviations beyond which evidence says no more."""


@dataclass(frozen=True, slots=True)
class Network:
    """Evidence to the log odds that the first quote answers: a straight line and one layer of `hidden` units.

    An evidence is taken `centre` (f,) and divided by `scale` (f,), within `REACH` of 0. Its log odds are its product
    with `direct` (f,), plus tanh of its product with `hidden` (f, h) and `shift` (h,), times `out` (h,), plus `bias`.
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
        at = np.clip((evidence - self.centre) / self.scale, -REACH, REACH)
        bent = np.tanh(at @ self.hidden + self.shift) @ self.out
        return np.asarray(at @ self.direct + bent + np.float32(self.bias), np.float32)

    def __call__(self, evidence: Floats) -> Floats:
        """The probability that the first quote answers for each row of evidence (n, f), (n,)."""
        doubts = evidence[:, EVIDENCE.index("unknown")] * evidence[:, EVIDENCE.index("alone")]
        odds = self.log_odds(evidence) - UNKNOWN_ALONE * doubts
        return np.asarray(1 / (1 + np.exp(-np.clip(odds, -30, 30))), np.float32)


@dataclass(frozen=True, slots=True)
class Regressions:
    """The same by the product of two regressions, `topic` and `answer` (f + 1,), and a `calibration` over it."""

    topic: Floats
    answer: Floats
    calibration: Floats

    def __call__(self, evidence: Floats) -> Floats:
        """The probability that the first quote answers for each row of evidence (n, f), (n,)."""
        chances = calibrated(log_chance(evidence, self.topic, self.answer), self.calibration)
        doubts = evidence[:, EVIDENCE.index("unknown")]
        odds = chances / np.maximum(1 - chances, np.float32(1e-9)) * np.exp(-UNKNOWN * doubts)
        return np.asarray(odds / (1 + odds), np.float32)


def evidence_of(
    weighed: Evidence,
    scores: Floats,
    articles: NDArray[np.int64],
    idf: Floats,
    bm25: float,
    *,
    kind: AnswerType,
    respelt: int,
    unknown: int,
    first: int | None = None,
) -> Floats:
    """What the best sentence's passage says about the question, (len(EVIDENCE),) float32.

    score, cosine, passage cosine, words, around, passage words, kind: the best sentence's own.
    lead: how far its score is above that of the best sentence of any rival, at most 6; below 0 where `first` is not the
    passage that scores best. Rivals are the candidates of other articles, those that have none of the question's words
    left out where others do: what else a library has of other matters should not make it less sure.
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
    lacks: how badly the best sentence fits the kind of answer, where the kind is one of HARD.
    unknown: how many names and numbers of the question the library never mentions.
    alone: whether there is no rival.
    number, money and so on: whether the question asks for that.

    Args:
        weighed: The evidence of at least one sentence.
        scores: (s,) the sentences' scores.
        articles: (n,) the article of each candidate passage.
        idf: (t,) the rarity of the question's words, above zero.
        bm25: The best BM25 of any passage.
        kind: What the question asks for.
        respelt: How many words were put right.
        unknown: How many names and numbers are not in the library.
        first: The position of the passage whose best sentence is meant; that of the best of all by default.
    """
    best = int((scores if first is None else np.where(weighed.owner == first, scores, -np.inf)).argmax())
    passage = int(weighed.owner[best])
    own = articles == articles[passage]
    related = weighed.exact.any(axis=1)
    rivals = ~own & (related | ~related.any())
    weights = idf / idf.sum()
    met, article_met = weighed.met[passage], weighed.met[own].max(axis=0)
    named = dict(zip(SENTENCE_EVIDENCE, weighed.sentences[best].tolist(), strict=True))
    found = {
        "score": float(scores[best]),
        "lead": min(6.0, float(scores[best] - scores[rivals[weighed.owner]].max(initial=-np.inf))),
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
        "lacks": 1 - named["kind"] if kind in HARD else 0.0,
        "unknown": float(unknown),
        "alone": float(not rivals.any()),
        **dict.fromkeys(KINDS, 0.0),
        str(kind): 1.0,
    }
    return np.array([found[name] for name in EVIDENCE], np.float32)


def log_chance(evidence: Floats, topic: Floats, answer: Floats) -> Floats:
    """The logarithm of (chance that the library has the topic) x (chance that the passage has the fact), (n,).

    Two logistic regressions over the same evidence (n, len(EVIDENCE)): one that tells questions whose article is gone,
    one that tells near misses. Their weights pull apart, so one regression over both does worse at each.
    """
    chances = [evidence @ weights[:-1] + weights[-1] for weights in (topic, answer)]
    return np.asarray(sum(-np.logaddexp(0, -chance) for chance in chances), np.float32)


def log_odds(log_chances: Floats) -> Floats:
    """The logarithm of chance / (1 - chance), (n,)."""
    below = np.minimum(log_chances, np.float32(-1e-6))
    return np.asarray(below - np.log(-np.expm1(below)), np.float32)


def calibrated(log_chances: Floats, calibration: Floats) -> Floats:
    """Probabilities, (n,): a logistic curve (Platt 1999) over the logarithms of chances, by its slope and offset.

    With a third number that is not 0 the curve is over the log odds, which tell the surest from the sure.
    """
    slope, offset, over_odds = (*calibration.tolist(), 0.0)[:3]
    steps = log_odds(log_chances) if over_odds else log_chances
    return np.asarray(1 / (1 + np.exp(-np.clip(slope * steps + offset, -30, 30))), np.float32)
