"""How much a reader that is there already loses on each example: reading costs a tenth of training.

python -m tests.fit.reader.mine GRAPH.onnx EXAMPLES.pkl LOSSES.pkl
"""

from __future__ import annotations

import argparse
import pickle
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from tests.fit.reader.examples import Example, Place
from tests.fit.reader.export import Floats, scores, session


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


def main() -> None:
    """Read all and write the examples with their losses."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("graph", type=Path)
    parser.add_argument("examples", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    examples: list[Example] = pickle.loads(asked.examples.read_bytes())
    parts = [examples[at : at + 500] for at in range(0, len(examples), 500)]
    with ProcessPoolExecutor(asked.processes) as pool:
        found = [lost for part in pool.map(partial(losses, asked.graph), parts) for lost in part]
    asked.out.write_bytes(pickle.dumps((examples, found)))
    print(f"{len(examples)} examples, mean loss {np.mean(found):.3f}, median {np.median(found):.3f}")


if __name__ == "__main__":
    main()
