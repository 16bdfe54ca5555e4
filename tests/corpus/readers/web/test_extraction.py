"""The main text is found, wherever the page keeps it."""

from __future__ import annotations

import json

import pytest

from corpus import SourceError
from corpus.readers.web.page import read_page
from tests.corpus.readers.documents import BODY, page


@pytest.mark.parametrize("free", [True, False])
def test_a_page_that_a_script_fills_is_read_from_its_json_ld(*, free: bool) -> None:
    data_block = {"@type": "NewsArticle", "headline": "Road", "articleBody": BODY, "isAccessibleForFree": free}
    data = page(head=f'<script type="application/ld+json">{json.dumps(data_block)}</script>', body="<div id=app></div>")
    if free:
        assert read_page(data).text == BODY
    else:
        with pytest.raises(SourceError, match="the page shows its article to subscribers only"):
            read_page(data)


def test_a_language_without_spaces_between_words_is_read() -> None:
    text = "科威特内阁周一批准了拓宽沿海公路的计划，部长说。工程将于三月开始，耗资四千二百万第纳尔。"
    found = read_page(
        page(
            head="<title>沿海公路将拓宽 - 每日新闻 - 两岸</title>",
            body=f"<h1>沿海公路将拓宽</h1><p>{text}</p><p>{text}补充。</p>",
        )
    )
    assert (found.title, found.text) == ("沿海公路将拓宽", f"{text}\n\n{text}补充。")
