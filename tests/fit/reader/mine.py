"""What a reader that is there already finds hard: reading costs a tenth of training, so only such pairs are trained on.

    python -m tests.fit.reader.mine GRAPH.onnx EXAMPLES.pkl OUT.pkl

Keeps the examples whose loss is high, a share of the easy ones so that it does not forget them, and leaves out pairs
said to be unanswerable on which it is surest of an answer: many of those do answer.
"""

from __future__ import annotations

import argparse
import pickle
import random
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from tests.fit.reader.data import counts
from tests.fit.reader.examples import Example, Place
from tests.fit.reader.export import Floats, scores, session

HARD, EASY = 0.5, 0.2
"""Kept: a loss above HARD, and of the others this share."""

DOUBTFUL = 6.0
"""A loss of more than this on "not here" is rather an answer that nobody marked."""

ABSURD = 9.0
"""The same for an answer: such labels are mostly wrong."""


def loss(logits: Floats, allowed: Sequence[Place]) -> float:
    """The negative logarithm of what the places allowed get of the softmax."""
    shares = np.exp(logits - logits.max())
    right = sum(float(shares[first : last + 1].sum()) for first, last in dict.fromkeys(allowed))
    return float(-np.log(max(right / float(shares.sum()), 1e-9)))


def losses(graph: Path, examples: Sequence[Example]) -> list[float]:
    """The mean of both losses of each example."""
    read = scores(session(graph), examples)
    return [
        (loss(start, one.starts) + loss(end, one.ends)) / 2 for (start, end), one in zip(read, examples, strict=True)
    ]


def chosen(examples: Sequence[Example], found: Sequence[float], seed: int = 1) -> list[Example]:
    """The examples to train on."""
    rng = random.Random(seed)
    kept = []
    for one, lost in zip(examples, found, strict=True):
        most = DOUBTFUL if one.starts == ((0, 0),) and one.source != "renamed" else ABSURD
        if lost < most and (lost > HARD or rng.random() < EASY):
            kept.append(one)
    return kept


def main() -> None:
    """Read all, choose, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("graph", type=Path)
    parser.add_argument("examples", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--limit", type=int, default=10**9)
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    with asked.examples.open("rb") as file:
        examples: list[Example] = pickle.load(file)
    random.Random(2).shuffle(examples)
    examples = examples[: asked.limit]
    parts = [examples[at : at + 500] for at in range(0, len(examples), 500)]
    with ProcessPoolExecutor(asked.processes) as pool:
        found = [lost for part in pool.map(partial(losses, asked.graph), parts) for lost in part]
    with asked.out.with_suffix(".losses.pkl").open("wb") as file:
        pickle.dump((examples, found), file)
    kept = chosen(examples, found)
    with asked.out.open("wb") as file:
        pickle.dump(kept, file)
    print(f"kept {len(kept)} of {len(examples)}, loss of all {np.mean(found):.3f}: {counts(kept)}")


if __name__ == "__main__":
    main()
