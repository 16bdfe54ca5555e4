from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.service.state import StateDatabase, StateError
from bot.telegram_bot.inbox import Inbox, chat_of


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateDatabase]:
    with StateDatabase(tmp_path / "state.db") as state:
        yield state


def message(number: int, chat: int = 1) -> dict[str, Any]:
    return {"update_id": number, "message": {"chat": {"id": chat}, "text": str(number)}}


class Handler:
    """Notes what it was given; holds on to chats that are in `held` until told to let go."""

    def __init__(self, *held: int) -> None:
        self.begun: list[int] = []
        self.ended: list[int] = []
        self.held = set(held)
        self.go = asyncio.Event()
        self.together = 0
        self.most = 0

    async def __call__(self, update: dict[str, Any]) -> None:
        self.begun.append(update["update_id"])
        self.together += 1
        self.most = max(self.most, self.together)
        try:
            if chat_of(update) in self.held:
                await self.go.wait()
        finally:
            self.together -= 1
        self.ended.append(update["update_id"])


async def test_updates_of_a_chat_are_handled_in_order_and_chats_do_not_wait_for_each_other(
    state: StateDatabase,
) -> None:
    handler = Handler(1)
    inbox = Inbox(state, handler)
    await inbox.take([message(1), message(2), message(3, chat=2), message(4, chat=2)])
    asyncio.get_running_loop().call_later(0.05, handler.go.set)
    assert await inbox.drain(5)
    assert handler.ended == [3, 4, 1, 2]
    assert (inbox.waiting, inbox._lanes) == (0, {})


async def test_what_was_not_handled_is_handled_after_a_restart(state: StateDatabase) -> None:
    stuck = Handler(1)
    inbox = Inbox(state, stuck)
    await inbox.take([message(1), message(2), message(3, chat=2)])
    assert not await inbox.drain(0.05)
    assert (stuck.begun, stuck.ended) == ([1, 3], [3])
    again = Handler()
    inbox = Inbox(state, again)
    assert await inbox.replay() == 2
    assert await inbox.drain(5)
    assert again.ended == [1, 2]
    assert state.unhandled_updates() == []


async def test_an_update_that_comes_twice_is_handled_once(state: StateDatabase) -> None:
    handler = Handler()
    inbox = Inbox(state, handler)
    await inbox.take([message(2), message(1), message(2)])
    await inbox.take([message(1)])
    assert await inbox.drain(5)
    assert handler.ended == [2, 1]


async def test_a_full_inbox_makes_the_poller_wait(state: StateDatabase) -> None:
    handler = Handler(1)
    inbox = Inbox(state, handler, room=2)
    taking = asyncio.create_task(inbox.take([message(1), message(2), message(3)]))
    done, _ = await asyncio.wait([taking], timeout=0.05)
    assert (done, inbox.waiting) == (set(), 2)
    handler.go.set()
    await asyncio.wait_for(taking, 5)
    assert await inbox.drain(5)
    assert handler.ended == [1, 2, 3]


async def test_so_many_chats_at_once_and_no_more(state: StateDatabase) -> None:
    handler = Handler(*range(10))
    inbox = Inbox(state, handler, at_once=3)
    await inbox.take([message(number, chat=number) for number in range(10)])
    asyncio.get_running_loop().call_later(0.05, handler.go.set)
    assert await inbox.drain(5)
    assert (len(handler.ended), handler.most) == (10, 3)


async def test_an_inline_query_is_not_kept_and_waits_for_nobody(state: StateDatabase) -> None:
    handler = Handler(0)
    inbox = Inbox(state, handler)
    queries = [{"update_id": n, "inline_query": {"query": "rain"}} for n in (1, 2)]
    await inbox.take(queries)
    assert state.unhandled_updates() == []
    asyncio.get_running_loop().call_soon(handler.go.set)
    assert await inbox.drain(5)
    assert (handler.begun, handler.most) == ([1, 2], 2)


async def test_an_error_does_not_stop_what_comes_after(state: StateDatabase, caplog: pytest.LogCaptureFixture) -> None:
    seen: list[int] = []

    async def handle(update: dict[str, Any]) -> None:
        seen.append(update["update_id"])
        if update["update_id"] == 1:
            raise ValueError

    inbox = Inbox(state, handle)
    await inbox.take([message(1), message(2)])
    assert await inbox.drain(5)
    assert seen == [1, 2]
    assert [record.getMessage() for record in caplog.records] == ["an update could not be handled"]


async def test_a_chat_goes_on_where_it_could_not_be_noted_that_its_update_was_handled(
    state: StateDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StateError("database or disk is full")

    monkeypatch.setattr(StateDatabase, "mark_handled", full)
    handler = Handler()
    inbox = Inbox(state, handler)
    await inbox.take([message(1), message(2)])
    assert await inbox.drain(5)
    assert (handler.ended, inbox.waiting) == ([1, 2], 0)
    assert len(state.unhandled_updates()) == 2


@pytest.mark.parametrize(
    ("update", "chat"),
    [
        (message(1, chat=5), 5),
        ({"update_id": 1, "callback_query": {"from": {"id": 9}, "message": {"chat": {"id": -7}}}}, -7),
        ({"update_id": 1, "my_chat_member": {"chat": {"id": -8}}}, -8),
        ({"update_id": 1, "inline_query": {"from": {"id": 9}}}, 0),
    ],
    ids=["message", "callback", "membership", "inline"],
)
def test_the_chat_of_an_update(update: dict[str, Any], chat: int) -> None:
    assert chat_of(update) == chat
