"""newsquote add and newsquote watch: how articles come into the library."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bot import wiring
from bot.commands.exit_status import ExitStatus
from bot.settings import Settings
from bot.terminal.output import print_note, print_result

if TYPE_CHECKING:
    from bot.commands.arguments import Subparsers
    from corpus import Outcome


def add_parsers(commands: Subparsers) -> None:
    """Add `add` and `watch`."""
    add = commands.add_parser("add", help="take articles into the library and index them")
    add.add_argument(
        "sources", nargs="+", metavar="SOURCE", help="a web address, a file, a folder, or - for standard input"
    )
    add.add_argument("--json", action="store_true", help="one JSON array of outcomes")
    add.set_defaults(run=_add)

    watch = commands.add_parser("watch", help="follow the library's folder and the feeds of the settings")
    watch.set_defaults(run=_watch)


def _add(options: argparse.Namespace, settings: Settings) -> ExitStatus:
    stdin = sys.stdin.buffer if "-" in options.sources else None
    return _report(wiring.open_editor(settings).add(options.sources, stdin), as_json=options.json)


def _report(outcomes: Sequence[Outcome], *, as_json: bool) -> ExitStatus:
    from corpus import OutcomeKind

    if as_json:
        print_result(
            json.dumps(
                [
                    {"outcome": o.kind.value, "source": o.source, "title": o.title, "id": o.id, "reason": o.reason}
                    for o in outcomes
                ],
                ensure_ascii=False,
            )
        )
    else:
        for outcome in outcomes:
            what = f"{outcome.title} ({outcome.id})" if outcome.title else outcome.source
            print_result(f"{outcome.kind.value}: {what}" + (f": {outcome.reason}" if outcome.reason else ""))
    refused = any(outcome.kind is OutcomeKind.REFUSED for outcome in outcomes)
    return ExitStatus.FAILED if refused else ExitStatus.DONE


def _watch(_: argparse.Namespace, settings: Settings) -> ExitStatus:
    import signal
    import threading

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    editor = wiring.open_editor(settings)
    editor.prepare(print_note)
    print_note(f"newsquote: watching {settings.library} and {len(settings.feeds)} feeds; Ctrl-C stops it")
    editor.watch(stop, lambda line: print_note(f"newsquote: {line}"))
    return ExitStatus.DONE
