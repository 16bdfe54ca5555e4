from __future__ import annotations

import pytest

from retrieval.text.languages import LanguagePair, is_arabic, language_pair_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("من كتب التقرير؟", True),
        ("Who wrote the report?", False),
        ("abc ابت", True),
        ("abcd ابت", False),
        ("", False),
        ("12 345", False),
    ],
    ids=["Arabic", "English", "half", "less than half", "empty", "no letters"],
)
def test_a_text_is_arabic_if_at_least_half_of_its_letters_are(text: str, *, expected: bool) -> None:
    assert is_arabic(text) is expected


@pytest.mark.parametrize(
    ("multilingual", "question", "passage", "expected"),
    [
        (False, False, False, LanguagePair.SHIPPED),
        (False, False, True, LanguagePair.SHIPPED),
        (False, True, False, LanguagePair.TERMS),
        (False, True, True, LanguagePair.TERMS),
        (True, False, False, LanguagePair.ENGLISH),
        (True, True, True, LanguagePair.ARABIC),
        (True, True, False, LanguagePair.CROSSING),
        (True, False, True, LanguagePair.CROSSING),
    ],
)
def test_the_language_pair_depends_on_the_encoder_the_question_and_the_passage(
    expected: LanguagePair, *, multilingual: bool, question: bool, passage: bool
) -> None:
    pair = language_pair_of(multilingual=multilingual, arabic_question=question, arabic_passage=passage)
    assert pair is expected
