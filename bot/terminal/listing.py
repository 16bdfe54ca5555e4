"""The library as a person looks through it: which articles, in which order, on which page, and how they look."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bot.conversation.rich_text import Rich, Style, joined
from corpus.article import Article

Record = dict[str, Any]
"""An article as the command line's JSON shows it."""

_FIELDS = ("id", "title", "url", "source", "author", "published", "language")


class Order(StrEnum):
    """What a list of articles is sorted by."""

    PUBLISHED = "published"
    TITLE = "title"
    SOURCE = "source"
    AUTHOR = "author"
    LANGUAGE = "language"
    ID = "id"


@dataclass(frozen=True, slots=True)
class ArticleSelection:
    """Which articles are meant; what is None chooses all. Days are inclusive; an article without a date has none."""

    since: dt.date | None = None
    until: dt.date | None = None
    source: str | None = None
    language: str | None = None
    words: str | None = None

    def takes(self, article: Article) -> bool:
        """Whether the article is one of them: of that outlet and language, of those days, these words in its title."""
        if self.since or self.until:
            if article.published is None:
                return False
            day = dt.datetime.fromisoformat(article.published).date()
            if (self.since and day < self.since) or (self.until and day > self.until):
                return False
        return (
            _same(self.source, article.source)
            and _same(self.language, article.language)
            and (self.words is None or all(w in article.title.casefold() for w in self.words.casefold().split()))
        )


def record(article: Article, *, text: bool) -> Record:
    """An article as the command line's JSON shows it."""
    return {key: getattr(article, key) for key in (*_FIELDS, *(("text",) if text else ()))}


def sort_records(records: Iterable[Record], order: Order = Order.PUBLISHED, *, backwards: bool = False) -> list[Record]:
    """The records sorted: by date the newest first, by all else from A on; equal ones by title, then by id.

    What does not say what it is sorted by comes last, backwards too.
    """
    listed = sorted(records, key=lambda r: (r["title"].casefold(), r["id"]))
    known = [r for r in listed if r[order] is not None]
    known.sort(key=lambda r: r[order].casefold(), reverse=(order is Order.PUBLISHED) is not backwards)
    return known + [r for r in listed if r[order] is None]


def page_of(records: list[Record], size: int | None, number: int) -> tuple[list[Record], str | None]:
    """The records of a page, and what to say of it where there are more."""
    if size is None:
        return records, None
    first = (number - 1) * size
    shown = records[first : first + size]
    pages = -(-len(records) // size)
    if not shown:
        return [], f"There is no page {number}; the last one is {pages}." if records else None
    more = f"; --page {number + 1} shows the next" if number < pages else ""
    return shown, f"{first + 1} to {first + len(shown)} of {len(records)} articles{more}" if pages > 1 else None


def summary_line(listed: Record) -> Rich:
    """A record on one line: id, title, outlet, date."""
    about = " · ".join(part for part in (listed["source"], listed["published"]) if part)
    return joined([Rich(listed["id"]).styled(Style.DIM), Rich(listed["title"]), Rich(about).styled(Style.DIM)], " · ")


def full_article(article: Article) -> Rich:
    """An article to read: its title, what is known of it, its text."""
    known = " · ".join(part for part in (article.source, article.author, article.published, article.url) if part)
    head = joined([Rich(article.title).styled(Style.BOLD), Rich(known).styled(Style.DIM)], "\n")
    return joined([head, Rich(article.text)], "\n\n")


def _same(wanted: str | None, found: str | None) -> bool:
    return wanted is None or (found or "").casefold() == wanted.casefold()
