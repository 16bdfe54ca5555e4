"""Lists of articles for the terminal: filtered, sorted, paged and rendered."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bot.conversation.rich_text import Rich, Style, joined
from corpus.article import Article

ArticleRecord = dict[str, Any]
"""An article as the command line's JSON shows it."""

_FIELDS = ("id", "title", "url", "source", "author", "published", "language")


class SortKey(StrEnum):
    """What a list of articles is sorted by."""

    PUBLISHED = "published"
    TITLE = "title"
    SOURCE = "source"
    AUTHOR = "author"
    LANGUAGE = "language"
    ID = "id"


@dataclass(frozen=True, slots=True)
class ArticleSelection:
    """Filters on articles; None matches all. Days are inclusive; articles without a date match no day."""

    since: dt.date | None = None
    until: dt.date | None = None
    source: str | None = None
    language: str | None = None
    title_words: str | None = None

    def matches(self, article: Article) -> bool:
        """Whether the article passes every filter."""
        if self.since or self.until:
            if article.published is None:
                return False
            day = dt.datetime.fromisoformat(article.published).date()
            if (self.since and day < self.since) or (self.until and day > self.until):
                return False
        return (
            _same(self.source, article.source)
            and _same(self.language, article.language)
            and (
                self.title_words is None
                or all(w in article.title.casefold() for w in self.title_words.casefold().split())
            )
        )


def article_record(article: Article, *, text: bool) -> ArticleRecord:
    """An article as the command line's JSON shows it."""
    return {key: getattr(article, key) for key in (*_FIELDS, *(("text",) if text else ()))}


def sort_records(
    records: Iterable[ArticleRecord], order: SortKey = SortKey.PUBLISHED, *, backwards: bool = False
) -> list[ArticleRecord]:
    """Sort the records: by date newest first, by anything else from A to Z; ties by title, then by id.

    Records without a value to sort by come last, backwards too.
    """
    listed = sorted(records, key=lambda r: (r["title"].casefold(), r["id"]))
    known = [r for r in listed if r[order] is not None]
    known.sort(key=lambda r: r[order].casefold(), reverse=(order is SortKey.PUBLISHED) is not backwards)
    return known + [r for r in listed if r[order] is None]


def paginate(records: list[ArticleRecord], size: int | None, number: int) -> tuple[list[ArticleRecord], str | None]:
    """The records of page `number`, counted from 1, and a line on which they are; None if all fit on one page."""
    if size is None:
        return records, None
    first = (number - 1) * size
    shown = records[first : first + size]
    pages = -(-len(records) // size)
    if not shown:
        return [], f"There is no page {number}; the last one is {pages}." if records else None
    more = f"; --page {number + 1} shows the next" if number < pages else ""
    return shown, f"{first + 1} to {first + len(shown)} of {len(records)} articles{more}" if pages > 1 else None


def summary_line(listed: ArticleRecord) -> Rich:
    """A record on one line: id, title, outlet, date."""
    about = " · ".join(part for part in (listed["source"], listed["published"]) if part)
    return joined([Rich(listed["id"]).styled(Style.DIM), Rich(listed["title"]), Rich(about).styled(Style.DIM)], " · ")


def full_article(article: Article) -> Rich:
    """A whole article: title, metadata, text."""
    metadata = " · ".join(part for part in (article.source, article.author, article.published, article.url) if part)
    head = joined([Rich(article.title).styled(Style.BOLD), Rich(metadata).styled(Style.DIM)], "\n")
    return joined([head, Rich(article.text)], "\n\n")


def _same(wanted: str | None, found: str | None) -> bool:
    return wanted is None or (found or "").casefold() == wanted.casefold()
