from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from retrieval.ranking import fusion
from retrieval.ranking.fusion import (
    CandidateFeatures,
    best_first,
    candidate_scores,
    max_per_run,
    relative_to_best,
    sentence_evidence,
    sentence_scores,
    smooth_by_article,
)


def floats(*values: float) -> fusion.Floats:
    return np.array(values, np.float32)


def candidates() -> CandidateFeatures:
    """Two passages of a title and two sentences, a word each but for the second title, and two question words."""
    similar = np.array([[0.9, 0.0], [0.2, 0.1], [0.4, 0.8], [0.5, 0.5], [0.1, 0.3]], np.float32)
    return CandidateFeatures(
        similar=similar,
        same=similar > 0.7,
        idf=floats(3, 1),
        edges=np.array([0, 1, 2, 3, 3, 4, 5]),
        owner=np.array([0, 0, 0, 1, 1, 1]),
        titles=np.array([True, False, False, True, False, False]),
        cosine=floats(0, 0.1, 0.2, 0, 0.3, 0.4),
        answer_type_match=floats(0, 1, 0, 0, 0.5, 0),
        heading=np.array([False, False, True, False, False, False]),
        passage_cosine=floats(0.6, 0.7),
        bm25=floats(1, 0.5),
    )


def test_the_evidence_for_a_sentence_is_its_own_its_neighbours_and_its_passages() -> None:
    evidence = sentence_evidence(candidates())
    named = dict(zip(fusion.EVIDENCE, evidence.sentences.T, strict=True))
    expected: dict[str, list[float]] = {
        "words": [0.175, 0.5, 0.5, 0.15],
        "around": [0.45, 0.5, 0.5, 0.5],
        "passage words": [0.875, 0.875, 0.5, 0.5],
        "exact": [0, 0.25, 0, 0],
        "passage exact": [1, 1, 0, 0],
        "cosine": [0.1, 0.2, 0.3, 0.4],
        "passage cosine": [0.6, 0.6, 0.7, 0.7],
        "bm25": [1, 1, 0.5, 0.5],
        "kind": [1, 0, 0.5, 0],
        "weakest": [0.9, 0.9, 0.5, 0.5],
        "heading": [0, 1, 0, 0],
    }
    assert set(named) == set(expected)
    for name, values in expected.items():
        assert np.allclose(named[name], values, atol=1e-6), name
    assert evidence.owner.tolist() == [0, 0, 1, 1]
    assert evidence.passage_match.tolist() == floats(0.9, 0.8, 0.5, 0.5).reshape(2, 2).tolist()
    assert evidence.passage_exact.tolist() == [[True, True], [False, False]]
    assert evidence.neighbourhood_match.shape == (4, 2)


def test_the_best_of_an_empty_run_is_zero() -> None:
    values = np.array([[1, -2], [3, -4]], np.float32)
    assert max_per_run(values, np.array([0, 0, 2, 2])).tolist() == [[0, 0], [3, -2], [0, 0]]
    assert max_per_run(values[:0], np.array([0, 0])).tolist() == [[0, 0]]


@given(st.lists(st.sampled_from([0.0, 0.25, 0.5]), max_size=12))
def test_best_first_orders_equal_scores_by_position(values: list[float]) -> None:
    scores = np.array(values, np.float32)
    assert best_first(scores).tolist() == sorted(range(len(values)), key=lambda at: (-values[at], at))


def test_the_first_ranking_adds_cosine_and_relative_bm25() -> None:
    assert np.allclose(candidate_scores(floats(1, 0), floats(2, 4)), [0.55 + 0.125, 0.25])
    assert relative_to_best(floats(0, 0)).tolist() == [0, 0]
    assert relative_to_best(floats()).tolist() == []


def test_a_sentences_score_is_the_weighted_sum_of_its_evidence() -> None:
    ones = np.ones((1, len(fusion.EVIDENCE)), np.float32)
    assert np.allclose(sentence_scores(ones, np.arange(len(fusion.EVIDENCE), dtype=np.float32)), 55)


def test_smoothing_moves_scores_towards_the_best_of_their_article() -> None:
    scores, articles = floats(4, 2, 1), np.array([7, 7, 3])
    assert np.allclose(smooth_by_article(scores, articles, 0.25), [4, 2.5, 1])
    assert np.allclose(smooth_by_article(scores, articles, 0), scores)
