from __future__ import annotations

import io

from bot.progress import progress
from tests.fakes import Clock


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_without_a_terminal_there_is_a_line_every_ten_seconds() -> None:
    stream, clock = io.StringIO(), Clock()
    with progress("Indexing articles", 100, stream, clock) as step:
        for done in range(1, 31):
            clock.now += 1
            step(done)
    assert stream.getvalue().splitlines() == [
        "Indexing articles: 10 of 100, 90 s left, 1.0 a second",
        "Indexing articles: 20 of 100, 80 s left, 1.0 a second",
        "Indexing articles: 30 of 100, 70 s left, 1.0 a second",
    ]


def test_what_is_done_within_a_second_shows_nothing() -> None:
    for stream in (io.StringIO(), Terminal()):
        clock = Clock()
        with progress("Indexing articles", 2, stream, clock) as step:
            clock.now += 0.4
            step(1)
            clock.now += 0.4
            step(2)
        assert "Indexing" not in stream.getvalue()


def test_on_a_terminal_there_is_a_bar_after_a_second() -> None:
    stream, clock = Terminal(), Clock()
    with progress("Indexing articles", 4, stream, clock) as step:
        clock.now += 2
        step(3)
    assert "Indexing articles" in stream.getvalue()
    assert "3/4" in stream.getvalue()
    assert "1.5 a second" in stream.getvalue()


def test_an_unknown_total_shows_no_time_left() -> None:
    stream, clock = io.StringIO(), Clock()
    with progress("Reading", None, stream, clock) as step:
        clock.now += 20
        step(10)
    assert stream.getvalue() == "Reading: 10, 0.5 a second\n"
