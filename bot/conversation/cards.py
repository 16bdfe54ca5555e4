"""Messages with buttons, as a messenger shows them. A button's meaning travels in its data, 64 bytes at most."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.conversation import languages, rendering, rich_text
from bot.conversation.languages import Language
from bot.conversation.phrases import Phrase, say
from bot.conversation.rendering import QuoteLook
from bot.conversation.rich_text import MessageRoom, Rich, Style, joined
from bot.service.browsing import ArticleList, article_key
from corpus.article import Article
from retrieval.results import Answer, Quote

PAGE = 8  # articles
LATEST = 3  # articles
ANNOUNCED = 50  # articles; more do not fit into a message
OPENING = 300  # code points of an article's first words

LIMIT_UTF16 = 4096  # the Bot API's sendMessage
ROOM = MessageRoom(LIMIT_UTF16, rich_text.utf16_units)


@dataclass(frozen=True, slots=True)
class Button:
    """A button: it sends `data` to the bot, or starts the inline query `share` in a chat the person picks."""

    label: str
    data: str | None = None
    share: str | None = None


Row = tuple[Button, ...]
Rows = tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """A message and the rows of buttons under it."""

    rich: Rich
    rows: Rows = ()


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer as stored for its buttons; None stands for a quote whose article changed or was removed.

    `certain` says whether it was stated as an answer, of one that was `answered`.
    """

    number: int
    answered: bool
    quotes: tuple[Quote | None, ...]
    certain: bool = True


@dataclass(frozen=True, slots=True)
class CallbackData:
    """A button's data: the action `what`, an answer's number or an article's key, and a quote's index or a page."""

    what: str
    subject: str
    place: int = 0

    @property
    def data(self) -> str:
        """The button's data."""
        return f"{self.what}:{self.subject}:{self.place}"

    @property
    def number(self) -> int:
        """The subject as a number; -1 where it is not one."""
        return int(self.subject) if self.subject.isdecimal() else -1

    @classmethod
    def of(cls, data: str) -> CallbackData | None:
        """Parse a button's data; None where it is not ours."""
        match = re.fullmatch(r"([a-z]):([0-9a-f]{1,16}):([0-9]{1,6})", data)
        return cls(match[1], match[2], int(match[3])) if match else None


QUOTE, WIDE, GOOD, BAD, ARTICLES, ARTICLE, SAME = "qwgbain"
LANGUAGE, FORGET = "lf"
UNDO, REMOVE, DROP = "urd"  # for admins


def shared_of(text: str) -> CallbackData | None:
    """What an inline query or a link to the bot refers to, as the button that would open it: a quote or an article.

    That is "#12.0" or "q-12-0" for a quote and "#a-" or "a-" with the article's key for an article.
    """
    match = re.fullmatch(r"(?:#|q-)([0-9]{1,15})[.-]([0-9]{1,3})|#?a-([0-9a-f]{16})", text.strip())
    if match is None:
        return None
    return CallbackData(ARTICLE, match[3]) if match[3] else CallbackData(QUOTE, match[1], int(match[2]))


def quote(stored: StoredAnswer, place: int, language: Language, *, wide: bool = False) -> Card | None:
    """One quote of an answer with its buttons; None where it is outdated. `wide` shows the text around it."""
    if not 0 <= place < len(stored.quotes):
        return None
    found = stored.quotes[place]
    if found is None:
        return None
    plain = place > 0 or (stored.answered and stored.certain)  # only the first quote answers or not
    alone = Answer(
        "", answered=place > 0 or stored.answered, confidence=float(plain), quotes=(found,), snapshot="", took_ms=0
    )
    if wide:
        rich = rendering.wider(found, language, look=QuoteLook.BLOCKS, room=ROOM)
    else:
        rich = rendering.answer(alone, language, look=QuoteLook.BLOCKS, room=ROOM)
    return Card(rich, _quote_rows(stored, found, place, language, wide=wide))


def _quote_rows(stored: StoredAnswer, found: Quote, place: int, language: Language, *, wide: bool) -> Rows:
    subject, last = str(stored.number), len(stored.quotes) - 1
    pages: Row = ()
    if last > 0 and place == 0:
        pages = (Button(say(Phrase.BUTTON_MORE, language), CallbackData(QUOTE, subject, 1).data),)
    elif last > 0:
        counted = f"{languages.number(place + 1, language)}/{languages.number(last + 1, language)}"
        before, after = CallbackData(QUOTE, subject, place - 1), CallbackData(QUOTE, subject, place + 1)
        middle = (Button(counted, CallbackData(SAME, subject, place).data),)
        pages = _turns(before, middle, after if place < last else None, language)
    around: Row = ()
    if wide:
        around = (Button(say(Phrase.BUTTON_NARROWER, language), CallbackData(QUOTE, subject, place).data),)
    elif found.context != found.span:
        around = (Button(say(Phrase.BUTTON_WIDER, language), CallbackData(WIDE, subject, place).data),)
    votes = (Button(mark, CallbackData(what, subject, place).data) for mark, what in (("👍", GOOD), ("👎", BAD)))
    share = Button(say(Phrase.BUTTON_SHARE, language), share=f"#{subject}.{place}")
    return _laid_out((pages, around, (share, *votes)), language)


