"""People who write to the chatbot, and what it replies."""

from __future__ import annotations

from dataclasses import replace

from bot.conversation.cards import Card
from bot.conversation.chatbot.chatbot import Chatbot
from bot.conversation.chatbot.session import MessageOrigin

HERE = MessageOrigin(chat=1, thread=0, message=1, person=1, client="en", private=True)
IN_A_GROUP = replace(HERE, chat=-100, private=False)
ADMIN = replace(HERE, chat=42, person=42)


async def card(chatbot: Chatbot, words: str, origin: MessageOrigin = HERE) -> Card:
    reply = await chatbot.reply(origin, words)
    assert isinstance(reply, Card)
    return reply
