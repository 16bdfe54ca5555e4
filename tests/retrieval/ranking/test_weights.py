from __future__ import annotations

import numpy as np
import pytest

from retrieval.ranking import confidence, fitted_languages, fusion
from retrieval.ranking.weights import WEIGHTS
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


def test_every_case_weighs_all_evidence() -> None:
    nothing = np.zeros((1, len(confidence.EVIDENCE)), np.float32)
    assert {case: (own.ranking.shape, own.judge(nothing).shape) for case, own in WEIGHTS.items()} == {
        case: ((len(fusion.EVIDENCE),), (1,)) for case in LanguagePair
    }


def test_without_a_reading_encoder_vectors_weigh_nothing() -> None:
    ranking = fitted_languages.FITTED[LanguagePair.TERMS.value].ranking
    assert (ranking["cosine"], ranking["passage cosine"]) == (0, 0)
