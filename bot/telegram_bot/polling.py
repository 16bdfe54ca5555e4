"""Fetches updates by long polling; each batch is stored before the next request confirms it to Telegram."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence

from telegram import Bot, Update
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError

from bot.service.state import StateDatabase, StateError
from bot.telegram_bot.errors import WRONG_USE, Stopped
from bot.telegram_bot.inbox import Inbox
from bot.telegram_bot.retrying import LONGEST_PAUSE_S, RetryLater

log = logging.getLogger(__name__)

ALLOWED_UPDATES = ["message", "edited_message", "callback_query", "inline_query", "my_chat_member"]
POLL_S = 25
UNKEPT_S = 2.0  # pause after updates that could not be kept
CONFIRM_S = 3.0
BRIEF_S = 0.25  # between two requests to a server that does not hold one until there is something to tell


class Poller:
    """Polls `server` until `stop` is set. `heard_at` is when it last answered, by the monotonic clock."""

    def __init__(self, stop: asyncio.Event, server: str) -> None:
        self._stop = stop
        self._server = server
        self._offset: int | None = None  # of the first update that Telegram has not been asked for
        self.heard_at = time.monotonic()

    async def run(self, bot: Bot, inbox: Inbox) -> None:
        """Fetch updates until stopped; each batch is stored before the next request confirms it."""
        wait_s, conflicts, away = 0.5, 0, False
        while not self._stop.is_set():
            asked = time.monotonic()
            try:
                updates = await bot.get_updates(self._offset, timeout=POLL_S, allowed_updates=ALLOWED_UPDATES)
            except InvalidToken as exc:
                raise Stopped("Telegram no longer accepts this token; @BotFather has the new one", WRONG_USE) from exc
            except Conflict as exc:
                # The older of two pollers is told so. One that is told twice in a row is not the one to stay.
                conflicts += 1
                if conflicts > 1:
                    raise Stopped(
                        "another program is receiving this bot's updates; only one can: stop the other, or this one"
                    ) from exc
                await pause(self._stop, 2 * wait_s)
            except RetryAfter as exc:
                await pause(self._stop, RetryLater(exc).seconds)
            except TelegramError as exc:
                if not away and wait_s > 1:
                    log.warning("%s cannot be reached (%s); trying again", self._server, brief(exc))
                    away = True
                await pause(self._stop, wait_s)
                wait_s = min(2 * wait_s, LONGEST_PAUSE_S)
            else:
                if away:
                    log.warning("%s can be reached again", self._server)
                wait_s, conflicts, away, self.heard_at = 0.5, 0, False, time.monotonic()
                if updates and await self._taken(inbox, updates):
                    self._offset = max(update.update_id for update in updates) + 1
                elif time.monotonic() - asked < BRIEF_S:
                    await pause(self._stop, BRIEF_S)

    async def confirm(self, bot: Bot, store: StateDatabase) -> None:
        """Confirm the last updates to Telegram, as the next request would have done."""
        if self._offset is None:
            return
        try:
            async with asyncio.timeout(CONFIRM_S):
                await bot.get_updates(self._offset, limit=1, timeout=0, allowed_updates=ALLOWED_UPDATES)
            store.confirm_updates(self._offset)
        except (TelegramError, StateError, TimeoutError) as exc:
            log.info("the last updates could not be confirmed: %s", brief(exc))

    async def _taken(self, inbox: Inbox, updates: Sequence[Update]) -> bool:
        """Whether updates could be stored; otherwise they are not confirmed to Telegram."""
        try:
            await inbox.take([update.to_dict() for update in updates])
        except StateError as exc:
            log.error("state.db cannot be written (%s); trying again", exc)
            await pause(self._stop, UNKEPT_S)
            return False
        return True


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Sleep, but no longer than until `stop` is set."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):  # wait_for would swallow a cancellation where both come at once
            await stop.wait()


def brief(exc: Exception) -> str:
    """An error in one line; its name where it says nothing."""
    return str(exc).strip() or type(exc).__name__
