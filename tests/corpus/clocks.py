"""Time that passes only when a test says so."""

from __future__ import annotations


class Clock:
    """Seconds that pass while somebody sleeps, and by `step` at every look."""

    def __init__(self, now: float = 100.0, step: float = 0.0) -> None:
        self.now = now
        self.step = step
        self.slept: list[float] = []

    def __call__(self) -> float:
        self.now += self.step
        return self.now

    def sleep(self, seconds: float) -> None:
        """Returns at once, with that many seconds gone."""
        self.slept.append(round(seconds, 6))
        self.now += seconds
