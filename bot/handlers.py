"""Telegram's updates to the dialogue and back: text with entities, buttons, inline results. A few lines each."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
import logging
import re
import secrets
import tempfile
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from telegram import (
    Bot,
    BotCommand,
    BotCommandScope,
    BotCommandScopeChat,
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InlineQueryResultArticle,
    InlineQueryResultsButton,
    InputTextMessageContent,
    LinkPreviewOptions,
    Message,
    MessageEntity,
    MessageOriginChannel,
    ReplyParameters,
    Update,
    User,
)
from telegram.constants import ChatAction, ChatType, FileSizeLimit, MessageEntityType
from telegram.error import BadRequest, ChatMigrated, Forbidden, NetworkError, TelegramError
from telegram.ext import (
    Application,
    CallbackQueryHandler,
    ChatMemberHandler,
    ContextTypes,
    InlineQueryHandler,
    MessageHandler,
    filters,
)

from bot import cards, render
from bot.cards import Card, Kept, Press
from bot.desk import Desk
from bot.dialogue import Ask, Browse, Help, State, Turn, resolve, step
from bot.engine import Engine, TooSlow
from bot.metrics import Metrics
from bot.phrases import Language, Phrase, say
from bot.render import Look, Rich, Style
from bot.shelf import Shelf, find_again, put_away
from bot.state import ANSWERS_KEPT_S, DAY_S, Subscriber
from bot.state import State as Store
from bot.throttle import Throttle
from retrieval.answering import Answerer
from retrieval.errors import RetrievalError
from retrieval.results import Answer, Query

R = TypeVar("R")

log = logging.getLogger(__name__)

COMMANDS = ("ask", "articles", "latest", "since", "more", "context", "why", "language", "subscribe", "unsubscribe")
PRIVATE = (*COMMANDS, "privacy", "help")
GROUP = ("ask", "articles", "latest", "subscribe", "unsubscribe", "help")
ADMIN = ("add", "remove", "rebuild", "status", "feedback")

TYPING_AFTER_S = 0.5
TYPING_LASTS_S = 4.5  # Telegram shows it for five seconds
KEYSTROKE_S = 0.3  # how long an inline question has to stand before it is looked up
CONVERSATION_S = 30 * 60
CONVERSATIONS = 2000
INLINE_PAGE = 5
INLINE_CACHE_S = 30

NO_PREVIEW = LinkPreviewOptions(is_disabled=True)

Context = ContextTypes.DEFAULT_TYPE


_ENTITIES = {
    Style.BOLD: MessageEntityType.BOLD,
    Style.UNDERLINE: MessageEntityType.UNDERLINE,
    Style.ITALIC: MessageEntityType.ITALIC,
    Style.QUOTE: MessageEntityType.BLOCKQUOTE,
    Style.EXPANDABLE_QUOTE: MessageEntityType.EXPANDABLE_BLOCKQUOTE,
    Style.LINK: MessageEntityType.TEXT_LINK,
    Style.CODE: MessageEntityType.PRE,
}


def entities_of(rich: Rich) -> list[MessageEntity]:
    """A text's spans as Telegram wants them, in UTF-16 units; looks it does not have and dead links are left out."""
    found = []
    for span in rich.spans:
        kind = _ENTITIES.get(span.style)
        if kind is None or (span.style is Style.LINK and not (span.url or "").startswith(("https://", "http://"))):
            continue
        offset = render.utf16_units(rich.text[: span.start])
        length = render.utf16_units(rich.text[span.start : span.end])
        found.append(MessageEntity(kind, offset, length, url=span.url if span.style is Style.LINK else None))
    return found


def keyboard_of(card: Card) -> InlineKeyboardMarkup | None:
    """A card's buttons."""
    rows = [
        [InlineKeyboardButton(b.label, callback_data=b.data, url=b.url, switch_inline_query=b.share) for b in row]
        for row in card.rows
    ]
    return InlineKeyboardMarkup(rows) if rows else None


@dataclass(slots=True)
class Talk:
    """A conversation with one person in one place, and the number of the answer last given."""

    state: State
    at: float
    before: dict[int, State] = field(default_factory=dict)  # what was known before the last message, by its id


