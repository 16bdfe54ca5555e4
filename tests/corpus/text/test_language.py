"""Languages are detected if the text is long enough, and not guessed if it is not."""

from __future__ import annotations

import pytest

from corpus import shipped_articles
from corpus.text import language
from corpus.text.language import detect_language

CASES = {
    "en": "According to the report Kuwait stays where it is",
    "de": "Laut dem Bericht bleibt Kuwait weiterhin auf der zweiten Stufe",
    "fr": "Selon le rapport, le Koweït reste au deuxième niveau cette année",
    "es": "Según el informe, Kuwait permanece en el segundo nivel este año",
    "ru": "Согласно отчету, Кувейт остается на втором уровне",
    "ar": "بحسب التقرير لا تزال الكويت في المستوى الثاني",
    "fa": "این گزارش می‌گوید که کویت همچنان در سطح دوم است",
    "ur": "یہ رپورٹ کہتی ہے کہ کویت ابھی بھی دوسرے درجے پر ہے",
    "he": "לפי הדוח כווית נותרה ברמה השנייה",
    "el": "Σύμφωνα με την έκθεση, το Κουβέιτ παραμένει",
    "th": "ตามรายงานคูเวตยังคงอยู่ในระดับที่สอง",
    "ko": "보고서에 따르면 쿠웨이트는 여전히 두 번째 단계에 머물러 있다",
    "ja": "報告によるとクウェートは今も第二段階にとどまっている",
    "zh": "根据报告，科威特仍然处于第二级，并且继续努力取得进展",
}


@pytest.mark.parametrize(("code", "text"), CASES.items(), ids=CASES.keys())
def test_the_language_of_a_sentence_is_detected(code: str, text: str) -> None:
    assert detect_language(text) == code


@pytest.mark.parametrize("text", ["", "Hello", "12345 67890 !!!", "نعم", "Xk Zq Wv Jp Qx Zk Vq Wj Kx Qz Pv"])
def test_a_text_that_is_too_short_or_in_no_language_gives_none(text: str) -> None:
    assert detect_language(text) is None


def test_english_news_and_arabic_need_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise AssertionError

    monkeypatch.setattr(language, "_identifier", fail)
    assert detect_language(shipped_articles()[0].text) == "en"
    assert detect_language(CASES["ar"]) == "ar"
