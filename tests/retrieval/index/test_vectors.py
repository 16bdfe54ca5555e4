from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from retrieval.index import vectors
from retrieval.index.vectors import VectorIndex, VectorSearchSettings


def unit_vectors(count: int, dim: int, seed: int = 0) -> vectors.Floats:
    found = np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), np.float32)


@pytest.fixture
def index() -> VectorIndex:
    return VectorIndex(unit_vectors(100, 8))


def test_search_equals_brute_force(index: VectorIndex) -> None:
    everything = unit_vectors(100, 8)
    for question in unit_vectors(20, 8, seed=1):
        rows, scores = index.search(question, 10)
        cosines = everything @ question
        assert rows.tolist() == np.lexsort((np.arange(100), -cosines))[:10].tolist()
        assert np.allclose(scores, cosines[rows], atol=1e-6)


def test_only_allowed_rows_are_found(index: VectorIndex) -> None:
    allowed = np.isin(np.arange(100), [5, 17, 80])
    rows, _ = index.search(unit_vectors(1, 8, seed=2)[0], 10, allowed)
    assert sorted(rows.tolist()) == [5, 17, 80]
    assert index.search(unit_vectors(1, 8)[0], 10, np.zeros(100, np.bool_))[0].tolist() == []


def test_equal_scores_are_ordered_by_row() -> None:
    rows, _ = VectorIndex(np.tile(unit_vectors(1, 8), (6, 1))).search(unit_vectors(1, 8)[0], 6)
    assert rows.tolist() == [0, 1, 2, 3, 4, 5]


def test_vectors_come_back_unchanged(index: VectorIndex) -> None:
    assert np.array_equal(index.take(np.array([3, 99], np.int64)), unit_vectors(100, 8)[[3, 99]])
    assert index.take(np.empty(0, np.int64)).shape == (0, 8)


def test_an_empty_index_finds_nothing() -> None:
    assert VectorIndex(unit_vectors(0, 8)).search(unit_vectors(1, 8)[0], 5)[0].tolist() == []


def test_few_vectors_need_no_file(tmp_path: Path) -> None:
    assert vectors.build(
        tmp_path / "nearest.faiss", unit_vectors(100, 8), unit_vectors(5, 8, seed=1)
    ) == VectorSearchSettings("flat", 0, 1.0)
    assert not (tmp_path / "nearest.faiss").exists()


@pytest.fixture(scope="module")
def inverted_file(tmp_path_factory: pytest.TempPathFactory) -> tuple[vectors.Floats, Path, VectorSearchSettings]:
    """More vectors than are all compared, in clusters as those of real texts are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vectors, "MAX_FLAT", 5_000)
        rows = clustered_vectors(12_000)
        path = tmp_path_factory.mktemp("many") / "nearest.faiss"
        return rows, path, vectors.build(path, rows, clustered_vectors(100, seed=1))


def clustered_vectors(count: int, seed: int = 0) -> vectors.Floats:
    draw = np.random.default_rng(seed)
    near = unit_vectors(200, 16, seed=9)[draw.integers(0, 200, count)] + 0.2 * draw.normal(size=(count, 16))
    return np.asarray(near / np.linalg.norm(near, axis=1, keepdims=True), np.float32)


def test_an_inverted_file_reaches_the_recall_it_states(
    inverted_file: tuple[vectors.Floats, Path, VectorSearchSettings],
) -> None:
    rows, path, settings = inverted_file
    assert settings.index == "IVF512,SQ8"
    assert vectors.RECALL <= settings.recall <= 1
    index = VectorIndex.open(path, rows, settings)
    found = 0
    for question in clustered_vectors(50, seed=2):
        cosines = rows @ question
        nearest, scores = index.search(question, 10)
        found += len(set(nearest.tolist()) & set(np.argsort(-cosines)[:10].tolist()))
        assert np.allclose(scores, cosines[nearest], atol=1e-6)
    assert found >= 0.98 * 50 * 10


def test_reading_in_blocks_builds_the_same_index_and_releases_pages(
    inverted_file: tuple[vectors.Floats, Path, VectorSearchSettings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, path, settings = inverted_file
    monkeypatch.setattr(vectors, "MAX_FLAT", 5_000)
    monkeypatch.setattr(vectors, "_BLOCK_ROWS", 1_000)
    given_back: list[None] = []
    again = vectors.build(
        tmp_path / "nearest.faiss", rows, clustered_vectors(100, seed=1), release=lambda: given_back.append(None)
    )
    assert again == settings
    assert (tmp_path / "nearest.faiss").read_bytes() == path.read_bytes()
    assert len(given_back) >= 3 * 12 + 100, "of three readings each block, then each question's few"


def test_only_allowed_rows_are_found_in_an_inverted_file(
    inverted_file: tuple[vectors.Floats, Path, VectorSearchSettings],
) -> None:
    rows, path, settings = inverted_file
    index = VectorIndex.open(path, rows, settings)
    question = clustered_vectors(1, seed=3)[0]
    for share in (0.001, 0.1, 0.6):
        allowed = np.random.default_rng(4).random(len(rows)) < share
        exact = np.argsort(-np.where(allowed, rows @ question, -2))[:10]
        nearest, _ = index.search(question, 10, allowed)
        assert allowed[nearest].all()
        assert len(set(nearest.tolist()) & set(exact.tolist())) >= 9


def test_a_file_that_is_not_an_index_is_refused(tmp_path: Path) -> None:
    (tmp_path / "no").write_bytes(b"not an index at all")
    with pytest.raises(OSError, match="faiss cannot read no"):
        VectorIndex.open(tmp_path / "no", unit_vectors(1, 8), VectorSearchSettings("IVF512,SQ8", 8, 0.99))
