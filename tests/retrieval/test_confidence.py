from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from retrieval import confidence, fusion
from retrieval.confidence import calibrated, evidence_of, log_chance, probability
from retrieval.fusion import Evidence


def evidence() -> Evidence:
    """Three passages of a sentence each, the first two of one article; two question words."""
    sentences = np.zeros((3, len(fusion.EVIDENCE)), np.float32)
    sentences[:, fusion.EVIDENCE.index("cosine")] = [0.5, 0.6, 0.2]
    return Evidence(
        sentences=sentences,
        owner=np.array([0, 1, 2]),
        around=np.array([[0.6, 0.1], [0, 0], [0, 0]], np.float32),
        met=np.array([[0.8, 0.2], [0.1, 0.7], [0.4, 0.9]], np.float32),
        exact=np.array([[True, False], [False, False], [True, False]]),
    )


def named(scores: list[float]) -> dict[str, float]:
    found = evidence_of(
        evidence(), np.array(scores, np.float32), np.array([4, 4, 7]), np.array([3, 1], np.float32), 8.0, 2
    )
    return dict(zip(confidence.EVIDENCE, found.round(4).tolist(), strict=True))


def test_the_evidence_is_the_best_sentences_own_and_its_articles() -> None:
    found = named([9, 5, 7.5])
    wanted = {
        "score": 9, "lead": 1.5, "cosine": 0.5, "best cosine": 0.6, "article words": 0.775, "exact": 0.75, "bm25": 2,
        "best passage words": 0.65, "unmet": 0.2, "article unmet": 0.15, "around unmet": 0.3, "absent": 0.25,
        "length": 0.6931, "respelt": 2,
    }  # fmt: skip
    assert {name: round(found[name], 4) for name in wanted} == wanted


def test_a_lead_over_nobody_is_as_long_as_leads_are_counted() -> None:
    alone = evidence_of(
        evidence(), np.array([9, 5, 7], np.float32), np.array([4, 4, 4]), np.array([3, 1], np.float32), 8.0, 0
    )
    assert alone[confidence.EVIDENCE.index("lead")] == 6


def test_without_evidence_nothing_answers() -> None:
    assert probability(np.zeros(0, np.float32)) == 0


@given(st.lists(st.floats(-50, 50, width=32), min_size=len(confidence.EVIDENCE), max_size=len(confidence.EVIDENCE)))
def test_a_probability_lies_between_0_and_1(values: list[float]) -> None:
    assert 0 <= probability(np.array(values, np.float32)) <= 1


def test_a_better_chance_is_never_a_lower_probability() -> None:
    assert (np.diff(calibrated(np.linspace(-20, 0, 50, dtype=np.float32))) >= 0).all()


def test_both_chances_are_needed() -> None:
    none = np.zeros(len(confidence.EVIDENCE) + 1, np.float32)
    sure, unsure = none.copy(), none.copy()
    sure[-1], unsure[-1] = 20, -20
    row = np.zeros((1, len(confidence.EVIDENCE)), np.float32)
    assert np.allclose(log_chance(row, sure, sure), 0, atol=1e-6)
    assert np.allclose(log_chance(row, sure, unsure), -20, atol=1e-3)
    assert np.allclose(log_chance(row, unsure, sure), -20, atol=1e-3)


def test_the_curve_may_be_over_the_log_odds() -> None:
    chances = np.log(np.array([0.2, 0.5, 0.8], np.float32))
    assert np.allclose(confidence.log_odds(chances), np.log([0.25, 1, 4]), atol=1e-5)
    assert np.allclose(calibrated(chances, np.array([1, 0, 1], np.float32)), [0.2, 0.5, 0.8], atol=1e-5)
    assert np.allclose(calibrated(chances, np.array([1, 0], np.float32)), [0.2 / 1.2, 0.5 / 1.5, 0.8 / 1.8], atol=1e-5)
    assert np.isfinite(confidence.log_odds(np.zeros(1, np.float32))).all()
