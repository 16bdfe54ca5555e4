"""Passes Telegram's updates to the chatbot, and its replies back to the chats."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import tempfile
from pathlib import Path
from typing import Any

from telegram import (
    Bot,
    BotCommandScopeChat,
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InlineQueryResultArticle,
    InlineQueryResultsButton,
    InputTextMessageContent,
    Message,
    Update,
)
from telegram.constants import ChatType, FileSizeLimit
from telegram.error import BadRequest, Forbidden, NetworkError, TelegramError
from telegram.ext import (
    Application,
    CallbackQueryHandler,
    ChatMemberHandler,
    ContextTypes,
    InlineQueryHandler,
    MessageHandler,
    filters,
)

from bot.conversation.cards import CallbackData, Card
from bot.conversation.chatbot.chatbot import ADMIN, PRIVATE, Chatbot
from bot.conversation.chatbot.inline import InlineResult
from bot.conversation.chatbot.session import MessageOrigin
from bot.conversation.languages import Language
from bot.conversation.phrases import Phrase, say
from bot.conversation.rich_text import Rich
from bot.service.state import Subscriber
from bot.telegram_bot.command_menu import set_menu
from bot.telegram_bot.documents import SHARED_ADDRESS, download, file_name_of, write_record
from bot.telegram_bot.incoming import origin_of, text_of, thread_of, words_for_bot
from bot.telegram_bot.messages import NO_PREVIEW, Messenger, entities_of, typing

log = logging.getLogger(__name__)

TAP_S = 3.0  # a tap is answered by then, even where its work goes on: Telegram refuses late answers
INLINE_CACHE_S = 30
AT_ONCE = 8  # announcements sent in parallel, so that answers need not wait for them

Context = ContextTypes.DEFAULT_TYPE


class Handlers:
    """Hands updates to the chatbot and shows its replies."""

    def __init__(self, chatbot: Chatbot) -> None:
        self._chatbot = chatbot
        self._messenger = Messenger(chatbot.store)

    def register(self, application: Application[Any, Any, Any, Any, Any, Any]) -> None:
        """Add the handlers; the first that matches takes an update."""
        messages = filters.UpdateType.MESSAGE
        application.add_handler(InlineQueryHandler(self.on_inline))
        application.add_handler(CallbackQueryHandler(self.on_press))
        application.add_handler(ChatMemberHandler(self.on_membership, ChatMemberHandler.MY_CHAT_MEMBER))
        application.add_handler(MessageHandler(messages & filters.StatusUpdate.MIGRATE, self.on_migration))
        application.add_handler(MessageHandler(filters.UpdateType.EDITED_MESSAGE, self.on_edit))
        application.add_handler(MessageHandler(messages, self.on_message))
        application.add_error_handler(self.on_error)

    async def on_message(self, update: Update, context: Context) -> None:
        """A message: a question, a command, small talk, something to add, or nothing the bot can read."""
        message, user = update.message, update.effective_user
        if message is None or user is None:
            return
        origin, words = origin_of(message, user), words_for_bot(message, context.bot)
        article = self._article_in(message, origin, words, context.bot)
        unreadable = origin.private and words is None and message.effective_attachment is not None
        if (words is None and article is None and not unreadable) or await self._throttled(message, origin):
            return
        if article is not None:
            await self._take(message, article, origin)
        elif words is None:
            language = self._chatbot.language_of(origin.person, origin.client)
            file = message.document is not None and message.animation is None
            said = say(Phrase.NOT_ADMIN if file else Phrase.NOT_TEXT, language)
            await self._messenger.reply(message, Card(Rich(said)))
        else:
            async with typing(message):
                reply = await self._chatbot.reply(origin, words)
            await self._messenger.deliver(message, reply)
            if words.startswith("/start") and self._chatbot.is_admin_chat(origin):
                # before their first message, Telegram does not know their chat
                await set_menu(context.bot, BotCommandScopeChat(origin.chat), (*PRIVATE, *ADMIN))

    async def on_edit(self, update: Update, context: Context) -> None:
        """An edited question: the message that answered it is edited to answer the new one."""
        message, user = update.edited_message, update.effective_user
        if message is None or user is None:
            return
        answered = self._chatbot.store.reply_to(message.chat_id, message.message_id)
        words = words_for_bot(message, context.bot)
        origin = origin_of(message, user)
        if answered is None or words is None or await self._throttled(message, origin):
            return
        async with typing(message):
            reply = await self._chatbot.reply_to_edit(origin, words)
        await self._messenger.deliver(message, reply, into=answered)

    async def on_migration(self, update: Update, context: Context) -> None:  # noqa: ARG002
        """A group became a supergroup; both the old and the new chat are told."""
        message = update.message
        if message is not None and message.migrate_to_chat_id is not None:
            self._chatbot.store.move_chat(message.chat_id, message.migrate_to_chat_id)
        elif message is not None and message.migrate_from_chat_id is not None:
            self._chatbot.store.move_chat(message.migrate_from_chat_id, message.chat_id)

    async def on_membership(self, update: Update, context: Context) -> None:  # noqa: ARG002
        """The bot was blocked, removed or added."""
        change = update.my_chat_member
        if change is not None and change.new_chat_member.status in ("kicked", "left"):
            self._chatbot.store.unsubscribe(change.chat.id)

    async def on_error(self, update: object, context: Context) -> None:
        """An update failed: the log says why, the person gets a reference to it."""
        error = context.error
        chat = update.effective_chat if isinstance(update, Update) else None
        user = update.effective_user if isinstance(update, Update) else None
        if isinstance(error, Forbidden) and chat is not None:
            log.info("a chat does not want to hear from the bot: %s", error.message)
            self._chatbot.store.unsubscribe(chat.id)
            return
        self._chatbot.metrics.count("errors")
        reference = secrets.token_hex(3)
        log.error("an update failed (reference %s)", reference, exc_info=error)
        lost = isinstance(error, NetworkError) and not isinstance(error, BadRequest)
        if chat is None or user is None or lost:
            return
        text = say(Phrase.WENT_WRONG, self._chatbot.language_of(user.id, user.language_code), reference=reference)
        message = update.effective_message if isinstance(update, Update) else None
        thread = thread_of(message) if isinstance(message, Message) else None
        with contextlib.suppress(TelegramError):
            await self._messenger.send(context.bot, chat.id, Card(Rich(text)), thread=thread)

    async def _throttled(self, message: Message, origin: MessageOrigin) -> bool:
        """Whether somebody exceeds their budget; they are told so once until they may ask again."""
        wait_s = self._chatbot.wait_s(origin)
        card = self._chatbot.slow_down(origin, wait_s) if wait_s else None
        if card is not None:
            await self._messenger.reply(message, card)
        return wait_s > 0

    # Articles that admins send.

    def _article_in(self, message: Message, origin: MessageOrigin, words: str | None, bot: Bot) -> Message | None:
        """The message that holds what an admin wants added: a document, a forwarded post or an address."""
        replied = message.reply_to_message
        if words == "/add" and replied is not None and self._chatbot.is_admin(origin.person):
            return replied if replied.from_user is None or replied.from_user.id != bot.id else None
        sent = message.forward_origin is not None and bool(text_of(message))
        shared = words is not None and SHARED_ADDRESS.fullmatch(words) is not None
        return message if self._chatbot.is_admin_chat(origin) and (message.document or sent or shared) else None

    async def _take(self, message: Message, article: Message, origin: MessageOrigin) -> None:
        """Add what an admin sent."""
        words, document = text_of(article).strip(), article.document
        language = self._chatbot.language_of(origin.person, origin.client)
        with tempfile.TemporaryDirectory() as folder:
            if document is not None and (document.file_size or 0) > FileSizeLimit.FILESIZE_DOWNLOAD:
                limit = FileSizeLimit.FILESIZE_DOWNLOAD // 1_000_000
                await self._messenger.reply(message, Card(Rich(say(Phrase.ADD_TOO_BIG, language, limit=limit))))
                return
            if document is not None:
                path = Path(folder, file_name_of(document))
                try:
                    await download(document, path)
                except TelegramError as exc:
                    failed = say(Phrase.EDIT_FAILED, language, reason=exc.message)
                    await self._messenger.reply(message, Card(Rich(failed)))
                    return
                job = self._chatbot.add_articles(origin, [str(path)], path.name)
            elif (shared := SHARED_ADDRESS.fullmatch(words)) is not None:
                job = self._chatbot.add_articles(origin, [shared[1]], shared[1])
            else:
                job = self._chatbot.add_articles(
                    origin, [write_record(article, Path(folder, "post.jsonl"))], words[:80]
                )
            await self._messenger.deliver(message, job)

    # New articles.

    async def announce(self, bot: Bot, stop: asyncio.Event) -> None:
        """Send each subscriber one message about the articles added since the last one; ends early when stopped."""
        places = asyncio.Semaphore(AT_ONCE)

        async def send(subscriber: Subscriber, card: Card | None) -> None:
            async with places:
                if stop.is_set():
                    return
                if card is not None:
                    await self._messenger.send(bot, subscriber.chat, card, thread=subscriber.thread or None)
                self._chatbot.store.mark_notified(subscriber)

        results = await asyncio.gather(*(send(*each) for each in await self._chatbot.news()), return_exceptions=True)
        for failed in results:
            if failed is not None:
                raise failed

    # Buttons.

    async def on_press(self, update: Update, context: Context) -> None:
        """A tap on a button: always answered, once and in time."""
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
        """Run a button's action; gives a note for whoever tapped."""
        message, user = query.message, query.from_user
        outdated = say(Phrase.OUTDATED, self._chatbot.language_of(user.id, user.language_code))
        if message is None:
            return outdated
        shown = message if isinstance(message, Message) else None
        thread = shown and thread_of(shown)
        private = message.chat.type == ChatType.PRIVATE
        origin = MessageOrigin(message.chat.id, thread or 0, message.message_id, user.id, user.language_code, private)
        result = await self._chatbot.press(CallbackData.of(query.data or ""), origin)
        if isinstance(result, Card):
            edited = await self._messenger.edit(bot, message.chat.id, message.message_id, result, shown)
            return None if edited else outdated
        return result

    # Inline.

    async def on_inline(self, update: Update, context: Context) -> None:
        """Quotes for a question typed after the bot's name."""
        query = update.inline_query
        if query is None:
            return
        user = query.from_user
        found = await self._chatbot.inline(user.id, user.language_code, query.id, query.query, query.offset)
        if found is None:
            return
        language = self._chatbot.language_of(user.id, user.language_code)
        results = [_result(each, language, context.bot) for each in found.results]
        button = None if results else InlineQueryResultsButton(found.otherwise, start_parameter="ask")
        try:
            await query.answer(
                results, cache_time=INLINE_CACHE_S, is_personal=True, next_offset=found.more, button=button
            )
        except BadRequest as exc:  # too old: the person has typed on
            log.info("an inline question could not be answered: %s", exc.message)


def _result(found: InlineResult, language: Language, bot: Bot) -> InlineQueryResultArticle:
    link = f"https://t.me/{bot.username}?start={found.start}"
    opens = InlineKeyboardMarkup([[InlineKeyboardButton(say(Phrase.BUTTON_OPEN, language), url=link)]])
    rich = found.card.rich
    content = InputTextMessageContent(rich.text, entities=entities_of(rich), link_preview_options=NO_PREVIEW)
    return InlineQueryResultArticle(
        found.id, found.title[:100], content, reply_markup=opens, description=found.about[:200]
    )
