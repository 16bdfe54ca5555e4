"""The languages the project speaks, and how each writes its plurals, numbers and dates.

Each is one file in `catalogues/`, named by its BCP 47 code; a new file there is a new language. Beside the phrases it
holds `names` (what people call the language in /language), `right_to_left`, `digits` (ten digits, then the marks for
thousands, decimals and per cent), `plural` (the language's rules for cardinal numbers, copied from Unicode CLDR's
chart; "other" needs none) and `months`.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, auto
from functools import cache
from pathlib import Path

CATALOGUES = Path(__file__).with_name("catalogues")


class Language(StrEnum):
    """A language the project speaks, by its BCP 47 code: these two and each further catalogue.

    Buttons sent to people hold a language's position, so the order of those that are out must not change.
    """

    _ignore_ = "members code"

    EN = "en"
    AR = "ar"

    members = vars()
    for code in sorted(path.stem for path in CATALOGUES.glob("*.json")):
        if code not in ("en", "ar"):
            members[code.upper()] = code

    @classmethod
    def of(cls, code: str | None) -> Language | None:
        """The language of a code such as "ar", "ar-KW" or "en_GB.UTF-8"; None where the project does not speak it."""
        primary = re.split(r"[-_.]", code or "", maxsplit=1)[0].lower()
        return cls(primary) if primary in set(cls) else None

    @classmethod
    def named(cls, name: str) -> Language | None:
        """The language that a person calls `name`, or of that code; None where the project does not speak it."""
        folded = name.casefold()
        return next((each for each in cls if folded in catalogue(each).names), None) or cls.of(name)

    @property
    def right_to_left(self) -> bool:
        """Whether it is written from right to left."""
        return catalogue(self).right_to_left


class Plural(StrEnum):
    """The plural categories of the Unicode CLDR."""

    ZERO = auto()
    ONE = auto()
    TWO = auto()
    FEW = auto()
    MANY = auto()
    OTHER = auto()


Template = str | Mapping[str, str]
"""A phrase with named placeholders, or one for each plural category of its `count`."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What the file of a language holds."""

    names: tuple[str, ...]
    right_to_left: bool
    digits: str
    plural: Mapping[str, str]
    months: tuple[str, ...]
    phrases: Mapping[str, Template]


@cache
def catalogue(language: Language) -> Catalogue:
    """The catalogue of a language, read once."""
    held = json.loads((CATALOGUES / f"{language}.json").read_bytes())
    return Catalogue(
        names=tuple(held["names"]),
        right_to_left=held["right_to_left"],
        digits=held["digits"],
        plural=held["plural"],
        months=tuple(held["months"]),
        phrases=held["phrases"],
    )


_RELATION = re.compile(r"([nivwftce])(?: % (\d+))? (!?=) ([\d.,]+)")


def plural(count: int, language: Language) -> Plural:
    """The plural category of a whole number."""
    return next(
        (Plural(name) for name, rule in catalogue(language).plural.items() if _holds(rule, count)), Plural.OTHER
    )


def _holds(rule: str, count: int) -> bool:
    """Whether a whole number meets a rule in the syntax of Unicode TS #35, part 3, "Language Plural Rules"."""
    return any(all(_met(each, count) for each in either.split(" and ")) for either in rule.split(" or "))


def _met(relation: str, count: int) -> bool:
    match = _RELATION.fullmatch(relation.strip())
    if match is None:
        raise ValueError(f"not a plural rule of the CLDR: {relation!r}")
    operand, modulus, sign, ranges = match.groups()
    value = count if operand in "ni" else 0  # the other operands are about digits after the point
    if modulus:
        value %= int(modulus)
    pairs = (each.partition("..") for each in ranges.split(","))
    return any(int(low) <= value <= int(high or low) for low, _, high in pairs) == (sign == "=")


def number(value: int, language: Language) -> str:
    """A whole number with its thousands marked, in the digits readers of `language` use."""
    return _digits(f"{value:,}", language)


def percent(share: float, language: Language) -> str:
    """A share from 0 to 1 as whole per cent."""
    return _digits(f"{share:.0%}", language)


def figure(value: float, language: Language) -> str:
    """A measurement: a whole number without decimals, any other with two."""
    return _digits(f"{value:.0f}" if float(value).is_integer() else f"{value:z.2f}", language)


def date(published: str, language: Language) -> str:
    """The day of an ISO 8601 date or time, written out: "24 November 2026"."""
    day = dt.datetime.fromisoformat(published)
    return _digits(f"{day.day} {catalogue(language).months[day.month - 1]} {day.year}", language)


def _digits(text: str, language: Language) -> str:
    return text.translate(str.maketrans("0123456789,.%", catalogue(language).digits))
