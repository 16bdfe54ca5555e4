"""Hot reload: once a new snapshot is published, the next question is answered from it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from bot.service.browsing import ArticleList
from corpus.article import Article
from retrieval.answering import Answerer
from retrieval.errors import RetrievalError
from retrieval.results import Answer, Query

log = logging.getLogger(__name__)


class ReloadingAnswerer:
    """Answers questions and lists articles from the current snapshot. Not thread-safe.

    `open_answerer` opens an answerer over the current snapshot; `current` names that snapshot. Nothing is opened before
    it is first needed. If a new snapshot cannot be opened, the old one stays in use and the log says why.
    """

    def __init__(self, open_answerer: Callable[[], Answerer], current: Callable[[], str | None]) -> None:
        self._open = open_answerer
        self._current = current
        self._answerer: Answerer | None = None
        self._last_tried: str | None = None
        self._articles: ArticleList | None = None

    def answer(self, query: Query) -> Answer:
        """Answer a question; if no article answers it, the answer holds the nearest passages.

        Raises:
            RetrievalError: it cannot be asked, or there is no snapshot to answer from.
        """
        return self.answerer().answer(query)

    def articles(self) -> Sequence[Article]:
        """Every article, the newest first, those without a date last, equal dates by title.

        Raises:
            RetrievalError: there is no snapshot to list.
        """
        snapshot = self.answerer().snapshot
        if self._articles is None or self._articles.name != snapshot.name:
            self._articles = ArticleList.from_index(snapshot)
        return self._articles

    def answerer(self) -> Answerer:
        """Return the answerer over the current snapshot, opening it if another one was published.

        Raises:
            RetrievalError, OSError: no snapshot can be opened, and none was open before.
        """
        try:
            name = self._current()
            if self._answerer is None or name != self._last_tried:
                self._last_tried = name
                self._answerer = self._open()
                log.info("serving %s", name)
        except (RetrievalError, OSError) as exc:
            if self._answerer is None:
                raise
            log.error("the new index cannot be opened, the old one goes on serving: %s", exc)
        return self._answerer
