"""An answerer that follows what is published: when CURRENT moves, the next question is answered from there."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from corpus.article import Article
from retrieval.answering import Answerer
from retrieval.errors import RetrievalError
from retrieval.results import Answer, Query

log = logging.getLogger(__name__)


class Newsroom:
    """Answers and lists articles from the snapshot that serves now. Not for several threads at once.

    `open_answerer` opens an answerer over the snapshot that serves; `current` names that snapshot.
    """

    def __init__(self, open_answerer: Callable[[], Answerer], current: Callable[[], str | None]) -> None:
        self._open = open_answerer
        self._current = current
        self._answerer = open_answerer()

    def answer(self, query: Query) -> Answer:
        """Answer a question, or decline and hold the nearest passages.

        Raises:
            QuestionError: the question is empty or too long.
        """
        return self._following().answer(query)

    def articles(self) -> Sequence[Article]:
        """Every article, the newest first, those without a date last, equal dates by title."""
        found = sorted(self._following().snapshot.articles(), key=lambda article: article.title)
        return sorted(found, key=lambda article: article.published or "", reverse=True)

    def _following(self) -> Answerer:
        try:
            if self._current() != self._answerer.snapshot.name:
                self._answerer = self._open()
        except RetrievalError as exc:
            log.warning("the new snapshot cannot serve, the old one goes on: %s", exc)
        return self._answerer
