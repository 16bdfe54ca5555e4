from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bot.service.progress import count_progress, no_progress
from retrieval.index.build_progress import BuildProgress, ProgressCallback


def test_counts_are_reported_as_steps_and_the_report_is_closed() -> None:
    steps: list[BuildProgress | str] = []

    @contextmanager
    def reporter() -> Iterator[ProgressCallback]:
        yield steps.append
        steps.append("closed")

    with count_progress(reporter, "Reading", 2) as count:
        count(1)
        count(2)
    with count_progress(reporter, "Reading", None) as count:
        count(7)
    assert steps == [
        BuildProgress("Reading", 1, 2),
        BuildProgress("Reading", 2, 2),
        "closed",
        BuildProgress("Reading", 7, 0),
        "closed",
    ]


def test_no_progress_takes_every_step() -> None:
    with no_progress() as report:
        report(BuildProgress("Reading", 1))
