"""Progress of long work on stderr: a bar on a terminal, a line every so often elsewhere, nothing under a second."""

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

_QUIET_S = 1.0
_LINE_EVERY_S = 10.0
_LATELY_S = 30.0


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
    """Show how work of several parts advances to its end; the context gives the function to call with each step.

    `wait` waits for some seconds, or until the work is done, and then says so.
    """
    stream = stream if stream is not None else sys.stderr
    if stream.isatty():
        with _bar(stream, clock) as show:
            yield show
    else:
        with _lines(stream, clock, wait) as show:
            yield show


class _Pace:
    """The last step, how fast what it is part of advances lately, and how long all of the rest takes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._at = clock()
        self._marks = deque([(self._at, 0)])
        """Moments of the last _LATELY_S, each with how much was done: copying goes faster than encoding."""
        self.step: BuildProgress | None = None

    def take(self, step: BuildProgress) -> None:
        self._at = self._clock()
        if self.step is not None and self.step.what != step.what:
            self._marks = deque([(self._at, 0)])
        if self._at - self._marks[-1][0] >= _QUIET_S:
            self._marks.append((self._at, step.done))
        while len(self._marks) > 1 and self._at - self._marks[1][0] >= _LATELY_S:
            self._marks.popleft()
        self.step = step

    @property
    def rate(self) -> float:
        at, done = self._marks[0]
        return (self.step.done - done) / max(self._at - at, 1e-9) if self.step else 0.0

    @property
    def left_s(self) -> float | None:
        """None where that cannot be told."""
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

    pace = _Pace(clock)

    class Left(ProgressColumn):
        """Counts down between steps too."""

        def render(self, _: Task) -> Text:
            return Text("" if pace.left_s is None else f"{_lasting(pace.left_s)} left")

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[count]}"),
        Left(),
        console=Console(file=stream),
        transient=True,
    )
    task = bar.add_task("", total=None, count="")
    began, shown = clock(), False

    def show(step: BuildProgress) -> None:
        nonlocal shown
        pace.take(step)
        if not shown and clock() - began >= _QUIET_S:
            bar.start()
            shown = True
        total = f"/{step.total}" if step.total else ""
        count = f"{step.done}{total} {pace.rate:.1f} a second" if step.done else ""
        bar.update(task, description=step.what, total=step.total or None, completed=step.done, count=count)

    try:
        yield show
    finally:
        bar.stop()


def _lasting(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


@contextmanager
def _lines(stream: TextIO, clock: Clock, wait: Callable[[float], bool] | None) -> Iterator[ProgressCallback]:
    pace, lock, done = _Pace(clock), threading.Lock(), threading.Event()
    last = clock()

    def say() -> None:
        nonlocal last
        step = pace.step
        if step is None or clock() - last < _LINE_EVERY_S:
            return
        last = clock()
        count = f": {step.done}" if step.done or step.total else ""
        total = f" of {step.total}" if step.total else ""
        left = "" if pace.left_s is None else f", {pace.left_s:.0f} s left"
        rate = f", {pace.rate:.1f} a second" if step.done else ""
        print(f"{step.what}{count}{total}{left}{rate}", file=stream, flush=True)

    def show(step: BuildProgress) -> None:
        with lock:
            pace.take(step)
            say()

    def remind() -> None:
        """Some parts take minutes between two steps."""
        while not (wait or done.wait)(_QUIET_S):
            with lock, contextlib.suppress(OSError, ValueError):
                say()

    reminder = threading.Thread(target=remind, daemon=True)
    reminder.start()
    try:
        yield show
    finally:
        done.set()
        reminder.join()