class Handlers:
    """Everything the bot does with an update. What it must remember over a restart is in the store."""

    def __init__(
        self,
        engine: Engine,
        store: Store,
        *,
        desk: Desk | None = None,
        admins: Collection[int] = (),
        keep_questions: bool = False,
        burst: int = 60,
        every_s: float = 1.0,
        keystroke_s: float = KEYSTROKE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.engine = engine
        self.store = store
        self.metrics = Metrics()
        self._desk = desk
        self._admins = frozenset(admins) if desk is not None else frozenset[int]()
        self._keep_questions = keep_questions
        self._began = clock()
        self._people = Throttle(burst, every_s, clock)
        self._chats = Throttle(2 * burst, every_s / 2, clock)
        self._told_off: dict[int, float] = {}
        self._keystroke_s = keystroke_s
        self._clock = clock
        self._talks: OrderedDict[tuple[int, int, int], Talk] = OrderedDict()
        self._typed: dict[int, str] = {}
        self._inline: OrderedDict[str, tuple[float, Kept]] = OrderedDict()
        self._shown: OrderedDict[tuple[int, int], object] = OrderedDict()
        self._shelf: tuple[str, Shelf] | None = None
        self._noted: str | None = None  # the snapshot whose articles were last compared with those seen before
        self._commands: dict[str, Callable[[Message, User, str], Awaitable[None]]] = {
            "start": self._start,
            "ask": self._ask,
            "latest": self._latest,
            "since": self._since,
            "language": self._language,
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
            "privacy": self._privacy,
        }
        self._admin_commands: dict[str, Callable[[Message, User, str], Awaitable[None]]] = {
            "add": self._add,
            "remove": self._remove,
            "rebuild": self._rebuild,
            "status": self._status,
            "feedback": self._feedback,
        }

    def register(self, application: Application[Any, Any, Any, Any, Any, Any]) -> None:
        """Add the handlers, the first that fits takes an update."""
        messages = filters.UpdateType.MESSAGE
        application.add_handler(InlineQueryHandler(self.on_inline))
        application.add_handler(CallbackQueryHandler(self.on_press))
        application.add_handler(ChatMemberHandler(self.on_membership, ChatMemberHandler.MY_CHAT_MEMBER))
        application.add_handler(MessageHandler(messages & filters.StatusUpdate.MIGRATE, self.on_migration))
        application.add_handler(MessageHandler(filters.UpdateType.EDITED_MESSAGE & filters.TEXT, self.on_edit))
        application.add_handler(MessageHandler(messages & filters.TEXT, self.on_text))
        application.add_handler(MessageHandler(messages & filters.ChatType.PRIVATE, self.on_other))
        application.add_error_handler(self.on_error)

    # Messages.

    async def on_text(self, update: Update, context: Context) -> None:
        """A question, a command or a word of courtesy."""
        message, user = update.message, update.effective_user
        if message is None or user is None:
            return
        words = _words_for(message, context.bot)
        if words is None or await self._throttled(message, user):
            return
        if self._is_admin(message, user) and (message.forward_origin is not None or _ADDRESS.fullmatch(words)):
            await self._take(message, user)
            return
        name, _, argument = words.partition(" ") if words.startswith("/") else ("", "", "")
        handler = self._commands.get(name[1:].lower())
        if handler is None and user.id in self._admins:
            handler = self._admin_commands.get(name[1:].lower())
        if handler is not None:
            await handler(message, user, argument.strip())
        elif name and message.chat.type != ChatType.PRIVATE and name[1:].lower() not in PRIVATE:
            return  # some other bot's
        else:
            await self._converse(message, user, words)

    async def on_edit(self, update: Update, context: Context) -> None:
        """A question that was put differently: answered anew in the message that answered it."""
        message, user = update.edited_message, update.effective_user
        if message is None or user is None:
            return
        reply = self.store.reply_to(message.chat_id, message.message_id)
        words = _words_for(message, context.bot)
        if reply is None or words is None or await self._throttled(message, user):
            return
        talk = self._talk(message, user)
        talk.state = talk.before.get(message.message_id, talk.state)
        if words.lower().startswith("/ask "):
            words = words[5:]
        card = await self._card(message, user, words)
        if not await self._edit(message.get_bot(), message.chat_id, reply, card):
            await self._reply(message, card, keep=True)

    async def on_other(self, update: Update, context: Context) -> None:  # noqa: ARG002
        """A picture, a voice, a place: nothing that could be read."""
        message, user = update.message, update.effective_user
        if message is None or user is None or not _meant_as_content(message) or await self._throttled(message, user):
            return
        if self._is_admin(message, user) and (message.document is not None or message.caption):
            await self._take(message, user)
        else:
            await self._reply(message, Card(Rich(say(Phrase.NOT_TEXT, self._speaks(user)))))

    async def on_migration(self, update: Update, context: Context) -> None:  # noqa: ARG002
        """A group became a supergroup."""
        if update.message is not None and update.message.migrate_to_chat_id is not None:
            self.store.move_chat(update.message.chat_id, update.message.migrate_to_chat_id)

    async def on_membership(self, update: Update, context: Context) -> None:  # noqa: ARG002
        """The bot was blocked, kicked or let in."""
        change = update.my_chat_member
        if change is not None and change.new_chat_member.status in ("kicked", "left"):
            self.store.unsubscribe(change.chat.id)

    async def on_error(self, update: object, context: Context) -> None:
        """Something failed: the log says what, the person gets a reference to it."""
        error = context.error
        chat = update.effective_chat if isinstance(update, Update) else None
        user = update.effective_user if isinstance(update, Update) else None
        if isinstance(error, Forbidden) and chat is not None:
            log.info("a chat does not want to hear from the bot: %s", error.message)
            self.store.unsubscribe(chat.id)
            return
        self.metrics.count("errors")
        reference = secrets.token_hex(3)
        log.error("an update failed (reference %s)", reference, exc_info=error)
        lost = isinstance(error, NetworkError) and not isinstance(error, BadRequest)
        if chat is None or user is None or lost:
            return
        text = say(Phrase.WENT_WRONG, self._speaks(user), reference=reference)
        thread = update.effective_message.message_thread_id if update.effective_message else None  # type: ignore[attr-defined]
        with contextlib.suppress(TelegramError):
            await self._send(context.bot, chat.id, Card(Rich(text)), thread=thread)

    async def _converse(self, message: Message, user: User, words: str, narrow: Narrow | None = None) -> None:
        began = self._clock()
        talk = self._talk(message, user)
        talk.before = {message.message_id: talk.state}
        card = await self._card(message, user, words, narrow)
        await self._reply(message, card, keep=True)
        self.metrics.waited(self._clock() - began)

    async def _card(self, message: Message, user: User, words: str, narrow: Narrow | None = None) -> Card:
        """What to show for a person's words."""
        talk = self._talk(message, user)
        talk.state, turn = step(talk.state, words)
        language = talk.state.language
        if not isinstance(turn, Ask):
            return await self._shown_turn(turn, message)
        if narrow is not None:
            turn = replace(turn, query=narrow(turn.query))
        try:
            answer = await self._typing(message, self.engine.answer(turn.query))
        except RetrievalError as exc:
            return Card(Rich(say(Phrase.FAILED, language, reason=str(exc))))
        except TooSlow:
            return Card(Rich(say(Phrase.TOO_SLOW, language)))
        talk.state, shown = resolve(talk.state, turn, answer)
        self._count(answer)
        return self._answer_card(answer, shown.language)

    async def _shown_turn(self, turn: Turn, message: Message) -> Card:
        match turn:
            case Browse():
                return await self._listed(turn.language, turn.page - 1)
            case Ask():
                raise AssertionError("a question is answered before it is shown")
            case Help():
                return Card(render.reply(turn, look=Look.BLOCKS, commands=self._offered(message)))
            case _:
                return Card(render.reply(turn, look=Look.BLOCKS, room=cards.ROOM))

    def _answer_card(self, answer: Answer, language: Language) -> Card:
        kept = self._keep(answer)
        card = cards.quote(kept, 0, language)
        return card or Card(render.answer(answer, language, look=Look.BLOCKS, room=cards.ROOM))

    def _keep(self, answer: Answer) -> Kept:
        question = answer.question if self._keep_questions else None
        quotes = [put_away(quote) for quote in answer.quotes]
        number = self.store.keep_answer(answer.snapshot, quotes, answered=answer.answered, question=question)
        return Kept(number, answer.answered, answer.quotes)

    def _count(self, answer: Answer) -> None:
        what = "answered" if answer.answered else "declined"
        self.metrics.count(what)
        log.info("%s in %.0f ms from %s", what, answer.took_ms, answer.snapshot)

    async def _typing(self, message: Message, work: Coroutine[Any, Any, Answer]) -> Answer:
        """The answer; while it takes long, the chat sees the bot typing."""
        task = asyncio.create_task(work)
        try:
            done, _ = await asyncio.wait({task}, timeout=TYPING_AFTER_S)
            while not done:
                with contextlib.suppress(TelegramError):
                    thread = message.message_thread_id if message.is_topic_message else None
                    await message.get_bot().send_chat_action(message.chat_id, ChatAction.TYPING, thread)
                done, _ = await asyncio.wait({task}, timeout=TYPING_LASTS_S)
            return await task
        finally:
            task.cancel()

    async def _throttled(self, message: Message, user: User) -> bool:
        """Whether somebody asks more than their budget; they are told so once until it allows again."""
        wait_s = self._people.wait_s(user.id) or self._chats.wait_s(message.chat_id)
        if not wait_s:
            return False
        self.metrics.count("throttled")
        now = self._clock()
        self._told_off = {chat: until for chat, until in self._told_off.items() if until > now}
        if message.chat_id not in self._told_off:
            self._told_off[message.chat_id] = now + max(wait_s, 10)
            seconds = say(Phrase.SLOW_DOWN, self._speaks(user), seconds=max(1, round(wait_s)))
            await self._reply(message, Card(Rich(seconds)))
        return True

    # Commands.

    async def _start(self, message: Message, user: User, argument: str) -> None:
        """The first words, or what a link into the bot opens: a shared quote or an article."""
        language = self._talk(message, user).state.language
        reference = cards.shared_of(argument)
        if reference is not None:
            kept = await self._kept(reference[0])
            card = cards.quote(kept, reference[1], language) if kept else None
            await self._reply(message, card or Card(Rich(say(Phrase.OUTDATED, language))))
        elif argument.startswith("a-"):
            found = await self._on_shelf(lambda shelf: shelf.find(argument[2:]))
            unknown = Card(Rich(say(Phrase.ARTICLE_UNKNOWN, language)))
            await self._reply(message, cards.article(found, language, 0) if found else unknown)
        else:
            await self._reply(message, cards.greeting(self._offered(message), language))
            if self._is_admin(message, user):  # before their first message, Telegram does not know their chat
                await offer(message.get_bot(), BotCommandScopeChat(message.chat_id), (*PRIVATE, *ADMIN))

    async def _ask(self, message: Message, user: User, argument: str) -> None:
        if not argument and message.reply_to_message is not None:
            argument = message.reply_to_message.text or ""  # "/ask" in reply to somebody's question
        await self._converse(message, user, argument)

    async def _latest(self, message: Message, user: User, argument: str) -> None:  # noqa: ARG002
        await self._reply(message, await self._listed(self._talk(message, user).state.language, 0))

    async def _since(self, message: Message, user: User, argument: str) -> None:
        day, _, question = argument.partition(" ")
        try:
            since = dt.date.fromisoformat(day)
        except ValueError:
            since = None
        if since is None or not question.strip():
            await self._reply(message, Card(Rich(say(Phrase.SINCE_HOW, self._speaks(user)))))
        else:
            await self._converse(message, user, question, lambda query: replace(query, since=since))

    async def _language(self, message: Message, user: User, argument: str) -> None:
        talk = self._talk(message, user)
        talk.state, turn = step(talk.state, f"/language {argument}".strip())
        if talk.state.chosen is not None:
            self.store.choose_language(user.id, talk.state.chosen)
        await self._reply(message, await self._shown_turn(turn, message))

    async def _subscribe(self, message: Message, user: User, argument: str) -> None:  # noqa: ARG002
        language = self._speaks(user)
        self.store.subscribe(Subscriber(message.chat_id, _thread(message) or 0, language))
        await self._reply(message, Card(Rich(say(Phrase.SUBSCRIBED, language))))

    async def _unsubscribe(self, message: Message, user: User, argument: str) -> None:  # noqa: ARG002
        self.store.unsubscribe(message.chat_id, _thread(message) or 0)
        await self._reply(message, Card(Rich(say(Phrase.UNSUBSCRIBED, self._speaks(user)))))

    async def _privacy(self, message: Message, user: User, argument: str) -> None:
        language = self._speaks(user)
        if argument.lower() == "forget":
            self.store.forget_person(user.id)
            self._talks = OrderedDict((key, talk) for key, talk in self._talks.items() if key[2] != user.id)
            text = say(Phrase.FORGOTTEN, language)
        else:
            phrase = Phrase.PRIVACY_QUESTIONS if self._keep_questions else Phrase.PRIVACY
            text = say(phrase, language, days=int(ANSWERS_KEPT_S / DAY_S))
        await self._reply(message, Card(Rich(text)))

    # What admins do.

    def _is_admin(self, message: Message, user: User) -> bool:
        """Whether an admin writes to the bot alone."""
        return user.id in self._admins and message.chat.type == ChatType.PRIVATE

    def _offered(self, message: Message) -> Sequence[str]:
        """The commands to name in a chat."""
        if message.chat.type != ChatType.PRIVATE:
            return GROUP
        return (*PRIVATE, *ADMIN) if message.from_user and message.from_user.id in self._admins else PRIVATE

    async def _take(self, message: Message, user: User) -> None:
        """Add what an admin sent: a web address, a document, or a post that was forwarded."""
        with tempfile.TemporaryDirectory() as folder:
            document, language = message.document, self._speaks(user)
            if document is None:
                words = (message.text or message.caption or "").strip()
                source = words if _ADDRESS.fullmatch(words) else _as_record(message, Path(folder, "post.jsonl"))
            elif (document.file_size or 0) > FileSizeLimit.FILESIZE_DOWNLOAD:
                limit = FileSizeLimit.FILESIZE_DOWNLOAD // 1_000_000
                await self._reply(message, Card(Rich(say(Phrase.ADD_TOO_BIG, language, limit=limit))))
                return
            else:
                path = Path(folder, PurePosixPath(document.file_name or "").name or "document")
                await (await document.get_file()).download_to_drive(path)
                source = str(path)
            await self._add_source(message, source, language)

    async def _add(self, message: Message, user: User, argument: str) -> None:
        language = self._speaks(user)
        if _ADDRESS.fullmatch(argument):
            await self._add_source(message, argument, language)
        else:
            await self._reply(message, Card(Rich(say(Phrase.ADD_HOW, language))))

    async def _add_source(self, message: Message, source: str, language: Language) -> None:
        assert self._desk is not None  # there are no admins without it
        name = source if _ADDRESS.fullmatch(source) else Path(source).name
        await self._worked(message, say(Phrase.ADD_READING, language, source=name), self._desk.add([source], language))

    async def _remove(self, message: Message, user: User, argument: str) -> None:
        assert self._desk is not None
        language = self._speaks(user)
        if argument:
            await self._reply(message, await self._desk.remove(argument.split(), language))
        else:
            await self._reply(message, Card(Rich(say(Phrase.REMOVE_HOW, language))))

    async def _rebuild(self, message: Message, user: User, argument: str) -> None:  # noqa: ARG002
        assert self._desk is not None
        language = self._speaks(user)
        await self._worked(message, say(Phrase.REBUILDING, language), self._desk.rebuild(language))

    async def _worked(self, message: Message, begun: str, work: Awaitable[Card]) -> None:
        """Say that something was begun, and turn that message into what came of it."""
        sent = await self._send(message.get_bot(), message.chat_id, Card(Rich(begun)), thread=_thread(message))
        card = await work
        if sent is None or not await self._edit(message.get_bot(), sent.chat_id, sent.message_id, card):
            await self._reply(message, card)

    async def _status(self, message: Message, user: User, argument: str) -> None:  # noqa: ARG002
        count = await self._on_shelf(len)
        assert self._shelf is not None
        text = say(
            Phrase.STATUS,
            self._speaks(user),
            name=self._shelf[0],
            articles=count,
            answered=self.metrics["answered"],
            declined=self.metrics["declined"],
            waiting=self.engine.waiting,
            subscribers=self.store.subscribers(),
            minutes=int((self._clock() - self._began) / 60),
        )
        await self._reply(message, Card(Rich(text)))

    async def _feedback(self, message: Message, user: User, argument: str) -> None:  # noqa: ARG002
        good = [vote.good for vote in self.store.votes()]
        counted = say(Phrase.FEEDBACK, self._speaks(user), good=sum(good), bad=len(good) - sum(good))
        await self._reply(message, Card(Rich(counted)))

    # New articles.

    async def announce(self, bot: Bot, stop: asyncio.Event) -> None:
        """Tell subscribers of the articles that are new since the last time, in one message each, until stopped."""
        await self._on_shelf(len)
        assert self._shelf is not None
        name, shelf = self._shelf
        if self._noted != name and not self.store.untold():
            self.store.note_articles(shelf.keys, name)
            self._noted = name
        _, keys = self.store.news()
        if not self.store.untold():
            return
        found = await self._on_shelf(lambda shelf: [shelf.find(key) for key in keys[: cards.ANNOUNCED]])
        new = [article for article in found if article is not None]
        for subscriber in self.store.untold():
            if stop.is_set():
                return
            if new:
                card = cards.announcement(new, Language.of(subscriber.language) or Language.EN, count=len(keys))
                await self._send(bot, subscriber.chat, card, thread=subscriber.thread or None)
            self.store.told(subscriber)

    # Buttons.

    async def on_press(self, update: Update, context: Context) -> None:
        """A button: always answered, once, whatever becomes of it."""
        query = update.callback_query
        if query is None:
            return
        note: str | None = None
        try:
            note = await self._pressed(query, context.bot)
        finally:
            try:
                await query.answer(note, show_alert=False)
            except BadRequest as exc:  # too old: the person has gone on, there is nobody to tell
                log.info("a button could not be answered: %s", exc.message)

    async def _pressed(self, query: CallbackQuery, bot: Bot) -> str | None:
        press, message = Press.of(query.data or ""), query.message
        language = self._speaks(query.from_user)
        if press is None or message is None:
            return say(Phrase.OUTDATED, language)
        if press.what == cards.SAME:
            return None
        if press.what in (cards.GOOD, cards.BAD):
            return self._voted(press, query.from_user, language)
        if press.what == cards.UNDO and self._desk is not None and query.from_user.id in self._admins:
            card = await self._desk.undo(press.number, language)
        else:
            card = await self._turned(press, language)
        if card is None:
            return say(Phrase.OUTDATED, language)
        shown = message if isinstance(message, Message) else None
        if not await self._edit(bot, message.chat.id, message.message_id, card, shown):
            return say(Phrase.OUTDATED, language)
        return None

    async def _turned(self, press: Press, language: Language) -> Card | None:
        """What a button turns its message into; None where that is no longer there."""
        if press.what == cards.ARTICLES:
            return await self._listed(language, press.place)
        if press.what == cards.ARTICLE:
            found = await self._on_shelf(lambda shelf: shelf.find(press.subject))
            return cards.article(found, language, press.place) if found else None
        if press.what in (cards.QUOTE, cards.WIDE):
            kept = await self._kept(press.number)
            return cards.quote(kept, press.place, language, wide=press.what == cards.WIDE) if kept else None
        return None

    def _voted(self, press: Press, user: User, language: Language) -> str:
        try:
            self.store.vote(press.number, press.place, user.id, good=press.what == cards.GOOD)
        except KeyError:
            return say(Phrase.OUTDATED, language)
        return say(Phrase.VOTE_COUNTED, language)

    # Inline.

    async def on_inline(self, update: Update, context: Context) -> None:
        """Quotes for a question typed after the bot's name; only the last of a burst of keystrokes is looked up."""
        query = update.inline_query
        if query is None:
            return
        text, language = query.query.strip(), self._speaks(query.from_user)
        kept: Kept | None = None
        shared = cards.shared_of(text)
        if shared is not None:
            kept = await self._kept(shared[0])
            places = [shared[1]]
        elif text:
            if not await self._settled(query.from_user.id, query.id) or self._people.wait_s(query.from_user.id):
                return
            kept = await self._inline_answer(text)
            first = int(query.offset) if query.offset.isdecimal() else 0
            places = list(range(first, first + INLINE_PAGE))
        if kept is None or (not kept.answered and shared is None):
            results, more = [], ""
        else:
            found = [(place, cards.quote(kept, place, language, sharing=False)) for place in places]
            results = [self._result(kept, place, card, language, context.bot) for place, card in found if card]
            more = str(places[-1] + 1) if shared is None and places[-1] + 1 < len(kept.quotes) else ""
        button = (
            None if results else InlineQueryResultsButton(say(Phrase.INLINE_ASK_ME, language), start_parameter="ask")
        )
        try:
            await query.answer(results, cache_time=INLINE_CACHE_S, is_personal=True, next_offset=more, button=button)
        except BadRequest as exc:  # too old: the person has typed on
            log.info("an inline question could not be answered: %s", exc.message)

    async def _settled(self, user: int, query: str) -> bool:
        self._typed[user] = query
        await asyncio.sleep(self._keystroke_s)
        if self._typed.get(user) != query:
            return False
        del self._typed[user]
        return True

    async def _inline_answer(self, text: str) -> Kept | None:
        """The answer to an inline question, the same for its further pages."""
        now = self._clock()
        if text in self._inline and now - self._inline[text][0] < 2 * INLINE_CACHE_S:
            return self._inline[text][1]
        _, turn = step(State(), text)
        if not isinstance(turn, Ask):
            return None
        try:
            answer = await self.engine.answer(turn.query)
        except (RetrievalError, TooSlow) as exc:
            log.warning("an inline question was not answered: %s", exc)
            return None
        self._count(answer)
        kept = self._keep(answer)
        self._inline[text] = (now, kept)
        while len(self._inline) > 500:
            self._inline.popitem(last=False)
        return kept

    def _result(self, kept: Kept, place: int, card: Card, language: Language, bot: Bot) -> InlineQueryResultArticle:
        quote = kept.quotes[place]
        assert quote is not None  # there is a card for it
        best = quote.highlights[0] if quote.highlights else quote.span
        link = f"https://t.me/{bot.username}?start=q-{kept.number}-{place}"
        opens = InlineKeyboardMarkup([[InlineKeyboardButton(say(Phrase.BUTTON_OPEN, language), url=link)]])
        content = InputTextMessageContent(
            card.rich.text, entities=entities_of(card.rich), link_preview_options=NO_PREVIEW
        )
        return InlineQueryResultArticle(
            f"{kept.number}.{place}",
            quote.article.title[:100],
            content,
            reply_markup=opens,
            description=quote.article.text[best.start : best.end][:200],
        )

    # What it rests on.

    def _talk(self, message: Message, user: User) -> Talk:
        """The conversation a message belongs to, a new one where it was silent for long."""
        key, now = (message.chat_id, _thread(message) or 0, user.id), self._clock()
        talk = self._talks.pop(key, None)
        if talk is None or now - talk.at > CONVERSATION_S:
            chosen = Language.of(self.store.language(user.id))
            talk = Talk(State(chosen=chosen, client=Language.of(user.language_code)), now)
        talk.at = now
        self._talks[key] = talk
        while len(self._talks) > CONVERSATIONS:
            self._talks.popitem(last=False)
        return talk

    def _speaks(self, user: User) -> Language:
        return Language.of(self.store.language(user.id)) or Language.of(user.language_code) or Language.EN

    async def _on_shelf(self, work: Callable[[Shelf], R]) -> R:
        """What `work` makes of the articles of the snapshot that serves; they are put in order once for each."""

        def worked(answerer: Answerer) -> R:
            snapshot = answerer.snapshot
            if self._shelf is None or self._shelf[0] != snapshot.name:
                self._shelf = snapshot.name, Shelf(snapshot.articles(), snapshot.article)
            return work(self._shelf[1])

        return await self.engine.call(worked)

    async def _listed(self, language: Language, page: int) -> Card:
        return await self._on_shelf(lambda shelf: cards.articles(shelf, language, page))

    async def _kept(self, number: int) -> Kept | None:
        found = self.store.answer(number)
        if found is None:
            return None
        _, answered, quotes, _ = found
        again = await self._on_shelf(lambda shelf: tuple(find_again(quote, shelf) for quote in quotes))
        return Kept(number, answered, again)

    async def _reply(self, message: Message, card: Card, *, keep: bool = False) -> None:
        """Answer a message where it was written; in a group, as a reply to it."""
        private = message.chat.type == ChatType.PRIVATE
        to = None if private else message.message_id
        sent = await self._send(message.get_bot(), message.chat_id, card, to=to, thread=_thread(message))
        if keep and sent is not None:
            self.store.keep_reply(message.chat_id, message.message_id, sent.message_id)
            self._remember_shown(sent.chat_id, sent.message_id, card)

    async def _send(
        self, bot: Bot, chat: int, card: Card, *, to: int | None = None, thread: int | None = None
    ) -> Message | None:
        """Send a card; None where the chat cannot be written to."""
        reply = ReplyParameters(to, allow_sending_without_reply=True) if to is not None else None
        try:
            return await bot.send_message(
                chat,
                card.rich.text,
                entities=entities_of(card.rich),
                reply_markup=keyboard_of(card),
                reply_parameters=reply,
                message_thread_id=thread,
                link_preview_options=NO_PREVIEW,
            )
        except ChatMigrated as exc:
            self.store.move_chat(chat, exc.new_chat_id)
            return await self._send(bot, exc.new_chat_id, card)
        except Forbidden as exc:
            log.info("a chat does not want to hear from the bot: %s", exc.message)
            self.store.unsubscribe(chat)
        except BadRequest as exc:
            if not any(reason in exc.message.lower() for reason in _UNWRITABLE):
                raise
            log.info("a chat cannot be written to: %s", exc.message)
        return None

    async def _edit(self, bot: Bot, chat: int, number: int, card: Card, shown: Message | None = None) -> bool:
        """Turn a message into a card, doing nothing where it is that already; False where it cannot be edited."""
        new = _shape(card)
        known = self._shown.get((chat, number)) or (shown and (shown.text, shown.entities, shown.reply_markup))
        if known != new:
            try:
                await bot.edit_message_text(
                    card.rich.text,
                    chat,
                    number,
                    entities=entities_of(card.rich),
                    reply_markup=keyboard_of(card),
                    link_preview_options=NO_PREVIEW,
                )
            except BadRequest as exc:
                if "not modified" not in exc.message:
                    log.info("a message could not be edited: %s", exc.message)
                    return False
        self._remember_shown(chat, number, card)
        return True

    def _remember_shown(self, chat: int, number: int, card: Card) -> None:
        self._shown[(chat, number)] = _shape(card)
        while len(self._shown) > CONVERSATIONS:
            self._shown.popitem(last=False)


def _shape(card: Card) -> object:
    """What tells two messages apart."""
    return card.rich.text, tuple(entities_of(card.rich)), keyboard_of(card)


Narrow = Callable[[Query], Query]

_UNWRITABLE = (
    "not enough rights",
    "chat not found",
    "have no rights",
    "chat_write_forbidden",
    "topic_closed",
    "thread not found",
)


_ADDRESS = re.compile(r"https?://\S+")


async def offer(bot: Bot, scope: BotCommandScope, names: Sequence[str]) -> None:
    """Tell Telegram which commands to offer in a scope, in each language; English where it is none of them."""
    for code, language in ((None, Language.EN), *((language.value, language) for language in Language)):
        commands = [BotCommand(name, say(Phrase(f"command_{name}"), language)) for name in names]
        try:
            await bot.set_my_commands(commands, scope, code)
        except TelegramError as exc:
            log.info("the menu of commands could not be set: %s", exc.message)
            return


def _as_record(message: Message, path: Path) -> str:
    """Write a post as an article's record, titled with its first line; gives the path."""
    words = (message.text or message.caption or "").strip()
    title, _, rest = words.partition("\n")
    origin = message.forward_origin
    record = {"title": title[:200], "text": rest.strip() or words}
    if origin is not None:
        record["published"] = origin.date.date().isoformat()
    if isinstance(origin, MessageOriginChannel):
        record["source"] = origin.chat.title or ""
        if origin.chat.username:
            record["url"] = f"https://t.me/{origin.chat.username}/{origin.message_id}"
    path.write_text(json.dumps(record, ensure_ascii=False), encoding="utf-8")
    return str(path)


def _thread(message: Message) -> int | None:
    return message.message_thread_id if message.is_topic_message else None


def _meant_as_content(message: Message) -> bool:
    """Whether somebody sent this, as opposed to a notice that something happened in the chat."""
    return message.effective_attachment is not None or message.caption is not None


def _words_for(message: Message, bot: Bot) -> str | None:
    """What a message says to the bot, without its name; None where it is meant for others.

    In a private chat that is everything but commands for another bot. In a group: commands, replies to the bot, and
    messages that name it.
    """
    text, name = message.text or "", f"@{bot.username}".lower()
    if message.via_bot is not None and message.via_bot.id == bot.id:
        return None  # a quote of ours that somebody sent on
    marked = message.parse_entities(
        [MessageEntityType.BOT_COMMAND, MessageEntityType.MENTION, MessageEntityType.TEXT_MENTION]
    )
    for entity, words in marked.items():
        if entity.type == MessageEntityType.BOT_COMMAND and entity.offset == 0:
            command, _, addressee = words.partition("@")
            if addressee and f"@{addressee}".lower() != name:
                return None
            return f"{command} {text[len(words) :].strip()}".strip()
    if message.chat.type == ChatType.PRIVATE:
        return text
    for entity, words in marked.items():
        named = words.lower() == name or (entity.user is not None and entity.user.id == bot.id)
        if named:
            raw = text.encode("utf-16-le")
            around = raw[: 2 * entity.offset] + b" \x00" + raw[2 * (entity.offset + entity.length) :]
            return " ".join(around.decode("utf-16-le").split())
    replied = message.reply_to_message
    return text if replied is not None and replied.from_user is not None and replied.from_user.id == bot.id else None
