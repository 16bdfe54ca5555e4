"""A phone for tests: people write to the bot through a Bot API server, and read what it answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bot.conversation.admin import Editor
from bot.service.engine import Engine
from bot.settings import Settings
from bot.telegram_bot.application import TelegramBot
from retrieval.answering import Answerer
from retrieval.index.snapshot import Snapshot
from retrieval.index.snapshot_folder import current_name
from retrieval.models.reader import Reader
from tests.bot_api import TOKEN, Server, World
from tests.bot_api.checks import cut
from tests.fakes import HashingEncoder

Json = dict[str, Any]

TIMEOUT_S = 30.0


def settings_for(home: Path, server: Server, *, threshold: float = 0.0, **more: Any) -> Settings:
    return Settings(home=home, telegram_token=TOKEN, telegram_api_url=server.url, threshold=threshold, **more)


def open_engine(settings: Settings, reader: Reader | None = None) -> Engine:
    """An engine over the home's snapshot, with an encoder that needs no model."""

    def answerer() -> Answerer:
        encoder = HashingEncoder()
        snapshot = Snapshot.open(settings.snapshots, encoder=encoder.fingerprint)
        return Answerer(snapshot, encoder, threshold=settings.threshold, reader=reader)

    return Engine(answerer, lambda: current_name(settings.snapshots), timeout_s=TIMEOUT_S)


class Phone:
    """What a person does and sees; every wait ends with a condition or fails."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def until(self, what: Callable[[], Any], timeout_s: float = 30.0) -> Any:
        return await asyncio.to_thread(self.world.wait, what, timeout_s)

    async def ask(self, text: str, user: int = 1, chat: int | None = None, **more: Any) -> Json:
        """Write, and give the bot's next message in that chat."""
        place = user if chat is None else chat
        before = len(self.world.from_bot(place))
        self.world.say(text, user, chat, **more)
        return await self.next(before, place)

    async def next(self, before: int, chat: int = 1) -> Json:
        """The bot's message after the first `before` in a chat."""
        await self.until(lambda: len(self.world.from_bot(chat)) > before)
        return self.world.from_bot(chat)[before]

    async def press(self, message: Json, label: str, user: int = 1) -> tuple[Json, Json]:
        """Tap a button; gives the message as it is then, and how the tap was answered."""
        chat = message["chat"]["id"]
        query = self.world.press(message["message_id"], label, user, chat)
        answer = await self.until(lambda: self.world.answer_to(query))
        return self.message(chat, message["message_id"]), answer

    async def inline(self, text: str, user: int = 1, offset: str = "") -> Json:
        query = self.world.inline(text, user, offset)
        return dict(await self.until(lambda: self.world.answer_to(query)))

    async def settled(self) -> None:
        """Everything that was sent to the bot so far is confirmed."""
        await self.until(lambda: not self.world.unconfirmed())

    def message(self, chat: int, number: int) -> Json:
        return next(m for m in self.world.messages(chat) if m["message_id"] == number)


def words(message: Json, kind: str) -> list[str]:
    """What the entities of a kind cover in a message."""
    return [cut(message["text"], entity) for entity in message.get("entities", []) if entity["type"] == kind]


def labels(message: Json) -> list[list[str]]:
    """The rows of buttons under a message."""
    return [[b["text"] for b in row] for row in message.get("reply_markup", {}).get("inline_keyboard", [])]


@asynccontextmanager
async def running(settings: Settings, editor: Editor | None = None) -> AsyncIterator[list[str]]:
    """A bot in this process while the context is open; gives the lines it tells the person who started it."""
    told: list[str] = []
    bot = TelegramBot(settings, settings.telegram_token or "", told.append, editor)
    task = asyncio.create_task(bot.serve(lambda: open_engine(settings)))
    try:
        yield told
    finally:
        bot.stop()
        await asyncio.wait_for(task, 30)
