"""newsquote config: the settings in force."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from bot.commands.exit_status import ExitStatus
from bot.settings import Settings
from bot.terminal.output import print_result

if TYPE_CHECKING:
    from bot.commands.arguments import Subparsers


def add_parsers(commands: Subparsers) -> None:
    """Add `config`."""
    commands.add_parser("config", help="the settings in force").set_defaults(run=_config)


def _config(_: argparse.Namespace, settings: Settings) -> ExitStatus:
    for name, value, origin in settings.describe():
        print_result(f"{name} = {value or '(not set)'}  [{origin}]")
    return ExitStatus.DONE
