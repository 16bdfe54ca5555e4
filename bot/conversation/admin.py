"""What admins do to the library from their phones, with the same editor as the command line; knows no transport."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from bot.conversation.cards import ROOM, UNDO, Button, CallbackData, Card, Rows
from bot.conversation.phrases import Language, Phrase, say
from bot.conversation.rendering import Rich, one_line
from bot.service.state import StateDatabase
from corpus.article import Article
from corpus.errors import CorpusError
from corpus.storage.outcome import Outcome, OutcomeKind
from retrieval.errors import RetrievalError

if TYPE_CHECKING:
    from retrieval.index.writing.publishing import Published

log = logging.getLogger(__name__)

ADDITIONS = 100  # that can be undone

R = TypeVar("R")
ShowProgress = Callable[[Card], Coroutine[Any, Any, None]]
"""Shows how far a work is."""


class Editor(Protocol):
    """Changes the library and publishes it."""

    def add(
        self, sources: Sequence[str], /, *, on_replaced: Callable[[Article], None], indexing: Callable[[], None]
    ) -> list[Outcome]:
        """Take articles in; one outcome for each.

        `on_replaced` is given each article as it was before, `indexing` is called when they are read and the index is
        begun.
        """

    def undo(self, added: Sequence[str], replaced: Sequence[Article], /) -> list[str]:
        """Remove what was added, put back what was replaced; the ids of which that could be done."""

    def remove(self, ids: Sequence[str], /) -> list[str]:
        """Remove articles; the ids that were there."""

    def rebuild(self) -> Published:
        """Publish what the library holds now."""


class LibraryAdmin:
    """Edits one thing after the other, off the event loop, and says in a card what came of it."""

    def __init__(self, editor: Editor, store: StateDatabase) -> None:
        self._editor = editor
        self._store = store
        self._busy = asyncio.Lock()

    async def add(self, sources: Sequence[str], language: Language, tell: ShowProgress) -> Card:
        """Take articles into the library, telling how far it is; the card offers to undo it."""
        loop = asyncio.get_running_loop()
        told: list[Future[None]] = []
        replaced: list[Article] = []

        def indexing() -> None:
            told.append(asyncio.run_coroutine_threadsafe(tell(Card(Rich(say(Phrase.REBUILDING, language)))), loop))

        outcomes = await self._edited(
            lambda: self._editor.add(sources, on_replaced=replaced.append, indexing=indexing), language
        )
        await asyncio.gather(*map(asyncio.wrap_future, told))  # or it would be told after the outcome
        if isinstance(outcomes, Card):
            return outcomes
        added = {o.id: o.title or o.id for o in outcomes if o.kind is OutcomeKind.ADDED and o.id}
        undo = _undo(self._remember(added, replaced), language) if added or replaced else ()
        return Card(ROOM.fill((Rich(_said(outcome, language)) for outcome in outcomes), "\n"), undo)

    async def remove(self, titles: Mapping[str, str], language: Language) -> Card:
        """Remove the articles of some ids, which are told by their titles."""
        gone = await self._edited(lambda: self._editor.remove([*titles]), language)
        return gone if isinstance(gone, Card) else Card(ROOM.fill(_removed(titles, gone, language), "\n"))

    async def undo(self, number: int, language: Language) -> Card | None:
        """Undo an addition; None where it is not known or was undone before."""
        known = json.loads(self._store.known(f"addition {number}") or "null")
        if known is None:
            return None
        added, replaced = known["added"], [Article(**record) for record in known["replaced"]]
        done = await self._edited(lambda: self._editor.undo([*added], replaced), language)
        if isinstance(done, Card):
            return Card(done.rich, _undo(number, language))
        self._store.learn(f"addition {number}", "null")
        back = [
            Rich(say(Phrase.OUTCOME_RESTORED, language, title=one_line(article.title)))
            for article in replaced
            if article.id in done
        ]
        return Card(ROOM.fill([*_removed(added, done, language), *back], "\n"))

    async def rebuild(self, language: Language) -> Card:
        """Build the index anew."""
        done = await self._edited(self._editor.rebuild, language)
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
                return Card(Rich(say(Phrase.EDIT_FAILED, language, reason=one_line(str(exc)))))

    def _remember(self, added: Mapping[str, str], replaced: Sequence[Article]) -> int:
        """Keep what it takes to undo an addition, and no longer that for one long ago."""
        number = int(self._store.known("additions") or 0) + 1
        self._store.learn("additions", str(number))
        what = {"added": added, "replaced": [asdict(article) for article in replaced]}
        self._store.learn(f"addition {number}", json.dumps(what))
        self._store.learn(f"addition {number - ADDITIONS}", "null")
        return number


def _undo(number: int, language: Language) -> Rows:
    return ((Button(say(Phrase.BUTTON_UNDO, language), CallbackData(UNDO, str(number)).data),),)


def _removed(titles: Mapping[str, str], gone: Sequence[str], language: Language) -> list[Rich]:
    return [
        Rich(say(Phrase.OUTCOME_REMOVED if each in gone else Phrase.ARTICLE_UNKNOWN, language, title=one_line(title)))
        for each, title in titles.items()
    ]


def _said(outcome: Outcome, language: Language) -> str:
    title = one_line(outcome.title or PurePath(outcome.source).name)
    if outcome.reason is None:
        return say(Phrase(f"outcome_{outcome.kind}"), language, title=title)
    return say(Phrase(f"outcome_{outcome.kind}"), language, title=title, reason=one_line(outcome.reason))
