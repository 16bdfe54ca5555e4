"""The languages of a question and a passage, as far as an encoder can tell them apart. Pure."""

from __future__ import annotations

import re
from enum import StrEnum

_ARABIC = re.compile("[\u0600-\u06ff]")
_LETTERS = re.compile(r"[^\W\d_]")


class LanguagePair(StrEnum):
    """What a question and a passage have in common, as far as the encoder can tell."""

    SHIPPED = "shipped"
    """An encoder of English, an English question."""
    TERMS = "terms"
    """A question that the encoder cannot read: words alone decide."""
    ENGLISH = "english"
    """A multilingual encoder, question and passage in English or another language that is not Arabic."""
    ARABIC = "arabic"
    """A multilingual encoder, question and passage in Arabic."""
    CROSSING = "crossing"
    """A multilingual encoder, one of the two in Arabic."""


def is_arabic(text: str) -> bool:
    """Whether at least half of a text's letters are Arabic ones."""
    arabic = len(_ARABIC.findall(text))
    return arabic > 0 and 2 * arabic >= len(_LETTERS.findall(text))


def language_pair_of(*, multilingual: bool, arabic_question: bool, arabic_passage: bool) -> LanguagePair:
    """The case of a question and a passage."""
    if not multilingual:
        return LanguagePair.TERMS if arabic_question else LanguagePair.SHIPPED
    if arabic_question != arabic_passage:
        return LanguagePair.CROSSING
    return LanguagePair.ARABIC if arabic_question else LanguagePair.ENGLISH
