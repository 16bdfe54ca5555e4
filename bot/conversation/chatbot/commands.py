"""Questions and the commands that everybody has."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from bot.conversation import cards, rendering, rich_text
from bot.conversation.cards import Card
from bot.conversation.chatbot.session import Conversation, MessageOrigin, Session
from bot.conversation.dialogue import Ask, Browse, Help, Show, Turn, Widen, resolve, step
from bot.conversation.languages import Language
from bot.conversation.phrases import Phrase, say
from bot.conversation.rendering import QuoteLook
from bot.conversation.rich_text import Rich
from bot.service.engine import AnswerTimeout
from bot.service.state import ANSWERS_KEPT_S, DAY_S, Subscriber
from retrieval.errors import RetrievalError
from retrieval.results import Query

QueryFilter = Callable[[Query], Query]

_DAY = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\S)")  # in any digits


class Commands:
    """Answers questions and runs commands by their names; `commands_for` gives those to name in a chat."""

    def __init__(self, session: Session, commands_for: Callable[[MessageOrigin], Sequence[str]]) -> None:
        self._session = session
        self._commands_for = commands_for
        self.by_name: dict[str, Callable[[MessageOrigin, str], Awaitable[Card]]] = {
            "start": self._start,
            "ask": self.ask,
            "latest": self._latest,
            "since": self._since,
            "language": self._language,
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
            "privacy": self._privacy,
        }

    async def ask(self, origin: MessageOrigin, words: str, narrow: QueryFilter | None = None) -> Card:
        """Reply to what a person wrote; `narrow` limits where its question is looked up."""
        began, conversation = self._session.clock(), self._session.conversation(origin)
        conversation.before = {origin.message: conversation.state}
        conversation.state, turn = step(conversation.state, words)
        if not isinstance(turn, Ask):
            return await self._turn(origin, conversation, turn)
        if narrow is not None:
            turn = replace(turn, query=narrow(turn.query))
        try:
            answer = await self._session.engine.answer(turn.query)
        except RetrievalError as exc:
            return Card(Rich(say(Phrase.FAILED, turn.language, reason=rich_text.one_line(str(exc)))))
        except AnswerTimeout:
            return Card(Rich(say(Phrase.TOO_SLOW, turn.language)))
        conversation.state, shown = resolve(conversation.state, turn, answer)
        conversation.answer = self._session.store_answer(answer)
        self._session.count(answer)
        self._session.metrics.observe_wait(self._session.clock() - began)
        card = cards.quote(conversation.answer, 0, shown.language)
        return card or Card(rendering.answer(answer, shown.language, look=QuoteLook.BLOCKS, room=cards.ROOM))

    async def _turn(self, origin: MessageOrigin, conversation: Conversation, turn: Turn) -> Card:
        """A reply that needs no search. It shows one quote; buttons lead to the others."""
        card: Card | None = None
        match turn:
            case Browse():
                return await self._session.article_page(turn.language, turn.page - 1)
            case Help():
                return Card(rendering.reply(turn, look=QuoteLook.BLOCKS, commands=self._commands_for(origin)))
            case Show() if conversation.answer is not None:
                conversation.state = replace(conversation.state, shown=turn.first)
                card = cards.quote(conversation.answer, turn.first, turn.language)
            case Widen() if conversation.answer is not None:
                card = cards.quote(conversation.answer, conversation.state.shown, turn.language, wide=True)
            case Ask():
                raise AssertionError("a question is answered before it is shown")
            case _:
                pass
        return card or Card(rendering.reply(turn, look=QuoteLook.BLOCKS, room=cards.ROOM))

    async def _start(self, origin: MessageOrigin, argument: str) -> Card:
        """The greeting, or what a link to the bot opens: a shared quote or article."""
        language, opened = self._session.conversation(origin).state.language, cards.shared_of(argument)
        if opened is None:
            return cards.greeting(self._commands_for(origin), language)
        gone = Phrase.OUTDATED if opened.what == cards.QUOTE else Phrase.ARTICLE_UNKNOWN
        return await self._session.opened(opened, language) or Card(Rich(say(gone, language)))

    async def _latest(self, origin: MessageOrigin, _: str) -> Card:
        language = self._session.conversation(origin).state.language
        return await self._session.with_articles(lambda articles: cards.latest(articles, language))

    async def _since(self, origin: MessageOrigin, argument: str) -> Card:
        """The articles since a day, or an answer from them."""
        match, since, language = _DAY.match(argument), None, self._session.conversation(origin).state.language
        if match is not None:
            try:
                since = dt.date(*map(int, match.groups()))
            except ValueError:
                since = None
        if match is None or since is None:
            return Card(Rich(say(Phrase.SINCE_HOW, language)))
        day, question = since, argument[match.end() :].strip()
        if question:
            return await self.ask(origin, question, lambda query: replace(query, since=day))
        return await self._session.with_articles(lambda articles: cards.since(articles, day, language))

    async def _language(self, origin: MessageOrigin, argument: str) -> Card:
        conversation = self._session.conversation(origin)
        conversation.state, turn = step(conversation.state, f"/language {argument}".strip())
        chosen = Language.named(argument)
        if chosen is None:
            return cards.language_choice(conversation.state.language)
        self._session.store.set_language(origin.person, chosen)
        return await self._turn(origin, conversation, turn)

    async def _subscribe(self, origin: MessageOrigin, _: str) -> Card:
        language = self._session.language_of(origin.person, origin.client)
        self._session.store.subscribe(Subscriber(origin.chat, origin.thread, language))
        return Card(Rich(say(Phrase.SUBSCRIBED, language)))

    async def _unsubscribe(self, origin: MessageOrigin, _: str) -> Card:
        self._session.store.unsubscribe(origin.chat, origin.thread)
        return Card(Rich(say(Phrase.UNSUBSCRIBED, self._session.language_of(origin.person, origin.client))))

    async def _privacy(self, origin: MessageOrigin, argument: str) -> Card:
        language = self._session.language_of(origin.person, origin.client)
        if argument.lower() == "forget":
            return self.forget(origin, language)
        phrase = Phrase.PRIVACY_QUESTIONS if self._session.keep_questions else Phrase.PRIVACY
        return cards.privacy(say(phrase, language, days=int(ANSWERS_KEPT_S / DAY_S)), language)

    def forget(self, origin: MessageOrigin, language: Language) -> Card:
        """Delete what is stored about a person."""
        self._session.store.delete_person(origin.person)
        self._session.forget_conversations(origin.person)
        return Card(Rich(say(Phrase.FORGOTTEN, language)))
