"""What the parts of the chatbot share: conversations, languages, answers stored for their buttons, and the articles."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from bot.conversation import cards
from bot.conversation.admin import ShowProgress
from bot.conversation.cards import CallbackData, Card, StoredAnswer
from bot.conversation.dialogue import DialogueState
from bot.conversation.languages import Language
from bot.service.browsing import ArticleList, quote_from_record, quote_to_record
from bot.service.engine import Engine
from bot.service.metrics import Metrics
from bot.service.state import StateDatabase
from retrieval.answering import Answerer
from retrieval.index.contract import Index
from retrieval.results import Answer

R = TypeVar("R")

log = logging.getLogger(__name__)

CONVERSATION_S = 30 * 60
CONVERSATIONS = 2000


@dataclass(frozen=True, slots=True)
class MessageOrigin:
    """Where a message comes from: the chat, its topic (0 where there is none), the person and their app's language."""

    chat: int
    thread: int
    message: int
    person: int
    client: str | None
    private: bool


@dataclass(slots=True)
class Conversation:
    """A conversation with one person in one chat or topic, and its last answer as stored for its buttons."""

    state: DialogueState
    at: float
    answer: StoredAnswer | None = None
    before: dict[int, DialogueState] = field(default_factory=dict)  # the state before the last message, by message id


@dataclass(frozen=True, slots=True)
class LongTask:
    """Work that takes a while: the card to show at once, and the work, which shows progress and gives the outcome."""

    started: Card
    work: Callable[[ShowProgress], Awaitable[Card]]


class Session:
    """The state that the parts of one chatbot share. What must outlast a restart is in `store`."""

    def __init__(
        self,
        engine: Engine,
        store: StateDatabase,
        *,
        keep_questions: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.engine = engine
        self.store = store
        self.keep_questions = keep_questions
        self.clock = clock
        self.metrics = Metrics()
        self._conversations: OrderedDict[tuple[int, int, int], Conversation] = OrderedDict()
        self._articles: ArticleList | None = None
        self._listing = asyncio.Lock()

    def conversation(self, origin: MessageOrigin) -> Conversation:
        """The conversation a message belongs to; a new one after `CONVERSATION_S` of silence."""
        key, now = (origin.chat, origin.thread, origin.person), self.clock()
        conversation = self._conversations.pop(key, None)
        if conversation is None or now - conversation.at > CONVERSATION_S:
            conversation = Conversation(DialogueState(client=Language.of(origin.client)), now)
        conversation.state = replace(conversation.state, chosen=Language.of(self.store.language(origin.person)))
        conversation.at = now
        self._conversations[key] = conversation
        while len(self._conversations) > CONVERSATIONS:
            self._conversations.popitem(last=False)
        return conversation

    async def with_articles(self, work: Callable[[ArticleList], R]) -> R:
        """Run `work` on the sorted articles of the current snapshot; they are sorted once for each snapshot.

        Sorting takes seconds where there are many; questions are still answered meanwhile.
        """

        def at_once(answerer: Answerer) -> tuple[Index, list[R]]:
            articles, snapshot = self._articles, answerer.snapshot
            return snapshot, [] if articles is None or articles.name != snapshot.name else [work(articles)]

        snapshot, made = await self.engine.call(at_once)
        if made:
            return made[0]
        async with self._listing:
            if self._articles is None or self._articles.name != snapshot.name:
                self._articles = await asyncio.to_thread(ArticleList.from_index, snapshot)
            articles = self._articles
        return await self.engine.call(lambda _: work(articles))

    def store_answer(self, answer: Answer) -> StoredAnswer:
        """Store an answer so that its buttons work after a restart."""
        question = answer.question if self.keep_questions else None
        quotes = [quote_to_record(quote) for quote in answer.quotes]
        number = self.store.store_answer(
            answer.snapshot, quotes, answered=answer.answered, certain=answer.certain, question=question
        )
        return StoredAnswer(number, answer.answered, answer.quotes, answer.certain)

    async def stored_answer(self, number: int) -> StoredAnswer | None:
        """A stored answer, with those of its quotes whose articles are unchanged; None for an unknown number."""
        found = self.store.stored_answer(number)
        if found is None:
            return None
        again = await self.with_articles(
            lambda articles: tuple(quote_from_record(quote, articles) for quote in found.quotes)
        )
        return StoredAnswer(number, found.answered, again, found.certain)

    def count(self, answer: Answer) -> None:
        """Count and log an answer, without its question."""
        what = "answered" if answer.answered else "declined"
        self.metrics.count(what)
        facts = {"took_ms": round(answer.took_ms), "quotes": len(answer.quotes), "snapshot": answer.snapshot}
        log.info(what, extra={"facts": facts})

    async def article_page(self, language: Language, page: int) -> Card:
        """A page of the list of articles, counted from 0."""
        return await self.with_articles(lambda articles: cards.articles(articles, language, page))

    async def opened(self, press: CallbackData, language: Language, *, admin: bool = False) -> Card | None:
        """The card that a button opens; None where what it shows no longer exists."""
        match press.what:
            case cards.ARTICLES:
                return await self.article_page(language, press.place)
            case cards.ARTICLE:
                found = await self.with_articles(lambda articles: articles.find(press.subject))
                return cards.article(found, language, press.place, admin=admin) if found else None
            case cards.QUOTE | cards.WIDE:
                stored = await self.stored_answer(press.number)
                return cards.quote(stored, press.place, language, wide=press.what == cards.WIDE) if stored else None
            case _:
                return None

    def language_of(self, person: int, client: str | None) -> Language:
        """The language to use with a person: the one they chose, else their app's, else English."""
        return Language.of(self.store.language(person)) or Language.of(client) or Language.EN

    def forget_conversations(self, person: int) -> None:
        """Forget the conversations with a person."""
        self._conversations = OrderedDict(
            (key, conversation) for key, conversation in self._conversations.items() if key[2] != person
        )
