"""Requests to the Bot API: within its limits, repeated where they were lost, and safe from updates nobody can read.

A message that Telegram took while its reply was lost on the way is sent again. The Bot API has no idempotency key, so
one must choose between an answer that may come twice and one that may never come.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import os
import time
from collections.abc import Callable, Coroutine
from typing import Any

from telegram import Update
from telegram.error import BadRequest, NetworkError, RetryAfter
from telegram.ext import AIORateLimiter, Application, ApplicationBuilder
from telegram.request import HTTPXRequest

os.environ.setdefault("PTB_TIMEDELTA", "true")  # retry_after as a timedelta, as the library's next version has it

log = logging.getLogger(__name__)

READ_S = 20.0  # a request without a reply after that counts as lost and is made again
PATIENCE_S = 600.0  # how long a message is tried again
LONGEST_PAUSE_S = 15.0
MANY = 8  # chats told to wait at once

_INSISTENT = frozenset({"sendMessage", "editMessageText"})


class UpdatesRequest(HTTPXRequest):
    """Fetches updates; those the library cannot parse are reduced to their ids.

    Otherwise one of them would block all later updates, and be logged with its content.
    """

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """The answer to a request."""
        answer = HTTPXRequest.parse_json_payload(payload)
        if isinstance(answer.get("result"), list):
            answer["result"] = [_readable(update) for update in answer["result"] if _has_number(update)]
        return answer


def _has_number(update: object) -> bool:
    return isinstance(update, dict) and isinstance(update.get("update_id"), int)


def _readable(update: dict[str, Any]) -> dict[str, Any]:
    try:
        Update.de_json(dict(update), None)
    except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, OSError) as exc:
        log.warning("an update was left out that cannot be read (%s)", type(exc).__name__)
        return {"update_id": update["update_id"]}
    return update


class RetryLater(Exception):
    """Telegram asks to retry after some seconds."""

    def __init__(self, refusal: RetryAfter) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal
        after = refusal.retry_after
        self.seconds = after.total_seconds() if isinstance(after, dt.timedelta) else float(after)


class RetryingRateLimiter(AIORateLimiter):
    """Keeps to Telegram's limits, waits when told to, and retries requests that the network or the server lost.

    Messages are retried for `PATIENCE_S`, everything else three times. Being told to wait holds up that chat alone,
    and every chat once `MANY` were told so: then the bot as a whole is too fast.
    """

    def __init__(
        self, *, first_pause_s: float = 0.5, rate: float = 30, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(overall_max_rate=rate)
        self._first_pause_s = first_pause_s
        self._clock = clock
        self._until: dict[object, float] = {}

    async def process_request(
        self,
        callback: Callable[..., Coroutine[Any, Any, Any]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: int | None,
    ) -> Any:
        """Make a request, and retry it where it was lost or came too early."""

        async def once(*args: Any, **kwargs: Any) -> Any:
            try:
                return await callback(*args, **kwargs)
            except RetryAfter as exc:  # as another error, or AIORateLimiter would hold up everybody
                raise RetryLater(exc) from exc

        began, pause, tries, chat = self._clock(), self._first_pause_s, 0, data.get("chat_id")
        while True:
            await self._wait_turn(chat)
            try:
                return await super().process_request(once, args, kwargs, endpoint, data, rate_limit_args)
            except BadRequest:
                raise
            except (NetworkError, RetryLater) as exc:
                tries += 1
                insistent = endpoint in _INSISTENT and self._clock() - began < PATIENCE_S
                if not (insistent or tries < 3):
                    if isinstance(exc, RetryLater):
                        raise exc.refusal from None
                    raise
                if isinstance(exc, RetryLater):
                    log.info("%s came too early, trying again in %.1f s", endpoint, exc.seconds)
                    self._until[chat] = self._clock() + exc.seconds + 0.1
                    continue
                log.info("%s was lost, trying again in %.1f s", endpoint, pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)

    async def _wait_turn(self, chat: object) -> None:
        """Wait until Telegram accepts requests for a chat again."""
        now = self._clock()
        self._until = {held: until for held, until in self._until.items() if until > now}
        until = max(self._until.values()) if len(self._until) >= MANY else self._until.get(chat, now)
        if until > now:
            await asyncio.sleep(until - now)


def build_application(
    token: str, api_url: str | None, *, rate: float = 30, first_pause_s: float = 0.5
) -> Application[Any, Any, Any, Any, Any, Any]:
    """An application for a bot, with the Bot API server at `api_url` or Telegram's own."""
    builder = (
        ApplicationBuilder()
        .token(token)
        .updater(None)
        .rate_limiter(RetryingRateLimiter(rate=rate, first_pause_s=first_pause_s))
        .request(HTTPXRequest(connection_pool_size=128, read_timeout=READ_S, pool_timeout=READ_S))
        .get_updates_request(UpdatesRequest(connection_pool_size=2, read_timeout=READ_S))
    )
    if api_url is not None:
        builder = builder.base_url(f"{api_url}/bot").base_file_url(f"{api_url}/file/bot")
    return builder.build()
