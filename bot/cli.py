"""The newsquote command: its entry, its parser and how errors become exit statuses.

Nothing heavy is imported before a command needs it.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from bot import logs
from bot.commands import add, articles, ask, chat, config, evaluate, feedback, index, models
from bot.commands.exit_status import ExitStatus
from bot.settings import Settings, SettingsError
from bot.terminal.output import print_error
from corpus.errors import CorpusError
from retrieval.errors import QuestionError, RetrievalError

COMMANDS = (ask, chat, add, articles, index, models, evaluate, feedback, config)
"""The families of commands, in the order in which help lists them."""


class _Parser(argparse.ArgumentParser):
    """Prints an error on one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(ExitStatus.WRONG_USE, f"newsquote: {message}; {self.prog} --help says how\n")


class _Version(argparse.Action):
    """Looks the version up when it is asked for: importlib.metadata takes 25 ms to import."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        parser.exit(ExitStatus.DONE, f"newsquote {version('newsquote')}\n")


def entry() -> NoReturn:
    """The console command."""
    # OpenBLAS starts a thread a core when numpy is imported: 0.1 s of CPU, and nothing here multiplies large matrices.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    status = main(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    logging.shutdown()
    os._exit(status)  # the model's libraries take 0.1 s to tidy up what the system takes back anyway


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit status, see `ExitStatus`."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        logs.configure(os.environ.get("LOGLEVEL") or "WARNING")
    except ValueError as exc:
        return _end(exc, ExitStatus.WRONG_USE)
    try:
        options = _parser().parse_args(arguments)
    except SystemExit as stop:
        return int(stop.code or 0)
    try:
        status = options.run(options, Settings.load(options.home))
        sys.stdout.flush()
    except (SettingsError, QuestionError) as exc:
        return _end(exc, ExitStatus.WRONG_USE)
    except (CorpusError, RetrievalError) as exc:
        return _end(exc, ExitStatus.FAILED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever read the output has closed it
        return ExitStatus.DONE
    except OSError as exc:
        return _end(f"{exc.filename or 'the system'}: {exc.strerror or exc}", ExitStatus.FAILED)
    except KeyboardInterrupt:
        return _end("stopped", ExitStatus.STOPPED)
    return int(status)


def _end(error: object, status: ExitStatus) -> int:
    print_error(error)
    return status


def _parser() -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = _Parser(
        prog="newsquote", description="Ask news articles a question; get their exact words back."
    )
    parser.add_argument("--home", type=Path, metavar="DIR", help="where library, index and settings are kept")
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and stop")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for family in COMMANDS:
        family.add_parsers(subparsers)
    return parser
