"""Rate limiting by token buckets."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable


class Throttle:
    """A token bucket for each key: `burst` tokens, and a new one every `every_s` seconds.

    Full buckets are dropped, so memory grows only with the number of keys in use now.
    """

    def __init__(self, burst: int, every_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._capacity_s = burst * every_s
        self._every_s = every_s
        self._clock = clock
        self._full_at: dict[Hashable, float] = {}  # when each key's bucket is full again

    def wait_s(self, key: Hashable) -> float:
        """Take a token from the key's bucket and return 0, or return the seconds until there is one."""
        now = self._clock()
        full_at = max(self._full_at.get(key, now), now) + self._every_s
        over = full_at - now - self._capacity_s
        if over > 1e-9:
            return over
        self._full_at[key] = full_at
        if len(self._full_at) > 10_000:
            self._full_at = {other: at for other, at in self._full_at.items() if at > now}
        return 0.0
