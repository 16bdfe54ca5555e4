from __future__ import annotations

import asyncio
import logging
import threading

import pytest

from bot.settings import Settings
from bot.telegram_bot import messages
from retrieval.answering import Answerer
from retrieval.results import Answer, Query
from tests.bot.phone import Phone, running
from tests.bot_api import World


async def test_a_double_tap_edits_once_and_is_answered_twice(phone: Phone) -> None:
    first = await phone.ask("What about the bridge?")
    queries = [phone.world.press(first["message_id"], "Next passage") for _ in range(2)]
    await phone.until(lambda: all(phone.world.answer_to(query) for query in queries))
    assert len(phone.world.called("editMessageText")) == 1
    assert phone.world.refusals == []


async def test_a_slow_answer_shows_the_bot_typing(phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "TYPING_AFTER_S", 0.01)
    monkeypatch.setattr(messages, "TYPING_LASTS_S", 0.01)
    typing = threading.Event()
    answer = Answerer.answer

    def slow(self: Answerer, query: Query) -> Answer:
        typing.wait(10)
        return answer(self, query)

    monkeypatch.setattr(Answerer, "answer", slow)
    asking = asyncio.create_task(phone.ask("What about the bridge?"))
    await phone.until(lambda: len(phone.world.called("sendChatAction")) > 1)
    typing.set()
    await asking
    assert phone.world.called("sendChatAction")[0] == {"chat_id": 1, "action": "typing"}


async def test_a_chat_that_blocked_the_bot_hurts_nobody_else(
    settings: Settings, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    phone = Phone(world)
    async with running(settings):
        await phone.ask("/subscribe")
        world.shut(1, "blocked")
        world.say("What about the bridge?")
        await phone.ask("What about the bridge?", user=2)
        await phone.settled()
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.parametrize(
    "text",
    ["😀", "?!", "x" * 4000, "\u202e\u2066\u200f", "<b>bold</b> *md* _md_ [a](b)", "ﷺ" * 300, "-bridge", '"'],
)
async def test_whatever_is_written_is_answered_with_something_telegram_takes(phone: Phone, text: str) -> None:
    await phone.ask(text)
    assert phone.world.refusals == []
