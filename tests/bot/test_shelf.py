from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from bot.shelf import Shelf, find_again, key_of, put_away
from corpus.article import Article, Span
from retrieval.results import Quote
from tests.library_of import BEES, BRIDGE, HARBOUR, LIBRARY


def test_articles_stand_newest_first_and_undated_ones_last() -> None:
    assert Shelf(LIBRARY).articles == (BRIDGE, HARBOUR, BEES)


def test_articles_since_a_day_include_that_day() -> None:
    assert Shelf(LIBRARY).since(dt.date(2026, 11, 1)) == (BRIDGE,)
    assert Shelf(LIBRARY).since(dt.date(2026, 11, 2)) == ()


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_a_key_is_sixteen_hexadecimal_digits_whatever_the_id(article_id: str) -> None:
    key = key_of(article_id)
    assert len(key) == 16
    assert set(key) <= set("0123456789abcdef")


def test_an_article_is_found_by_its_key() -> None:
    shelf = Shelf(LIBRARY)
    assert shelf.find(key_of("bees")) is BEES
    assert shelf.find("0" * 16) is None


QUOTE = Quote(
    article=HARBOUR, span=Span(0, 90), highlights=(Span(0, 54),), score=0.5, context=Span(0, 170), link="https://x.y/#z"
)


def test_a_quote_put_away_is_found_again_as_it_was() -> None:
    assert find_again(put_away(QUOTE), Shelf(LIBRARY)) == QUOTE


def test_a_quote_is_not_found_when_its_article_is_gone_or_reads_otherwise() -> None:
    other = Article(id="harbour", title=HARBOUR.title, text=HARBOUR.text + " Correction.")
    assert find_again(put_away(QUOTE), Shelf([BEES])) is None
    assert find_again(put_away(QUOTE), Shelf([other])) is None


def test_what_is_put_away_holds_no_words_of_the_article() -> None:
    assert not any(isinstance(value, str) and " " in value for value in put_away(QUOTE).values())
