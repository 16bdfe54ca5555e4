from __future__ import annotations

import datetime as dt
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bot.service.browsing import ArticleList, article_key, quote_from_record, quote_to_record
from corpus.article import Article, Span
from retrieval.index.contract import ArticleSummary
from retrieval.results import Quote
from tests.library_of import BEES, BRIDGE, HARBOUR, LIBRARY


def test_articles_stand_newest_first_and_undated_ones_last() -> None:
    assert list(ArticleList.from_articles(LIBRARY)) == [BRIDGE, HARBOUR, BEES]
    assert ArticleList.from_articles(LIBRARY)[1:] == [HARBOUR, BEES]


def test_only_what_is_looked_at_is_fetched() -> None:
    fetched: list[int] = []

    def fetch(row: int) -> Article:
        fetched.append(row)
        return LIBRARY[row]

    listed = [ArticleSummary(row, article.id, article.title, article.published) for row, article in enumerate(LIBRARY)]
    shelf = ArticleList(listed, fetch)
    assert (len(shelf), shelf[0], fetched) == (3, BRIDGE, [LIBRARY.index(BRIDGE)])
    assert set(shelf.keys) == {article_key(article.id) for article in LIBRARY}


def test_articles_from_a_day_on_are_counted_and_those_without_a_date_are_not() -> None:
    days = ["2026-10-05", "2026-10-05T23:59:00+03:00", "20261101", None]
    shelf = ArticleList.from_articles(
        [Article(id=str(n), title="T", text="Text.", published=day) for n, day in enumerate(days)]
    )
    assert [article.id for article in shelf] == ["2", "1", "0", "3"]
    wanted = [dt.date(2026, 10, 5), dt.date(2026, 10, 6), dt.date(2026, 11, 1), dt.date(2026, 11, 2)]
    assert [shelf.count_since(day) for day in wanted] == [3, 1, 1, 0]


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_a_key_is_sixteen_hexadecimal_digits_whatever_the_id(article_id: str) -> None:
    key = article_key(article_id)
    assert len(key) == 16
    assert set(key) <= set("0123456789abcdef")


def test_an_article_is_found_by_its_key() -> None:
    shelf = ArticleList.from_articles(LIBRARY)
    assert shelf.find(article_key("bees")) is BEES
    assert shelf.find("0" * 16) is None


QUOTE = Quote(
    article=HARBOUR, span=Span(0, 90), highlights=(Span(0, 54),), score=0.5, context=Span(0, 170), link="https://x.y/#z"
)


def test_a_quote_put_away_is_found_again_as_it_was() -> None:
    assert quote_from_record(quote_to_record(QUOTE), ArticleList.from_articles(LIBRARY)) == QUOTE
    reprinted = replace(QUOTE, also_in=(BEES,))
    assert quote_from_record(quote_to_record(reprinted), ArticleList.from_articles(LIBRARY)) == reprinted
    assert quote_from_record(quote_to_record(reprinted), ArticleList.from_articles([HARBOUR])) == QUOTE


def test_a_quote_is_not_found_when_its_article_is_gone_or_reads_otherwise() -> None:
    other = Article(id="harbour", title=HARBOUR.title, text=HARBOUR.text + " Correction.")
    assert quote_from_record(quote_to_record(QUOTE), ArticleList.from_articles([BEES])) is None
    assert quote_from_record(quote_to_record(QUOTE), ArticleList.from_articles([other])) is None


def test_what_is_put_away_holds_no_words_of_the_article() -> None:
    assert not any(isinstance(value, str) and " " in value for value in quote_to_record(QUOTE).values())
