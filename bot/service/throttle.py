"""How often somebody may ask: a bucket of questions that fills again with time, with an injected clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable


class Throttle:
    """A budget for each key: `burst` at once, and one more every `every_s` seconds.

    Keys whose budget is whole again are forgotten, so memory follows those who ask now.
    """

    def __init__(self, burst: int, every_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._span_s = burst * every_s
        self._every_s = every_s
        self._clock = clock
        self._whole_at: dict[Hashable, float] = {}  # when each key's budget is whole again

    def wait_s(self, key: Hashable) -> float:
        """Take one from a key's budget and give 0, or give the seconds until there is one to take."""
        now = self._clock()
        whole_at = max(self._whole_at.get(key, now), now) + self._every_s
        over = whole_at - now - self._span_s
        if over > 1e-9:
            return over
        self._whole_at[key] = whole_at
        if len(self._whole_at) > 10_000:
            self._whole_at = {other: at for other, at in self._whole_at.items() if at > now}
        return 0.0
