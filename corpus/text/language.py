"""Detects the language of a text: by its script if that decides, else with py3langid (BSD, its model in the wheel)."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

# With fewer letters the result would be a guess.
_MIN_LETTERS = 20
# The model gets this many characters; more changes no result and takes longer.
_SAMPLE_LENGTH = 2000
# Of 2,900 sentences of English news, those taken for another language had less, all but one below 0.5.
_MIN_PROBABILITY = 0.6
_LETTERS = re.compile(r"[^\W\d_]")
_ARABIC = re.compile(r"[\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufeff]")
# Letters of Persian, Urdu, Pashto, Sorani and others that Arabic lacks.
_BEYOND_ARABIC = re.compile(r"[پچژگڤکیےںٹڈڑہھۀۆێڵڕەټډړښځڅګۍ]")
_SCRIPTS = (
    ("he", re.compile(r"[\u0590-\u05ff]")),
    ("el", re.compile(r"[\u0370-\u03ff\u1f00-\u1fff]")),
    ("th", re.compile(r"[\u0e00-\u0e7f]")),
    ("ko", re.compile(r"[\uac00-\ud7af\u1100-\u11ff]")),
    ("ja", re.compile(r"[\u3040-\u30ff]")),
)
# A tenth of the words in English news and almost none in other languages, so English rarely needs the model.
_ENGLISH = frozenset(("the", "and", "that", "with", "from", "this", "which", "has", "have", "were", "their"))
_MIN_ENGLISH_SHARE = 0.08
_MIN_ENGLISH_WORDS = 40


def detect_language(text: str) -> str | None:
    """The BCP 47 code of the language the text is written in, or None if it is too short or unclear."""
    sample = text[:_SAMPLE_LENGTH]
    words = sample.lower().split()
    if len(words) >= _MIN_ENGLISH_WORDS and sum(w in _ENGLISH for w in words) >= _MIN_ENGLISH_SHARE * len(words):
        return "en"
    letters = len(_LETTERS.findall(sample))
    if letters < _MIN_LETTERS:
        return None
    arabic = len(_ARABIC.findall(sample))
    if 2 * arabic > letters and 50 * len(_BEYOND_ARABIC.findall(sample)) < arabic:
        return "ar"
    for code, pattern in _SCRIPTS:
        if 3 * len(pattern.findall(sample)) > letters:
            return code
    code, probability = _identifier().classify(sample)
    # "zxx" is the code for no linguistic content.
    return str(code) if probability >= _MIN_PROBABILITY and code != "zxx" else None


@cache
def _identifier() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