def articles(listed: ArticleList, language: Language, page: int) -> Card:
    """A page of the articles, each with a button to open it; pages count from 0, and beyond the last is the last."""
    pages = max(1, -(-len(listed) // PAGE))
    return _listed(listed, language, min(page, pages - 1), len(listed))


def since(listed: ArticleList, day: dt.date, language: Language) -> Card:
    """The first page of the articles published on a day or later."""
    count, written = listed.count_since(day), languages.date(day.isoformat(), language)
    if count == 0:
        return Card(Rich(say(Phrase.NOTHING_SINCE, language, day=written)))
    said = f"{say(Phrase.ARTICLE_COUNT, language, count=count)} {say(Phrase.SINCE_DAY, language, day=written)}"
    return _listed(listed, language, 0, count, Rich(said))


def _listed(listed: ArticleList, language: Language, page: int, count: int, head: Rich | None = None) -> Card:
    """A page of the first `count` articles."""
    first, last = page * PAGE, min(page * PAGE + PAGE, count)
    rich = rendering.articles(listed, language, first=first, count=last - first, head=head, room=ROOM)
    numbers = _numbers(listed[first:last], language, first, page)
    back = CallbackData(ARTICLES, "0", page - 1) if page else None
    turns = _turns(back, (), CallbackData(ARTICLES, "0", page + 1) if last < count else None, language)
    half = -(-len(numbers) // 2) if len(numbers) > 4 else len(numbers)
    return Card(rich, _laid_out((numbers[:half], numbers[half:], turns), language))


def latest(listed: ArticleList, language: Language) -> Card:
    """The newest articles with their first words, as many as fit."""
    newest = listed[:LATEST]
    if not newest:
        return articles(listed, language, 0)
    rich = ROOM.fill((joined([rendering.source(each, language), _opening(each)], "\n") for each in newest), "\n\n")
    back = Button(say(Phrase.BUTTON_LIST, language), CallbackData(ARTICLES, "0").data)
    return Card(rich, _laid_out((_numbers(newest, language, 0, 0), (back,)), language))


def article(found: Article, language: Language, page: int, *, admin: bool = False) -> Card:
    """An article's source line, author and first words. Admins get a button to remove it."""
    author = Rich(found.author).styled(Style.ITALIC) if found.author else Rich("")
    key = article_key(found.id)
    back = Button(say(Phrase.BUTTON_LIST, language), CallbackData(ARTICLES, "0", page).data)
    share = Button(say(Phrase.BUTTON_SHARE_ARTICLE, language), share=f"#a-{key}")
    remove = (Button(say(Phrase.BUTTON_REMOVE, language), CallbackData(REMOVE, key, page).data),) if admin else ()
    rich = joined([rendering.source(found, language), author, _opening(found)], "\n")
    return Card(rich, _laid_out(((back, share), remove), language))


def removal(found: Article, language: Language, page: int) -> Card:
    """Asks whether to remove an article."""
    key = article_key(found.id)
    rich = joined([Rich(say(Phrase.REMOVE_SURE, language)), rendering.source(found, language)], "\n")
    remove = Button(say(Phrase.BUTTON_REMOVE, language), CallbackData(DROP, key, page).data)
    keep = Button(say(Phrase.BUTTON_KEEP, language), CallbackData(ARTICLE, key, page).data)
    return Card(rich, _laid_out(((remove, keep),), language))


def language_choice(language: Language) -> Card:
    """Asks which language to use, each in its own name."""
    names = tuple(
        Button(say(Phrase.LANGUAGE_NAME, each), CallbackData(LANGUAGE, "0", place).data)
        for place, each in enumerate(Language)
    )
    return Card(Rich(say(Phrase.LANGUAGE_WHICH, language)), (names,))


def privacy(stored: str, language: Language) -> Card:
    """What is stored about people, and a button that deletes it."""
    return Card(Rich(stored), ((Button(say(Phrase.BUTTON_FORGET, language), CallbackData(FORGET, "0").data),),))


def announcement(new: Sequence[Article], language: Language, *, count: int | None = None) -> Card:
    """The titles of new articles, as many as fit into one message; `count` is the total."""
    head = Rich(say(Phrase.NEW_ARTICLES, language, count=count or len(new))).styled(Style.BOLD)
    return Card(ROOM.fill([head, *(Rich("• ") + rendering.source(article, language) for article in new)], "\n"))


def greeting(commands: Sequence[str], language: Language) -> Card:
    """The greeting, and what the commands do."""
    return Card(joined([Rich(say(Phrase.GREETING, language)), rendering.command_list(commands, language)], "\n\n"))


def _numbers(listed: Sequence[Article], language: Language, first: int, page: int) -> Row:
    """A button to open each article, numbered from `first` + 1."""
    return tuple(
        Button(languages.number(first + place + 1, language), CallbackData(ARTICLE, article_key(article.id), page).data)
        for place, article in enumerate(listed)
    )


def _turns(back: CallbackData | None, middle: Row, on: CallbackData | None, language: Language) -> Row:
    """Buttons to turn pages, in reading direction."""
    backward, forward = "▸◂" if language.right_to_left else "◂▸"
    return (
        *((Button(backward, back.data),) if back else ()),
        *middle,
        *((Button(forward, on.data),) if on else ()),
    )


def _laid_out(rows: Iterable[Row], language: Language) -> Rows:
    """The rows that are not empty, mirrored for right-to-left languages: messengers lay buttons out left to right."""
    return tuple(row[::-1] if language.right_to_left else row for row in rows if row)


def _opening(found: Article) -> Rich:
    """The first paragraphs in whole words, with an ellipsis where more follows."""
    text = found.text.strip()
    if len(text) > OPENING:
        text = text[:OPENING].rsplit(maxsplit=1)[0].rstrip() + " …"
    return Rich(text).styled(Style.QUOTE)
