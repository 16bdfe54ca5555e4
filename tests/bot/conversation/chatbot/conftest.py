from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.conversation.admin import LibraryAdmin
from bot.conversation.chatbot.chatbot import Chatbot
from bot.service.state import StateDatabase
from bot.settings import Settings
from tests.bot.conversation.test_admin import ADDED, Editor
from tests.bot.phone import open_engine
from tests.fakes import Clock
from tests.sample_library import built


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def chatbot(tmp_path: Path, clock: Clock) -> AsyncIterator[Chatbot]:
    settings = Settings(home=tmp_path, threshold=0.0)
    built(settings.snapshots)
    with StateDatabase(tmp_path / "state.db") as state:
        async with open_engine(settings) as engine:
            library = LibraryAdmin(Editor(ADDED), state)
            yield Chatbot(
                engine, state, library=library, admins=[42], burst=3, every_s=10.0, keystroke_s=0.0, clock=clock
            )
