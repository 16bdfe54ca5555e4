"""Telegram's updates to the host and its cards back: text with entities, buttons, inline results."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import mimetypes
import re
import secrets
import tempfile
import textwrap
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from telegram import (
    Bot,
    BotCommand,
    BotCommandScope,
    BotCommandScopeChat,
    CallbackQuery,
    Document,
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

from bot.conversation import rich_text
from bot.conversation.cards import CallbackData, Card
from bot.conversation.chatbot import ADMIN, PRIVATE, Chatbot, InlineResult, LongTask, MessageOrigin
from bot.conversation.languages import Language
from bot.conversation.phrases import Phrase, say
from bot.conversation.rich_text import Rich, Style
from bot.service.state import Subscriber

log = logging.getLogger(__name__)

TYPING_AFTER_S = 0.5
TYPING_LASTS_S = 4.5  # Telegram shows it for five seconds
TAP_S = 3.0  # a tap is answered after that, whatever else it takes: a late answer is refused
INLINE_CACHE_S = 30
SHOWN = 2000  # messages of ours that are known without asking
AT_ONCE = 8  # announcements, so that they take few of the places that answers wait for
DOWNLOADS = 3
TITLE_LIMIT = 120  # code points of a post's first line

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
        offset = rich_text.utf16_units(rich.text[: span.start])
        length = rich_text.utf16_units(rich.text[span.start : span.end])
        found.append(MessageEntity(kind, offset, length, url=span.url if span.style is Style.LINK else None))
    return found


def keyboard_of(card: Card) -> InlineKeyboardMarkup | None:
    """A card's buttons."""
    rows = [
        [InlineKeyboardButton(b.label, callback_data=b.data, switch_inline_query=b.share) for b in row]
        for row in card.rows
    ]
    return InlineKeyboardMarkup(rows) if rows else None


