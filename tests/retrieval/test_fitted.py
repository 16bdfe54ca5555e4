from __future__ import annotations

from math import isfinite

from retrieval import confidence, fitted, fusion


def test_there_is_a_fitted_weight_for_each_piece_of_evidence() -> None:
    assert tuple(fitted.RANKING) == fusion.EVIDENCE
    assert tuple(fitted.TOPIC) == tuple(fitted.ANSWER) == confidence.EVIDENCE


def test_what_was_fitted_is_finite_and_more_chance_is_more_confidence() -> None:
    weights = [*fitted.RANKING.values(), *fitted.TOPIC.values(), *fitted.ANSWER.values()]
    assert all(isfinite(weight) for weight in (*weights, fitted.TOPIC_BIAS, fitted.ANSWER_BIAS))
    assert fitted.CALIBRATION[0] > 0
