"""Evidence to the probability that the first quote answers, and the decision taken from it. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping

THRESHOLD = 0.5
"""Answer at and above this probability. Higher declines more: fewer wrong answers, more missed ones."""

BIAS = -7.5
WEIGHTS = {"cosine": 5.0, "sentence": 4.0, "covered": 5.0}


def probability(evidence: Mapping[str, float]) -> float:
    """The probability that the first quote answers; 0 without evidence."""
    if not evidence:
        return 0.0
    logit = BIAS + sum(weight * evidence[name] for name, weight in WEIGHTS.items())
    return 1 / (1 + math.exp(-logit))
