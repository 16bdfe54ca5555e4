"""A Bot API server, settings with a library behind it, and a phone whose bot is running."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bot.settings import Settings
from tests.bot.phone import Phone, running, settings_for
from tests.bot_api import Server, World
from tests.sample_library import built


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture
def world(server: Server) -> World:
    return server.world


@pytest.fixture
def settings(server: Server, tmp_path: Path) -> Settings:
    settings = settings_for(tmp_path, server)
    built(settings.snapshots)
    return settings


@pytest.fixture
async def phone(world: World, settings: Settings) -> AsyncIterator[Phone]:
    async with running(settings):
        yield Phone(world)
