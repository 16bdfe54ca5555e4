"""Paragraphs with the same surroundings as the article's others are added."""

from __future__ import annotations

from tests.corpus.readers.documents import SENTENCES
from tests.corpus.readers.web.articles import article_text


def test_paragraphs_in_separate_boxes_are_all_taken() -> None:
    long = [f"{sentence} Part {n} of the report says so." for n in range(4) for sentence in SENTENCES]
    boxes = "".join(
        f"<div class='part'><div class='text'><p>{'</p><p>'.join(long[n : n + 4])}</p></div></div><div>Ad</div>"
        for n in range(0, 16, 4)
    )
    assert article_text(body=f"<div class='parts'>{boxes}</div>") == "\n\n".join(long)
