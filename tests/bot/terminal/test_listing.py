"""A library is looked through by date, outlet, language and words, in any order, page by page."""

from __future__ import annotations

import datetime as dt

import pytest

from bot.conversation.rich_text import Rich, Style, Styled
from bot.terminal.listing import (
    ArticleSelection,
    SortKey,
    article_record,
    full_article,
    paginate,
    sort_records,
    summary_line,
)
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
        (ArticleSelection(title_words="CLOSES  bridge"), ["bridge"]),
        (ArticleSelection(title_words="closes bees"), []),
        (ArticleSelection(source="The Daily", language="ar"), []),
    ],
)
def test_articles_are_filtered(choice: ArticleSelection, taken: list[str]) -> None:
    assert [article.id for article in ALL if choice.matches(article)] == taken


@pytest.mark.parametrize(
    ("order", "backwards", "ids"),
    [
        (SortKey.PUBLISHED, False, ["bridge", "bees", "road"]),
        (SortKey.PUBLISHED, True, ["bees", "bridge", "road"]),
        (SortKey.TITLE, False, ["bees", "bridge", "road"]),
        (SortKey.TITLE, True, ["road", "bridge", "bees"]),
        (SortKey.SOURCE, False, ["bees", "road", "bridge"]),
        (SortKey.AUTHOR, False, ["bridge", "bees", "road"]),
        (SortKey.LANGUAGE, True, ["bees", "road", "bridge"]),
        (SortKey.ID, False, ["bees", "bridge", "road"]),
    ],
)
def test_articles_are_sorted_and_missing_values_come_last(order: SortKey, ids: list[str], *, backwards: bool) -> None:
    assert [
        r["id"] for r in sort_records((article_record(a, text=False) for a in ALL), order, backwards=backwards)
    ] == ids


def test_articles_of_one_day_come_by_title() -> None:
    same = [Article(i, t, "x", published="2026-11-02") for i, t in (("1", "b"), ("2", "A"), ("3", "b"))]
    assert [r["id"] for r in sort_records(article_record(a, text=False) for a in same)] == ["2", "1", "3"]


def test_a_page_holds_its_articles_and_says_which_they_are() -> None:
    records = [article_record(article, text=False) for article in ALL]
    assert paginate(records, None, 1) == (records, None)
    assert paginate(records, 5, 1) == (records, None)
    assert paginate(records, 2, 1) == (records[:2], "1 to 2 of 3 articles; --page 2 shows the next")
    assert paginate(records, 2, 2) == (records[2:], "3 to 3 of 3 articles")
    assert paginate(records, 2, 3) == ([], "There is no page 3; the last one is 2.")
    assert paginate([], 2, 1) == ([], None)


def test_a_summary_line_and_a_whole_article() -> None:
    assert summary_line(article_record(BEES, text=False)).text == "bees · Bees swarm · The Daily · 2026-11-02"
    assert full_article(BRIDGE) == Rich(
        "bridge closes\nAnn Lee · 2026-11-20T08:00:00+03:00\n\nIt closes.",
        (Styled(0, 13, Style.BOLD), Styled(14, 49, Style.DIM)),
    )
    assert full_article(Article("a", "Title", "Text.")).text == "Title\n\nText."
