"""A library is looked through by date, outlet, language and words, in any order, page by page."""

from __future__ import annotations

import datetime as dt

import pytest

from bot.conversation.rich_text import Rich, Style, Styled
from bot.terminal.listing import ArticleSelection, Order, full_article, page_of, record, sort_records, summary_line
from corpus import Article

BEES = Article("bees", "Bees swarm", "A swarm.", published="2026-11-02", source="The Daily", language="en")
BRIDGE = Article("bridge", "bridge closes", "It closes.", published="2026-11-20T08:00:00+03:00", author="Ann Lee")
ROAD = Article("road", "الطريق يفتح", "فتح الطريق.", source="القبس", language="ar")
ALL = (BEES, BRIDGE, ROAD)


@pytest.mark.parametrize(
    ("choice", "taken"),
    [
        (ArticleSelection(), ["bees", "bridge", "road"]),
        (ArticleSelection(since=dt.date(2026, 11, 2)), ["bees", "bridge"]),
        (ArticleSelection(since=dt.date(2026, 11, 3)), ["bridge"]),
        (ArticleSelection(until=dt.date(2026, 11, 20)), ["bees", "bridge"]),
        (ArticleSelection(until=dt.date(2026, 11, 19)), ["bees"]),
        (ArticleSelection(source="the daily"), ["bees"]),
        (ArticleSelection(language="AR"), ["road"]),
        (ArticleSelection(words="CLOSES  bridge"), ["bridge"]),
        (ArticleSelection(words="closes bees"), []),
        (ArticleSelection(source="The Daily", language="ar"), []),
    ],
)
def test_articles_are_chosen(choice: ArticleSelection, taken: list[str]) -> None:
    assert [article.id for article in ALL if choice.takes(article)] == taken


@pytest.mark.parametrize(
    ("order", "backwards", "ids"),
    [
        (Order.PUBLISHED, False, ["bridge", "bees", "road"]),
        (Order.PUBLISHED, True, ["bees", "bridge", "road"]),
        (Order.TITLE, False, ["bees", "bridge", "road"]),
        (Order.TITLE, True, ["road", "bridge", "bees"]),
        (Order.SOURCE, False, ["bees", "road", "bridge"]),
        (Order.AUTHOR, False, ["bridge", "bees", "road"]),
        (Order.LANGUAGE, True, ["bees", "road", "bridge"]),
        (Order.ID, False, ["bees", "bridge", "road"]),
    ],
)
def test_articles_are_sorted_and_what_says_nothing_comes_last(order: Order, ids: list[str], *, backwards: bool) -> None:
    assert [r["id"] for r in sort_records((record(a, text=False) for a in ALL), order, backwards=backwards)] == ids


def test_articles_of_one_day_come_by_title() -> None:
    same = [Article(i, t, "x", published="2026-11-02") for i, t in (("1", "b"), ("2", "A"), ("3", "b"))]
    assert [r["id"] for r in sort_records(record(a, text=False) for a in same)] == ["2", "1", "3"]


def test_pages_hold_so_many_and_say_where_they_are() -> None:
    records = [record(article, text=False) for article in ALL]
    assert page_of(records, None, 1) == (records, None)
    assert page_of(records, 5, 1) == (records, None)
    assert page_of(records, 2, 1) == (records[:2], "1 to 2 of 3 articles; --page 2 shows the next")
    assert page_of(records, 2, 2) == (records[2:], "3 to 3 of 3 articles")
    assert page_of(records, 2, 3) == ([], "There is no page 3; the last one is 2.")
    assert page_of([], 2, 1) == ([], None)


def test_a_line_and_an_article_say_what_is_known() -> None:
    assert summary_line(record(BEES, text=False)).text == "bees · Bees swarm · The Daily · 2026-11-02"
    assert full_article(BRIDGE) == Rich(
        "bridge closes\nAnn Lee · 2026-11-20T08:00:00+03:00\n\nIt closes.",
        (Styled(0, 13, Style.BOLD), Styled(14, 49, Style.DIM)),
    )
    assert full_article(Article("a", "Title", "Text.")).text == "Title\n\nText."
