from __future__ import annotations

import logging
import sys

import pytest

from bot.logs import LEAKY_LOGGERS, LogfmtFormatter, SecretFilter, configure


def record(message: str, **more: object) -> logging.LogRecord:
    made = logging.LogRecord("bot.conversation.chatbot", logging.INFO, "host.py", 1, message, (), None)
    made.created = 1_790_000_000.5
    made.__dict__.update(more)
    return made


def test_a_record_is_one_line_of_facts() -> None:
    line = LogfmtFormatter().format(record("answered", facts={"took_ms": 12, "snapshot": "20261124T001500Z-1a2b3c4d"}))
    assert line == (
        "time=2026-09-21T14:13:20.500+00:00 level=info logger=bot.conversation.chatbot event=answered took_ms=12 "
        "snapshot=20261124T001500Z-1a2b3c4d"
    )


@pytest.mark.parametrize(
    ("message", "written"),
    [("two words", '"two words"'), ('a "b"', '"a \\"b\\""'), ("a=b", '"a=b"'), ("a\nb", '"a\\nb"'), ("", '""')],
)
def test_a_value_that_is_not_one_word_is_quoted(message: str, written: str) -> None:
    assert LogfmtFormatter().format(record(message)).endswith(f"event={written}")


def test_a_traceback_follows_its_line() -> None:
    try:
        raise ValueError("no")
    except ValueError:
        failed = record("failed", exc_info=sys.exc_info())
    first, *rest = LogfmtFormatter().format(failed).split("\n")
    assert first.endswith("event=failed")
    assert (rest[0], rest[-1]) == ("Traceback (most recent call last):", "ValueError: no")


def test_a_secret_is_masked_in_messages_and_tracebacks() -> None:
    try:
        raise ValueError("at https://host/botSECRET/x")
    except ValueError:
        made = record("asked for SECRET", exc_info=sys.exc_info())
    assert SecretFilter("SECRET").filter(made)
    written = LogfmtFormatter().format(made)
    assert "SECRET" not in written
    assert "at https://host/bot<token>/x" in written


def test_leaky_loggers_stay_at_warning() -> None:
    configure("debug")
    assert [logging.getLogger(name).isEnabledFor(logging.INFO) for name in LEAKY_LOGGERS] == [False] * len(
        LEAKY_LOGGERS
    )


def test_an_unknown_level_is_refused_in_one_line() -> None:
    with pytest.raises(ValueError, match="LOGLEVEL must be DEBUG, INFO, WARNING, ERROR or CRITICAL, not 'loud'"):
        configure("loud")
