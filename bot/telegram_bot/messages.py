"""Sends, edits and replies with cards: text with entities, and buttons."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator

from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    Message,
    MessageEntity,
    ReplyParameters,
)
from telegram.constants import ChatAction, ChatType, MessageEntityType
from telegram.error import BadRequest, ChatMigrated, Forbidden, TelegramError

from bot.conversation.cards import Card
from bot.conversation.chatbot.session import LongTask
from bot.conversation.rich_text import Rich, Style, utf16_units
from bot.service.state import StateDatabase
from bot.telegram_bot.incoming import thread_of

log = logging.getLogger(__name__)

TYPING_AFTER_S = 0.5
TYPING_LASTS_S = 4.5  # Telegram shows it for five seconds
SHOWN = 2000  # own messages whose content is remembered
NO_PREVIEW = LinkPreviewOptions(is_disabled=True)

_GONE = ("chat not found", "thread not found")  # what was subscribed is no longer there
_UNWRITABLE = (
    "not enough rights",
    "have no rights",
    "chat_write_forbidden",
    "topic_closed",
    "upgraded to a supergroup",
)

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
    """A text's spans as entities, in UTF-16 units; styles that Telegram lacks and links it refuses are left out."""
    found = []
    for span in rich.spans:
        kind = _ENTITIES.get(span.style)
        if kind is None or (span.style is Style.LINK and not (span.url or "").startswith(("https://", "http://"))):
            continue
        offset = utf16_units(rich.text[: span.start])
        length = utf16_units(rich.text[span.start : span.end])
        found.append(MessageEntity(kind, offset, length, url=span.url if span.style is Style.LINK else None))
    return found


def keyboard_of(card: Card) -> InlineKeyboardMarkup | None:
    """A card's buttons."""
    rows = [
        [InlineKeyboardButton(b.label, callback_data=b.data, switch_inline_query=b.share) for b in row]
        for row in card.rows
    ]
    return InlineKeyboardMarkup(rows) if rows else None


class Messenger:
    """Puts cards into chats. It remembers what its latest messages show, to edit only those that change."""

    def __init__(self, store: StateDatabase) -> None:
        self._store = store
        self._shown: OrderedDict[tuple[int, int], object] = OrderedDict()

    async def deliver(self, message: Message, result: Card | LongTask | None, into: int | None = None) -> None:
        """Answer a message, editing the bot's message `into` where given; a long task shows its progress."""
        if isinstance(result, LongTask):
            await self._work(message, result)
        elif result is not None and (
            into is None or not await self.edit(message.get_bot(), message.chat_id, into, result)
        ):
            await self.reply(message, result)

    async def _work(self, message: Message, job: LongTask) -> None:
        sent = await self.reply(message, job.started)

        async def tell(card: Card) -> bool:
            return sent is not None and await self.edit(message.get_bot(), sent.chat_id, sent.message_id, card)

        async def stage(card: Card) -> None:
            with contextlib.suppress(TelegramError):  # the outcome is still shown
                await tell(card)

        outcome = await job.work(stage)
        if not await tell(outcome):
            await self.reply(message, outcome)

    async def reply(self, message: Message, card: Card) -> Message | None:
        """Answer a message where it was written; in a group, as a reply to it."""
        to = None if message.chat.type == ChatType.PRIVATE else message.message_id
        sent = await self.send(message.get_bot(), message.chat_id, card, to=to, thread=thread_of(message))
        if sent is not None:
            self._store.store_reply(message.chat_id, message.message_id, sent.message_id)
            self._remember_shown(sent.chat_id, sent.message_id, card)
        return sent

    async def send(
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
            self._store.move_chat(chat, exc.new_chat_id)
            return await self.send(bot, exc.new_chat_id, card)
        except Forbidden as exc:
            log.info("a chat does not want to hear from the bot: %s", exc.message)
            self._store.unsubscribe(chat)
        except BadRequest as exc:
            said = exc.message.lower()
            if not any(reason in said for reason in (*_GONE, *_UNWRITABLE)):
                raise
            log.info("a chat cannot be written to: %s", exc.message)
            if any(reason in said for reason in _GONE):
                self._store.unsubscribe(chat, thread or 0)
        return None

    async def edit(self, bot: Bot, chat: int, number: int, card: Card, shown: Message | None = None) -> bool:
        """Edit a message to show a card, unless it already does; False where it cannot be edited."""
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


def _shape(card: Card) -> object:
    """What is equal in two messages that look the same."""
    return card.rich.text, tuple(entities_of(card.rich)), keyboard_of(card)


@contextlib.asynccontextmanager
async def typing(message: Message) -> AsyncIterator[None]:
    """The chat sees the bot typing while the context takes long."""

    async def show() -> None:
        await asyncio.sleep(TYPING_AFTER_S)
        while True:
            with contextlib.suppress(TelegramError):
                await message.get_bot().send_chat_action(message.chat_id, ChatAction.TYPING, thread_of(message))
            await asyncio.sleep(TYPING_LASTS_S)

    showing = asyncio.create_task(show())
    try:
        yield
    finally:
        showing.cancel()