class Handlers:
    """Hands updates to the host and shows what it gives."""

    def __init__(self, host: Chatbot) -> None:
        self._host = host
        self._shown: OrderedDict[tuple[int, int], object] = OrderedDict()

    def register(self, application: Application[Any, Any, Any, Any, Any, Any]) -> None:
        """Add the handlers, the first that fits takes an update."""
        messages = filters.UpdateType.MESSAGE
        application.add_handler(InlineQueryHandler(self.on_inline))
        application.add_handler(CallbackQueryHandler(self.on_press))
        application.add_handler(ChatMemberHandler(self.on_membership, ChatMemberHandler.MY_CHAT_MEMBER))
        application.add_handler(MessageHandler(messages & filters.StatusUpdate.MIGRATE, self.on_migration))
        application.add_handler(MessageHandler(filters.UpdateType.EDITED_MESSAGE, self.on_edit))
        application.add_handler(MessageHandler(messages, self.on_message))
        application.add_error_handler(self.on_error)

    async def on_message(self, update: Update, context: Context) -> None:
        """A question, a command, a word of courtesy, something to add, or nothing that could be read."""
        message, user = update.message, update.effective_user
        if message is None or user is None:
            return
        visit, words = _visit(message, user), _words_for(message, context.bot)
        article = self._article_in(message, visit, words, context.bot)
        unreadable = visit.private and words is None and message.effective_attachment is not None
        if (words is None and article is None and not unreadable) or await self._throttled(message, visit):
            return
        if article is not None:
            await self._take(message, article, visit)
        elif words is None:
            language = self._host.speaks(visit.person, visit.client)
            await self._reply(message, Card(Rich(say(Phrase.NOT_TEXT, language))))
        else:
            async with _typing(message):
                reply = await self._host.reply(visit, words)
            await self._deliver(message, reply)
            if words.startswith("/start") and self._host.is_admin(visit):
                # before their first message, Telegram does not know their chat
                await offer(context.bot, BotCommandScopeChat(visit.chat), (*PRIVATE, *ADMIN))

    async def on_edit(self, update: Update, context: Context) -> None:
        """A question that was put differently: answered anew in the message that answered it."""
        message, user = update.edited_message, update.effective_user
        if message is None or user is None:
            return
        answered = self._host.store.reply_to(message.chat_id, message.message_id)
        words = _words_for(message, context.bot)
        visit = _visit(message, user)
        if answered is None or words is None or await self._throttled(message, visit):
            return
        async with _typing(message):
            reply = await self._host.again(visit, words)
        await self._deliver(message, reply, into=answered)

    async def on_migration(self, update: Update, context: Context) -> None:  # noqa: ARG002
        """A group became a supergroup; it is told in the old one and in the new one."""
        message = update.message
        if message is not None and message.migrate_to_chat_id is not None:
            self._host.store.move_chat(message.chat_id, message.migrate_to_chat_id)
        elif message is not None and message.migrate_from_chat_id is not None:
            self._host.store.move_chat(message.migrate_from_chat_id, message.chat_id)

    async def on_membership(self, update: Update, context: Context) -> None:  # noqa: ARG002
        """The bot was blocked, kicked or let in."""
        change = update.my_chat_member
        if change is not None and change.new_chat_member.status in ("kicked", "left"):
            self._host.store.unsubscribe(change.chat.id)

    async def on_error(self, update: object, context: Context) -> None:
        """Something failed: the log says what, the person gets a reference to it."""
        error = context.error
        chat = update.effective_chat if isinstance(update, Update) else None
        user = update.effective_user if isinstance(update, Update) else None
        if isinstance(error, Forbidden) and chat is not None:
            log.info("a chat does not want to hear from the bot: %s", error.message)
            self._host.store.unsubscribe(chat.id)
            return
        self._host.metrics.count("errors")
        reference = secrets.token_hex(3)
        log.error("an update failed (reference %s)", reference, exc_info=error)
        lost = isinstance(error, NetworkError) and not isinstance(error, BadRequest)
        if chat is None or user is None or lost:
            return
        text = say(Phrase.WENT_WRONG, self._host.speaks(user.id, user.language_code), reference=reference)
        message = update.effective_message if isinstance(update, Update) else None
        thread = _thread(message) if isinstance(message, Message) else None
        with contextlib.suppress(TelegramError):
            await self._send(context.bot, chat.id, Card(Rich(text)), thread=thread)

    async def _throttled(self, message: Message, visit: MessageOrigin) -> bool:
        """Whether somebody asks more than their budget; they are told so once until it allows again."""
        wait_s = self._host.wait_s(visit)
        card = self._host.slow_down(visit, wait_s) if wait_s else None
        if card is not None:
            await self._reply(message, card)
        return wait_s > 0

    # Articles that admins send.

    def _article_in(self, message: Message, visit: MessageOrigin, words: str | None, bot: Bot) -> Message | None:
        """The message that holds what an admin wants added: a document, a forwarded post or an address."""
        replied = message.reply_to_message
        if words == "/add" and replied is not None and self._host.runs(visit.person):
            return replied if replied.from_user is None or replied.from_user.id != bot.id else None
        sent = message.forward_origin is not None and bool(_text(message))
        shared = words is not None and _SHARED.fullmatch(words) is not None
        return message if self._host.is_admin(visit) and (message.document or sent or shared) else None

    async def _take(self, message: Message, article: Message, visit: MessageOrigin) -> None:
        """Add what an admin sent."""
        words, document = _text(article).strip(), article.document
        language = self._host.speaks(visit.person, visit.client)
        with tempfile.TemporaryDirectory() as folder:
            if document is not None and (document.file_size or 0) > FileSizeLimit.FILESIZE_DOWNLOAD:
                limit = FileSizeLimit.FILESIZE_DOWNLOAD // 1_000_000
                await self._reply(message, Card(Rich(say(Phrase.ADD_TOO_BIG, language, limit=limit))))
                return
            if document is not None:
                path = Path(folder, _file_name(document))
                try:
                    await _download(document, path)
                except TelegramError as exc:
                    failed = say(Phrase.EDIT_FAILED, language, reason=exc.message)
                    await self._reply(message, Card(Rich(failed)))
                    return
                job = self._host.adding(visit, [str(path)], path.name)
            elif (shared := _SHARED.fullmatch(words)) is not None:
                job = self._host.adding(visit, [shared[1]], shared[1])
            else:
                job = self._host.adding(visit, [_as_record(article, Path(folder, "post.jsonl"))], words[:80])
            await self._deliver(message, job)

    # New articles.

    async def announce(self, bot: Bot, stop: asyncio.Event) -> None:
        """Tell subscribers of the articles that are new since the last time, in one message each, until stopped."""
        places = asyncio.Semaphore(AT_ONCE)

        async def tell(subscriber: Subscriber, card: Card | None) -> None:
            async with places:
                if stop.is_set():
                    return
                if card is not None:
                    await self._send(bot, subscriber.chat, card, thread=subscriber.thread or None)
                self._host.store.told(subscriber)

        told = await asyncio.gather(*(tell(*each) for each in await self._host.news()), return_exceptions=True)
        for failed in told:
            if failed is not None:
                raise failed

    # Buttons.

    async def on_press(self, update: Update, context: Context) -> None:
        """A button: always answered, once and in time, whatever becomes of it."""
        query = update.callback_query
        if query is None:
            return
        pressed = asyncio.create_task(self._pressed(query, context.bot))
        try:
            await asyncio.wait({pressed}, timeout=TAP_S)
            note = pressed.result() if pressed.done() and pressed.exception() is None else None
            try:
                await query.answer(note, show_alert=False)
            except TelegramError as exc:  # too old: the person has gone on, there is nobody to tell
                log.info("a button could not be answered: %s", exc.message)
            await pressed
        finally:
            pressed.cancel()

    async def _pressed(self, query: CallbackQuery, bot: Bot) -> str | None:
        """Do what a button says; gives a note for who tapped it."""
        message, user = query.message, query.from_user
        outdated = say(Phrase.OUTDATED, self._host.speaks(user.id, user.language_code))
        if message is None:
            return outdated
        shown = message if isinstance(message, Message) else None
        thread = shown and _thread(shown)
        private = message.chat.type == ChatType.PRIVATE
        visit = MessageOrigin(message.chat.id, thread or 0, message.message_id, user.id, user.language_code, private)
        result = await self._host.press(CallbackData.of(query.data or ""), visit)
        if isinstance(result, Card):
            edited = await self._edit(bot, message.chat.id, message.message_id, result, shown)
            return None if edited else outdated
        return result

    # Inline.

    async def on_inline(self, update: Update, context: Context) -> None:
        """Quotes for a question typed after the bot's name."""
        query = update.inline_query
        if query is None:
            return
        user = query.from_user
        found = await self._host.inline(user.id, user.language_code, query.id, query.query, query.offset)
        if found is None:
            return
        language = self._host.speaks(user.id, user.language_code)
        results = [_result(each, language, context.bot) for each in found.results]
        button = None if results else InlineQueryResultsButton(found.otherwise, start_parameter="ask")
        try:
            await query.answer(
                results, cache_time=INLINE_CACHE_S, is_personal=True, next_offset=found.more, button=button
            )
        except BadRequest as exc:  # too old: the person has typed on
            log.info("an inline question could not be answered: %s", exc.message)

    # What it shows.

    async def _deliver(self, message: Message, result: Card | LongTask | None, into: int | None = None) -> None:
        """Answer a message, in place of our message `into` where there is one; a job tells how far it is."""
        if isinstance(result, LongTask):
            await self._work(message, result)
        elif result is not None and (
            into is None or not await self._edit(message.get_bot(), message.chat_id, into, result)
        ):
            await self._reply(message, result)

    async def _work(self, message: Message, job: LongTask) -> None:
        sent = await self._reply(message, job.begun)

        async def tell(card: Card) -> bool:
            return sent is not None and await self._edit(message.get_bot(), sent.chat_id, sent.message_id, card)

        async def stage(card: Card) -> None:
            with contextlib.suppress(TelegramError):  # the outcome will be told all the same
                await tell(card)

        outcome = await job.work(stage)
        if not await tell(outcome):
            await self._reply(message, outcome)

    async def _reply(self, message: Message, card: Card) -> Message | None:
        """Answer a message where it was written; in a group, as a reply to it."""
        to = None if message.chat.type == ChatType.PRIVATE else message.message_id
        sent = await self._send(message.get_bot(), message.chat_id, card, to=to, thread=_thread(message))
        if sent is not None:
            self._host.store.keep_reply(message.chat_id, message.message_id, sent.message_id)
            self._remember_shown(sent.chat_id, sent.message_id, card)
        return sent

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
            self._host.store.move_chat(chat, exc.new_chat_id)
            return await self._send(bot, exc.new_chat_id, card)
        except Forbidden as exc:
            log.info("a chat does not want to hear from the bot: %s", exc.message)
            self._host.store.unsubscribe(chat)
        except BadRequest as exc:
            said = exc.message.lower()
            if not any(reason in said for reason in (*_GONE, *_UNWRITABLE)):
                raise
            log.info("a chat cannot be written to: %s", exc.message)
            if any(reason in said for reason in _GONE):
                self._host.store.unsubscribe(chat, thread or 0)
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
            except (BadRequest, ChatMigrated) as exc:
                if "not modified" not in exc.message:
                    log.info("a message could not be edited: %s", exc.message)
                    return False
        self._remember_shown(chat, number, card)
        return True

    def _remember_shown(self, chat: int, number: int, card: Card) -> None:
        self._shown[(chat, number)] = _shape(card)
        while len(self._shown) > SHOWN:
            self._shown.popitem(last=False)


