"""Blocks keep the shape of a page: paragraphs, lists, headings and rows."""

from __future__ import annotations

import pytest

from corpus.readers.web.blocks import html_to_text
from tests.corpus.readers.documents import BODY, SENTENCES
from tests.corpus.readers.web.articles import article_text


def test_lists_tables_and_headings_keep_their_shape() -> None:
    extra = "<h2>What it costs</h2><ul><li>Forty million for the road</li><li>Two million for the walls</li></ul>"
    listed = "What it costs\n\n- Forty million for the road\n- Two million for the walls"
    assert article_text(after=extra + f"<p>{SENTENCES[0]} Again.</p>") == f"{BODY}\n\n{listed}\n\n{SENTENCES[0]} Again."


def test_rows_of_a_table_are_lines() -> None:
    rows = "".join(f"<tr><td>Road {n}</td><td>{n} million</td></tr>" for n in range(4))
    text = article_text(after=f"<table>{rows}</table><p>{SENTENCES[0]} Again.</p>")
    assert "Road 0 0 million\nRoad 1 1 million\nRoad 2 2 million" in text


@pytest.mark.parametrize(
    ("fragment", "text"),
    [
        ("plain  \n", "plain"),
        ("a &amp; b", "a & b"),
        ("Lead <b>bold</b> text<p>One <a href='x'>two</a>.</p>tail", "Lead bold text\n\nOne two.\n\ntail"),
        ("one<br>two", "one\ntwo"),
        ("<p>a</p><script>x()</script><!-- c --><p>b</p>", "a\n\nb"),
        ("<ul><li>one thing</li><li>two</li></ul>", "one thing\n\ntwo"),
        ("<", "<"),
    ],
)
def test_a_fragment_of_html_gives_its_text(fragment: str, text: str) -> None:
    assert html_to_text(fragment) == text
