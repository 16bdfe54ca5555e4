"""Fits ranking weights, logistic regressions and the confidence network by gradient descent. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from retrieval.ranking import confidence
from tests.fit.examples import Judged, Ranked

Floats = NDArray[np.float32]

HIDDEN, DRAWS = 16, 4
"""A network of so many units is fitted from so many random starts, and all are served as one, averaged."""


def descend(slope: Callable[[Floats], Floats], start: Floats, *, steps: int = 800, rate: float = 0.05) -> Floats:
    """A low point of a smooth function by Adam (Kingma and Ba 2015), with a falling rate; convex ones' lowest."""
    at, mean, square = start.astype(np.float64), np.zeros(len(start)), np.zeros(len(start))
    for step in range(1, steps + 1):
        down = slope(at.astype(np.float32)).astype(np.float64)
        mean, square = 0.9 * mean + 0.1 * down, 0.999 * square + 0.001 * down**2
        scaled = mean / (1 - 0.9**step) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
        at -= rate * (1 - (step - 1) / steps) * scaled
    return at.astype(np.float32)


def fit_ranking(rows: Sequence[Ranked], *, decay: float = 6e-3) -> Floats:
    """Weights under which the answering sentences get most of a softmax over the candidates."""
    every = np.concatenate([row.evidence for row in rows])
    scale = every.std(axis=0) + 1e-6
    edges = np.cumsum([0, *(len(row.evidence) for row in rows)])[:-1]
    owner = np.repeat(np.arange(len(rows)), [len(row.evidence) for row in rows])
    answers = np.concatenate([row.answers for row in rows])
    scaled = every / scale

    def slope(weights: Floats) -> Floats:
        scores = scaled @ weights
        shares = np.exp(scores - np.maximum.reduceat(scores, edges)[owner])
        shares /= np.add.reduceat(shares, edges)[owner]
        right = np.where(answers, shares, 0)
        right /= np.maximum(np.add.reduceat(right, edges)[owner], 1e-12)
        return np.asarray(scaled.T @ (shares - right) / len(rows) + decay * weights, np.float32)

    return np.asarray(descend(slope, np.zeros(every.shape[1], np.float32)) / scale, np.float32)


def fit_logistic(evidence: Floats, right: Floats, weight: Floats, *, decay: float) -> Floats:
    """A logistic regression's weights and, last, its bias; `weight` (n,) says how much each row counts."""
    centre, scale = evidence.mean(axis=0), evidence.std(axis=0) + np.float32(1e-6)
    scaled = np.concatenate([(evidence - centre) / scale, np.ones((len(evidence), 1), np.float32)], axis=1)
    share = weight / weight.sum()
    held = np.append(np.full(evidence.shape[1], decay, np.float32), np.float32(0))

    def slope(weights: Floats) -> Floats:
        chance = 1 / (1 + np.exp(-(scaled @ weights)))
        return np.asarray(scaled.T @ (share * (chance - right)) + held * weights, np.float32)

    found = descend(slope, np.zeros(scaled.shape[1], np.float32))
    weights = found[:-1] / scale
    return np.append(weights, found[-1] - centre @ weights).astype(np.float32)


def fit_network(rows: Sequence[Judged], *, decay: float = 2e-3) -> confidence.Network:
    """A network under which what answers has high odds; its weights are kept small."""
    evidence = np.stack([row.evidence for row in rows])
    right = np.array([row.right for row in rows], np.float32)
    share = np.array([row.counts for row in rows], np.float32)
    share /= share.sum()
    centre, scale = evidence.mean(axis=0), np.maximum(evidence.std(axis=0), np.float32(1e-3))
    scaled = np.clip((evidence - centre) / scale, -confidence.MAX_DEVIATIONS, confidence.MAX_DEVIATIONS)
    size = scaled.shape[1]
    edges = np.cumsum([size, size * HIDDEN, HIDDEN, HIDDEN])
    held = np.repeat(np.array([decay, decay, 0, decay, 0], np.float32), [size, size * HIDDEN, HIDDEN, HIDDEN, 1])

    def slope(weights: Floats) -> Floats:
        direct, hidden, shift, out, bias = np.split(weights, edges)
        bent = np.tanh(scaled @ hidden.reshape(size, HIDDEN) + shift)
        wrong = share * (1 / (1 + np.exp(-(scaled @ direct + bent @ out + bias))) - right)
        back = wrong[:, None] * out * (1 - bent**2)
        down = (scaled.T @ wrong, (scaled.T @ back).ravel(), back.sum(axis=0), bent.T @ wrong, wrong.sum(keepdims=True))
        return np.asarray(np.concatenate(down) + held * weights, np.float32)

    draws = []
    for seed in range(DRAWS):
        start = np.zeros(edges[-1] + 1, np.float32)
        random = np.random.default_rng(seed)
        start[edges[0] : edges[2]] = random.uniform(-1, 1, edges[2] - edges[0]) / np.sqrt(size)
        start[edges[2] : edges[3]] = random.uniform(-1, 1, HIDDEN) / np.sqrt(HIDDEN)
        draws.append(np.split(descend(slope, start, steps=400, rate=0.03), edges))
    direct, hidden, shift, out, bias = zip(*draws, strict=True)
    return confidence.Network(
        centre=centre,
        scale=scale,
        direct=np.mean(direct, axis=0),
        hidden=np.concatenate([one.reshape(size, HIDDEN) for one in hidden], axis=1),
        shift=np.concatenate(shift),
        out=(np.concatenate(out) / DRAWS).astype(np.float32),
        bias=float(np.mean(bias)),
    )
