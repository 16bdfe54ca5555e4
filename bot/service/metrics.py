"""Metrics since the start of the process, in Prometheus' text format. No names, no texts: only counts and times."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

_ABOUT = {
    "answered": "Questions that were answered.",
    "declined": "Questions that no article answers well enough.",
    "throttled": "Messages left alone because somebody asked more than their budget.",
    "errors": "Updates whose handling failed.",
    "updates": "Updates that were handled.",
}


class Metrics:
    """Counters by name, and a histogram of how long people waited for answers."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter(dict.fromkeys(_ABOUT, 0))
        self._waits = [0] * (len(BUCKETS_S) + 1)
        self._waited_s = 0.0

    def count(self, name: str) -> None:
        """Increase the counter `name` by one.

        Raises:
            KeyError: there is no such counter.
        """
        if name not in _ABOUT:
            raise KeyError(name)
        self._counts[name] += 1

    def __getitem__(self, name: str) -> int:
        """The value of the counter `name`."""
        return self._counts[name]

    def observe_wait(self, seconds: float) -> None:
        """Record how long somebody waited from their question to its answer."""
        self._waits[sum(seconds > bound for bound in BUCKETS_S)] += 1
        self._waited_s += seconds

    def text(self, gauges: Mapping[str, float]) -> str:
        """All metrics as text; `gauges` gives those that go up and down."""
        lines = []
        for name, about in _ABOUT.items():
            lines += [
                f"# HELP newsquote_{name}_total {about}",
                f"# TYPE newsquote_{name}_total counter",
                f"newsquote_{name}_total {self._counts[name]}",
            ]
        lines += [
            "# HELP newsquote_answer_seconds From a question to its answer, in seconds.",
            "# TYPE newsquote_answer_seconds histogram",
        ]
        total = 0
        for bound, waits in zip((*map(str, BUCKETS_S), "+Inf"), self._waits, strict=True):
            total += waits
            lines.append(f'newsquote_answer_seconds_bucket{{le="{bound}"}} {total}')
        lines += [f"newsquote_answer_seconds_sum {self._waited_s:.6f}", f"newsquote_answer_seconds_count {total}"]
        for name, value in gauges.items():
            lines += [f"# TYPE newsquote_{name} gauge", f"newsquote_{name} {value:g}"]
        return "\n".join(lines) + "\n"
