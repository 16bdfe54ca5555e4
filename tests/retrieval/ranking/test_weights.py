from __future__ import annotations

from math import isfinite

import numpy as np
import pytest

from retrieval.ranking import confidence, fusion
from retrieval.ranking.weights import fitted_weights, read_fitted
from retrieval.text.languages import LanguagePair


@pytest.mark.parametrize("languages", LanguagePair)
def test_every_language_pair_weighs_all_evidence(languages: LanguagePair) -> None:
    fitted, none = fitted_weights(languages), np.zeros((1, len(confidence.EVIDENCE)), np.float32)
    assert tuple(read_fitted(languages)["ranking"]) == fusion.EVIDENCE
    assert (fitted.ranking.shape, fitted.confidence(none).shape) == ((len(fusion.EVIDENCE),), (1,))
    assert np.isfinite(fitted.ranking).all()
    assert isfinite(fitted.offset)


@pytest.mark.parametrize("languages", sorted(set(LanguagePair) - {LanguagePair.SHIPPED}))
def test_regressions_name_their_weights_as_the_evidence_is_named(languages: LanguagePair) -> None:
    fitted = read_fitted(languages)
    assert tuple(fitted["topic"]) == tuple(fitted["answer"])
    assert set(fitted["topic"]) <= {*confidence.EVIDENCE, "bias"}


def test_the_shipped_network_is_finite_and_takes_all_evidence() -> None:
    network = fitted_weights(LanguagePair.SHIPPED).confidence
    assert isinstance(network, confidence.Network)
    parts = (network.centre, network.direct, network.hidden, network.shift, network.out, np.array(network.bias))
    assert all(np.isfinite(part).all() for part in parts)
    assert (network.scale > 0).all()
    assert network.direct.shape == (len(confidence.EVIDENCE),)


def test_where_the_encoder_cannot_read_the_question_vectors_weigh_nothing() -> None:
    ranking = read_fitted(LanguagePair.TERMS)["ranking"]
    assert (ranking["cosine"], ranking["passage cosine"]) == (0, 0)
