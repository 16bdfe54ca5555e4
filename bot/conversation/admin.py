"""What admins do to the library from a chat, with the same editor as the command line."""

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
from bot.conversation.languages import Language
from bot.conversation.phrases import Phrase, say
from bot.conversation.rich_text import Rich, one_line
from bot.service.state import StateDatabase
from corpus.article import Article
from corpus.errors import CorpusError
from corpus.storage.outcome import Outcome, OutcomeKind
from retrieval.errors import RetrievalError

if TYPE_CHECKING:
    from retrieval.index.contract import Published

log = logging.getLogger(__name__)

ADDITIONS = 100  # that can be undone

R = TypeVar("R")
ShowProgress = Callable[[Card], Coroutine[Any, Any, None]]
"""Shows the progress of some work."""


class Editor(Protocol):
    """Changes the library and publishes it."""

    def add(
        self, sources: Sequence[str], /, *, on_replaced: Callable[[Article], None], indexing: Callable[[], None]
    ) -> list[Outcome]:
        """Add articles; one outcome for each.

        `on_replaced` is given the previous version of each replaced article; `indexing` is called when all sources are
        read and indexing begins.
        """

    def undo(self, added: Sequence[str], replaced: Sequence[Article], /) -> list[str]:
        """Remove what was added and restore what was replaced; gives the ids of those that succeeded."""

    def remove(self, ids: Sequence[str], /) -> list[str]:
        """Remove articles; gives the ids that existed."""

    def rebuild(self) -> Published:
        """Rebuild and publish the index of the whole library."""


class LibraryAdmin:
    """Edits the library in a thread, one change at a time, and reports each outcome as a card."""

    def __init__(self, editor: Editor, store: StateDatabase) -> None:
        self._editor = editor
        self._store = store
        self._busy = asyncio.Lock()

    async def add(self, sources: Sequence[str], language: Language, show_progress: ShowProgress) -> Card:
        """Add articles to the library, showing progress; the card offers to undo it."""
        loop = asyncio.get_running_loop()
        shown: list[Future[None]] = []
        replaced: list[Article] = []

        def indexing() -> None:
            shown.append(
                asyncio.run_coroutine_threadsafe(show_progress(Card(Rich(say(Phrase.REBUILDING, language)))), loop)
            )

        outcomes = await self._edited(
            lambda: self._editor.add(sources, on_replaced=replaced.append, indexing=indexing), language
        )
        await asyncio.gather(*map(asyncio.wrap_future, shown))  # so that progress is not shown after the outcome
        if isinstance(outcomes, Card):
            return outcomes
        added = {o.id: o.title or o.id for o in outcomes if o.kind is OutcomeKind.ADDED and o.id}
        undo = _undo(self._remember(added, replaced), language) if added or replaced else ()
        return Card(ROOM.fill((Rich(_said(outcome, language)) for outcome in outcomes), "\n"), undo)

    async def remove(self, titles: Mapping[str, str], language: Language) -> Card:
        """Remove articles; `titles` maps their ids to their titles."""
        gone = await self._edited(lambda: self._editor.remove([*titles]), language)
        return gone if isinstance(gone, Card) else Card(ROOM.fill(_removed(titles, gone, language), "\n"))

    async def undo(self, number: int, language: Language) -> Card | None:
        """Undo an addition; None where it is unknown or already undone."""
        known = json.loads(self._store.get_value(f"addition {number}") or "null")
        if known is None:
            return None
        added, replaced = known["added"], [Article(**record) for record in known["replaced"]]
        done = await self._edited(lambda: self._editor.undo([*added], replaced), language)
        if isinstance(done, Card):
            return Card(done.rich, _undo(number, language))
        self._store.set_value(f"addition {number}", "null")
        back = [
            Rich(say(Phrase.OUTCOME_RESTORED, language, title=one_line(article.title)))
            for article in replaced
            if article.id in done
        ]
        return Card(ROOM.fill([*_removed(added, done, language), *back], "\n"))

    async def rebuild(self, language: Language) -> Card:
        """Rebuild the index."""
        done = await self._edited(self._editor.rebuild, language)
        if isinstance(done, Card):
            return done
        articles = say(Phrase.ARTICLE_COUNT, language, count=done.articles)
        passages = say(Phrase.PASSAGE_COUNT, language, count=done.passages)
        return Card(Rich(say(Phrase.REBUILT, language, articles=articles, passages=passages)))

    async def _edited(self, work: Callable[[], R], language: Language) -> R | Card:
        """The result of `work`, or a card that says why it failed."""
        async with self._busy:
            try:
                return await asyncio.to_thread(work)
            except (CorpusError, RetrievalError, OSError) as exc:
                log.warning("the library could not be changed: %s", exc)
                return Card(Rich(say(Phrase.EDIT_FAILED, language, reason=one_line(str(exc)))))

    def _remember(self, added: Mapping[str, str], replaced: Sequence[Article]) -> int:
        """Store what is needed to undo an addition; forget the one `ADDITIONS` before it."""
        number = int(self._store.get_value("additions") or 0) + 1
        self._store.set_value("additions", str(number))
        what = {"added": added, "replaced": [asdict(article) for article in replaced]}
        self._store.set_value(f"addition {number}", json.dumps(what))
        self._store.set_value(f"addition {number - ADDITIONS}", "null")
        return number


def _undo(number: int, language: Language) -> Rows:
    return ((Button(say(Phrase.BUTTON_UNDO, language), CallbackData(UNDO, str(number)).data),),)


def _removed(titles: Mapping[str, str], gone: Sequence[str], language: Language) -> list[Rich]:
    return [
        Rich(say(Phrase.OUTCOME_REMOVED if each in gone else Phrase.ARTICLE_UNKNOWN, language, title=one_line(title)))
        for each, title in titles.items()
    ]


def _said(outcome: Outcome, language: Language) -> str:
    _, web, address = outcome.source.partition("://")
    title = one_line(outcome.title or (address if web else PurePath(outcome.source).name))
    if outcome.reason is None or outcome.kind is OutcomeKind.SKIPPED:
        return say(Phrase(f"outcome_{outcome.kind}"), language, title=title)
    return say(Phrase(f"outcome_{outcome.kind}"), language, title=title, reason=one_line(outcome.reason))
