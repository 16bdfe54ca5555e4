"""The commands and buttons that only admins have."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence

from bot.conversation import cards
from bot.conversation.admin import LibraryAdmin
from bot.conversation.cards import CallbackData, Card
from bot.conversation.chatbot.session import LongTask, MessageOrigin, Session
from bot.conversation.languages import Language
from bot.conversation.phrases import Phrase, say
from bot.conversation.rich_text import Rich
from bot.service.browsing import article_key

_ADDRESS = re.compile(r"https?://\S+")


class AdminCommands:
    """Runs admins' commands by their names; whoever calls has checked that an admin asks."""

    def __init__(self, session: Session, library: LibraryAdmin) -> None:
        self._session = session
        self._library = library
        self._began = session.clock()
        self.by_name: dict[str, Callable[[MessageOrigin, str], Awaitable[Card | LongTask]]] = {
            "add": self._add,
            "remove": self._remove,
            "rebuild": self._rebuild,
            "status": self._status,
            "feedback": self._feedback,
        }

    def add(self, origin: MessageOrigin, sources: Sequence[str], shown: str) -> LongTask:
        """Add sources to the library; `shown` names them to the admin."""
        language = self._session.language_of(origin.person, origin.client)
        begun = Card(Rich(say(Phrase.ADD_READING, language, source=shown)))
        return LongTask(begun, lambda show_progress: self._library.add(sources, language, show_progress))

    async def _add(self, origin: MessageOrigin, argument: str) -> Card | LongTask:
        addresses = _ADDRESS.findall(argument)
        if addresses:
            return self.add(origin, addresses, " ".join(addresses)[:200])
        return Card(Rich(say(Phrase.ADD_HOW, self._session.language_of(origin.person, origin.client))))

    async def _remove(self, origin: MessageOrigin, argument: str) -> Card:
        language = self._session.language_of(origin.person, origin.client)
        if not argument:
            return Card(Rich(say(Phrase.REMOVE_HOW, language)))
        keys = {each: article_key(each) for each in argument.split()}
        found = await self._session.with_articles(
            lambda articles: {each: articles.find(key) for each, key in keys.items()}
        )
        return await self._library.remove(
            {each: known.title if known else each for each, known in found.items()}, language
        )

    async def _rebuild(self, origin: MessageOrigin, _: str) -> LongTask:
        language = self._session.language_of(origin.person, origin.client)
        return LongTask(Card(Rich(say(Phrase.REBUILDING, language))), lambda _: self._library.rebuild(language))

    async def _status(self, origin: MessageOrigin, _: str) -> Card:
        name, count = await self._session.with_articles(lambda articles: (articles.name, len(articles)))
        text = say(
            Phrase.STATUS,
            self._session.language_of(origin.person, origin.client),
            name=name,
            articles=count,
            answered=self._session.metrics["answered"],
            declined=self._session.metrics["declined"],
            waiting=self._session.engine.waiting,
            subscribers=self._session.store.count_subscribers(),
            minutes=int((self._session.clock() - self._began) / 60),
        )
        return Card(Rich(text))

    async def _feedback(self, origin: MessageOrigin, _: str) -> Card:
        good = [vote.good for vote in self._session.store.votes()]
        language = self._session.language_of(origin.person, origin.client)
        return Card(Rich(say(Phrase.FEEDBACK, language, good=sum(good), bad=len(good) - sum(good))))

    async def edited(self, press: CallbackData, language: Language) -> Card | None:
        """Undo or remove as an admin's button says; None where the article no longer exists."""
        if press.what == cards.UNDO:
            return await self._library.undo(press.number, language)
        found = await self._session.with_articles(lambda articles: articles.find(press.subject))
        if found is None:
            return None
        if press.what == cards.REMOVE:
            return cards.removal(found, language, press.place)
        return await self._library.remove({found.id: found.title}, language)
