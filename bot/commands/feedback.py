"""newsquote feedback: what people thought of the quotes."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from bot.commands.exit_status import ExitStatus
from bot.settings import Settings
from bot.terminal.output import print_note, print_result

if TYPE_CHECKING:
    from bot.commands.arguments import Subparsers


def add_parsers(commands: Subparsers) -> None:
    """Add `feedback` with its action."""
    feedback = commands.add_parser("feedback", help="what people thought of the quotes")
    actions = feedback.add_subparsers(metavar="ACTION", required=True)
    export = actions.add_parser("export", help="good quotes as questions in SQuAD 2.0 form, for eval")
    export.set_defaults(run=_export)


def _export(_: argparse.Namespace, settings: Settings) -> ExitStatus:
    from bot.service.feedback import votes_to_squad
    from bot.service.state import StateDatabase
    from corpus import Library

    with StateDatabase(settings.home / "state.db") as state:
        votes = state.votes()
    wanted = {vote.article for vote in votes}
    articles = {article.id: article for article in Library(settings.library).articles() if article.id in wanted}
    print_result(json.dumps(votes_to_squad(votes, articles), ensure_ascii=False))
    if votes and not settings.telegram_keep_questions:
        print_note("Votes carry their questions only where telegram_keep_questions is true.")
    return ExitStatus.DONE
