"""`newsquote telegram` against a Bot API server in a process of its own, and all that goes wrong between them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from corpus import Found, Library
from tests import telegram_demo
from tests.bot_api import TOKEN
from tests.sample_library import LIBRARY

ROOT = Path(__file__).parents[1]
QUESTION, ANSWER = "How long did the harbour strike last?", "The strike had lasted eleven days."
SECRETS = (TOKEN, "harbour strike", "987654")  # the last begins the number of each person
PERSON, OTHER, GROUP, SUPERGROUP = 987_654_001, 987_654_002, -987_654_003, -1_001_987_654


class Remote:
    """A world in another process."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __call__(self, do: str, **arguments: Any) -> Any:
        order = json.dumps({"do": do, "with": arguments}).encode()
        try:
            with urllib.request.urlopen(f"{self._url}/control", order, timeout=90) as reply:
                return json.loads(reply.read())["result"]
        except urllib.error.HTTPError as exc:
            raise AssertionError(exc.read().decode()) from exc

    def ask(self, person: int, chat: int | None = None, text: str = QUESTION, *, answers: int = 1) -> list[str]:
        """Ask, and give the texts of so many new answers."""
        place = person if chat is None else chat
        before = len(self("from_bot", chat=place))
        self("say", text=text, user=person, chat=chat)
        return [message["text"] for message in self("heard", chat=place, count=before + answers)[before:]]


@contextmanager
def process(*arguments: str, **environ: str) -> Iterator[subprocess.Popen[str]]:
    """A Python process, its standard error in a file; killed at the end where it still runs."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NEWSQUOTE_")}
    command = [sys.executable, "-m", *arguments]
    log = environ.pop("log")
    with (
        Path(log).open("w", encoding="utf-8") as stderr,
        subprocess.Popen(
            command, cwd=ROOT, env=kept | environ, stdout=subprocess.PIPE, stderr=stderr, text=True
        ) as running,
    ):
        try:
            yield running
        finally:
            running.kill()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[tuple[Remote, str]]:
    with process("tests.bot_api", log=str(tmp_path / "server.log")) as server:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        yield Remote(url), url


def test_whatever_goes_wrong_between_two_processes_each_question_is_answered(
    world: tuple[Remote, str], tmp_path: Path, models_dir: Path
) -> None:
    telegram, url = world
    home, log = tmp_path / "home", tmp_path / "bot.log"
    Library(home / "library").add(Found(article, article.id, record=True) for article in LIBRARY)
    environ = {
        "NEWSQUOTE_HOME": str(home),
        "NEWSQUOTE_MODELS": str(models_dir),
        "NEWSQUOTE_TELEGRAM_TOKEN": TOKEN,
        "NEWSQUOTE_TELEGRAM_API_URL": url,
        "LOGLEVEL": "DEBUG",
    }
    with process("bot", "telegram", log=str(log), **environ) as bot:
        for kind in ("429", "500", "502", "drop_before", "slow"):
            telegram("fault", kind=kind, method="sendMessage", seconds=1)
            [answer] = telegram.ask(PERSON)
            assert ANSWER in answer, kind
        telegram("fault", kind="drop_after", method="sendMessage")
        first, second = telegram.ask(PERSON, answers=2)  # the receipt was lost: twice rather than never
        assert first == second
        telegram("redeliver", times=3)
        telegram("shuffle")
        telegram("group", chat=GROUP)
        assert ANSWER in telegram.ask(PERSON, GROUP, f"/ask {QUESTION}")[0]
        telegram("migrate", chat=GROUP, new=SUPERGROUP)
        assert ANSWER in telegram.ask(PERSON, SUPERGROUP, f"/ask {QUESTION}")[0]
        assert ANSWER in telegram.ask(OTHER)[0]
        telegram("shut", chat=OTHER, why="blocked")
        telegram("say", text=QUESTION, user=OTHER)
        assert ANSWER in telegram.ask(PERSON)[0]
        assert len(telegram("from_bot", chat=PERSON)) == 8  # nothing that came twice was answered twice
        assert telegram("from_bot", chat=GROUP)[1:] == []
        bot.send_signal(signal.SIGTERM)
        assert bot.wait(30) == 0
    said = log.read_text(encoding="utf-8")
    assert "@newsquote_test_bot is running; Ctrl-C stops it." in said
    assert "event=answered" in said
    assert [secret for secret in SECRETS if secret in said] == []


def test_of_two_bots_with_one_token_one_goes_with_one_clear_line(
    world: tuple[Remote, str], tmp_path: Path, models_dir: Path
) -> None:
    telegram, url = world
    home = tmp_path / "home"
    environ = {"NEWSQUOTE_MODELS": str(models_dir), "NEWSQUOTE_TELEGRAM_TOKEN": TOKEN}
    environ |= {"NEWSQUOTE_TELEGRAM_API_URL": url, "NEWSQUOTE_HOME": str(home)}
    with process("bot", "telegram", log=str(tmp_path / "1.log"), **environ) as older:
        assert telegram.ask(PERSON, text="Which tier is Kuwait in?")
        with process("bot", "telegram", log=str(tmp_path / "2.log"), **environ) as newer:
            assert older.wait(120) == 3
            assert telegram.ask(PERSON, text="Which tier is Kuwait in?")
            newer.send_signal(signal.SIGTERM)
            assert newer.wait(30) == 0
    [line] = [line for line in (tmp_path / "1.log").read_text(encoding="utf-8").splitlines() if "another" in line]
    assert line == (
        "newsquote: another program is receiving this bot's updates; only one can: stop the other, or this one"
    )


def test_the_demo_shows_a_conversation_with_the_real_bot(tmp_path: Path, models_dir: Path) -> None:
    home, page = tmp_path / "home", tmp_path / "demo.html"
    home.mkdir()
    (home / "models").symlink_to(models_dir)
    telegram_demo.main(page, home)
    shown = page.read_text(encoding="utf-8")
    assert shown.count("<section>") == 4
    assert "<i>According to the report, Kuwait remains at the <b>second level</b>" in shown
    assert "<small>taps 👍: “Thanks, noted.”</small>" in shown
    assert "I didn&#x27;t find an answer to that in the articles." in shown
    assert '<article dir="auto">مقال واحد\n١. ' in shown
