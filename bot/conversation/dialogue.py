"""A conversation as pure functions: what was said before and what is said now give a reply, or a question to look up.

Terminal and Telegram drive the same two functions. `step` reads what a person wrote and gives a `Turn`; where that is
an `Ask`, the caller has its query answered and hands the answer to `resolve`, which gives the turn to show.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace

from bot.conversation.followups import is_followup
from bot.conversation.languages import Language
from bot.conversation.phrases import Phrase, say
from bot.conversation.smalltalk import SmallTalk, small_talk_of, without_opening
from retrieval.results import Answer, Query, Quote

QUESTION_LIMIT = 2000  # code points, as retrieval.answering has it
QUOTE_LIMIT = 6
"""How many quotes a question is answered with: one to show and some for those who want more."""
MORE_COUNT = 2
THREAD_LIMIT = 3
"""How many earlier questions a follow-up carries: the one that opened the thread and the latest."""


@dataclass(frozen=True, slots=True)
class DialogueState:
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
    """A request to explain the commands; the transport knows which ones it has."""

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
    """A page of the library's articles to list, counted from 1."""

    language: Language
    page: int = 1


@dataclass(frozen=True, slots=True)
class Leave:
    """A farewell to say; a terminal's conversation ends."""

    text: str
    language: Language


Reply = Say | Help | Show | Widen | Explain | Browse | Leave
Turn = Reply | Ask


def step(state: DialogueState, text: str) -> tuple[DialogueState, Turn]:
    """What to do about `text`: a reply, or a question to look up first."""
    text = text.strip()
    state = replace(state, heard=language_of(text) or state.heard)
    language = state.language
    if text.startswith("/"):
        return _command(state, text)
    if not _WORD.search(text):
        pictured = any(unicodedata.category(ch) == "So" for ch in text)
        return state, Say(say(Phrase.WORDLESS if pictured else Phrase.EMPTY, language), language)
    talk = small_talk_of(text)
    if talk is not None:
        return _talk(state, talk)
    question = without_opening(text)
    if len(question) > QUESTION_LIMIT:
        too_long = say(Phrase.TOO_LONG, language, length=len(question), limit=QUESTION_LIMIT)
        return state, Say(too_long, language)
    if all(word.startswith("-") for word in question.split()):
        return state, Say(say(Phrase.ONLY_EXCLUDED, language), language)
    context: tuple[str, ...] = ()
    answered = state.answer.quotes[:1] if state.answer and state.answer.answered else ()
    if is_followup(question, state.questions, "".join(quote.article.text for quote in answered)):
        context = (*state.questions[:1], *state.questions[1:][1 - THREAD_LIMIT :])
    return state, Ask(Query(question, limit=QUOTE_LIMIT, context=context), language)


def resolve(state: DialogueState, ask: Ask, answer: Answer) -> tuple[DialogueState, Show]:
    """What to show for an answer to `ask`: its first quote, or the nearest where it declined."""
    questions = (*ask.query.context, ask.query.text)
    return replace(state, questions=questions, answer=answer, shown=0), Show(answer, 0, 1, ask.language)


_WORD = re.compile(r"[^\W_]")
_LETTER = re.compile(r"(?P<latin>[A-Za-z\u00c0-\u024f])|[\u0600-\u06ff]")


def language_of(text: str) -> Language | None:
    """The language of a short text, by its first Latin or Arabic letter: a name later in it may be in the other script.

    None for a command and where it has no such letter.
    """
    letter = None if text.startswith("/") else _LETTER.search(text)
    return letter and (Language.EN if letter["latin"] else Language.AR)


def _command(state: DialogueState, text: str) -> tuple[DialogueState, Turn]:
    name, _, argument = text[1:].partition(" ")
    language = state.language
    match name.partition("@")[0].lower():
        case "help" | "start":
            return state, Help(language)
        case "more":
            return _more(state)
        case "context":
            if state.answer is None or not state.answer.quotes:
                return state, Say(say(Phrase.ASK_FIRST, language), language)
            return state, Widen(state.answer.quotes[state.shown], language)
        case "articles":
            return state, Browse(language, int(argument) if argument.strip().isdecimal() and int(argument) > 0 else 1)
        case "why":
            if state.answer is None:
                return state, Say(say(Phrase.ASK_FIRST, language), language)
            return state, Explain(state.answer, language)
        case "language":
            return _speak(state, argument.strip())
        case "quit" | "exit":
            return state, Leave(say(Phrase.GOODBYE, language), language)
        case _:
            unknown = say(Phrase.UNKNOWN_COMMAND, language, command=text.split()[0][:40])
            return state, Say(unknown, language)


def _talk(state: DialogueState, talk: SmallTalk) -> tuple[DialogueState, Turn]:
    language = state.language
    match talk:
        case SmallTalk.HELP:
            return state, Help(language)
        case SmallTalk.MORE:
            return _more(state)
        case SmallTalk.GOODBYE:
            return state, Leave(say(Phrase.GOODBYE, language), language)
        case _:
            return state, Say(say(Phrase(talk.value), language), language)


def _more(state: DialogueState) -> tuple[DialogueState, Turn]:
    language = state.language
    if state.answer is None:
        return state, Say(say(Phrase.ASK_FIRST, language), language)
    first = state.shown + 1
    count = min(MORE_COUNT, len(state.answer.quotes) - first)
    if count <= 0:
        return state, Say(say(Phrase.NO_MORE, language), language)
    return replace(state, shown=first + count - 1), Show(state.answer, first, count, language)


def _speak(state: DialogueState, name: str) -> tuple[DialogueState, Say]:
    chosen = Language.named(name)
    if chosen is None:
        commands = ", ".join(f"/language {each}" for each in Language)
        return state, Say(say(Phrase.LANGUAGE_HOW, state.language, commands=commands), state.language)
    return replace(state, chosen=chosen), Say(say(Phrase.LANGUAGE_SET, chosen), chosen)
