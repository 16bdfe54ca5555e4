"""Which weights suit a question and a passage: by what the encoder reads and by the languages of the two. Pure.

Cosines of one encoder are not those of another; an encoder's vectors of a script that it cannot read are noise, and a
passage in another language than the question's shares names and numbers with it at most.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from retrieval.ranking import confidence, fitted_languages, fusion

_ARABIC = re.compile("[\u0600-\u06ff]")
_LETTERS = re.compile(r"[^\W\d_]")


class Case(StrEnum):
    """What a question and a passage have in common, as far as the encoder can tell."""

    SHIPPED = "shipped"
    """An encoder of English, an English question."""
    TERMS = "terms"
    """A question that the encoder cannot read: words alone decide."""
    ENGLISH = "english"
    """A multilingual encoder, question and passage in English or another language that is not Arabic."""
    ARABIC = "arabic"
    """A multilingual encoder, question and passage in Arabic."""
    CROSSING = "crossing"
    """A multilingual encoder, one of the two in Arabic."""


@dataclass(frozen=True, slots=True)
class Weights:
    """What was fitted for a case: a sentence's score is its evidence times `ranking`, plus `offset`.

    `judge` makes probabilities (n,) of evidence about first quotes, (n, len(confidence.EVIDENCE)).
    """

    ranking: NDArray[np.float32]
    offset: float
    judge: Callable[[NDArray[np.float32]], NDArray[np.float32]]


def _named(weights: Mapping[str, float]) -> NDArray[np.float32]:
    """The weights of all evidence and the bias; those that were not fitted are 0."""
    return np.array([weights.get(name, 0.0) for name in (*confidence.EVIDENCE, "bias")], np.float32)


def _read(case: Case) -> Weights:
    if case is Case.SHIPPED:
        return Weights(fusion.WEIGHTS, 0.0, confidence.network())
    own = fitted_languages.FITTED[case.value]
    return Weights(
        np.array([own.ranking[name] for name in fusion.EVIDENCE], np.float32),
        own.offset,
        confidence.Regressions(_named(own.topic), _named(own.answer), np.array(own.calibration, np.float32)),
    )


WEIGHTS = {case: _read(case) for case in Case}


def in_arabic(text: str) -> bool:
    """Whether at least half of a text's letters are Arabic ones."""
    arabic = len(_ARABIC.findall(text))
    return arabic > 0 and 2 * arabic >= len(_LETTERS.findall(text))


def case_of(*, multilingual: bool, arabic_question: bool, arabic_passage: bool) -> Case:
    """The case of a question and a passage."""
    if not multilingual:
        return Case.TERMS if arabic_question else Case.SHIPPED
    if arabic_question != arabic_passage:
        return Case.CROSSING
    return Case.ARABIC if arabic_question else Case.ENGLISH
