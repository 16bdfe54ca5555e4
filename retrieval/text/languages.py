"""The languages of a question and a passage; weights are fitted for each pair that matters to an encoder."""

from __future__ import annotations

import re
from enum import StrEnum

_ARABIC = re.compile("[\u0600-\u06ff]")
_LETTERS = re.compile(r"[^\W\d_]")


class LanguagePair(StrEnum):
    """The languages of a question and a passage, given what the encoder reads."""

    SHIPPED = "shipped"
    """An English-only encoder and a question that is not in Arabic."""
    TERMS = "terms"
    """An English-only encoder and a question in Arabic, which it cannot read: ranked by terms alone."""
    ENGLISH = "english"
    """A multilingual encoder; neither question nor passage is in Arabic."""
    ARABIC = "arabic"
    """A multilingual encoder; question and passage are in Arabic."""
    CROSSING = "crossing"
    """A multilingual encoder; either the question or the passage is in Arabic."""


def is_arabic(text: str) -> bool:
    """Whether at least half of a text's letters are Arabic; false without any."""
    arabic = len(_ARABIC.findall(text))
    return arabic > 0 and 2 * arabic >= len(_LETTERS.findall(text))


def language_pair_of(*, multilingual: bool, arabic_question: bool, arabic_passage: bool) -> LanguagePair:
    """The language pair of a question and a passage; `multilingual` is the encoder's."""
    if not multilingual:
        return LanguagePair.TERMS if arabic_question else LanguagePair.SHIPPED
    if arabic_question != arabic_passage:
        return LanguagePair.CROSSING
    return LanguagePair.ARABIC if arabic_question else LanguagePair.ENGLISH
