"""newsquote chat and newsquote telegram: conversations in the terminal and on Telegram."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from bot import wiring
from bot.commands.exit_status import ExitStatus
from bot.settings import Settings
from bot.terminal.output import print_note

if TYPE_CHECKING:
    from bot.commands.arguments import Subparsers


def add_parsers(commands: Subparsers) -> None:
    """Add `chat` and `telegram`."""
    chat = commands.add_parser("chat", help="a conversation in the terminal")
    chat.add_argument("--json", action="store_true", help="one JSON object for each line read")
    chat.set_defaults(run=_chat)
    commands.add_parser("telegram", help="run the Telegram bot").set_defaults(run=_telegram)


def _chat(options: argparse.Namespace, settings: Settings) -> ExitStatus:
    from bot.conversation.languages import Language
    from bot.terminal.chat import run_chat

    second_stage = wiring.open_second_stage(settings)
    wiring.ensure_index(settings)
    run_chat(
        lambda: wiring.open_reloading_answerer(settings, second_stage),
        stdin=sys.stdin,
        stdout=sys.stdout,
        as_json=options.json,
        history=settings.home / "history",
        language=Language.of(os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG")),
    )
    return ExitStatus.DONE


def _telegram(_: argparse.Namespace, settings: Settings) -> int:
    from bot.service.engine import Engine
    from bot.service.storage import open_store
    from bot.telegram_bot.application import run

    second_stage = wiring.SecondStage()
    if settings.telegram_token is not None:
        second_stage = wiring.open_second_stage(settings)
        wiring.ensure_index(settings)
    return run(
        settings,
        lambda: Engine(lambda: wiring.open_answerer(settings, second_stage), lambda: open_store(settings).current()),
        editor=wiring.open_editor(settings),
        tell=lambda line: print_note(f"newsquote: {line}"),
    )
