from __future__ import annotations

import datetime as dt

import pytest

from retrieval.errors import SnapshotCorrupt, SnapshotOutdated
from retrieval.index.contract import ArticleFilter, outlet_key
from retrieval.milvus.generation import Generation, article_rows, filter_expression

ABOUT = Generation(3, "20261124T001500Z", "20261124T001500Z-1a2b3c4d", "", "e", 32, "r", False, True, 5, 1, 2, 3, 4)


def test_article_filters_become_filter_expressions() -> None:
    day = dt.date(2026, 11, 1)
    assert filter_expression(ArticleFilter()) == ""
    assert filter_expression(ArticleFilter(since=day)) == f"day > 0 and day >= {day.toordinal()}"
    assert filter_expression(ArticleFilter(until=day)) == f"day > 0 and day <= {day.toordinal()}"
    assert filter_expression(ArticleFilter(source="x or 1 == 1")) == f"outlet == {outlet_key('x or 1 == 1')}"


def test_filters_of_a_version_leave_out_later_and_dead_articles() -> None:
    assert ABOUT.condition("articles") == "number < 4 and died > 5"
    assert ABOUT.condition("passages") == "article < 4 and died > 5"
    assert article_rows(3) == "row >= 196608 and row < 262144"


def test_a_generation_is_read_back_from_its_json() -> None:
    assert Generation.read(ABOUT.to_json()) == ABOUT


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 3}'])
def test_a_damaged_description_of_a_generation_is_refused(text: str) -> None:
    with pytest.raises(SnapshotCorrupt, match="newsquote index build --full"):
        Generation.read(text)


def test_an_index_of_another_format_is_refused() -> None:
    with pytest.raises(SnapshotOutdated, match="has format 7, this newsquote reads 3"):
        Generation.read(ABOUT.to_json().replace('"format": 3', '"format": 7'))
