"""Messages with buttons, as a messenger shows them: pure. What a button means travels in its data, 64 bytes at most."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot import phrases, render
from bot.phrases import Language, Phrase, say
from bot.render import Look, Rich, Room, Style
from bot.shelf import Shelf, key_of
from corpus.article import Article
from retrieval.results import Answer, Quote

PAGE = 8  # articles
ANNOUNCED = 50  # articles; more do not fit into a message
OPENING = 300  # code points of an article's first words

LIMIT_UTF16 = 4096  # the Bot API's sendMessage
ROOM = Room(LIMIT_UTF16, render.utf16_units)


@dataclass(frozen=True, slots=True)
class Button:
    """A button: it sends `data` back, opens `url`, or offers `share` to another chat as an inline question."""

    label: str
    data: str | None = None
    url: str | None = None
    share: str | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """A message and the rows of buttons under it."""

    rich: Rich
    rows: tuple[tuple[Button, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it was kept for its buttons; None stands for a quote whose article is gone or has changed."""

    number: int
    answered: bool
    quotes: tuple[Quote | None, ...]


@dataclass(frozen=True, slots=True)
class Press:
    """What a button's data means: `what` to do with a number, or an article's key, and a place or page."""

    what: str
    subject: str
    place: int = 0

    @property
    def data(self) -> str:
        """The button's data."""
        return f"{self.what}:{self.subject}:{self.place}"

    @property
    def number(self) -> int:
        """The subject as a number; -1 where it is none."""
        return int(self.subject) if self.subject.isdecimal() else -1

    @classmethod
    def of(cls, data: str) -> Press | None:
        """What data means; None for data that no button of ours carries."""
        match = re.fullmatch(r"([a-z]):([0-9a-f]{1,16}):([0-9]{1,6})", data)
        return cls(match[1], match[2], int(match[3])) if match else None


QUOTE, WIDE, GOOD, BAD, ARTICLES, ARTICLE, UNDO, SAME = "qwgbaiun"


def shared(number: int, place: int) -> str:
    """The inline question that stands for a quote."""
    return f"#{number}.{place}"


def shared_of(text: str) -> tuple[int, int] | None:
    """The answer's number and the place of the quote an inline question or a deep link stands for."""
    match = re.fullmatch(r"(?:#|q-)([0-9]{1,15})[.-]([0-9]{1,3})", text.strip())
    return (int(match[1]), int(match[2])) if match else None


def quote(kept: Kept, place: int, language: Language, *, wide: bool = False, sharing: bool = True) -> Card | None:
    """One quote of an answer with its buttons; None where it is outdated. `wide` shows the text around it."""
    if not 0 <= place < len(kept.quotes):
        return None
    found = kept.quotes[place]
    if found is None:
        return None
    alone = Answer("", answered=kept.answered or place > 0, confidence=0, quotes=(found,), snapshot="", took_ms=0)
    if wide:
        rich = render.wider(found, language, look=Look.BLOCKS, room=ROOM)
    else:
        rich = render.answer(alone, language, look=Look.BLOCKS, room=ROOM)
    return Card(rich, _quote_rows(kept, found, place, language, wide=wide, sharing=sharing))


def _quote_rows(
    kept: Kept, found: Quote, place: int, language: Language, *, wide: bool, sharing: bool
) -> tuple[tuple[Button, ...], ...]:
    subject, last = str(kept.number), len(kept.quotes) - 1
    pages: list[Button] = []
    if last > 0 and place == 0:
        pages = [Button(say(Phrase.BUTTON_MORE, language), Press(QUOTE, subject, 1).data)]
    elif last > 0:
        counted = f"{phrases.number(place + 1, language)}/{phrases.number(last + 1, language)}"
        pages = [
            Button("◂", Press(QUOTE, subject, place - 1).data),
            Button(counted, Press(SAME, subject, place).data),
            *([Button("▸", Press(QUOTE, subject, place + 1).data)] if place < last else []),
        ]
    around: list[Button] = []
    if wide:
        around = [Button(say(Phrase.BUTTON_NARROWER, language), Press(QUOTE, subject, place).data)]
    elif found.context != found.span:
        around = [Button(say(Phrase.BUTTON_WIDER, language), Press(WIDE, subject, place).data)]
    votes = [Button(mark, Press(what, subject, place).data) for mark, what in (("👍", GOOD), ("👎", BAD))]
    share = [Button(say(Phrase.BUTTON_SHARE, language), share=shared(kept.number, place))] if sharing else []
    rows = (tuple(pages), tuple(around), (*share, *votes))
    return tuple(row for row in rows if row)


def articles(shelf: Shelf, language: Language, page: int) -> Card:
    """A page of the articles, each with a button to read about it; pages count from 0, the last stands for later."""
    pages = max(1, -(-len(shelf) // PAGE))
    page = min(page, pages - 1)
    first = page * PAGE
    listed = shelf[first : first + PAGE]
    rich = render.articles(shelf, language, first=first, count=PAGE, room=ROOM)
    numbers = tuple(
        Button(phrases.number(first + place + 1, language), Press(ARTICLE, key_of(article.id), page).data)
        for place, article in enumerate(listed)
    )
    turns = [
        *([Button("◂", Press(ARTICLES, "0", page - 1).data)] if page else []),
        *([Button("▸", Press(ARTICLES, "0", page + 1).data)] if page + 1 < pages else []),
    ]
    half = -(-len(numbers) // 2) if len(numbers) > 4 else len(numbers)
    rows = (numbers[:half], numbers[half:], tuple(turns))
    return Card(rich, tuple(row for row in rows if row))


def article(found: Article, language: Language, page: int) -> Card:
    """What an article is about: its source line, its author, its first words."""
    opening = _opening(found)
    author = Rich(found.author).styled(Style.ITALIC) if found.author else Rich("")
    rich = render.joined([render.source(found, language), author, Rich(opening).styled(Style.QUOTE)], "\n")
    back = Button(say(Phrase.BUTTON_LIST, language), Press(ARTICLES, "0", page).data)
    return Card(rich, ((back,),))


def announcement(new: Sequence[Article], language: Language, *, count: int | None = None) -> Card:
    """The titles of new articles, as many as fit into one message; `count` is how many there are in all."""
    head = Rich(say(Phrase.NEW_ARTICLES, language, count=count or len(new))).styled(Style.BOLD)
    return Card(ROOM.fill([head, *(Rich("• ") + render.source(article, language) for article in new)], "\n"))


def greeting(commands: Sequence[str], language: Language) -> Card:
    """The first words to a person, and what the commands do."""
    return Card(render.joined([Rich(say(Phrase.GREETING, language)), render.help_text(commands, language)], "\n\n"))


def _opening(found: Article) -> str:
    """The first paragraphs in whole words, with an ellipsis where more follows."""
    text = found.text.strip()
    if len(text) <= OPENING:
        return text
    return text[:OPENING].rsplit(maxsplit=1)[0].rstrip() + " …"
