from __future__ import annotations

import numpy as np
import pytest

from retrieval.models.conversion.parity import LEAST_PARITY, compare, compare_scores, is_close_enough, parity_texts
from retrieval.models.encoder import unit_rows
from retrieval.models.manifest import Parity


def test_equal_vectors_are_in_full_parity() -> None:
    rows = unit_rows(np.random.default_rng(1).standard_normal((9, 8)).astype(np.float32))
    assert compare(rows[:3], rows[3:], rows[:3], rows[3:]) == Parity(1.0, 1.0, 1.0)


def test_parity_sees_a_single_bad_vector_and_a_swapped_ranking() -> None:
    queries = np.array([[1, 0]], np.float32)
    passages = np.array([[1, 0], [0, 1]], np.float32)
    assert compare(queries, passages, queries, passages[::-1]) == Parity(0.33333, 0.0, 0.0)


def test_scores_are_alike_but_for_what_a_questions_passages_share() -> None:
    scores = np.random.default_rng(1).standard_normal((4, 6)).astype(np.float32)
    assert compare_scores(scores, scores + np.arange(4, dtype=np.float32)[:, None]) == Parity(1.0, 1.0, 1.0)


def test_parity_sees_scores_that_are_turned_round() -> None:
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
def test_a_model_is_kept_from_the_stated_bounds_on(parity: Parity, *, kept: bool) -> None:
    assert is_close_enough(parity) is kept


def test_the_parity_texts_are_many_and_differ() -> None:
    questions, passages = parity_texts()
    assert (len(set(questions)), len(set(passages))) == (16, 24)
