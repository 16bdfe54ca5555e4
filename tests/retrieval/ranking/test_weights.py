from __future__ import annotations

from math import isfinite

import numpy as np
import pytest

from retrieval.ranking import confidence, fusion
from retrieval.ranking.weights import fitted_weights, read_fitted
from retrieval.text.languages import LanguagePair, is_arabic, language_pair_of


@pytest.mark.parametrize(
    ("text", "arabic"),
    [
        ("متى افتُتح المترو؟", True),
        ("من هو مدير شركة Barragens؟", True),
        ("Who is مدير?", False),
        ("Who is it?", False),
        ("", False),
        ("2019", False),
    ],
    ids=["Arabic", "a foreign name in it", "an Arabic word in English", "English", "empty", "digits"],
)
def test_a_text_is_in_arabic_when_half_of_its_letters_are(text: str, arabic: bool) -> None:
    assert is_arabic(text) == arabic


@pytest.mark.parametrize(
    ("multilingual", "arabic_question", "arabic_passage", "case"),
    [
        (False, False, False, LanguagePair.SHIPPED),
        (False, False, True, LanguagePair.SHIPPED),
        (False, True, True, LanguagePair.TERMS),
        (False, True, False, LanguagePair.TERMS),
        (True, False, False, LanguagePair.ENGLISH),
        (True, True, True, LanguagePair.ARABIC),
        (True, True, False, LanguagePair.CROSSING),
        (True, False, True, LanguagePair.CROSSING),
    ],
)
def test_the_case_follows_from_the_encoder_and_both_languages(
    *, multilingual: bool, arabic_question: bool, arabic_passage: bool, case: LanguagePair
) -> None:
    found = language_pair_of(multilingual=multilingual, arabic_question=arabic_question, arabic_passage=arabic_passage)
    assert found is case


@pytest.mark.parametrize("languages", LanguagePair)
def test_every_language_pair_weighs_all_evidence(languages: LanguagePair) -> None:
    fitted, none = fitted_weights(languages), np.zeros((1, len(confidence.EVIDENCE)), np.float32)
    assert tuple(read_fitted(languages)["ranking"]) == fusion.EVIDENCE
    assert (fitted.ranking.shape, fitted.confidence(none).shape) == ((len(fusion.EVIDENCE),), (1,))
    assert np.isfinite(fitted.ranking).all()
    assert isfinite(fitted.offset)


@pytest.mark.parametrize("languages", set(LanguagePair) - {LanguagePair.SHIPPED})
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
