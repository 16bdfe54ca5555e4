from __future__ import annotations

import io
import threading

from bot.terminal.progress import build_progress_bar, progress_bar
from retrieval.index.build_progress import BuildProgress
from tests.fakes import Clock


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_without_a_terminal_there_is_a_line_every_ten_seconds() -> None:
    stream, clock = io.StringIO(), Clock()
    with progress_bar("Indexing articles", 100, stream, clock) as step:
        for done in range(1, 31):
            clock.now += 1
            step(done)
    assert stream.getvalue().splitlines() == [
        "Indexing articles: 10 of 100, 90 s left, 1.0 a second",
        "Indexing articles: 20 of 100, 80 s left, 1.0 a second",
        "Indexing articles: 30 of 100, 70 s left, 1.0 a second",
    ]


def test_work_done_within_a_second_shows_nothing() -> None:
    for stream in (io.StringIO(), Terminal()):
        clock = Clock()
        with progress_bar("Indexing articles", 2, stream, clock) as step:
            clock.now += 0.4
            step(1)
            clock.now += 0.4
            step(2)
        assert "Indexing" not in stream.getvalue()


def test_on_a_terminal_there_is_a_bar_after_a_second() -> None:
    stream, clock = Terminal(), Clock()
    with progress_bar("Indexing articles", 4, stream, clock) as step:
        clock.now += 2
        step(3)
    assert "Indexing articles" in stream.getvalue()
    assert "3/4" in stream.getvalue()
    assert "1.5 a second" in stream.getvalue()
    assert "0:00:01 left" in stream.getvalue()


def test_an_unknown_total_shows_no_time_left() -> None:
    stream, clock = io.StringIO(), Clock()
    with progress_bar("Reading", None, stream, clock) as step:
        clock.now += 20
        step(10)
    assert stream.getvalue() == "Reading: 10, 0.5 a second\n"


def test_the_time_left_includes_later_stages_and_each_stage_has_its_own_rate() -> None:
    stream, clock = io.StringIO(), Clock()
    with build_progress_bar(stream, clock) as show:
        clock.now += 10
        show(BuildProgress("Indexing articles", 10, 100, then_s=30))
        clock.now += 10
        show(BuildProgress("Indexing terms", 0, 50, then_s=30))
        clock.now += 10
        show(BuildProgress("Indexing terms", 5, 50, then_s=5))
    assert stream.getvalue().splitlines() == [
        "Indexing articles: 10 of 100, 120 s left, 1.0 a second",
        "Indexing terms: 0 of 50, 30 s left",
        "Indexing terms: 5 of 50, 95 s left, 0.5 a second",
    ]


def test_the_rate_is_the_recent_one_because_copying_is_faster_than_encoding() -> None:
    stream, clock = io.StringIO(), Clock()
    with build_progress_bar(stream, clock) as show:
        for seconds, done in [(10, 100_000), (20, 100_020), (20, 100_040), (20, 100_060)]:
            clock.now += seconds
            show(BuildProgress("Indexing articles", done, 100_100))
    assert stream.getvalue().splitlines()[0] == "Indexing articles: 100000 of 100100, 0 s left, 10000.0 a second"
    assert stream.getvalue().splitlines()[-1] == "Indexing articles: 100060 of 100100, 40 s left, 1.0 a second"


def test_a_stage_without_steps_for_minutes_is_still_reported() -> None:
    stream, clock, shown = io.StringIO(), Clock(), threading.Event()
    waits = iter([4.0, 4.0, 4.0, 10.0, 10.0])

    def wait(_: float) -> bool:
        shown.wait()
        passed = next(waits, None)
        clock.now += passed or 0.0
        return passed is None

    with build_progress_bar(stream, clock, wait) as show:
        show(BuildProgress("Grouping vectors", 0, then_s=20))
        shown.set()
    assert stream.getvalue().splitlines() == [
        "Grouping vectors, 8 s left",
        "Grouping vectors, 0 s left",
        "Grouping vectors, 0 s left",
    ]
