"""python -m tests.telegram_demo FILE [HOME]: a conversation with the real bot, written as a page for people to look at.

The bot runs as a process of its own with the shipped article and model, against the test server. HOME keeps what it
prepares, so that a second run starts at once.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.bot_api import TOKEN, Server, World
from tests.bot_api.page import page

Json = dict[str, Any]
Shown = list[Json | str]
GROUP = -1001


@contextmanager
def bot(home: Path, url: str) -> Iterator[None]:
    """The bot while the context is open."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("NEWSQUOTE_")}
    environ |= {"NEWSQUOTE_TELEGRAM_TOKEN": TOKEN, "NEWSQUOTE_TELEGRAM_API_URL": url, "NEWSQUOTE_HOME": str(home)}
    with subprocess.Popen([sys.executable, "-m", "bot", "telegram"], env=environ) as process:
        try:
            yield
        finally:
            process.terminate()


class Script:
    """Says and taps things in one chat, and notes every message as it was shown then."""

    def __init__(self, world: World, user: int, chat: int | None = None) -> None:
        self.world, self.user, self.chat = world, user, chat if chat is not None else user
        self.shown: Shown = []

    def say(self, text: str) -> Json:
        before = len(self.world.from_bot(self.chat))
        number = self.world.say(text, self.user, self.chat if self.chat != self.user else None)
        self.shown.append(next(m for m in self.world.messages(self.chat) if m["message_id"] == number))
        self.world.wait(lambda: len(self.world.from_bot(self.chat)) > before, 60)
        self.shown.append(self.world.from_bot(self.chat)[before])
        return self.world.from_bot(self.chat)[before]

    def tap(self, message: Json, label: str) -> Json:
        query = self.world.press(message["message_id"], label, self.user, self.chat)
        self.world.wait(lambda: self.world.answer_to(query) is not None, 60)
        note = (self.world.answer_to(query) or {}).get("text")
        self.shown.append(f"taps {label}" + (f": “{note}”" if note else ""))
        turned = next(m for m in self.world.messages(self.chat) if m["message_id"] == message["message_id"])
        if turned != message:
            self.shown.append(turned)
        return turned

    def type(self, text: str) -> list[Json]:
        """Type a question after the bot's name, and see what there is to choose."""
        query = self.world.inline(text, self.user)
        answer = self.world.wait(lambda: self.world.answer_to(query), 60)
        results: list[Json] = answer["results"]
        self.shown.append({"results": results, "typed": f"@{self.world.me['username']} {text}"})
        return results

    def send(self, result: Json) -> None:
        """Choose one of them."""
        self.shown.append({"from": self.world.me, **chosen(result)})


def chosen(result: Json) -> Json:
    """The message that an inline result sends."""
    content = result["input_message_content"]
    return {
        "text": content["message_text"],
        "entities": content["entities"],
        "reply_markup": result.get("reply_markup", {}),
        "via": True,
    }


def converse(world: World) -> list[tuple[str, Shown]]:
    """The scripted conversation, a screen a chat."""
    english = Script(world, 1)
    answer = english.say("Which tier is Kuwait in?")
    english.tap(answer, "👍")
    english.say("Who is the emir of Qatar?")
    more = Script(world, 4)
    more.say("/start")
    more.tap(more.say("Who is the US ambassador?"), "More context")
    arabic = Script(world, 2)
    world.user(2, "ar")
    arabic.say("/help")
    arabic.tap(arabic.say("/articles"), "١")
    world.group(GROUP, "The newsroom")
    group = Script(world, 3, GROUP)
    group.say("@newsquote_test_bot what does trafficking undermine?")
    group.send(group.type("which tier is Kuwait in?")[0])
    return [
        ("newsquote", english.shown),
        ("The newsroom", group.shown),
        ("newsquote", arabic.shown),
        ("newsquote", more.shown),
    ]


def main(file: Path, home: Path) -> None:
    """Write the page."""
    with Server() as server, bot(home, server.url):
        server.world.wait(lambda: server.world.called("deleteWebhook"), 300)
        screens = converse(server.world)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(page(screens, server.world.me["id"]), encoding="utf-8")
    print(f"{file} shows the conversation.")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) > 2 else "build/demo-home").absolute())
