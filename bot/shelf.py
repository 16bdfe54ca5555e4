"""The articles of one snapshot as people leaf through them, and quotes that can be put away and found again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

from corpus.article import Article, Span, content_id
from retrieval.results import Quote


def key_of(article_id: str) -> str:
    """Sixteen hexadecimal digits that stand for an article's id where there is no room for it."""
    return blake2b(article_id.encode(), digest_size=8).hexdigest()


class Shelf:
    """Articles, newest first, those without a date last, equal dates by title; found by key, too."""

    def __init__(self, articles: Iterable[Article]) -> None:
        by_title = sorted(articles, key=lambda article: article.title)
        self.articles = tuple(sorted(by_title, key=lambda article: article.published or "", reverse=True))
        self._by_key = {key_of(article.id): article for article in self.articles}

    def __len__(self) -> int:
        return len(self.articles)

    def find(self, key: str) -> Article | None:
        """The article of a key, where it is here."""
        return self._by_key.get(key)

    def since(self, day: dt.date) -> tuple[Article, ...]:
        """The articles published on a day or later."""
        return tuple(article for article in self.articles if article.published and article.published >= day.isoformat())


def put_away(quote: Quote) -> dict[str, Any]:
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
    }


def find_again(kept: dict[str, Any], shelf: Shelf) -> Quote | None:
    """The quote that was put away; None where its article is gone or its words have changed."""
    article = shelf.find(key_of(kept["article"]))
    if article is None or content_id(article.title, article.text) != kept["content"]:
        return None
    return Quote(
        article=article,
        span=Span(*kept["span"]),
        highlights=tuple(Span(*highlight) for highlight in kept["highlights"]),
        score=kept["score"],
        context=Span(*kept["context"]),
        link=kept["link"],
    )