_GONE = ("chat not found", "thread not found")  # what was subscribed is no longer there
_UNWRITABLE = (
    "not enough rights",
    "have no rights",
    "chat_write_forbidden",
    "topic_closed",
    "upgraded to a supergroup",
)

_SHARED = re.compile(r"(?:[^?؟]*\n)?\s*(https?://\S+)")  # an address, under its page's title as phones share it
_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@(\w+))?(?!\S)")


async def offer(bot: Bot, scope: BotCommandScope, names: Sequence[str]) -> None:
    """Tell Telegram which commands to offer in a scope, in each language; English where it is none of them."""
    for code, language in ((None, Language.EN), *((language.value, language) for language in Language)):
        commands = [BotCommand(name, say(Phrase(f"command_{name}"), language)) for name in names]
        try:
            await bot.set_my_commands(commands, scope, code)
        except TelegramError as exc:
            log.info("the menu of commands could not be set: %s", exc.message)
            return


@contextlib.asynccontextmanager
async def _typing(message: Message) -> AsyncIterator[None]:
    """While what is done in the context takes long, the chat sees the bot typing."""

    async def show() -> None:
        await asyncio.sleep(TYPING_AFTER_S)
        while True:
            with contextlib.suppress(TelegramError):
                await message.get_bot().send_chat_action(message.chat_id, ChatAction.TYPING, _thread(message))
            await asyncio.sleep(TYPING_LASTS_S)

    showing = asyncio.create_task(show())
    try:
        yield
    finally:
        showing.cancel()


