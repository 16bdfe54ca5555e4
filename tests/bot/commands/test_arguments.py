from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Callable

import pytest

from bot.commands.arguments import add_article_filters, date, index_url, positive_number, quote_limit


@pytest.mark.parametrize("text", ["1", "50"])
def test_a_quote_limit_is_a_number_from_1_to_50(text: str) -> None:
    assert quote_limit(text) == int(text)


@pytest.mark.parametrize(
    ("read", "text", "message"),
    [
        (quote_limit, "51", "'51' is not a whole number from 1 to 50"),
        (quote_limit, "-1", "'-1' is not a whole number from 1 to 50"),
        (positive_number, "0", "'0' is not a whole number from 1 on"),
        (positive_number, "x", "'x' is not a whole number from 1 on"),
        (date, "soon", "'soon' is not a date such as 2026-11-24"),
        (index_url, "localhost:19530", "'localhost:19530' is not the URL of a server"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_expected(read: Callable[[str], object], text: str, message: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError) as refused:
        read(text)
    assert str(refused.value) == message


def test_article_filters_are_read_as_dates_and_text() -> None:
    parser = argparse.ArgumentParser()
    add_article_filters(parser)
    options = parser.parse_args(["--since", "2026-11-01", "--language", "ar"])
    assert (options.since, options.until, options.language) == (dt.date(2026, 11, 1), None, "ar")
