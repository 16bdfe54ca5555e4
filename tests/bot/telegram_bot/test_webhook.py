from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import httpx
import pytest
from tornado.httpserver import HTTPServer

from bot.telegram_bot import webhook

SECRET = "a-secret-of-sixteen"


class Taker:
    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.go = asyncio.Event()
        self.go.set()

    async def __call__(self, updates: Sequence[Mapping[str, Any]]) -> None:
        await self.go.wait()
        self.taken += map(dict, updates)


def url_of(server: HTTPServer) -> str:
    return f"http://127.0.0.1:{next(iter(server._sockets.values())).getsockname()[1]}"


@pytest.fixture
async def taker() -> Taker:
    return Taker()


@pytest.fixture
async def hook(taker: Taker) -> AsyncIterator[str]:
    server = webhook.updates("127.0.0.1:0", "/hook", secret=SECRET, take=taker)
    yield url_of(server) + "/hook"
    server.stop()
    await server.close_all_connections()


async def post(url: str, body: bytes, secret: str | None = SECRET) -> int:
    headers = [] if secret is None else [(b"X-Telegram-Bot-Api-Secret-Token", secret.encode())]
    async with httpx.AsyncClient() as client:
        return (await client.post(url, content=body, headers=headers)).status_code


async def test_an_update_with_the_secret_is_taken(hook: str, taker: Taker) -> None:
    assert await post(hook, json.dumps({"update_id": 7, "message": {}}).encode()) == 200
    assert taker.taken == [{"update_id": 7, "message": {}}]


@pytest.mark.parametrize("secret", [None, "", "another-secret-here", "ä"])
async def test_without_the_secret_nothing_is_taken(
    hook: str, taker: Taker, secret: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    assert await post(hook, b'{"update_id": 7}', secret) == 403
    assert taker.taken == []
    assert [
        r.getMessage() for r in caplog.records if r.levelno == logging.WARNING and r.name == "bot.telegram_bot.webhook"
    ] == ["somebody without the secret sent an update"]


@pytest.mark.parametrize("body", [b"", b"nonsense", b"[]", b"{}", b'{"update_id": "x"}', b"\xff"])
async def test_what_is_no_update_is_refused(hook: str, taker: Taker, body: bytes) -> None:
    assert await post(hook, body) == 400
    assert taker.taken == []


async def test_telegram_is_told_only_when_the_update_is_kept(hook: str, taker: Taker) -> None:
    taker.go.clear()
    posting = asyncio.create_task(post(hook, b'{"update_id": 7}'))
    done, _ = await asyncio.wait([posting], timeout=0.1)
    assert (done, taker.taken) == (set(), [])
    taker.go.set()
    assert await posting == 200


async def test_other_paths_lead_nowhere(hook: str) -> None:
    assert await post(hook + "/other", b'{"update_id": 7}') == 404


async def test_health_and_metrics_can_be_read() -> None:
    wrong: list[str] = []
    server = webhook.watchers(
        "127.0.0.1:0", health=lambda: wrong[0] if wrong else None, metrics=lambda: "newsquote_answered_total 1\n"
    )
    async with httpx.AsyncClient(base_url=url_of(server)) as client:
        metrics = await client.get("/metrics")
        assert (metrics.status_code, metrics.text) == (200, "newsquote_answered_total 1\n")
        assert (await client.get("/health")).status_code == 200
        wrong.append("nothing heard for 90 s")
        ill = await client.get("/health")
        assert (ill.status_code, ill.text) == (503, "nothing heard for 90 s\n")
    server.stop()
    await server.close_all_connections()
