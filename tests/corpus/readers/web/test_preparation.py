"""Visible words stay in their sentences, hidden elements are removed."""

from __future__ import annotations

import pytest

from tests.corpus.readers.documents import BODY, SENTENCES
from tests.corpus.readers.web.articles import article_text


def test_words_in_links_and_emphasis_stay_in_their_sentence() -> None:
    first = SENTENCES[0].replace("a plan", '<span class="link"><a href="/plan"><b>a</b> plan</a></span>')
    paragraphs = "".join(f"<p>{sentence}</p>" for sentence in (first, *SENTENCES[1:]))
    assert article_text(body=paragraphs) == BODY


@pytest.mark.parametrize(
    "extra",
    [
        "<p>Read more: Ten roads that were never built</p>",
        "<p>Related: Ten roads that were never built</p>",
        "<p>[button link='/x' type='big']Send us your view[/button]</p>",
        "<p>Advertisement</p>",
        "<ul><li><a href='/1'>Ten roads</a></li><li><a href='/2'>Nine bridges</a></li></ul>",
        "<div style='display: none'><p>You have three articles left this month, dear reader of this page.</p></div>",
        "<style>.a { margin: 0 } .b { padding: 1px; border: 1px solid red; color: blue; float: left }</style>",
        "<script>var a = 'The Cabinet approved on Monday a plan to widen the coastal road between the two.';</script>",
        "<form><p>Sign up for our newsletter and never miss a word of what the Cabinet does all day.</p></form>",
        "<div class='tooltip'><p>The Cabinet is the government of the country and meets on Mondays in Bayan.</p></div>",
    ],
)
def test_what_stands_between_paragraphs_is_left_out(extra: str) -> None:
    paragraphs = [f"<p>{sentence}</p>" for sentence in SENTENCES]
    assert article_text(body=extra.join(paragraphs)) == BODY


def test_text_with_line_breaks_for_paragraphs_is_taken() -> None:
    assert article_text(body="<div>" + "<br><br>".join(SENTENCES) + "</div>") == BODY


def test_loose_text_keeps_its_inline_words_and_its_neighbours() -> None:
    loose = f"<div>{SENTENCES[0]} <b>So it</b> was said.<p>{SENTENCES[1]}</p>{SENTENCES[2]}<p>{SENTENCES[3]}</p></div>"
    assert article_text(body=loose).replace("\n\n", " ") == f"{SENTENCES[0]} So it was said. " + " ".join(SENTENCES[1:])


def test_a_page_in_a_form_is_read() -> None:
    inner = "".join(f"<p>{sentence}</p>" for sentence in SENTENCES)
    assert article_text(body=f"<form action='/'>{inner}</form>") == BODY


def test_a_page_in_a_form_without_paragraphs_is_read() -> None:
    inner = "".join(f"<span>{sentence} </span><br><br>" for sentence in SENTENCES)
    assert article_text(body=f"<form action='/'><input type='hidden' value='x'>{inner}</form>") == BODY
