from __future__ import annotations

import asyncio
import logging
import threading
from functools import partial
from pathlib import Path

import pytest

from bot.service.engine import AnswerTimeout, Engine
from retrieval.answering import Answerer
from retrieval.errors import QuestionError, SnapshotCorrupt, SnapshotMissing
from retrieval.index.snapshot import Snapshot
from retrieval.index.snapshot_folder import current_name
from retrieval.results import Query
from tests.fakes import HashingEncoder
from tests.sample_library import BEES, HARBOUR, built


def opener(folder: Path) -> Answerer:
    encoder = HashingEncoder()
    return Answerer(Snapshot.open(folder, encoder=encoder.fingerprint), encoder)


def engine_over(folder: Path, *, timeout_s: float = 30.0, queue_size: int = 64) -> Engine:
    return Engine(lambda: opener(folder), lambda: current_name(folder), timeout_s=timeout_s, queue_size=queue_size)


async def test_a_question_is_answered_off_the_event_loop(tmp_path: Path) -> None:
    built(tmp_path)
    async with engine_over(tmp_path) as engine:
        answer = await engine.answer(Query("How long did the strike last?"))
        thread = await engine.call(lambda _: threading.current_thread())
    assert answer.quotes[0].article == HARBOUR
    assert thread is not threading.main_thread()


async def test_what_the_answerer_raises_reaches_the_caller(tmp_path: Path) -> None:
    built(tmp_path)
    async with engine_over(tmp_path) as engine:
        with pytest.raises(QuestionError):
            await engine.answer(Query(""))


async def test_a_newly_published_snapshot_serves_the_next_question(tmp_path: Path) -> None:
    first = built(tmp_path, [BEES]).name
    async with engine_over(tmp_path) as engine:
        before = await engine.answer(Query("strike"))
        second = built(tmp_path, [HARBOUR]).name
        after = await engine.answer(Query("strike"))
    assert (before.snapshot, after.snapshot) == (first, second)
    assert after.quotes[0].article == HARBOUR


async def test_a_new_snapshot_that_cannot_be_opened_leaves_the_old_one_serving(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    name = built(tmp_path).name
    opened = opener(tmp_path)
    opens = iter([opened])
    names = iter([name, "20270101T000000Z-00000000", "20270101T000000Z-00000000"])

    def open_next() -> Answerer:
        for answerer in opens:
            return answerer
        raise SnapshotCorrupt("vectors.faiss is damaged")

    async with Engine(open_next, lambda: next(names)) as engine:
        answers = [await engine.answer(Query("strike")) for _ in range(3)]
    assert [answer.snapshot for answer in answers] == [name] * 3
    assert [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR] == [
        "the new index cannot be opened, the old one goes on serving: vectors.faiss is damaged"
    ]


async def test_without_any_snapshot_the_caller_learns_why(tmp_path: Path) -> None:
    async with engine_over(tmp_path) as engine:
        with pytest.raises(SnapshotMissing):
            await engine.answer(Query("strike"))
        built(tmp_path)
        assert (await engine.answer(Query("strike"))).quotes


async def test_an_answer_that_takes_too_long_is_abandoned(tmp_path: Path) -> None:
    built(tmp_path)
    gate = threading.Event()
    async with engine_over(tmp_path, timeout_s=0.01) as engine:
        with pytest.raises(AnswerTimeout):
            await engine.call(lambda _: gate.wait(10))
        gate.set()


async def test_a_full_queue_makes_callers_wait_and_serves_them_in_order(tmp_path: Path) -> None:
    built(tmp_path)
    gate, done = threading.Event(), list[int]()
    async with engine_over(tmp_path, queue_size=2) as engine:

        def work(number: int, _: Answerer) -> None:
            gate.wait(10)
            done.append(number)

        calls = [asyncio.create_task(engine.call(partial(work, number))) for number in range(5)]
        await asyncio.sleep(0)
        assert engine.waiting == 5
        gate.set()
        await asyncio.gather(*calls)
    assert (done, engine.waiting) == ([0, 1, 2, 3, 4], 0)
