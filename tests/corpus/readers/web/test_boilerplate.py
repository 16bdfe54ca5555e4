"""Titles, bylines and calls to action at the ends of an article are removed."""

from __future__ import annotations

import pytest

from tests.corpus.readers.documents import BODY
from tests.corpus.readers.web.articles import article_text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<h1>Coastal road to be widened</h1><h2>A minister spoke</h2>", ""),
        ("<p>By Ann Lee</p>", ""),
        ("<p>Published 24 November 2026</p>", ""),
        ("<p>3 min read</p>", ""),
        ("<p>News &gt; Kuwait &gt; Roads</p>", ""),
        ("<p>Posted 2026-11-24 03:00:00 Changed 2026-11-24 04:10:00</p>", ""),
        ("<p>Roads</p><p>Ann Lee</p><p>Coastal road to be widened</p>", ""),
        ("", "<h3>Comments</h3>"),
        ("", "<p>Follow us on Facebook and Twitter</p>"),
        ("", "<p>Subscribe to our newsletter for more of the same every day</p>"),
        ("", "<p>Click here for more information.</p>"),
        ("", "<p><a href='/1'>Ten roads that were never built</a></p>"),
        ("", "<p>12 comments</p>"),
        ("", "<p>Questions? Comments? E-mail us at roads@x.kw</p>"),
        ("", "<p>Filed under: Roads</p>"),
    ],
)
def test_title_byline_and_calls_at_the_ends_are_left_out(before: str, after: str) -> None:
    assert article_text(before=before, after=after) == BODY
