"""Hypothesis strategies for articles with difficult texts."""

from __future__ import annotations

import unicodedata

from hypothesis import strategies as st

from corpus import Article

_DIFFICULT = st.text(st.sampled_from("-a \n\r\t:#'\"|>{}[]&*!%@`\u2028\x85\ufeff\x07🙂\u0301é؟")) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0")
)
TEXTS = _DIFFICULT.map(lambda text: unicodedata.normalize("NFC", text)).filter(str.strip)


def articles(ids: st.SearchStrategy[str] = TEXTS) -> st.SearchStrategy[Article]:
    """Any valid article."""
    optional = st.none() | TEXTS
    return st.builds(
        Article,
        ids,
        TEXTS,
        TEXTS,
        url=optional,
        source=optional,
        author=optional,
        published=st.none() | st.dates().map(str) | st.datetimes().map(lambda time: time.isoformat()),
        language=st.none() | st.sampled_from(["en", "ar", "zh-Hant"]),
    )
