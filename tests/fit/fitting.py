"""Fits ranking weights, logistic regressions and the confidence network by gradient descent. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from retrieval.ranking import confidence
from tests.fit.examples import ConfidenceExample, RankingExample

Floats = NDArray[np.float32]

HIDDEN_UNITS, RANDOM_STARTS = 16, 4
"""Networks of so many hidden units are fitted from so many random starts and averaged into one."""


def minimize(gradient: Callable[[Floats], Floats], start: Floats, *, steps: int = 800, rate: float = 0.05) -> Floats:
    """A local minimum by Adam (Kingma and Ba 2015) with a falling rate; of a convex function the minimum.

    `gradient` gives the function's gradient at a point.
    """
    point, mean, square = start.astype(np.float64), np.zeros(len(start)), np.zeros(len(start))
    for step in range(1, steps + 1):
        step_gradient = gradient(point.astype(np.float32)).astype(np.float64)
        mean, square = 0.9 * mean + 0.1 * step_gradient, 0.999 * square + 0.001 * step_gradient**2
        scaled = mean / (1 - 0.9**step) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
        point -= rate * (1 - (step - 1) / steps) * scaled
    return point.astype(np.float32)


def fit_ranking(examples: Sequence[RankingExample], *, decay: float = 6e-3) -> Floats:
    """Ranking weights under which a softmax over the candidate sentences gives the most to those that answer."""
    evidence = np.concatenate([example.evidence for example in examples])
    scale = evidence.std(axis=0) + 1e-6
    edges = np.cumsum([0, *(len(example.evidence) for example in examples)])[:-1]
    owner = np.repeat(np.arange(len(examples)), [len(example.evidence) for example in examples])
    answers = np.concatenate([example.answers for example in examples])
    scaled = evidence / scale

    def gradient(weights: Floats) -> Floats:
        scores = scaled @ weights
        shares = np.exp(scores - np.maximum.reduceat(scores, edges)[owner])
        shares /= np.add.reduceat(shares, edges)[owner]
        right = np.where(answers, shares, 0)
        right /= np.maximum(np.add.reduceat(right, edges)[owner], 1e-12)
        return np.asarray(scaled.T @ (shares - right) / len(examples) + decay * weights, np.float32)

    return np.asarray(minimize(gradient, np.zeros(evidence.shape[1], np.float32)) / scale, np.float32)


def fit_logistic(evidence: Floats, right: Floats, weight: Floats, *, decay: float) -> Floats:
    """The weights of a logistic regression and, last, its bias; `weight` (n,) says how much each example counts."""
    centre, scale = evidence.mean(axis=0), evidence.std(axis=0) + np.float32(1e-6)
    scaled = np.concatenate([(evidence - centre) / scale, np.ones((len(evidence), 1), np.float32)], axis=1)
    share = weight / weight.sum()
    penalty = np.append(np.full(evidence.shape[1], decay, np.float32), np.float32(0))

    def gradient(weights: Floats) -> Floats:
        probability = 1 / (1 + np.exp(-(scaled @ weights)))
        return np.asarray(scaled.T @ (share * (probability - right)) + penalty * weights, np.float32)

    found = minimize(gradient, np.zeros(scaled.shape[1], np.float32))
    weights = found[:-1] / scale
    return np.append(weights, found[-1] - centre @ weights).astype(np.float32)


def fit_network(examples: Sequence[ConfidenceExample], *, decay: float = 2e-3) -> confidence.Network:
    """The confidence network, fitted by logistic loss with weight decay and averaged over random starts."""
    evidence = np.stack([example.evidence for example in examples])
    right = np.array([example.right for example in examples], np.float32)
    share = np.array([example.fitting_weight for example in examples], np.float32)
    share /= share.sum()
    centre, scale = evidence.mean(axis=0), np.maximum(evidence.std(axis=0), np.float32(1e-3))
    scaled = np.clip((evidence - centre) / scale, -confidence.MAX_DEVIATIONS, confidence.MAX_DEVIATIONS)
    size = scaled.shape[1]
    edges = np.cumsum([size, size * HIDDEN_UNITS, HIDDEN_UNITS, HIDDEN_UNITS])
    penalty = np.repeat(
        np.array([decay, decay, 0, decay, 0], np.float32), [size, size * HIDDEN_UNITS, HIDDEN_UNITS, HIDDEN_UNITS, 1]
    )

    def gradient(weights: Floats) -> Floats:
        direct, hidden, shift, out, bias = np.split(weights, edges)
        activation = np.tanh(scaled @ hidden.reshape(size, HIDDEN_UNITS) + shift)
        error = share * (1 / (1 + np.exp(-(scaled @ direct + activation @ out + bias))) - right)
        back = error[:, None] * out * (1 - activation**2)
        parts = (
            scaled.T @ error,
            (scaled.T @ back).ravel(),
            back.sum(axis=0),
            activation.T @ error,
            error.sum(keepdims=True),
        )
        return np.asarray(np.concatenate(parts) + penalty * weights, np.float32)

    fits = []
    for seed in range(RANDOM_STARTS):
        start = np.zeros(edges[-1] + 1, np.float32)
        random = np.random.default_rng(seed)
        start[edges[0] : edges[2]] = random.uniform(-1, 1, edges[2] - edges[0]) / np.sqrt(size)
        start[edges[2] : edges[3]] = random.uniform(-1, 1, HIDDEN_UNITS) / np.sqrt(HIDDEN_UNITS)
        fits.append(np.split(minimize(gradient, start, steps=400, rate=0.03), edges))
    direct, hidden, shift, out, bias = zip(*fits, strict=True)
    return confidence.Network(
        centre=centre,
        scale=scale,
        direct=np.mean(direct, axis=0),
        hidden=np.concatenate([one.reshape(size, HIDDEN_UNITS) for one in hidden], axis=1),
        shift=np.concatenate(shift),
        out=(np.concatenate(out) / RANDOM_STARTS).astype(np.float32),
        bias=float(np.mean(bias)),
    )
