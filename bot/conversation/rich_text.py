"""Text and the spans that style it: pure, and the same for a terminal and for Telegram.

No markup is ever written, so none has to be escaped and none can be cut in half. The edges turn spans into message
entities (`utf16_units` measures there) or, by `terminal`, into what the library rich prints.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import TYPE_CHECKING
from urllib.parse import quote as percent_encode

if TYPE_CHECKING:
    from rich.text import Text

TITLE_LIMIT = 200  # code points


class Style(StrEnum):
    """How a span looks; an edge that has no such look leaves it out."""

    BOLD = auto()
    UNDERLINE = auto()
    ITALIC = auto()
    QUOTE = auto()
    EXPANDABLE_QUOTE = auto()
    LINK = auto()
    CODE = auto()
    DIM = auto()


@dataclass(frozen=True, slots=True)
class Styled:
    """A style from `start` to `end`, in code points; a link has its address in `url`."""

    start: int
    end: int
    style: Style
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Rich:
    """A text and the spans that style it. Two spans are disjoint or one holds the other."""

    text: str
    spans: tuple[Styled, ...] = ()

    def __add__(self, other: Rich) -> Rich:
        shift = len(self.text)
        moved = (Styled(s.start + shift, s.end + shift, s.style, s.url) for s in other.spans)
        return Rich(self.text + other.text, (*self.spans, *moved))

    def styled(self, style: Style, url: str | None = None) -> Rich:
        """The same with `style` over all of it."""
        return Rich(self.text, (Styled(0, len(self.text), style, url), *self.spans)) if self.text else self


def joined(parts: Iterable[Rich], gap: str) -> Rich:
    """The parts one after the other with `gap` between them; empty parts are left out."""
    whole = Rich("")
    for part in parts:
        if part.text:
            whole = whole + Rich(gap) + part if whole.text else part
    return whole


def utf16_units(text: str) -> int:
    """The length of a text as Telegram counts it."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


@dataclass(frozen=True, slots=True)
class MessageRoom:
    """How long a message may be: at most `limit`, as `measure` counts; without a limit, any length."""

    limit: int | None = None
    measure: Callable[[str], int] = len

    def holds(self, rich: Rich) -> bool:
        """Whether a message fits."""
        return self.limit is None or self.measure(rich.text) <= self.limit

    def fill(self, parts: Iterable[Rich], gap: str) -> Rich:
        """As many whole parts as fit, from the first on."""
        whole = Rich("")
        for part in parts:
            longer = joined((whole, part), gap)
            if not self.holds(longer):
                break
            whole = longer
        return whole


ENDLESS = MessageRoom()


def right_to_left(text: str) -> bool:
    """Whether a text's first strong character runs from right to left."""
    for ch in text:
        direction = unicodedata.bidirectional(ch)
        if direction in ("L", "R", "AL"):
            return direction != "L"
    return False


def has_letters(text: str) -> bool:
    """Whether a text has a letter, which gives it a direction."""
    return any(unicodedata.bidirectional(ch) in ("L", "R", "AL") for ch in text)


_BIDI_CONTROLS = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])


def one_line(text: str, limit: int = TITLE_LIMIT) -> str:
    """A text on one line, without directional controls of its own, cut after `limit` code points."""
    line = " ".join(text.translate(_BIDI_CONTROLS).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


_SEQUENCE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")  # ECMA-48 control sequences, 5.4


def printable(text: str) -> str:
    """A text that a terminal cannot take for orders: no escape sequences, control characters or lone surrogates."""
    text = _SEQUENCE.sub("", text.replace("\t", " "))
    return "".join(ch for ch in text if ch == "\n" or unicodedata.category(ch) not in ("Cc", "Cs"))


_TERMINAL = {
    Style.BOLD: "bold green",
    Style.UNDERLINE: "underline",
    Style.ITALIC: "italic",
    Style.DIM: "dim",
    Style.CODE: "",
    Style.QUOTE: "",
    Style.EXPANDABLE_QUOTE: "",
}


def terminal(rich: Rich) -> Text:
    """The same for the library rich, with nothing in it that a terminal would take for orders."""
    from rich.style import Style as Ansi
    from rich.text import Text

    edges = sorted({0, len(rich.text), *(s.start for s in rich.spans), *(s.end for s in rich.spans)})
    shown = Text()
    for start, end in itertools.pairwise(edges):
        style = Ansi()
        for span in rich.spans:
            if span.start <= start and end <= span.end:
                link = span.style is Style.LINK
                style += Ansi(link=_address(span.url)) if link else Ansi.parse(_TERMINAL[span.style])
        shown.append(printable(rich.text[start:end]), style)
    return shown


def _address(url: str | None) -> str | None:
    """A web address in printable ASCII, as terminals want it; None for any other."""
    if url is None or not url.startswith(("https://", "http://")):
        return None
    return percent_encode(url, safe="%/:=&?~#+!$,;'@()*[]", errors="replace")
