from __future__ import annotations

import datetime as dt
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bot.service.browsing import ArticleList, article_key, quote_from_record, quote_to_record
from corpus.article import Article, Span
from retrieval.index.contract import ArticleSummary
from retrieval.results import Quote
from tests.sample_library import BEES, BRIDGE, HARBOUR, LIBRARY, article_list


def test_articles_are_listed_newest_first_and_undated_ones_last() -> None:
    assert list(article_list(LIBRARY)) == [BRIDGE, HARBOUR, BEES]
    assert article_list(LIBRARY)[1:] == [HARBOUR, BEES]


def test_only_the_articles_looked_at_are_read() -> None:
    fetched: list[int] = []

    def fetch(row: int) -> Article:
        fetched.append(row)
        return LIBRARY[row]

    listed = [ArticleSummary(row, article.id, article.title, article.published) for row, article in enumerate(LIBRARY)]
    articles = ArticleList(listed, fetch)
    assert (len(articles), articles[0], fetched) == (3, BRIDGE, [LIBRARY.index(BRIDGE)])
    assert set(articles.keys) == {article_key(article.id) for article in LIBRARY}


def test_articles_from_a_day_on_are_counted_and_those_without_a_date_are_not() -> None:
    days = ["2026-10-05", "2026-10-05T23:59:00+03:00", "20261101", None]
    articles = article_list([Article(id=str(n), title="T", text="Text.", published=day) for n, day in enumerate(days)])
    assert [article.id for article in articles] == ["2", "1", "0", "3"]
    wanted = [dt.date(2026, 10, 5), dt.date(2026, 10, 6), dt.date(2026, 11, 1), dt.date(2026, 11, 2)]
    assert [articles.count_since(day) for day in wanted] == [3, 1, 1, 0]


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_a_key_is_sixteen_hexadecimal_digits_whatever_the_id(article_id: str) -> None:
    key = article_key(article_id)
    assert len(key) == 16
    assert set(key) <= set("0123456789abcdef")


def test_an_article_is_found_by_its_key() -> None:
    articles = article_list(LIBRARY)
    assert articles.find(article_key("bees")) is BEES
    assert articles.find("0" * 16) is None


QUOTE = Quote(
    article=HARBOUR, span=Span(0, 90), highlights=(Span(0, 54),), score=0.5, context=Span(0, 170), link="https://x.y/#z"
)


def test_a_stored_quote_is_restored_unchanged() -> None:
    assert quote_from_record(quote_to_record(QUOTE), article_list(LIBRARY)) == QUOTE
    reprinted = replace(QUOTE, also_in=(BEES,))
    assert quote_from_record(quote_to_record(reprinted), article_list(LIBRARY)) == reprinted
    assert quote_from_record(quote_to_record(reprinted), article_list([HARBOUR])) == QUOTE


def test_a_quote_is_not_restored_when_its_article_is_gone_or_changed() -> None:
    other = Article(id="harbour", title=HARBOUR.title, text=HARBOUR.text + " Correction.")
    assert quote_from_record(quote_to_record(QUOTE), article_list([BEES])) is None
    assert quote_from_record(quote_to_record(QUOTE), article_list([other])) is None


def test_a_stored_quote_holds_no_text_of_the_article() -> None:
    assert not any(isinstance(value, str) and " " in value for value in quote_to_record(QUOTE).values())


def test_a_stored_quote_keeps_the_words_that_answer() -> None:
    read = replace(QUOTE, answer=Span(13, 25))
    assert quote_from_record(quote_to_record(read), article_list(LIBRARY)) == read


def test_a_quote_stored_before_readers_has_no_words_that_answer() -> None:
    record = {name: value for name, value in quote_to_record(QUOTE).items() if name != "answer"}
    assert quote_from_record(record, article_list(LIBRARY)) == QUOTE
