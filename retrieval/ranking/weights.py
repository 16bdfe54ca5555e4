"""Which weights suit a question and a passage: by what the encoder reads and by the languages of the two. Pure.

Cosines of one encoder are not those of another; an encoder's vectors of a script that it cannot read are noise, and a
passage in another language than the question's shares names and numbers with it at most.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.ranking import confidence, fitted_languages, fusion
from retrieval.text.languages import LanguagePair


@dataclass(frozen=True, slots=True)
class FittedWeights:
    """What was fitted for a case: a sentence's score is its evidence times `ranking`, plus `offset`.

    `judge` makes probabilities (n,) of evidence about first quotes, (n, len(confidence.EVIDENCE)).
    """

    ranking: NDArray[np.float32]
    offset: float
    judge: Callable[[NDArray[np.float32]], NDArray[np.float32]]


def _named(weights: Mapping[str, float]) -> NDArray[np.float32]:
    """The weights of all evidence and the bias; those that were not fitted are 0."""
    return np.array([weights.get(name, 0.0) for name in (*confidence.EVIDENCE, "bias")], np.float32)


def _read(case: LanguagePair) -> FittedWeights:
    if case is LanguagePair.SHIPPED:
        return FittedWeights(fusion.WEIGHTS, 0.0, confidence.shipped_network())
    own = fitted_languages.FITTED[case.value]
    return FittedWeights(
        np.array([own.ranking[name] for name in fusion.EVIDENCE], np.float32),
        own.offset,
        confidence.Regressions(_named(own.topic), _named(own.answer), np.array(own.calibration, np.float32)),
    )


WEIGHTS = {case: _read(case) for case in LanguagePair}
