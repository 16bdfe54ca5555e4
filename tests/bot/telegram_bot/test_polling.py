from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from bot.service.state import StateDatabase
from bot.settings import Settings
from bot.telegram_bot import polling
from bot.telegram_bot.application import TelegramBot
from bot.telegram_bot.errors import Stopped
from tests.bot.phone import Phone, open_engine, running, words
from tests.bot_api import TOKEN, Server, World


async def test_a_second_poller_is_one_clear_line(settings: Settings, world: World) -> None:
    bot = TelegramBot(settings, TOKEN, lambda _: None)
    task = asyncio.create_task(bot.serve(lambda: open_engine(settings)))
    phone = Phone(world)
    await phone.ask("What about the bridge?")

    def poll() -> None:
        world.call("getUpdates", {"timeout": 0})

    while not task.done():
        await asyncio.to_thread(poll)
        await asyncio.wait([task], timeout=0.05)
    with pytest.raises(Stopped, match="another program is receiving this bot's updates; only one can"):
        await task


async def test_one_conflict_alone_does_not_stop_the_bot(settings: Settings, world: World) -> None:
    phone = Phone(world)
    async with running(settings):
        await phone.ask("What about the bridge?")
        await asyncio.to_thread(world.call, "getUpdates", {"timeout": 0})
        assert words(await phone.ask("What about the bridge?"), "blockquote")


async def test_a_server_that_begins_anew_and_says_the_same_is_answered_again(settings: Settings) -> None:
    somebody = {"id": 1, "is_bot": False, "first_name": "Ada"}
    chat = {"id": 1, "type": "private", "first_name": "Ada"}
    same = {"message_id": 1, "date": 1, "chat": chat, "from": somebody, "text": "What about the bridge?"}
    for _ in range(2):
        with Server() as server:
            server.world._chats[1] = chat
            async with running(replace(settings, telegram_api_url=server.url)):
                server.world.raw(message=same)
                assert words(await Phone(server.world).next(0), "blockquote")
                server.world.redeliver()
                await Phone(server.world).settled()
            assert len(server.world.from_bot()) == 1


async def test_what_cannot_be_kept_is_not_confirmed_and_answered_when_it_can(
    settings: Settings, world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(polling, "UNKEPT_S", 0.01)
    keep, full = StateDatabase.store_updates, iter(range(2))

    def kept(self: StateDatabase, updates: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        if next(full, None) is not None:
            raise sqlite3.OperationalError("database or disk is full")
        return keep(self, updates)

    monkeypatch.setattr(StateDatabase, "store_updates", kept)
    async with running(settings):
        assert words(await Phone(world).ask("What about the bridge?"), "blockquote")
    assert len(world.from_bot()) == 1
    assert caplog.text.count("state.db cannot be written (database or disk is full); trying again") == 2


async def test_a_server_that_holds_no_request_is_not_asked_without_pause(
    settings: Settings, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "BRIEF_S", 0.1)
    world.holds = False
    async with running(settings):
        await asyncio.to_thread(world.wait, lambda: world.polls > 1)
        began, polls = time.monotonic(), world.polls
        assert words(await Phone(world).ask("What about the bridge?"), "blockquote")
        await asyncio.to_thread(world.wait, lambda: world.polls > polls + 4)
        assert time.monotonic() - began > 0.3


async def test_updates_that_come_twice_or_out_of_order_are_answered_once(settings: Settings, world: World) -> None:
    phone = Phone(world)
    world.shuffle()
    questions = 12
    for user in range(1, questions + 1):
        world.say("What about the bridge?", user)
    async with running(settings):
        await phone.until(lambda: all(world.from_bot(user) for user in range(1, questions + 1)))
        world.redeliver(questions)
        await phone.ask("And the strike?", user=99)
        await phone.settled()
    assert [len(world.from_bot(user)) for user in range(1, questions + 1)] == [1] * questions
