"""Articles with nasty texts, for laws."""

from __future__ import annotations

import unicodedata

from hypothesis import strategies as st

from corpus import Article

_NASTY = st.text(st.sampled_from("-a \n\r\t:#'\"|>{}[]&*!%@`\u2028\x85\ufeff\x07🙂\u0301é؟")) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0")
)
TEXTS = _NASTY.map(lambda text: unicodedata.normalize("NFC", text)).filter(str.strip)


def articles(ids: st.SearchStrategy[str] = TEXTS) -> st.SearchStrategy[Article]:
    """Any article that the rules allow."""
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