async def _download(document: Document, path: Path) -> None:
    """Fetch a document, again where it was lost on the way."""
    file = await document.get_file()
    for tries in range(1, DOWNLOADS + 1):
        try:
            await file.download_to_drive(path)
        except NetworkError as exc:
            if isinstance(exc, BadRequest) or tries == DOWNLOADS:
                raise
        else:
            return


def _file_name(document: Document) -> str:
    """A name for a document, with an ending that says what is in it where that is known."""
    name = PurePosixPath(_whole(document.file_name or "")).name or "document"
    guessed = mimetypes.guess_extension(document.mime_type or "") if "." not in name else None
    return name + (guessed or "")


def _as_record(message: Message, path: Path) -> str:
    """Write a post as an article's record, titled with its first line; gives the path."""
    words = _text(message).strip()
    title, _, rest = words.partition("\n")
    origin = message.forward_origin
    record = {"title": textwrap.shorten(title, TITLE_LIMIT, placeholder=" …"), "text": rest.strip() or words}
    if origin is not None:
        record["published"] = origin.date.date().isoformat()
    if isinstance(origin, MessageOriginChannel):
        record["source"] = origin.chat.title or ""
        if origin.chat.username:
            record["url"] = f"https://t.me/{origin.chat.username}/{origin.message_id}"
    path.write_text(json.dumps(record, ensure_ascii=False), encoding="utf-8")
    return str(path)


