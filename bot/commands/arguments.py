"""Arguments that several commands take, and the types of their values."""

from __future__ import annotations

import argparse
import datetime as dt
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    Subparsers: TypeAlias = argparse._SubParsersAction[argparse.ArgumentParser]
    """Where a family of commands adds its parsers."""


def quote_limit(text: str) -> int:
    """A number of quotes, from 1 to 50."""
    if not text.isdigit() or not 1 <= int(text) <= 50:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 50")
    return int(text)


def positive_number(text: str) -> int:
    """A whole number from 1 on."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)


def date(text: str) -> dt.date:
    """A day in ISO form."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date such as 2026-11-24") from exc


def index_url(text: str) -> str:
    """The URL of a Milvus server, or the path of a Milvus Lite file."""
    from bot.settings import read_index_url

    try:
        return read_index_url(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(f"{text!r} is not the URL of a server") from exc


def add_article_filters(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose articles."""
    parser.add_argument("--since", type=date, metavar="DATE", help="only those published on or after DATE")
    parser.add_argument("--until", type=date, metavar="DATE", help="only those published on or before DATE")
    parser.add_argument("--source", metavar="NAME", help="only those of this outlet")
    parser.add_argument("--language", metavar="CODE", help="only those in this language, such as en or ar")
    parser.add_argument("--title", metavar="WORDS", help="only those with these words in their title")
