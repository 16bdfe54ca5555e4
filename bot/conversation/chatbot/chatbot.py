"""The chatbot as a messenger sees it: messages, edits, taps and inline questions in, cards out.

What must outlast a restart is in the store; conversations and pages of inline answers are forgotten after a while.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence, Set

from bot.conversation import cards
from bot.conversation.admin import LibraryAdmin
from bot.conversation.cards import CallbackData, Card
from bot.conversation.chatbot.admin_commands import AdminCommands
from bot.conversation.chatbot.buttons import Buttons
from bot.conversation.chatbot.commands import Commands
from bot.conversation.chatbot.inline import KEYSTROKE_S, InlineQuestions, InlineResults
from bot.conversation.chatbot.session import LongTask, MessageOrigin, Session
from bot.conversation.languages import Language
from bot.conversation.phrases import Phrase, say
from bot.conversation.rich_text import Rich
from bot.service.engine import Engine
from bot.service.state import StateDatabase, Subscriber
from bot.service.throttle import Throttle

COMMANDS = ("ask", "articles", "latest", "since", "more", "context", "why", "language", "subscribe", "unsubscribe")
PRIVATE = (*COMMANDS, "privacy", "help")
GROUP = ("ask", "articles", "latest", "since", "subscribe", "unsubscribe", "help")
ADMIN = ("add", "remove", "rebuild", "status", "feedback")

REMINDER_S = 10.0  # a chat is asked to slow down at most this often


class Chatbot:
    """Everything the bot does for people and, where `library` is given, for its admins."""

    def __init__(
        self,
        engine: Engine,
        store: StateDatabase,
        *,
        library: LibraryAdmin | None = None,
        admins: Collection[int] = (),
        keep_questions: bool = False,
        burst: int = 60,
        every_s: float = 1.0,
        keystroke_s: float = KEYSTROKE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = Session(engine, store, keep_questions=keep_questions, clock=clock)
        self.engine = engine
        self.store = store
        self.metrics = self._session.metrics
        self._people = Throttle(burst, every_s, clock)
        self._chats = Throttle(2 * burst, every_s / 2, clock)
        self._reminded: dict[int, float] = {}
        self._clock = clock
        self._admins = frozenset(admins) if library is not None else frozenset[int]()
        self._commands = Commands(self._session, self.commands_for)
        self._admin_commands = AdminCommands(self._session, library) if library is not None else None
        self._buttons = Buttons(self._session, self._commands)
        self._inline = InlineQuestions(self._session, self._people, keystroke_s)
        self._noted: tuple[str, Set[str]] = "", set()  # the snapshot whose articles were last noted, and these

    # Messages.

    async def reply(self, origin: MessageOrigin, words: str) -> Card | LongTask | None:
        """The reply to a message; None for a command in a group that another bot may know."""
        name, _, argument = words.partition(" ") if words.startswith("/") else ("", "", "")
        name, argument = name[1:].lower(), argument.strip()
        if name in self._commands.by_name:
            return await self._commands.by_name[name](origin, argument)
        admin = self._admin_commands_for(origin.person)
        if admin is not None and name in admin.by_name:
            return await admin.by_name[name](origin, argument)
        if name and not origin.private and name not in PRIVATE:
            return None
        return await self._commands.ask(origin, words)

    def add_articles(self, origin: MessageOrigin, sources: Sequence[str], shown: str) -> LongTask:
        """Take sources into the library; `shown` names them to the admin.

        Raises:
            PermissionError: who asks is no admin.
        """
        admin = self._admin_commands_for(origin.person)
        if admin is None:
            raise PermissionError("only admins add articles")
        return admin.add(origin, sources, shown)

    async def press(self, press: CallbackData | None, origin: MessageOrigin) -> Card | str | None:
        """The card that replaces the message, or a note for whoever tapped; None where there is nothing to do."""
        wait_s = self.wait_s(origin)
        if wait_s:
            seconds = max(1, round(wait_s))
            return say(Phrase.SLOW_DOWN, self.language_of(origin.person, origin.client), count=seconds)
        return await self._buttons.press(press, origin, self._admin_commands_for(origin.person))

    async def inline(self, person: int, client: str | None, query: str, text: str, offset: str) -> InlineResults | None:
        """Results for a question typed after the bot's name; None where the person has typed on since.

        `query` is the id of the inline query.
        """
        return await self._inline.results(person, client, query, text, offset)

    def language_of(self, person: int, client: str | None) -> Language:
        """The language to use with a person: the one they chose, else their app's, else English."""
        return self._session.language_of(person, client)

    def _admin_commands_for(self, person: int) -> AdminCommands | None:
        return self._admin_commands if person in self._admins else None

    async def reply_to_edit(self, origin: MessageOrigin, words: str) -> Card | LongTask | None:
        """The reply to an edited message, as if it had been written that way in the first place."""
        conversation = self._session.conversation(origin)
        conversation.state = conversation.before.get(origin.message, conversation.state)
        return await self.reply(origin, words)

    def is_admin(self, person: int) -> bool:
        """Whether a person is an admin."""
        return person in self._admins

    def is_admin_chat(self, origin: MessageOrigin) -> bool:
        """Whether an admin writes to the bot alone."""
        return origin.private and self.is_admin(origin.person)

    def commands_for(self, origin: MessageOrigin) -> Sequence[str]:
        """The commands to name in a chat."""
        if not origin.private:
            return GROUP
        return (*PRIVATE, *ADMIN) if origin.person in self._admins else PRIVATE

    async def news(self) -> list[tuple[Subscriber, Card | None]]:
        """Subscribers to tell about new articles, with the card; None where those articles are gone again."""
        name, keys = await self._session.with_articles(lambda articles: (articles.name, articles.keys))
        if self._noted[0] != name and not self.store.unnotified():
            self.store.record_articles([key for key in keys if key not in self._noted[1]], name)
            self._noted = name, keys
        untold, new = self.store.unnotified(), self.store.latest_news()[1]
        if not untold:
            return []
        found = await self._session.with_articles(
            lambda articles: [articles.find(key) for key in new[: cards.ANNOUNCED]]
        )
        new_articles = [article for article in found if article is not None]
        by_language = {
            each: cards.announcement(new_articles, each, count=len(new)) if new_articles else None for each in Language
        }
        return [(each, by_language[Language.of(each.language) or Language.EN]) for each in untold]

    def wait_s(self, origin: MessageOrigin) -> float:
        """Spend one request from the budgets of a person and their chat; the seconds to wait where none is left."""
        wait_s = self._people.wait_s(origin.person) or self._chats.wait_s(origin.chat)
        if wait_s:
            self.metrics.count("throttled")
        return wait_s

    def slow_down(self, origin: MessageOrigin, wait_s: float) -> Card | None:
        """The request to slow down; None where the chat was told a moment ago."""
        now = self._clock()
        self._reminded = {chat: until for chat, until in self._reminded.items() if until > now}
        if origin.chat in self._reminded:
            return None
        self._reminded[origin.chat] = now + max(wait_s, REMINDER_S)
        seconds = max(1, round(wait_s))
        return Card(Rich(say(Phrase.SLOW_DOWN, self.language_of(origin.person, origin.client), count=seconds)))
