"""The asynchronous face of an Answerer: one worker thread, a bounded queue, and the snapshot that serves now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Self, TypeVar

from bot.service.hot_reload import ReloadingAnswerer

if TYPE_CHECKING:
    from retrieval.answering import Answerer
    from retrieval.results import Answer, Query

R = TypeVar("R")


class TooSlow(Exception):
    """An answer that did not come in time; its search may still be running."""


class Engine:
    """Answers off the event loop, one question at a time, from whatever snapshot CURRENT names.

    `open_answerer` opens that snapshot and `current` gives its name; both are called in the worker thread, `current`
    before every question, see `Newsroom`.
    At most `room` calls wait; further callers wait for their place in the queue. A call that does not end within
    `timeout_s` of getting its place raises `TooSlow`.
    """

    def __init__(
        self,
        open_answerer: Callable[[], Answerer],
        current: Callable[[], str | None],
        *,
        timeout_s: float = 30.0,
        room: int = 64,
    ) -> None:
        self._room = ReloadingAnswerer(open_answerer, current)
        self._timeout_s = timeout_s
        self._places = asyncio.Semaphore(room)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="engine")
        self.waiting = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def answer(self, query: Query) -> Answer:
        """Answer a question.

        Raises:
            RetrievalError: it cannot be asked, or there is no snapshot to answer from.
            TooSlow: no answer in time.
        """
        return await self.call(lambda answerer: answerer.answer(query))

    async def call(self, work: Callable[[Answerer], R]) -> R:
        """Run `work` on the answerer in the worker thread.

        Raises:
            RetrievalError: there is no snapshot to open.
            TooSlow: it did not end in time.
        """
        self.waiting += 1
        try:
            async with self._places:
                task = asyncio.get_running_loop().run_in_executor(self._thread, self._run, work)
                try:
                    async with asyncio.timeout(self._timeout_s):
                        return await task
                except TimeoutError as exc:
                    raise TooSlow(f"no answer within {self._timeout_s:g} seconds") from exc
        finally:
            self.waiting -= 1

    async def close(self) -> None:
        """Wait for what the worker is doing and end it."""
        await asyncio.to_thread(self._thread.shutdown, wait=True, cancel_futures=True)

    def _run(self, work: Callable[[Answerer], R]) -> R:
        return work(self._room.answerer())
