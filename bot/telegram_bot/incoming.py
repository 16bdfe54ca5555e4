"""What a message says to the bot, and where it was written."""

from __future__ import annotations

import re

from telegram import Bot, Message, User
from telegram.constants import ChatType, MessageEntityType

from bot.conversation.chatbot.session import MessageOrigin

_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@(\w+))?(?!\S)")


def text_of(message: Message) -> str:
    """A message's text or caption."""
    return well_formed(message.text or message.caption or "")


def well_formed(text: str) -> str:
    """The text with half characters replaced, which nothing could send on; every offset in UTF-16 units stays."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def thread_of(message: Message) -> int | None:
    """The topic of a group that a message is in; None where it is in none."""
    return message.message_thread_id if message.is_topic_message else None


def origin_of(message: Message, user: User) -> MessageOrigin:
    """Who wrote a message where."""
    private = message.chat.type == ChatType.PRIVATE
    return MessageOrigin(
        message.chat_id, thread_of(message) or 0, message.message_id, user.id, user.language_code, private
    )


def words_for_bot(message: Message, bot: Bot) -> str | None:
    """What a message says to the bot, without its name; None where it is meant for others or says nothing.

    In a private chat that is everything but commands for another bot. In a group: commands, replies to the bot, and
    messages that name it. "/ask", or the bot's name alone, in reply to somebody takes up what they wrote.
    """
    text, name, replied = text_of(message), (bot.username or "").lower(), message.reply_to_message
    if not text or (message.via_bot is not None and message.via_bot.id == bot.id):
        return None  # or a quote of ours that somebody sent on
    quoted = text_of(replied) if replied is not None else ""
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
