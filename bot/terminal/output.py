"""Lines on standard output and standard error."""

from __future__ import annotations

import sys


def print_result(line: str) -> None:
    """Print what was asked for, on standard output."""
    print(line)  # noqa: T201


def print_note(line: str) -> None:
    """Print what a person should know besides, on standard error, at once."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201


def print_error(error: object) -> None:
    """Print an error on one line of standard error."""
    print("newsquote: " + " ".join(str(error).split()), file=sys.stderr)  # noqa: T201
