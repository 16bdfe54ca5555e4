"""Exit statuses of the newsquote command."""

from __future__ import annotations

from enum import IntEnum


class ExitStatus(IntEnum):
    """What a command ends with."""

    DONE = 0
    NOT_FOUND = 1
    """`ask` with one question, and no answer to it."""
    WRONG_USE = 2
    """Wrong arguments, settings or question."""
    FAILED = 3
    STOPPED = 130
    """By Ctrl-C."""
