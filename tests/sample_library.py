"""Sample articles, and indexes built from them in one line."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

from bot.service.browsing import ArticleList
from corpus.article import Article, Passage, Span
from retrieval.index.contract import ArticleSummary, Index
from retrieval.index.snapshot import Snapshot
from retrieval.index.writing.publishing import publish
from retrieval.models.encoder import Encoder
from tests.fakes import HashingEncoder

NOW = dt.datetime(2026, 11, 24, 0, 15, tzinfo=dt.UTC)

HARBOUR = Article(
    id="harbour",
    title="Harbour strike ends in Port Vell",
    text=(
        "Dock workers in Port Vell went back to work on Monday. The strike had lasted eleven days. "
        "Union leader Marta Quill said the new contract raises pay by 7 percent.\n\n"
        "The harbour handles 40,000 containers a month. Mayor Jon Abel called the deal fair."
    ),
    url="https://example.org/harbour",
    source="The Vell Courier",
    published="2026-10-05",
    language="en",
)
BRIDGE = Article(
    id="bridge",
    title="Bridge over the Ostra to close for repairs",
    text=(
        "The old bridge over the Ostra will close in May for repairs. Engineers found cracks in two pillars. "
        "The work will cost 3.2 million crowns."
    ),
    source="Ostra Post",
    published="2026-11-01",
    language="en",
)
BEES = Article(
    id="bees",
    title="City bees 🐝 thrive",
    text="Bees on city roofs made more honey than ever. “Nobody expected it,” said Ada Lund.",
)
LIBRARY = (BEES, BRIDGE, HARBOUR)


def built(folder: Path, articles: Sequence[Article] = LIBRARY, encoder: Encoder | None = None) -> Snapshot:
    """A published and opened snapshot of `articles`."""
    encoder = encoder or HashingEncoder()
    publish(articles, encoder, folder, now=lambda: NOW)
    return Snapshot.open(folder, encoder=encoder.fingerprint)


def articles_in(index: Index) -> list[Article]:
    """Every article of an index, by row."""
    return [article for _, article in index.articles_with_rows()]


def ticking() -> Callable[[], dt.datetime]:
    """A clock that advances by a second with every call."""
    seconds = itertools.count()
    return lambda: NOW + dt.timedelta(seconds=next(seconds))


def whole(article: Article) -> Passage:
    """All of a short article as one passage."""
    span = Span(0, len(article.text))
    return Passage(article, span, (span,))


def article_list(articles: Sequence[Article]) -> ArticleList:
    """The articles as people browse them, without an index."""
    listed = (ArticleSummary(row, found.id, found.title, found.published) for row, found in enumerate(articles))
    return ArticleList(listed, articles.__getitem__)
