"""The articles of one snapshot as people leaf through them, and quotes that can be put away and found again."""

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
    """Sixteen hexadecimal digits that stand for an article's id where there is no room for it."""
    return blake2b(article_id.encode(), digest_size=8).hexdigest()


class ArticleList(Sequence[Article]):
    """Articles, newest first, those without a date last, equal dates by title; found by key, too.

    `article` gives the whole of the article in a row; `name` is that of the snapshot they are from.
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
    def of(cls, articles: Sequence[Article]) -> ArticleList:
        """A shelf of articles that are at hand."""
        listed = (ArticleSummary(row, found.id, found.title, found.published) for row, found in enumerate(articles))
        return cls(listed, articles.__getitem__)

    @classmethod
    def over(cls, index: Index) -> ArticleList:
        """A shelf of an index's articles, which takes seconds where they are many; another thread may make it.

        It gives way often: who answers beside it would else wait five milliseconds whenever it needs the GIL.
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
    def __getitem__(self, place: int) -> Article: ...

    @overload
    def __getitem__(self, place: slice) -> list[Article]: ...

    def __getitem__(self, place: int | slice) -> Article | list[Article]:
        if isinstance(place, slice):
            return [self._article(row) for row in self._rows[place]]
        return self._article(self._rows[place])

    @property
    def keys(self) -> Set[str]:
        """The key of every article."""
        return self._by_key.keys()

    def count_since(self, day: dt.date) -> int:
        """How many articles were published on a day or later; they are the first."""
        return sum(published >= day.toordinal() for published in self._days)

    def find(self, key: str) -> Article | None:
        """The article of a key, where it is here."""
        row = self._by_key.get(key)
        return None if row is None else self._article(row)


def _day(published: str | None) -> int:
    return dt.datetime.fromisoformat(published).toordinal() if published else 0


def quote_to_record(quote: Quote) -> dict[str, Any]:
    """What is needed to make a quote again from the article it was cut from: no words, only where they stand."""
    article = quote.article
    return {
        "article": article.id,
        "content": content_id(article.title, article.text),
        "span": list(quote.span),
        "highlights": [list(highlight) for highlight in quote.highlights],
        "context": list(quote.context),
        "score": quote.score,
        "link": quote.link,
        "also_in": [other.id for other in quote.also_in],
    }


def quote_from_record(kept: dict[str, Any], shelf: ArticleList) -> Quote | None:
    """The quote that was put away; None where its article is gone or its words have changed."""
    article = shelf.find(article_key(kept["article"]))
    if article is None or content_id(article.title, article.text) != kept["content"]:
        return None
    return Quote(
        article=article,
        span=Span(*kept["span"]),
        highlights=tuple(Span(*highlight) for highlight in kept["highlights"]),
        score=kept["score"],
        context=Span(*kept["context"]),
        link=kept["link"],
        also_in=tuple(other for known in kept.get("also_in", ()) if (other := shelf.find(article_key(known)))),
    )
