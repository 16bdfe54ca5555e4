"""Logging: one line of name=value pairs for each event, with secrets and messages kept out."""

from __future__ import annotations

import datetime as dt
import json
import logging
import re
from collections.abc import Mapping

LEAKY_LOGGERS = ("httpx", "httpcore", "telegram")
"""Libraries that log URLs, which contain the bot's token, or the messages themselves; always kept at WARNING."""


class LogfmtFormatter(logging.Formatter):
    """Formats a record as name=value pairs on one line (logfmt); `extra={"facts": {...}}` adds more pairs."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, followed by the traceback if there is one."""
        facts: dict[str, object] = {
            "time": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        line = " ".join(f"{name}={_value(value)}" for name, value in facts.items())
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        return f"{line}\n{record.exc_text}" if record.exc_text else line


class SecretFilter(logging.Filter):
    """Replaces a secret by <token> in everything that is logged, tracebacks included."""

    def __init__(self, secret: str) -> None:
        super().__init__()
        self._secret = secret

    def filter(self, record: logging.LogRecord) -> bool:
        """Replace the secret; every record passes."""
        message = record.getMessage()
        if self._secret in message:
            record.msg, record.args = message.replace(self._secret, "<token>"), None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = record.exc_text.replace(self._secret, "<token>")
        return True


def configure(level: str) -> None:
    """Log to stderr from `level` up, unless logging is configured already.

    Raises:
        ValueError: there is no such level; the message is one line for a person.
    """
    levels: Mapping[str, int] = logging.getLevelNamesMapping()
    number = levels.get(level.strip().upper())
    if number is None:
        raise ValueError(f"LOGLEVEL must be DEBUG, INFO, WARNING, ERROR or CRITICAL, not {level!r}")
    handler = logging.StreamHandler()
    handler.setFormatter(LogfmtFormatter())
    logging.basicConfig(level=number, handlers=[handler])
    quiet_leaky_loggers()


def quiet_leaky_loggers() -> None:
    """Keep LEAKY_LOGGERS at WARNING."""
    for name in LEAKY_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)


def _value(value: object) -> str:
    text = str(value)
    return text if re.fullmatch(r"[^\s\"=]+", text) else json.dumps(text, ensure_ascii=False)
