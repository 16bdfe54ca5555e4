"""Progress of long work on stderr: a bar on a terminal, a line every ten seconds elsewhere, nothing within a second."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from bot.service.progress import count_progress
from retrieval.index.build_progress import BuildProgress, ProgressCallback

Clock = Callable[[], float]

_SHOWN_AFTER_S = 1.0
_TICK_S = 1.0
_LINE_EVERY_S = 10.0
_RATE_WINDOW_S = 30.0


@contextmanager
def progress_bar(
    what: str, total: int | None, stream: TextIO | None = None, clock: Clock = time.monotonic
) -> Iterator[Callable[[int], None]]:
    """Show how `what` advances towards `total`; the context gives the function to call with each new count."""
    with count_progress(lambda: build_progress_bar(stream, clock), what, total) as count:
        yield count


@contextmanager
def build_progress_bar(
    stream: TextIO | None = None, clock: Clock = time.monotonic, wait: Callable[[float], bool] | None = None
) -> Iterator[ProgressCallback]:
    """Show how work of several stages advances; the context gives the function to call with each step.

    `wait` waits for some seconds and returns whether the work is done.
    """
    stream = stream if stream is not None else sys.stderr
    if stream.isatty():
        with _bar(stream, clock) as show:
            yield show
    else:
        with _lines(stream, clock, wait) as show:
            yield show


class _Estimate:
    """The last step, the recent rate of its stage, and an estimate of the time left."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._at = clock()
        self._marks = deque([(self._at, 0)])
        """Times within the last _RATE_WINDOW_S, each with the count then: copying goes faster than encoding."""
        self.step: BuildProgress | None = None

    def update(self, step: BuildProgress) -> None:
        self._at = self._clock()
        if self.step is not None and self.step.what != step.what:
            self._marks = deque([(self._at, 0)])
        if self._at - self._marks[-1][0] >= _TICK_S:
            self._marks.append((self._at, step.done))
        while len(self._marks) > 1 and self._at - self._marks[1][0] >= _RATE_WINDOW_S:
            self._marks.popleft()
        self.step = step

    @property
    def rate(self) -> float:
        at, done = self._marks[0]
        return (self.step.done - done) / max(self._at - at, 1e-9) if self.step else 0.0

    @property
    def left_s(self) -> float | None:
        """Seconds left; None where that cannot be estimated."""
        if self.step is None:
            return None
        rest = (self.step.total - self.step.done) / self.rate if self.step.total and self.rate else 0.0
        if not rest and not self.step.then_s:
            return None
        return max(0.0, rest + self.step.then_s - (self._clock() - self._at))


@contextmanager
def _bar(stream: TextIO, clock: Clock) -> Iterator[ProgressCallback]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
    from rich.text import Text

    estimate = _Estimate(clock)

    class TimeLeft(ProgressColumn):
        """Counts down between steps too."""

        def render(self, _: Task) -> Text:
            return Text("" if estimate.left_s is None else f"{_format_duration(estimate.left_s)} left")

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[count]}"),
        TimeLeft(),
        console=Console(file=stream),
        transient=True,
    )
    task = bar.add_task("", total=None, count="")
    started, shown = clock(), False

    def show(step: BuildProgress) -> None:
        nonlocal shown
        estimate.update(step)
        if not shown and clock() - started >= _SHOWN_AFTER_S:
            bar.start()
            shown = True
        total = f"/{step.total}" if step.total else ""
        count = f"{step.done}{total} {estimate.rate:.1f} a second" if step.done else ""
        bar.update(task, description=step.what, total=step.total or None, completed=step.done, count=count)

    try:
        yield show
    finally:
        bar.stop()


def _format_duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


@contextmanager
def _lines(stream: TextIO, clock: Clock, wait: Callable[[float], bool] | None) -> Iterator[ProgressCallback]:
    estimate, lock, done = _Estimate(clock), threading.Lock(), threading.Event()
    last = clock()

    def say() -> None:
        nonlocal last
        step = estimate.step
        if step is None or clock() - last < _LINE_EVERY_S:
            return
        last = clock()
        count = f": {step.done}" if step.done or step.total else ""
        total = f" of {step.total}" if step.total else ""
        left = "" if estimate.left_s is None else f", {estimate.left_s:.0f} s left"
        rate = f", {estimate.rate:.1f} a second" if step.done else ""
        print(f"{step.what}{count}{total}{left}{rate}", file=stream, flush=True)

    def show(step: BuildProgress) -> None:
        with lock:
            estimate.update(step)
            say()

    def remind() -> None:
        """Repeat the last step: some stages take minutes between two steps."""
        while not (wait or done.wait)(_TICK_S):
            with lock, contextlib.suppress(OSError, ValueError):
                say()

    reminder = threading.Thread(target=remind, daemon=True)
    reminder.start()
    try:
        yield show
    finally:
        done.set()
        reminder.join()
