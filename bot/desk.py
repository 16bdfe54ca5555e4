"""What admins do to the library from their phones, with the same editor as the command line; knows no transport."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Protocol, TypeVar

from bot.cards import ROOM, UNDO, Button, Card, Press
from bot.phrases import Language, Phrase, say
from bot.render import Rich
from bot.state import State
from corpus.errors import CorpusError
from corpus.library import Kind, Outcome
from retrieval.errors import RetrievalError

if TYPE_CHECKING:
    from retrieval.publish import Published

log = logging.getLogger(__name__)

R = TypeVar("R")


class Editor(Protocol):
    """Changes the library and publishes it."""

    def add(self, sources: Sequence[str], /) -> list[Outcome]:
        """Take articles in; one outcome for each."""

    def remove(self, ids: Sequence[str], /) -> list[str]:
        """Remove articles; the ids that were there."""

    def build(self, *, full: bool) -> Published:
        """Build and publish the index."""


class Desk:
    """Edits one thing after the other, off the event loop, and says in a card what came of it."""

    def __init__(self, editor: Editor, store: State) -> None:
        self._editor = editor
        self._store = store
        self._busy = asyncio.Lock()

    async def add(self, sources: Sequence[str], language: Language) -> Card:
        """Take articles into the library; the card offers to undo what was added."""
        outcomes = await self._edited(lambda: self._editor.add(sources), language)
        if isinstance(outcomes, Card):
            return outcomes
        ids = [outcome.id for outcome in outcomes if outcome.kind is Kind.ADDED and outcome.id]
        undo = (Button(say(Phrase.BUTTON_UNDO, language), Press(UNDO, self._remember(ids)).data),) if ids else ()
        return Card(ROOM.fill((Rich(_said(outcome, language)) for outcome in outcomes), "\n"), (undo,) if undo else ())

    async def remove(self, ids: Sequence[str], language: Language) -> Card:
        """Remove articles."""
        gone = await self._edited(lambda: self._editor.remove(ids), language)
        if isinstance(gone, Card):
            return gone
        lines = [
            say(Phrase.OUTCOME_REMOVED, language, title=each) if each in gone else say(Phrase.ARTICLE_UNKNOWN, language)
            for each in ids
        ]
        return Card(ROOM.fill(map(Rich, lines), "\n"))

    async def undo(self, number: int, language: Language) -> Card | None:
        """Remove again what was added; None where that is not known or was done before."""
        ids = json.loads(self._store.known(f"added {number}") or "[]")
        if not ids:
            return None
        self._store.learn(f"added {number}", "[]")
        return await self.remove(ids, language)

    async def rebuild(self, language: Language) -> Card:
        """Build the index anew."""
        done = await self._edited(lambda: self._editor.build(full=False), language)
        if isinstance(done, Card):
            return done
        return Card(Rich(say(Phrase.REBUILT, language, name=done.name, articles=done.articles, passages=done.passages)))

    async def _edited(self, work: Callable[[], R], language: Language) -> R | Card:
        """What `work` gives, or a card that says why it failed."""
        async with self._busy:
            try:
                return await asyncio.to_thread(work)
            except (CorpusError, RetrievalError, OSError) as exc:
                log.warning("the library could not be changed: %s", exc)
                return Card(Rich(say(Phrase.EDIT_FAILED, language, reason=str(exc))))

    def _remember(self, ids: Sequence[str]) -> str:
        number = int(self._store.known("additions") or 0) + 1
        self._store.learn("additions", str(number))
        self._store.learn(f"added {number}", json.dumps(ids))
        return str(number)


def _said(outcome: Outcome, language: Language) -> str:
    title = outcome.title or PurePath(outcome.source).name
    if outcome.reason is None:
        return say(Phrase(f"outcome_{outcome.kind}"), language, title=title)
    return say(Phrase(f"outcome_{outcome.kind}"), language, title=title, reason=outcome.reason)