def _result(found: InlineResult, language: Language, bot: Bot) -> InlineQueryResultArticle:
    link = f"https://t.me/{bot.username}?start={found.start}"
    opens = InlineKeyboardMarkup([[InlineKeyboardButton(say(Phrase.BUTTON_OPEN, language), url=link)]])
    rich = found.card.rich
    content = InputTextMessageContent(rich.text, entities=entities_of(rich), link_preview_options=NO_PREVIEW)
    return InlineQueryResultArticle(
        found.id, found.title[:100], content, reply_markup=opens, description=found.about[:200]
    )


def _shape(card: Card) -> object:
    """What tells two messages apart."""
    return card.rich.text, tuple(entities_of(card.rich)), keyboard_of(card)


def _text(message: Message) -> str:
    return _whole(message.text or message.caption or "")


def _whole(text: str) -> str:
    """The text with half characters replaced, which nothing could send on; every offset in UTF-16 units stays."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _thread(message: Message) -> int | None:
    return message.message_thread_id if message.is_topic_message else None


def _visit(message: Message, user: User) -> MessageOrigin:
    private = message.chat.type == ChatType.PRIVATE
    return MessageOrigin(
        message.chat_id, _thread(message) or 0, message.message_id, user.id, user.language_code, private
    )


def _words_for(message: Message, bot: Bot) -> str | None:
    """What a message says to the bot, without its name; None where it is meant for others or says nothing.

    In a private chat that is everything but commands for another bot. In a group: commands, replies to the bot, and
    messages that name it. "/ask", or the bot's name alone, in reply to somebody takes up what they wrote.
    """
    text, name, replied = _text(message), (bot.username or "").lower(), message.reply_to_message
    if not text or (message.via_bot is not None and message.via_bot.id == bot.id):
        return None  # or a quote of ours that somebody sent on
    quoted = _text(replied) if replied is not None else ""
    command = _COMMAND.match(text)
    if command is not None:
        if command[2] and command[2].lower() != name:
            return None
        rest = text[command.end() :].strip() or (quoted if command[1].lower() == "ask" else "")
        return f"/{command[1]} {rest}".strip()
    if message.chat.type == ChatType.PRIVATE:
        return text
    raw = text.encode("utf-16-le")
    for entity in message.entities or message.caption_entities:
        start, end = 2 * entity.offset, 2 * (entity.offset + entity.length)
        named = entity.type == MessageEntityType.MENTION and raw[start:end].lower() == f"@{name}".encode("utf-16-le")
        if named or (entity.user is not None and entity.user.id == bot.id):
            around = (raw[:start] + b" \x00" + raw[end:]).decode("utf-16-le", "replace")
            return " ".join(around.split()) or quoted
    return text if replied is not None and replied.from_user is not None and replied.from_user.id == bot.id else None
