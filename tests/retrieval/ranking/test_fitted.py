from __future__ import annotations

from math import isfinite

import numpy as np

from retrieval.ranking import confidence, fitted, fusion


def test_there_is_a_fitted_weight_for_each_piece_of_evidence() -> None:
    assert tuple(fitted.RANKING) == fusion.EVIDENCE
    assert confidence.shipped_network().direct.shape == (len(confidence.EVIDENCE),)


def test_what_was_fitted_is_finite() -> None:
    network = confidence.shipped_network()
    parts = (network.centre, network.direct, network.hidden, network.shift, network.out, np.array(network.bias))
    assert all(isfinite(weight) for weight in fitted.RANKING.values())
    assert all(np.isfinite(part).all() for part in parts)
    assert (network.scale > 0).all()
