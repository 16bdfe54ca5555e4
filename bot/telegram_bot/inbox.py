"""Queues updates: stored until handled, in order within a chat, several chats in parallel."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any

from bot.service.state import StateDatabase, StateError

log = logging.getLogger(__name__)

Update = dict[str, Any]


class Inbox:
    """Hands updates to `handle`, at most `at_once` together and never two of one chat.

    `take` stores them first, so that confirmed updates are handled after a restart, however the process ended: each at
    least once, and those in progress perhaps twice. An update seen before is skipped. While `room` updates are queued,
    `take` waits. An update whose `handle` raises counts as handled; the error is logged.
    """

    def __init__(
        self, state: StateDatabase, handle: Callable[[Update], Awaitable[None]], *, room: int = 1000, at_once: int = 64
    ) -> None:
        self._state = state
        self._handle = handle
        self._room = room
        self._active = asyncio.Semaphore(at_once)
        self._lanes: dict[int, deque[Update]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._eased = asyncio.Condition()
        self.waiting = 0

    async def replay(self) -> int:
        """Queue the updates an earlier process left; gives their number."""
        self._state.delete_confirmed()
        left = self._state.unhandled_updates()
        await self._enqueue(left)
        return len(left)

    async def take(self, updates: Sequence[Mapping[str, Any]]) -> None:
        """Store updates and queue them."""
        for update in updates:
            if "inline_query" in update:  # worthless after a restart, and in no chat's order
                self._start(self._handle_one(dict(update)))
        await self._enqueue(self._state.store_updates(u for u in updates if "inline_query" not in u))

    async def drain(self, timeout_s: float) -> bool:
        """Wait until everything is handled, at most `timeout_s`; then stop. Whether everything was handled."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=timeout_s)
        left = [task for task in self._tasks if not task.done()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        return not left

    async def _enqueue(self, updates: Sequence[Update]) -> None:
        for update in updates:
            async with self._eased:
                await self._eased.wait_for(lambda: self.waiting < self._room)
            self.waiting += 1
            chat = chat_of(update)
            if chat in self._lanes:
                self._lanes[chat].append(update)
            else:
                self._lanes[chat] = deque([update])
                self._start(self._run(chat))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, chat: int) -> None:
        lane = self._lanes[chat]
        while lane:
            update = lane[0]
            async with self._active:
                await self._handle_one(update)
            try:
                self._state.mark_handled(update)
            except StateError as exc:
                log.error("state.db cannot be written (%s): what was answered is answered again after a restart", exc)
            lane.popleft()
            self.waiting -= 1
            async with self._eased:
                self._eased.notify()
        del self._lanes[chat]

    async def _handle_one(self, update: Update) -> None:
        try:
            await self._handle(update)
        except Exception:
            log.exception("an update could not be handled")


def chat_of(update: Mapping[str, Any]) -> int:
    """The chat whose order an update belongs to; 0 for one without a chat."""
    for what in update.values():
        if isinstance(what, dict):
            place = what.get("message", what)
            if isinstance(place, dict) and isinstance(place.get("chat"), dict):
                return int(place["chat"]["id"])
    return 0
