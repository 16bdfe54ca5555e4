"""How close a converted model is to its original: one is kept only where the difference does not matter."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retrieval.models.encoder import unit_rows
from retrieval.models.manifest import Parity

# all-MiniLM-L6-v2 as int8 per channel reaches .993, .981 and .994 on these texts.
LEAST_PARITY = Parity(mean=0.98, least=0.95, ranking=0.97)


def compare(
    reference_queries: NDArray[np.float32],
    reference_passages: NDArray[np.float32],
    queries: NDArray[np.float32],
    passages: NDArray[np.float32],
) -> Parity:
    """How near served vectors are to the reference's; all are (n, dim) float32 with unit rows.

    `ranking` counts, over all questions, the passage pairs that the reference tells apart by more than 0.02 and that
    both put in the same order.
    """
    cosines = np.concatenate([(reference_queries * queries).sum(1), (reference_passages * passages).sum(1)])
    return _parity(cosines, reference_queries @ reference_passages.T, queries @ passages.T, apart=0.02)


def compare_scores(reference: NDArray[np.float32], scores: NDArray[np.float32]) -> Parity:
    """How near served scores are to the reference's, both (questions, passages) float32.

    Correlations of each question's scores take the place of cosines: what is the same for all of a question's passages
    moves none of them. `ranking` counts the pairs that are more than .14 of the scores' standard deviation apart, which
    .02 is of that of the shipped model's cosines.
    """
    centred, found = (unit_rows(rows - rows.mean(axis=1, keepdims=True)) for rows in (reference, scores))
    return _parity((centred * found).sum(axis=1), reference, scores, apart=0.14 * float(reference.std()))


def _parity(
    likeness: NDArray[np.float32], expected: NDArray[np.float32], got: NDArray[np.float32], *, apart: float
) -> Parity:
    told = expected[:, :, None] - expected[:, None, :] > apart
    found = got[:, :, None] - got[:, None, :]
    ranking = float((found[told] > 0).mean()) if told.any() else 1.0
    return Parity(
        mean=round(float(likeness.mean()), 5), least=round(float(likeness.min()), 5), ranking=round(ranking, 5)
    )


def is_close_enough(parity: Parity) -> bool:
    """Whether a served model is near enough to its source to be kept."""
    return (
        parity.mean >= LEAST_PARITY.mean
        and parity.least >= LEAST_PARITY.least
        and parity.ranking >= LEAST_PARITY.ranking
    )


def parity_texts() -> tuple[list[str], list[str]]:
    """The fixed questions and passages that served models are compared on."""
    record = json.loads(Path(__file__).with_name("parity.json").read_text(encoding="utf-8"))
    return record["questions"], record["passages"]
