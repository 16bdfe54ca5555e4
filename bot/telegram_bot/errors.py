"""Why the bot stops by itself, and its exit status."""

from __future__ import annotations

DONE, WRONG_USE, FAILED = 0, 2, 3


class Stopped(Exception):
    """The bot cannot go on; one line for a person, and the exit status."""

    def __init__(self, why: str, status: int = FAILED) -> None:
        super().__init__(why)
        self.status = status
