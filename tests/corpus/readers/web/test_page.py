"""A page gives its article word for word, and nothing around it."""

from __future__ import annotations

import pytest

from corpus import SourceError
from corpus.readers.web.page import read_page
from tests.corpus.readers.documents import BODY, SENTENCES, page
from tests.corpus.readers.web.articles import article_text

FULL_HEAD = """<title>Coastal road to be widened - The Daily</title><link rel="canonical" href="https://x.kw/road">
<meta property="og:site_name" content="The Daily"><meta name="author" content="Ann Lee">
<meta property="article:published_time" content="2026-11-24T10:00:00+03:00">"""


def test_a_page_gives_its_article_and_its_metadata() -> None:
    data = page(head=FULL_HEAD, before="<h1>Coastal road to be widened</h1>")
    article = read_page(data, url="https://www.x.kw/road?utm_source=x")
    assert article.text == BODY
    assert (article.title, article.url, article.source, article.author, article.published, article.language) == (
        "Coastal road to be widened",
        "https://x.kw/road",
        "The Daily",
        "Ann Lee",
        "2026-11-24T10:00:00+03:00",
        "en",
    )


@pytest.mark.parametrize("control", ["\x00", "\x1f", "&#0;", "&#1", "&#x1F;", "\ufffe", "\x7f"])
def test_control_characters_are_ignored(control: str) -> None:
    inside = SENTENCES[0].replace("Cabinet", f"Cab{control}inet<b>{control}</b>")
    assert article_text(body="".join(f"<p>{sentence}</p>" for sentence in (inside, *SENTENCES[1:]))) == BODY


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"<html><body></body></html>", "no article was found on the page"),
        (b"", "it is an empty page"),
        (b"<html>", "no article was found on the page"),
        (
            page(body="<p>Please enable JavaScript to view this page.</p>"),
            "the page shows no article but a check that the reader is a person, or that a script runs",
        ),
        (
            page(body=f"<p>{SENTENCES[0]} Please verify you are a human.</p>"),
            "the page shows no article but a check that the reader is a person, or that a script runs",
        ),
        (
            page(body=f"<p>{SENTENCES[0]}</p><p>Subscribe to continue reading.</p>"),
            "the page shows its article to subscribers only",
        ),
        (
            page(
                head='<script type="application/ld+json">{"headline": "Road", "isAccessibleForFree": "False"}</script>',
                body=f"<p>{SENTENCES[0]} {SENTENCES[1]}</p>",
            ),
            "the page shows its article to subscribers only",
        ),
    ],
)
def test_a_page_without_an_article_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(SourceError) as caught:
        read_page(data)
    assert str(caught.value) == reason


def test_a_page_without_a_title_has_its_first_line_as_title() -> None:
    assert read_page(page()).title == SENTENCES[0]
