from __future__ import annotations

import numpy as np
import pytest

from retrieval.models.conversion.parity import LEAST_PARITY, compare, compare_scores, is_close_enough, parity_texts
from retrieval.models.encoder import unit_rows
from retrieval.models.manifest import Parity


def test_equal_vectors_have_full_parity() -> None:
    rows = unit_rows(np.random.default_rng(1).standard_normal((9, 8)).astype(np.float32))
    assert compare(rows[:3], rows[3:], rows[:3], rows[3:]) == Parity(1.0, 1.0, 1.0)


def test_parity_sees_a_single_bad_vector_and_a_swapped_ranking() -> None:
    queries = np.array([[1, 0]], np.float32)
    passages = np.array([[1, 0], [0, 1]], np.float32)
    assert compare(queries, passages, queries, passages[::-1]) == Parity(0.33333, 0.0, 0.0)


def test_adding_a_constant_to_a_questions_scores_changes_no_parity() -> None:
    scores = np.random.default_rng(1).standard_normal((4, 6)).astype(np.float32)
    assert compare_scores(scores, scores + np.arange(4, dtype=np.float32)[:, None]) == Parity(1.0, 1.0, 1.0)


def test_parity_sees_reversed_scores() -> None:
    scores = np.array([[1, 2, 3], [1, 2, 3]], np.float32)
    assert compare_scores(scores, np.array([[1, 2, 3], [3, 2, 1]], np.float32)) == Parity(0.0, -1.0, 0.5)


@pytest.mark.parametrize(
    ("parity", "kept"),
    [
        (LEAST_PARITY, True),
        (Parity(0.979, 1.0, 1.0), False),
        (Parity(1.0, 0.949, 1.0), False),
        (Parity(1.0, 1.0, 0.969), False),
    ],
)
def test_a_model_is_close_enough_from_the_bounds_on(parity: Parity, *, kept: bool) -> None:
    assert is_close_enough(parity) is kept


def test_there_are_16_questions_and_24_passages_for_parity() -> None:
    questions, passages = parity_texts()
    assert (len(set(questions)), len(set(passages))) == (16, 24)
