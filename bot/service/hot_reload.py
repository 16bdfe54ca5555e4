"""An answerer that follows what is published: when CURRENT moves, the next question is answered from there."""

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
    """Answers and lists articles from the snapshot that serves now. Not for several threads at once.

    `open_answerer` opens an answerer over the snapshot that serves; `current` names that snapshot. Nothing is opened
    before it is first needed. Where a new snapshot cannot be opened, the old one goes on serving and the log says why.
    """

    def __init__(self, open_answerer: Callable[[], Answerer], current: Callable[[], str | None]) -> None:
        self._open = open_answerer
        self._current = current
        self._answerer: Answerer | None = None
        self._tried: str | None = None
        self._shelf: ArticleList | None = None

    def answer(self, query: Query) -> Answer:
        """Answer a question, or decline and hold the nearest passages.

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
        if self._shelf is None or self._shelf.name != snapshot.name:
            self._shelf = ArticleList.over(snapshot)
        return self._shelf

    def answerer(self) -> Answerer:
        """The answerer over the snapshot that serves, newly opened where CURRENT has moved.

        Raises:
            RetrievalError, OSError: there is no snapshot to open, and none was open before.
        """
        try:
            name = self._current()
            if self._answerer is None or name != self._tried:
                self._tried = name
                self._answerer = self._open()
                log.info("serving %s", name)
        except (RetrievalError, OSError) as exc:
            if self._answerer is None:
                raise
            log.error("the new index cannot be opened, the old one goes on serving: %s", exc)
        return self._answerer
