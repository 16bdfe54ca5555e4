"""Progress of long work on stderr: a bar on a terminal, a line every so often elsewhere, nothing under a second."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

Step = Callable[[int], None]
"""Called with how much is done so far."""

_QUIET_S = 1.0
_LINE_EVERY_S = 10.0


@contextmanager
def progress(
    what: str, total: int | None, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
) -> Iterator[Step]:
    """Show how `what` advances towards `total`; the context gives the function to call with each new count."""
    stream = stream if stream is not None else sys.stderr
    show = _bar if stream.isatty() else _lines
    with show(what, total, stream, clock) as step:
        yield step


@contextmanager
def _bar(what: str, total: int | None, stream: TextIO, clock: Callable[[], float]) -> Iterator[Step]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=Console(file=stream),
        transient=True,
    )
    task = bar.add_task(what, total=total, rate="")
    began, shown = clock(), False

    def step(done: int) -> None:
        nonlocal shown
        if not shown and clock() - began >= _QUIET_S:
            bar.start()
            shown = True
        bar.update(task, completed=done, rate=f"{done / max(clock() - began, 1e-9):.1f} a second")

    try:
        yield step
    finally:
        bar.stop()


@contextmanager
def _lines(what: str, total: int | None, stream: TextIO, clock: Callable[[], float]) -> Iterator[Step]:
    began = last = clock()

    def step(done: int) -> None:
        nonlocal last
        now = clock()
        if now - last < _LINE_EVERY_S:
            return
        last = now
        rate = done / (now - began)
        left = f" of {total}, {(total - done) / rate:.0f} s left" if total and rate else ""
        print(f"{what}: {done}{left}, {rate:.1f} a second", file=stream, flush=True)

    yield step
