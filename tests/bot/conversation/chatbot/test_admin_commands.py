from __future__ import annotations

import pytest

from bot.conversation.cards import Card
from bot.conversation.chatbot.chatbot import Chatbot
from bot.conversation.chatbot.session import LongTask
from tests.bot.conversation.chatbot.people import ADMIN, HERE


async def test_only_admins_can_have_something_added(chatbot: Chatbot) -> None:
    with pytest.raises(PermissionError):
        chatbot.add_articles(HERE, ["x"], "x")
    job = await chatbot.reply(ADMIN, "/add https://example.org/eels")
    assert isinstance(job, LongTask)
    told: list[str] = []

    async def tell(card: Card) -> None:
        told.append(card.rich.text)

    outcome = await job.work(tell)
    assert [job.started.rich.text, *told, outcome.rich.text] == [
        "Reading https://example.org/eels …",
        "Building the index …",
        "Added: Eels",
    ]
