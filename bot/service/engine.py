"""Asynchronous answering from the current snapshot: one worker thread and a bounded queue."""

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


class AnswerTimeout(Exception):
    """No answer came in time; the search may still be running."""


class Engine:
    """Answers questions in a worker thread, one at a time, from the current snapshot.

    `open_answerer` opens an answerer over the current snapshot and `current` names that snapshot; both are called in
    the worker thread, `current` before every question, see `ReloadingAnswerer`. At most `queue_size` calls are in the
    worker's queue; further callers wait until there is room. A call that does not end within `timeout_s` of entering
    the queue raises `AnswerTimeout`.
    """

    def __init__(
        self,
        open_answerer: Callable[[], Answerer],
        current: Callable[[], str | None],
        *,
        timeout_s: float = 30.0,
        queue_size: int = 64,
    ) -> None:
        self._answerer = ReloadingAnswerer(open_answerer, current)
        self._timeout_s = timeout_s
        self._queue_slots = asyncio.Semaphore(queue_size)
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
            AnswerTimeout: no answer in time.
        """
        return await self.call(lambda answerer: answerer.answer(query))

    async def call(self, work: Callable[[Answerer], R]) -> R:
        """Run `work` on the answerer in the worker thread.

        Raises:
            RetrievalError: there is no snapshot to open.
            AnswerTimeout: it did not end in time.
        """
        self.waiting += 1
        try:
            async with self._queue_slots:
                task = asyncio.get_running_loop().run_in_executor(self._thread, self._run, work)
                try:
                    async with asyncio.timeout(self._timeout_s):
                        return await task
                except TimeoutError as exc:
                    raise AnswerTimeout(f"no answer within {self._timeout_s:g} seconds") from exc
        finally:
            self.waiting -= 1

    async def close(self) -> None:
        """Wait for the call that is running, drop the queue and end the worker."""
        await asyncio.to_thread(self._thread.shutdown, wait=True, cancel_futures=True)

    def _run(self, work: Callable[[Answerer], R]) -> R:
        return work(self._answerer.answerer())
