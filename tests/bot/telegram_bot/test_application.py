from __future__ import annotations

import asyncio
import logging
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot import logs
from bot.service.state import StateDatabase as Store
from bot.settings import Settings
from bot.telegram_bot import application, errors
from bot.telegram_bot.application import TelegramBot, run
from bot.telegram_bot.errors import Stopped
from corpus.article import Article
from tests.bot.phone import Phone, open_engine, running, words
from tests.bot_api import TOKEN, Server, World
from tests.sample_library import LIBRARY, built

ROOT = Path(__file__).parents[3]


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
    assert run(settings, lambda: open_engine(settings), tell=told.append) == errors.WRONG_USE
    assert told == ["no token: get one from @BotFather and set NEWSQUOTE_TELEGRAM_TOKEN"]


async def test_a_wrong_token_is_one_clear_line_without_the_token(settings: Settings) -> None:
    why = await stopped(replace(settings, telegram_token="123:wrong"))
    assert (why.status, "123:wrong" in str(why)) == (errors.WRONG_USE, False)
    assert str(why).startswith("Telegram does not know this token")


async def test_a_server_that_cannot_be_reached_is_one_clear_line(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application, "START_S", 0.0)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        why = await stopped(replace(settings, telegram_api_url=url))
    assert (why.status, TOKEN in str(why)) == (errors.FAILED, False)
    assert str(why).startswith(f"{url} cannot be reached (")


async def test_a_webhook_that_was_left_is_removed(settings: Settings, world: World) -> None:
    world.webhook = {"url": "https://example.org/hook", "secret_token": ""}
    async with running(settings):
        assert words(await Phone(world).ask("What about the bridge?"), "blockquote")


async def test_a_server_that_lacks_what_can_be_done_without_is_served(settings: Settings, world: World) -> None:
    world.missing = {"deleteWebhook", "setMyCommands", "sendChatAction"}
    async with running(settings):
        assert words(await Phone(world).ask("What about the bridge?"), "blockquote")


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
    assert message["text"].startswith("I couldn't look that up: there is no index yet")
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
        errors.WRONG_USE,
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
        assert bot.wait(30) == errors.DONE
        assert bot.stderr is not None
        log = bot.stderr.read()
    with process(settings):
        world.wait(lambda: all(world.from_bot(user) for user in people), 30)
    assert [len(world.from_bot(user)) for user in people] == [1] * 20
    assert "level=debug" in log
    assert "level=info logger=bot.conversation.chatbot.session event=answered took_ms=" in log
    assert [word for word in (TOKEN, "bridge", "987654") if word in log] == []


def test_a_bot_whose_server_is_gone_still_stops(settings: Settings) -> None:
    with Server() as server, process(replace(settings, telegram_api_url=server.url)) as bot:
        server.world.wait(lambda: server.world.called("deleteWebhook"), 30)
        server.close()
        bot.send_signal(signal.SIGTERM)
        assert bot.wait(15) == errors.DONE


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


async def test_subscribers_hear_of_new_articles_once_and_those_who_blocked_the_bot_no_more(
    world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application, "ANNOUNCE_S", 0.02)
    phone = Phone(world)
    async with running(settings):
        await phone.ask("What about the bridge?", 3)
        assert (await phone.ask("/subscribe", 1))["text"] == (
            "You'll get a message here when articles are added. To stop: /unsubscribe"
        )
        await phone.ask("/subscribe", 2)
        await phone.ask("/subscribe", 3)
        await phone.ask("/unsubscribe", 3)
        world.shut(2, "blocked")
        await phone.settled()
        new = [Article(id=f"eel{n}", title=f"Eels {n}", text=f"Eels glow {n}.") for n in range(2)]
        built(settings.snapshots, [*LIBRARY, *new])
        await phone.next(1, 1)
    async with running(settings):
        await phone.ask("What about the bridge?", 3)
    assert [m["text"] for m in world.from_bot(1)][1:] == ["2 new articles\n• Eels 0\n• Eels 1"]
    with Store(settings.home / "state.db") as store:
        assert store.count_subscribers() == 1
    assert len(world.from_bot(3)) == 4
