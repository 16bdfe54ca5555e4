from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter, TelegramError

from bot import logs
from bot.service.state import StateDatabase
from bot.settings import Settings
from bot.telegram_bot import application
from bot.telegram_bot.application import Patient, Stopped, TelegramBot, run
from tests.bot.phone import Phone, open_engine, running, settings_for, words
from tests.bot_api import TOKEN, Server, World
from tests.library_of import built

ROOT = Path(__file__).parents[3]


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture
def world(server: Server) -> World:
    return server.world


@pytest.fixture
def settings(server: Server, tmp_path: Path) -> Settings:
    settings = settings_for(tmp_path, server)
    built(settings.snapshots)
    return settings


async def stopped(settings: Settings) -> Stopped:
    """Why a bot stops by itself."""
    bot = TelegramBot(settings, settings.telegram_token or "", lambda _: None)
    with pytest.raises(Stopped) as found:
        await asyncio.wait_for(bot.serve(lambda: open_engine(settings)), 30)
    return found.value


@contextmanager
def process(settings: Settings) -> Iterator[subprocess.Popen[str]]:
    """The bot as a process of its own; killed at the end where it still runs."""
    command = [sys.executable, "-m", "tests.bot.bot_process", str(settings.home), str(settings.telegram_api_url)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as bot:
        try:
            yield bot
        finally:
            bot.kill()


async def test_without_a_token_the_person_is_told_where_to_get_one(settings: Settings) -> None:
    told: list[str] = []
    settings = replace(settings, telegram_token=None)
    assert run(settings, lambda: open_engine(settings), tell=told.append) == application.WRONG_USE
    assert told == ["no token: get one from @BotFather and set NEWSQUOTE_TELEGRAM_TOKEN"]


async def test_a_wrong_token_is_one_clear_line_without_the_token(settings: Settings) -> None:
    why = await stopped(replace(settings, telegram_token="123:wrong"))
    assert (why.status, "123:wrong" in str(why)) == (application.WRONG_USE, False)
    assert str(why).startswith("Telegram does not know this token")


async def test_a_server_that_cannot_be_reached_is_one_clear_line(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application, "START_S", 0.0)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        why = await stopped(replace(settings, telegram_api_url=url))
    assert (why.status, TOKEN in str(why)) == (application.FAILED, False)
    assert str(why).startswith(f"{url} cannot be reached (")


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


async def test_a_webhook_that_was_left_is_removed(settings: Settings, world: World) -> None:
    world.webhook = {"url": "https://example.org/hook", "secret_token": ""}
    async with running(settings):
        assert words(await Phone(world).ask("What about the bridge?"), "blockquote")


async def test_a_server_that_lacks_what_can_be_done_without_is_served(settings: Settings, world: World) -> None:
    world.missing = {"deleteWebhook", "setMyCommands", "sendChatAction"}
    async with running(settings):
        assert words(await Phone(world).ask("What about the bridge?"), "blockquote")


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
    monkeypatch.setattr(application, "UNKEPT_S", 0.01)
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
    monkeypatch.setattr(application, "BRIEF_S", 0.1)
    world.holds = False
    async with running(settings):
        await asyncio.to_thread(world.wait, lambda: world.polls > 1)
        began, polls = time.monotonic(), world.polls
        assert words(await Phone(world).ask("What about the bridge?"), "blockquote")
        await asyncio.to_thread(world.wait, lambda: world.polls > polls + 4)
        assert time.monotonic() - began > 0.3


@pytest.mark.parametrize(("inline", "lines"), [(True, 1), (False, 2)])
async def test_whoever_starts_a_bot_without_inline_mode_is_told(
    settings: Settings, world: World, inline: bool, lines: int
) -> None:
    world.me["supports_inline_queries"] = inline
    async with running(settings) as told:
        await Phone(world).ask("What about the bridge?")
    assert (
        told
        == [
            "@newsquote_test_bot is running; Ctrl-C stops it.",
            "inline mode is off; /setinline at @BotFather lets people share quotes and ask in any chat.",
        ][:lines]
    )


async def test_the_menu_of_commands_is_set_for_each_language_and_kind_of_chat(settings: Settings, world: World) -> None:
    phone = Phone(world)
    async with running(settings):
        await phone.until(lambda: len(world.commands) == 9)
    assert {"all_private_chats", "all_private_chats:ar", "all_group_chats:en", "default"} <= set(world.commands)
    assert {"command": "articles", "description": "the articles I have read"} in world.commands["all_private_chats"]
    assert "privacy" not in [c["command"] for c in world.commands["all_group_chats"]]


@pytest.mark.parametrize("kind", ["429", "500", "502", "drop_before"])
@pytest.mark.parametrize("method", ["sendMessage", "getUpdates", "answerCallbackQuery", "getMe"])
async def test_a_lost_request_is_made_again(settings: Settings, world: World, kind: str, method: str) -> None:
    phone = Phone(world)
    world.fault(kind, method)
    async with running(settings):
        message = await phone.ask("What about the bridge?")
        _, answer = await phone.press(message, "👍")
    assert (answer["text"], len(world.from_bot())) == ("Thank you, I have noted that.", 1)
    assert world.struck == {kind: 1}


async def test_a_chat_told_to_wait_does_not_hold_up_another(settings: Settings, world: World) -> None:
    phone = Phone(world)
    async with running(settings):
        await phone.ask("What about the bridge?", 2)
        world.fault("429", "sendMessage", seconds=2)
        world.say("What about the bridge?", 1)
        await phone.until(lambda: world.struck["429"])
        await phone.ask("What about the bridge?", 2)
        assert world.from_bot(1) == []
        await phone.next(0, 1)


async def test_what_telegram_refuses_outright_is_not_tried_again() -> None:
    limiter, asked = Patient(first_pause_s=0.01), []

    async def refuse(error: TelegramError) -> None:
        asked.append(error)
        raise error

    for error, times in ((BadRequest("no"), 1), (NetworkError("gone"), 3), (RetryAfter(0), 3), (Forbidden("no"), 1)):
        asked.clear()
        with pytest.raises(TelegramError) as found:
            await limiter.process_request(refuse, (error,), {}, "getChat", {"chat_id": 1}, None)
        assert (found.value, len(asked)) == (error, times)


async def test_a_message_whose_receipt_was_lost_is_sent_again_rather_than_never(
    settings: Settings, world: World
) -> None:
    phone = Phone(world)
    world.fault("drop_after", "sendMessage")
    async with running(settings):
        await phone.ask("What about the bridge?")
        await phone.until(lambda: len(world.from_bot()) == 2)


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


async def test_what_goes_wrong_is_logged_and_told_with_a_reference(
    settings: Settings, world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError(f"at https://host/bot{TOKEN}/x")

    monkeypatch.setattr("bot.conversation.cards.quote", broken)
    caplog.handler.addFilter(logs.SecretFilter(TOKEN))
    async with running(settings):
        message = await Phone(world).ask("What about the bridge?")
    reference = message["text"].partition("(Reference ")[2].rstrip(")")
    assert f"an update failed (reference {reference})" in caplog.text
    assert "ZeroDivisionError: at https://host/bot<token>/x" in caplog.text
    assert TOKEN not in caplog.text


async def test_an_index_that_cannot_be_opened_is_said_once(
    settings: Settings, world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application, "ANNOUNCE_S", 0.01)
    (settings.snapshots / "CURRENT").unlink()
    async with running(settings):
        message = await Phone(world).ask("What about the bridge?")
    assert message["text"].startswith("I could not look that up: there is no index yet")
    warnings = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert warnings[0].startswith("new articles could not be announced: there is no index yet")


def free_address() -> str:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{found.getsockname()[1]}"


async def test_a_webhook_without_a_secret_is_refused(settings: Settings) -> None:
    why = await stopped(replace(settings, telegram_webhook_url="https://example.org/hook"))
    assert (str(why), why.status) == (
        "a webhook needs a secret: set NEWSQUOTE_TELEGRAM_WEBHOOK_SECRET",
        application.WRONG_USE,
    )


async def test_an_address_that_is_taken_is_one_clear_line(settings: Settings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        why = await stopped(replace(settings, telegram_metrics=f"127.0.0.1:{taken.getsockname()[1]}"))
    assert str(why).startswith("cannot listen: Address already in use")


async def test_questions_that_come_by_webhook_are_answered(settings: Settings) -> None:
    address = free_address()
    secret = "a-secret-of-sixteen"
    with Server(proxy=f"http://{address}") as server:
        world = server.world
        hooked = replace(
            settings,
            telegram_api_url=server.url,
            telegram_webhook_url="https://bot.example.org/hook",
            telegram_webhook_secret=secret,
            telegram_webhook_listen=address,
        )
        phone = Phone(world)
        async with running(hooked):
            for user in range(1, 6):
                assert words(await phone.ask("What about the bridge?", user), "blockquote")
        assert world.webhook == {"url": "https://bot.example.org/hook", "secret_token": secret}


async def test_metrics_count_what_happened_and_name_nobody(settings: Settings, world: World) -> None:
    address = free_address()
    phone = Phone(world)
    async with running(replace(settings, telegram_metrics=address)):
        await phone.ask("What about the bridge?", 987_654)
        async with httpx.AsyncClient(base_url=f"http://{address}") as client:
            metrics = (await client.get("/metrics")).text
            assert (await client.get("/health")).text == "ok\n"
    assert "newsquote_answered_total 1\n" in metrics
    assert not any(word in metrics for word in ("987654", "bridge", TOKEN))


def test_a_stopped_bot_finishes_what_it_was_asked_and_loses_nothing(settings: Settings, world: World) -> None:
    people = range(987_654_001, 987_654_021)
    with process(settings) as bot:
        world.wait(lambda: world.called("deleteWebhook"), 30)
        for user in people:
            world.say("What about the bridge?", user)
        world.wait(lambda: any(world.from_bot(user) for user in people))
        bot.send_signal(signal.SIGTERM)
        assert bot.wait(30) == application.DONE
        assert bot.stderr is not None
        log = bot.stderr.read()
    with process(settings):
        world.wait(lambda: all(world.from_bot(user) for user in people), 30)
    assert [len(world.from_bot(user)) for user in people] == [1] * 20
    assert "level=debug" in log
    assert "level=info logger=bot.conversation.chatbot event=answered took_ms=" in log
    assert [word for word in (TOKEN, "bridge", "987654") if word in log] == []


def test_a_bot_whose_server_is_gone_still_stops(settings: Settings) -> None:
    with Server() as server, process(replace(settings, telegram_api_url=server.url)) as bot:
        server.world.wait(lambda: server.world.called("deleteWebhook"), 30)
        server.close()
        bot.send_signal(signal.SIGTERM)
        assert bot.wait(15) == application.DONE


def test_a_killed_bot_answers_after_its_restart_what_it_had_confirmed(settings: Settings, world: World) -> None:
    people = range(1, 61)
    with process(settings) as bot:
        world.wait(lambda: world.called("deleteWebhook"), 30)
        for user in people:
            world.say("What about the bridge?", user)
        world.wait(lambda: sum(bool(world.from_bot(user)) for user in people) >= 5)
        bot.kill()
        bot.wait(30)
    answered = sum(bool(world.from_bot(user)) for user in people)
    with process(settings):
        world.wait(lambda: all(world.from_bot(user) for user in people), 30)
    twice = sum(len(world.from_bot(user)) > 1 for user in people)
    assert (answered < len(people), twice <= 64) == (True, True)
