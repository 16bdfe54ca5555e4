from __future__ import annotations

import pytest

from corpus.article import Span
from retrieval.results import Quote
from tests.sample_library import HARBOUR


def quote(span: Span, *highlights: Span) -> Quote:
    return Quote(article=HARBOUR, span=span, highlights=highlights, score=1.0, context=span)


def test_a_quote_is_cut_out_of_its_article() -> None:
    assert quote(Span(0, 12), Span(5, 12)).text == "Dock workers"


@pytest.mark.parametrize(
    "span", [Span(3, 3), Span(-1, 5), Span(0, 10_000), Span(9, 2)], ids=["empty", "before", "after", "backwards"]
)
def test_a_span_outside_the_article_cannot_be_quoted(span: Span) -> None:
    with pytest.raises(ValueError, match="the quote"):
        quote(span)


@pytest.mark.parametrize("mark", [Span(0, 13), Span(5, 5), Span(-1, 3)], ids=["too long", "empty", "before"])
def test_a_highlight_outside_the_quote_is_refused(mark: Span) -> None:
    with pytest.raises(ValueError, match="highlight"):
        quote(Span(0, 12), mark)
