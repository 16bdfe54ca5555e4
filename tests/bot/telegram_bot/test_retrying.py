from __future__ import annotations

import pytest
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter, TelegramError

from bot.settings import Settings
from bot.telegram_bot.retrying import RetryingRateLimiter
from tests.bot.phone import Phone, running, words
from tests.bot_api import World


@pytest.mark.parametrize("kind", ["429", "500", "502", "drop_before"])
@pytest.mark.parametrize("method", ["sendMessage", "getUpdates", "answerCallbackQuery", "getMe"])
async def test_a_lost_request_is_made_again(settings: Settings, world: World, kind: str, method: str) -> None:
    phone = Phone(world)
    world.fault(kind, method)
    async with running(settings):
        message = await phone.ask("What about the bridge?")
        _, answer = await phone.press(message, "👍")
    assert (answer["text"], len(world.from_bot())) == ("Thanks, noted.", 1)
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
    limiter, asked = RetryingRateLimiter(first_pause_s=0.01), []

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


async def test_updates_that_nobody_can_read_stop_nothing_and_are_not_printed(
    phone: Phone, caplog: pytest.LogCaptureFixture
) -> None:
    phone.world.raw(message={"text": "a secret question", "chat": "nowhere"})
    phone.world.raw(message={"text": "a secret question", "message_id": 1, "date": 0, "chat": {"id": 1}})
    phone.world.raw(inline_query={"query": "a secret question"})
    phone.world.raw(brand_new_update={"text": "a secret question"})
    phone.world.raw()
    assert words(await phone.ask("What about the bridge?"), "blockquote")
    await phone.settled()
    assert "secret" not in caplog.text
    assert caplog.text.count("an update was left out that cannot be read") == 3
