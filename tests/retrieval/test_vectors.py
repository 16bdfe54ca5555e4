from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from retrieval import vectors
from retrieval.vectors import VectorIndex


def unit(count: int, dim: int, seed: int = 0) -> vectors.Floats:
    found = np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), np.float32)


@pytest.fixture
def index(tmp_path: Path) -> VectorIndex:
    rows = unit(100, 8)
    vectors.save(tmp_path / "vectors.faiss", [rows[:30], rows[30:]], 8)
    return VectorIndex.open(tmp_path / "vectors.faiss")


def test_search_finds_what_comparing_with_every_vector_finds(index: VectorIndex) -> None:
    everything = unit(100, 8)
    for question in unit(20, 8, seed=1):
        rows, scores = index.search(question, 10)
        cosines = everything @ question
        assert rows.tolist() == np.lexsort((np.arange(100), -cosines))[:10].tolist()
        assert np.allclose(scores, cosines[rows], atol=1e-6)


def test_only_allowed_rows_are_found(index: VectorIndex) -> None:
    allowed = np.array([5, 17, 80], np.int64)
    rows, _ = index.search(unit(1, 8, seed=2)[0], 10, allowed)
    assert sorted(rows.tolist()) == [5, 17, 80]
    assert index.search(unit(1, 8)[0], 10, np.empty(0, np.int64))[0].tolist() == []


def test_equal_scores_are_ordered_by_row(tmp_path: Path) -> None:
    vectors.save(tmp_path / "same", [np.tile(unit(1, 8), (6, 1))], 8)
    rows, _ = VectorIndex.open(tmp_path / "same").search(unit(1, 8)[0], 6)
    assert rows.tolist() == [0, 1, 2, 3, 4, 5]


def test_vectors_are_given_back_as_they_were_saved(index: VectorIndex) -> None:
    assert np.array_equal(index.take(np.array([3, 99], np.int64)), unit(100, 8)[[3, 99]])
    assert index.take(np.empty(0, np.int64)).shape == (0, 8)


def test_an_empty_index_finds_nothing(tmp_path: Path) -> None:
    assert vectors.save(tmp_path / "empty", [], 8) == 0
    index = VectorIndex.open(tmp_path / "empty")
    assert index.search(unit(1, 8)[0], 5)[0].tolist() == []


def test_a_file_that_is_no_index_says_so(tmp_path: Path) -> None:
    (tmp_path / "no").write_bytes(b"not an index at all")
    with pytest.raises(OSError, match="faiss cannot read no"):
        VectorIndex.open(tmp_path / "no")
