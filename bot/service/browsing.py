"""Browsing: the articles of a snapshot, newest first, and quotes stored as offsets and restored from them."""

from __future__ import annotations

import datetime as dt
import time
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from hashlib import blake2b
from typing import Any, overload

from corpus.article import Article, Span, content_id
from retrieval.index.contract import ArticleSummary, Index
from retrieval.results import Quote


def article_key(article_id: str) -> str:
    """Sixteen hexadecimal digits that stand for an article's id where the id itself is too long."""
    return blake2b(article_id.encode(), digest_size=8).hexdigest()


class ArticleList(Sequence[Article]):
    """Articles, newest first, those without a date last, equal dates by title; `find` looks one up by its key.

    `article` reads the article of a row; `name` is the name of the snapshot that holds them.
    """

    def __init__(self, articles: Iterable[ArticleSummary], article: Callable[[int], Article], name: str = "") -> None:
        self.name = name
        self._article = article
        listed = [
            (_day(found.published), found.published or "", found.title, found.row, article_key(found.id))
            for found in articles
        ]
        listed.sort(key=lambda entry: entry[2])
        listed.sort(key=lambda entry: entry[:2], reverse=True)
        self._rows = array("q", (row for _, _, _, row, _ in listed))
        self._days = array("q", (day for day, _, _, _, _ in listed))
        self._by_key = {key: row for _, _, _, row, key in listed}

    @classmethod
    def from_index(cls, index: Index) -> ArticleList:
        """Make a list of an index's articles, which takes seconds for a large index; another thread may do it.

        It releases the GIL often: a thread that answers meanwhile would otherwise wait five milliseconds each time.
        """

        def listed() -> Iterator[ArticleSummary]:
            for number, one in enumerate(index.summaries()):
                if number % 16 == 0:
                    time.sleep(0)
                yield one

        return cls(listed(), index.article, index.name)

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, position: int) -> Article: ...

    @overload
    def __getitem__(self, position: slice) -> list[Article]: ...

    def __getitem__(self, position: int | slice) -> Article | list[Article]:
        if isinstance(position, slice):
            return [self._article(row) for row in self._rows[position]]
        return self._article(self._rows[position])

    @property
    def keys(self) -> Set[str]:
        """The key of every article."""
        return self._by_key.keys()

    def count_since(self, day: dt.date) -> int:
        """How many articles were published on `day` or later; they come first in the list."""
        return sum(published >= day.toordinal() for published in self._days)

    def find(self, key: str) -> Article | None:
        """The article with this key, None if there is none."""
        row = self._by_key.get(key)
        return None if row is None else self._article(row)


def _day(published: str | None) -> int:
    return dt.datetime.fromisoformat(published).toordinal() if published else 0


def quote_to_record(quote: Quote) -> dict[str, Any]:
    """A quote as JSON: no text, only the article's id and the offsets from which it can be restored."""
    article = quote.article
    return {
        "article": article.id,
        "content": content_id(article.title, article.text),
        "span": list(quote.span),
        "highlights": [list(highlight) for highlight in quote.highlights],
        "context": list(quote.context),
        "score": quote.score,
        "link": quote.link,
        "answer": None if quote.answer is None else list(quote.answer),
        "also_in": [other.id for other in quote.also_in],
    }


def quote_from_record(record: dict[str, Any], articles: ArticleList) -> Quote | None:
    """Restore a quote; None if its article is gone or its text has changed."""
    article = articles.find(article_key(record["article"]))
    if article is None or content_id(article.title, article.text) != record["content"]:
        return None
    return Quote(
        article=article,
        span=Span(*record["span"]),
        highlights=tuple(Span(*highlight) for highlight in record["highlights"]),
        score=record["score"],
        context=Span(*record["context"]),
        link=record["link"],
        answer=Span(*answer) if (answer := record.get("answer")) else None,
        also_in=tuple(other for known in record.get("also_in", ()) if (other := articles.find(article_key(known)))),
    )
