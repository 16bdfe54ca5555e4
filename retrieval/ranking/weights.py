"""The fitted weights for each pair of question and passage languages, read from fitted/ when first needed.

Cosines of one encoder cannot be compared with those of another; an encoder's vectors of a script that it cannot read
are noise, and a passage in another language than the question's shares names and numbers with it at most. So each pair
has weights of its own.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.ranking import confidence, fusion
from retrieval.text.languages import LanguagePair

FITTED = Path(__file__).with_name("fitted")
"""A JSON file for each language pair, written by tests/fit; not to be edited by hand."""


@dataclass(frozen=True, slots=True)
class FittedWeights:
    """What was fitted for a language pair: a sentence's score is its evidence times `ranking`, plus `offset`.

    `confidence` turns evidence about first quotes, (n, len(confidence.EVIDENCE)), into probabilities, (n,).
    """

    ranking: NDArray[np.float32]
    offset: float
    confidence: Callable[[NDArray[np.float32]], NDArray[np.float32]]


@functools.cache
def fitted_weights(languages: LanguagePair) -> FittedWeights:
    """The weights of a language pair; its file is read once."""
    fitted = read_fitted(languages)
    ranking = np.array([fitted["ranking"][name] for name in fusion.EVIDENCE], np.float32)
    if languages is LanguagePair.SHIPPED:
        parts = ("centre", "scale", "direct", "hidden", "shift", "out")
        network = confidence.Network(
            bias=fitted["bias"], **{name: np.array(fitted[name], np.float32) for name in parts}
        )
        return FittedWeights(ranking, 0.0, network)
    regressions = confidence.RegressionProduct(
        _by_evidence(fitted["topic"]), _by_evidence(fitted["answer"]), np.array(fitted["calibration"], np.float32)
    )
    return FittedWeights(ranking, fitted["offset"], regressions)


@functools.cache
def read_confidence() -> confidence.ReadConfidence:
    """What was fitted for quotes that a reader read, whatever their language pair; its file is read once."""
    return confidence.ReadConfidence(**json.loads((FITTED / "reading.json").read_text(encoding="utf-8")))


def read_fitted(languages: LanguagePair) -> dict[str, Any]:
    """The numbers that tests/fit wrote for a language pair, by name."""
    fitted: dict[str, Any] = json.loads((FITTED / f"{languages}.json").read_text(encoding="utf-8"))
    return fitted


def _by_evidence(weights: Mapping[str, float]) -> NDArray[np.float32]:
    """The weights in the order of `confidence.EVIDENCE`, then the bias; those that were not fitted are 0."""
    return np.array([weights.get(name, 0.0) for name in (*confidence.EVIDENCE, "bias")], np.float32)
