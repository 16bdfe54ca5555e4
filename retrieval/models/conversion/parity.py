"""How close a converted model is to its original: one is kept only where the difference does not matter."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retrieval.models.encoder import unit_rows
from retrieval.models.manifest import Parity

# all-MiniLM-L6-v2 as int8 with one scale per channel reaches .993, .981 and .994 on the parity texts.
LEAST_PARITY = Parity(mean=0.98, least=0.95, ranking=0.97)


def compare(
    reference_queries: NDArray[np.float32],
    reference_passages: NDArray[np.float32],
    queries: NDArray[np.float32],
    passages: NDArray[np.float32],
) -> Parity:
    """How close the converted model's vectors are to the original's; all are (n, dim) float32 with unit rows.

    `ranking` is taken over all questions and all pairs of passages whose cosines the original puts more than 0.02
    apart: the share that the converted model puts in the same order.
    """
    cosines = np.concatenate([(reference_queries * queries).sum(1), (reference_passages * passages).sum(1)])
    return _parity(cosines, reference_queries @ reference_passages.T, queries @ passages.T, margin=0.02)


def compare_scores(reference: NDArray[np.float32], scores: NDArray[np.float32]) -> Parity:
    """How close the converted model's scores are to the original's, both (questions, passages) float32.

    In place of cosines it takes the correlation of each question's scores, which does not change when all passages of
    a question gain the same amount. `ranking` is taken over the pairs that are more than .14 standard deviations of
    the scores apart; .02 is the same share of the standard deviation of the shipped model's cosines.
    """
    centred_reference, centred = (unit_rows(rows - rows.mean(axis=1, keepdims=True)) for rows in (reference, scores))
    return _parity((centred_reference * centred).sum(axis=1), reference, scores, margin=0.14 * float(reference.std()))


def _parity(
    similarities: NDArray[np.float32], expected: NDArray[np.float32], actual: NDArray[np.float32], *, margin: float
) -> Parity:
    distinct = expected[:, :, None] - expected[:, None, :] > margin
    differences = actual[:, :, None] - actual[:, None, :]
    ranking = float((differences[distinct] > 0).mean()) if distinct.any() else 1.0
    return Parity(
        mean=round(float(similarities.mean()), 5), least=round(float(similarities.min()), 5), ranking=round(ranking, 5)
    )


def is_close_enough(parity: Parity) -> bool:
    """Whether a converted model is close enough to its original to be used."""
    return (
        parity.mean >= LEAST_PARITY.mean
        and parity.least >= LEAST_PARITY.least
        and parity.ranking >= LEAST_PARITY.ranking
    )


def parity_texts() -> tuple[list[str], list[str]]:
    """The fixed questions and passages on which a converted model is compared with its original."""
    record = json.loads(Path(__file__).with_name("parity.json").read_text(encoding="utf-8"))
    return record["questions"], record["passages"]
