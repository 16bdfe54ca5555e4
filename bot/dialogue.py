"""A conversation, pure: what was said before and what is said now make a reply, or a question to look up.

Terminal and Telegram drive the same two functions. `step` reads what a person wrote and gives a `Turn`; where that is
an `Ask`, the caller has its query answered and hands the answer to `resolve`, which gives the turn to show.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.phrases import Language
from retrieval.results import Answer, Query, Quote

QUESTION_LIMIT = 1000  # code points


@dataclass(frozen=True, slots=True)
class State:
    """What a conversation remembers.

    `chosen` is the language set by /language, `client` the one the person's application speaks, `heard` that of the
    last words; the first of them that is known is spoken. `questions` is the thread of questions that lean on each
    other, oldest first; `answer` the last one given and `shown` the index of its quote last shown.
    """

    chosen: Language | None = None
    client: Language | None = None
    heard: Language = Language.EN
    questions: tuple[str, ...] = ()
    answer: Answer | None = None
    shown: int = 0

    @property
    def language(self) -> Language:
        """The language to speak."""
        return self.chosen or self.client or self.heard


@dataclass(frozen=True, slots=True)
class Say:
    """A sentence to say."""

    text: str
    language: Language


@dataclass(frozen=True, slots=True)
class Help:
    """The commands to explain; which there are, the transport knows."""

    language: Language


@dataclass(frozen=True, slots=True)
class Ask:
    """A question to look up: have `query` answered and call `resolve`."""

    query: Query
    language: Language


@dataclass(frozen=True, slots=True)
class Show:
    """Quotes of an answer to show: `count` of them from index `first`."""

    answer: Answer
    first: int
    count: int
    language: Language


@dataclass(frozen=True, slots=True)
class Widen:
    """A quote to show with the text around it."""

    quote: Quote
    language: Language


@dataclass(frozen=True, slots=True)
class Explain:
    """The evidence of an answer to show."""

    answer: Answer
    language: Language


@dataclass(frozen=True, slots=True)
class Browse:
    """The library's articles to list."""

    language: Language


@dataclass(frozen=True, slots=True)
class Leave:
    """A farewell to say; a terminal's conversation ends."""

    text: str
    language: Language


Reply = Say | Help | Show | Widen | Explain | Browse | Leave
Turn = Reply | Ask


def step(state: State, text: str) -> tuple[State, Turn]:
    """What to do about `text`: a reply, or a question to look up first."""
    raise NotImplementedError


def resolve(state: State, ask: Ask, answer: Answer) -> tuple[State, Show]:
    """What to show for an answer to `ask`: its first quote, or the nearest where it declined."""
    return replace(state, answer=answer, shown=0), Show(answer, 0, 1, ask.language)
