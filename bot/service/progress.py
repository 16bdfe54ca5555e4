"""How the service reports the progress of long work to whoever started it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retrieval.index.build_progress import ProgressCallback

ProgressReporter = Callable[[], "AbstractContextManager[ProgressCallback]"]
"""Opens a report on one piece of work; the context gives the function to call with each step.

`bot.terminal.progress.build_progress_bar` is one, `no_progress` another.
"""


@contextmanager
def no_progress() -> Iterator[ProgressCallback]:
    """Reports nothing."""
    yield lambda _: None


@contextmanager
def count_progress(reporter: ProgressReporter, what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Report how `what` advances towards `total`, None where that is not known.

    The context gives the function to call with each new count.
    """
    from retrieval.index.build_progress import BuildProgress

    with reporter() as report:
        yield lambda done: report(BuildProgress(what, done, total or 0))
