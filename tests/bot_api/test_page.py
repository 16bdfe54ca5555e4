from __future__ import annotations

import html
import re

from hypothesis import given
from hypothesis import strategies as st

from tests.bot_api.checks import units
from tests.bot_api.page import marked_up, message, page


def test_entities_become_tags_at_utf_16_offsets() -> None:
    text = "😀 <quoted> words\nTitle"
    entities = [
        {"type": "text_link", "offset": 18, "length": 5, "url": 'https://a.b/?c="d"'},
        {"type": "bold", "offset": 3, "length": 8},
        {"type": "blockquote", "offset": 0, "length": 17},
    ]
    assert marked_up(text, entities) == (
        '<blockquote dir="auto">😀 <b>&lt;quoted&gt;</b> words</blockquote>'
        '<a href="https://a.b/?c=&quot;d&quot;">Title</a>'
    )


@given(st.text(st.characters(codec="utf-8"), min_size=1), st.integers(0, 20), st.integers(1, 20))
def test_the_words_are_all_there_and_escaped(text: str, start: int, length: int) -> None:
    whole = units(text)
    entities = [{"type": "bold", "offset": 0, "length": whole}]
    if text.isascii() and start + length <= whole:
        entities.append({"type": "italic", "offset": start, "length": length})
    assert html.unescape(re.sub(r"</?[bi]>", "", marked_up(text, entities))) == html.unescape(html.escape(text))


def test_messages_stand_on_the_side_of_their_author_with_their_buttons() -> None:
    mine = {"from": {"id": 1}, "text": "Who & why?"}
    bots = {"from": {"id": 9}, "text": "Ada", "reply_markup": {"inline_keyboard": [[{"text": "👍"}, {"text": "▸"}]]}}
    assert message(mine, 9) == '<article class="me" dir="auto">Who &amp; why?</article>'
    assert message(bots, 9) == (
        '<div class="bot"><article dir="auto">Ada</article><nav><span>👍</span><span>▸</span></nav></div>'
    )
    whole = page([("A chat", [mine, "taps <▸>", bots])], 9)
    assert whole.startswith("<!doctype html>")
    assert "<small>taps &lt;▸&gt;</small>" in whole


def test_inline_results_stand_over_what_is_typed() -> None:
    results = [{"title": "A & B", "description": "They met."}]
    assert message({"results": results, "typed": "@bot who"}, 1) == (
        "<ul dir='auto'><li><b>A &amp; B</b><span>They met.</span></li><li class='typed'>@bot who</li></ul>"
    )
