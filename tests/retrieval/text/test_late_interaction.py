from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from corpus.article import Span
from retrieval.models.encoder import unit_rows
from retrieval.text.late_interaction import WORD_DIM, projection, quantise, similarities, term_keys, word_vectors


def random_unit_rows(rows: int, dim: int, seed: int = 0) -> NDArray[np.float32]:
    return unit_rows(np.random.default_rng(seed).standard_normal((rows, dim)).astype(np.float32))


def test_the_projection_never_changes() -> None:
    signs = (projection(384) > 0)[:2, :8].astype(int).tolist()
    assert projection(384).shape == (384, WORD_DIM)
    assert signs == [[1, 0, 1, 0, 1, 1, 0, 0], [0, 0, 1, 1, 0, 1, 0, 1]]


def test_a_words_vector_is_the_mean_of_its_tokens_and_zeros_without_any() -> None:
    tokens = random_unit_rows(3, 384)
    offsets = np.array([[0, 3], [3, 6], [9, 12]], np.int32)
    first, without_tokens, last = word_vectors([Span(0, 6), Span(7, 8), Span(9, 12)], tokens, offsets)
    mean = (tokens[0] + tokens[1]) @ projection(384)
    assert np.allclose(first, mean / np.linalg.norm(mean), atol=1e-6)
    assert not without_tokens.any()
    assert np.allclose(last, unit_rows(tokens[2:] @ projection(384))[0], atol=1e-6)


def test_a_basis_replaces_the_projection() -> None:
    tokens = random_unit_rows(2, 384)
    basis = np.linalg.qr(random_unit_rows(384, WORD_DIM, seed=1))[0]
    found = word_vectors([Span(0, 3), Span(4, 6)], tokens, np.array([[0, 3], [4, 6]], np.int32), basis)
    assert np.allclose(found, unit_rows(tokens @ basis), atol=1e-6)


def test_a_token_between_words_belongs_to_neither() -> None:
    tokens = random_unit_rows(2, 32)
    found = word_vectors([Span(0, 2), Span(4, 6)], tokens, np.array([[0, 2], [3, 4]], np.int32))
    assert found.any(axis=1).tolist() == [True, False]


def test_without_tokens_vectors_are_zeros_and_without_words_there_are_none() -> None:
    assert not word_vectors([Span(0, 2)], np.empty((0, 8), np.float32), np.empty((0, 2), np.int32)).any()
    assert word_vectors([], random_unit_rows(2, 8), np.array([[0, 1], [1, 2]], np.int32)).shape == (0, WORD_DIM)


@given(st.integers(1, 20), st.sampled_from([32, 128, 384]))
def test_quantised_vectors_nearly_keep_their_cosines(seed: int, dim: int) -> None:
    rows, question = random_unit_rows(20, dim, seed), random_unit_rows(5, dim, seed + 1)
    assert np.allclose(similarities(quantise(rows), question), rows @ question.T, atol=0.03)


def test_equal_terms_have_equal_keys() -> None:
    assert term_keys(["olive", "oil", "olive"]).tolist() == [2936792114, 1290905746, 2936792114]
    assert term_keys([]).tolist() == []
