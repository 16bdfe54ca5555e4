from __future__ import annotations

from retrieval.ranking import confidence, fusion
from retrieval.ranking.fitted_languages import FITTED
from retrieval.text.languages import LanguagePair


def test_every_case_but_the_shipped_models_is_fitted() -> None:
    assert set(FITTED) == set(LanguagePair) - {LanguagePair.SHIPPED}


def test_weights_are_named_as_the_evidence_is() -> None:
    for fitted in FITTED.values():
        assert tuple(fitted.ranking) == fusion.EVIDENCE
        assert tuple(fitted.topic) == tuple(fitted.answer)
        assert set(fitted.topic) <= {*confidence.EVIDENCE, "bias"}
