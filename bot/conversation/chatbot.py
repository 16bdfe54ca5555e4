"""Conversations, whatever carries them: somebody's words or a tap in, a card out. Knows no messenger.

What must outlast a restart is in the store; conversations and pages of inline answers are forgotten after a while.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import TypeVar

from bot.conversation import cards, languages, rendering, rich_text
from bot.conversation.admin import LibraryAdmin, ShowProgress
from bot.conversation.cards import CallbackData, Card, KeptAnswer
from bot.conversation.dialogue import Ask, Browse, DialogueState, Help, Show, Turn, Widen, resolve, step
from bot.conversation.languages import Language
from bot.conversation.phrases import Phrase, say
from bot.conversation.rendering import QuoteLook
from bot.conversation.rich_text import Rich
from bot.service.browsing import ArticleList, article_key, quote_from_record, quote_to_record
from bot.service.engine import Engine, TooSlow
from bot.service.metrics import Metrics
from bot.service.state import ANSWERS_KEPT_S, DAY_S, Subscriber
from bot.service.state import StateDatabase as Store
from bot.service.throttle import Throttle
from retrieval.answering import Answerer
from retrieval.errors import RetrievalError
from retrieval.index.contract import Index
from retrieval.results import Answer, Query

R = TypeVar("R")
QueryFilter = Callable[[Query], Query]

log = logging.getLogger(__name__)

COMMANDS = ("ask", "articles", "latest", "since", "more", "context", "why", "language", "subscribe", "unsubscribe")
PRIVATE = (*COMMANDS, "privacy", "help")
GROUP = ("ask", "articles", "latest", "since", "subscribe", "unsubscribe", "help")
ADMIN = ("add", "remove", "rebuild", "status", "feedback")

KEYSTROKE_S = 0.3  # how long an inline question has to stand before it is looked up
CONVERSATION_S = 30 * 60
CONVERSATIONS = 2000
INLINE_PAGE = 5
INLINE_KEPT_S = 60.0
INLINE_ANSWERS = 500
TOLD_OFF_S = 10.0  # how long somebody who asks too much is not told so again

_DAY = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\S)")  # in any digits
_ADDRESS = re.compile(r"https?://\S+")


@dataclass(frozen=True, slots=True)
class MessageOrigin:
    """Who writes what where: a chat, a topic of it (0 is none), a person and the language of their app."""

    chat: int
    thread: int
    message: int
    person: int
    client: str | None
    private: bool


@dataclass(slots=True)
class Conversation:
    """A conversation with one person in one place, with its last answer as its buttons know it."""

    state: DialogueState
    at: float
    kept: KeptAnswer | None = None
    before: dict[int, DialogueState] = field(default_factory=dict)  # what was known before the last message, by its id


@dataclass(frozen=True, slots=True)
class LongTask:
    """Work that takes its time: what to say first, and what gives the outcome, telling its stages on the way."""

    begun: Card
    work: Callable[[ShowProgress], Awaitable[Card]]


@dataclass(frozen=True, slots=True)
class InlineResult:
    """A card to choose among inline results; `start` is what a link into the bot says to open it there."""

    id: str
    title: str
    about: str
    card: Card
    start: str


@dataclass(frozen=True, slots=True)
class InlineResults:
    """Results of an inline question, from where the next page begins, and what to say where there are none."""

    results: tuple[InlineResult, ...]
    more: str
    otherwise: str


class Chatbot:
    """Everything the bot does for people and, at its `desk`, for its admins."""

    def __init__(
        self,
        engine: Engine,
        store: Store,
        *,
        desk: LibraryAdmin | None = None,
        admins: Collection[int] = (),
        keep_questions: bool = False,
        burst: int = 60,
        every_s: float = 1.0,
        keystroke_s: float = KEYSTROKE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.engine = engine
        self.store = store
        self.metrics = Metrics()
        self._desk = desk
        self._admins = frozenset(admins) if desk is not None else frozenset[int]()
        self._keep_questions = keep_questions
        self._began = clock()
        self._people = Throttle(burst, every_s, clock)
        self._chats = Throttle(2 * burst, every_s / 2, clock)
        self._told_off: dict[int, float] = {}
        self._keystroke_s = keystroke_s
        self._clock = clock
        self._talks: OrderedDict[tuple[int, int, int], Conversation] = OrderedDict()
        self._typed: dict[int, str] = {}
        self._inline: OrderedDict[str, tuple[float, KeptAnswer]] = OrderedDict()
        self._shelf: ArticleList | None = None
        self._shelving = asyncio.Lock()
        self._noted: tuple[str, Set[str]] = "", set()  # the snapshot whose articles were last noted, and these
        self._commands: dict[str, Callable[[MessageOrigin, str], Awaitable[Card | LongTask]]] = {
            "start": self._start,
            "ask": self._card,
            "latest": self._latest,
            "since": self._since,
            "language": self._language,
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
            "privacy": self._privacy,
        }
        self._admin_commands: dict[str, Callable[[LibraryAdmin, MessageOrigin, str], Awaitable[Card | LongTask]]] = {
            "add": self._add,
            "remove": self._remove,
            "rebuild": self._rebuild,
            "status": self._status,
            "feedback": self._feedback,
        }

    # Words.

    async def reply(self, visit: MessageOrigin, words: str) -> Card | LongTask | None:
        """What to answer; None where the words are a command that another bot in a group may know."""
        name, _, argument = words.partition(" ") if words.startswith("/") else ("", "", "")
        name, argument = name[1:].lower(), argument.strip()
        if name in self._commands:
            return await self._commands[name](visit, argument)
        if name in self._admin_commands and self._desk is not None and visit.person in self._admins:
            return await self._admin_commands[name](self._desk, visit, argument)
        if name and not visit.private and name not in PRIVATE:
            return None
        return await self._card(visit, words)

    async def again(self, visit: MessageOrigin, words: str) -> Card | LongTask | None:
        """What to answer to a message that was edited, as if the last of a conversation had been put so at once."""
        talk = self._talk(visit)
        talk.state = talk.before.get(visit.message, talk.state)
        return await self.reply(visit, words)

    async def _card(self, visit: MessageOrigin, words: str, narrow: QueryFilter | None = None) -> Card:
        began, talk = self._clock(), self._talk(visit)
        talk.before = {visit.message: talk.state}
        talk.state, turn = step(talk.state, words)
        if not isinstance(turn, Ask):
            return await self._turn(visit, talk, turn)
        if narrow is not None:
            turn = replace(turn, query=narrow(turn.query))
        try:
            answer = await self.engine.answer(turn.query)
        except RetrievalError as exc:
            return Card(Rich(say(Phrase.FAILED, turn.language, reason=rich_text.one_line(str(exc)))))
        except TooSlow:
            return Card(Rich(say(Phrase.TOO_SLOW, turn.language)))
        talk.state, shown = resolve(talk.state, turn, answer)
        talk.kept = self._keep(answer)
        self._count(answer)
        self.metrics.waited(self._clock() - began)
        card = cards.quote(talk.kept, 0, shown.language)
        return card or Card(rendering.answer(answer, shown.language, look=QuoteLook.BLOCKS, room=cards.ROOM))

    async def _turn(self, visit: MessageOrigin, talk: Conversation, turn: Turn) -> Card:
        """A reply that needs no search; one quote at a time, the buttons have the others."""
        card: Card | None = None
        match turn:
            case Browse():
                return await self._listed(turn.language, turn.page - 1)
            case Help():
                return Card(rendering.reply(turn, look=QuoteLook.BLOCKS, commands=self.offered(visit)))
            case Show() if talk.kept is not None:
                talk.state = replace(talk.state, shown=turn.first)
                card = cards.quote(talk.kept, turn.first, turn.language)
            case Widen() if talk.kept is not None:
                card = cards.quote(talk.kept, talk.state.shown, turn.language, wide=True)
            case Ask():
                raise AssertionError("a question is answered before it is shown")
            case _:
                pass
        return card or Card(rendering.reply(turn, look=QuoteLook.BLOCKS, room=cards.ROOM))

    def _keep(self, answer: Answer) -> KeptAnswer:
        question = answer.question if self._keep_questions else None
        quotes = [quote_to_record(quote) for quote in answer.quotes]
        number = self.store.keep_answer(answer.snapshot, quotes, answered=answer.answered, question=question)
        return KeptAnswer(number, answer.answered, answer.quotes)

    def _count(self, answer: Answer) -> None:
        what = "answered" if answer.answered else "declined"
        self.metrics.count(what)
        facts = {"took_ms": round(answer.took_ms), "quotes": len(answer.quotes), "snapshot": answer.snapshot}
        log.info(what, extra={"facts": facts})

    # Commands.

    async def _start(self, visit: MessageOrigin, argument: str) -> Card:
        """The first words, or what a link into the bot opens: a shared quote or an article."""
        language, opened = self._talk(visit).state.language, cards.shared_of(argument)
        if opened is None:
            return cards.greeting(self.offered(visit), language)
        gone = Phrase.OUTDATED if opened.what == cards.QUOTE else Phrase.ARTICLE_UNKNOWN
        return await self._turned(opened, language) or Card(Rich(say(gone, language)))

    async def _latest(self, visit: MessageOrigin, _: str) -> Card:
        language = self._talk(visit).state.language
        return await self._on_shelf(lambda shelf: cards.latest(shelf, language))

    async def _since(self, visit: MessageOrigin, argument: str) -> Card:
        """The articles from a day on, or an answer from them."""
        match, since, language = _DAY.match(argument), None, self._talk(visit).state.language
        if match is not None:
            try:
                since = dt.date(*map(int, match.groups()))
            except ValueError:
                since = None
        if match is None or since is None:
            return Card(Rich(say(Phrase.SINCE_HOW, language)))
        day, question = since, argument[match.end() :].strip()
        if question:
            return await self._card(visit, question, lambda query: replace(query, since=day))
        return await self._on_shelf(lambda shelf: cards.since(shelf, day, language))

    async def _language(self, visit: MessageOrigin, argument: str) -> Card:
        talk = self._talk(visit)
        talk.state, turn = step(talk.state, f"/language {argument}".strip())
        said, which = await self._turn(visit, talk, turn), cards.language_choice(talk.state.language)
        if talk.state.chosen is None or said.rich == which.rich:
            return which
        self.store.choose_language(visit.person, talk.state.chosen)
        return said

    async def _subscribe(self, visit: MessageOrigin, _: str) -> Card:
        language = self.speaks(visit.person, visit.client)
        self.store.subscribe(Subscriber(visit.chat, visit.thread, language))
        return Card(Rich(say(Phrase.SUBSCRIBED, language)))

    async def _unsubscribe(self, visit: MessageOrigin, _: str) -> Card:
        self.store.unsubscribe(visit.chat, visit.thread)
        return Card(Rich(say(Phrase.UNSUBSCRIBED, self.speaks(visit.person, visit.client))))

    async def _privacy(self, visit: MessageOrigin, argument: str) -> Card:
        language = self.speaks(visit.person, visit.client)
        if argument.lower() == "forget":
            return self._forgotten(visit, language)
        phrase = Phrase.PRIVACY_QUESTIONS if self._keep_questions else Phrase.PRIVACY
        return cards.privacy(say(phrase, language, days=int(ANSWERS_KEPT_S / DAY_S)), language)

    def _forgotten(self, visit: MessageOrigin, language: Language) -> Card:
        self.store.forget_person(visit.person)
        self._talks = OrderedDict((key, talk) for key, talk in self._talks.items() if key[2] != visit.person)
        return Card(Rich(say(Phrase.FORGOTTEN, language)))

    # What admins do.

    def runs(self, person: int) -> bool:
        """Whether a person is an admin."""
        return person in self._admins

    def is_admin(self, visit: MessageOrigin) -> bool:
        """Whether an admin writes to the bot alone."""
        return visit.private and self.runs(visit.person)

    def offered(self, visit: MessageOrigin) -> Sequence[str]:
        """The commands to name in a chat."""
        if not visit.private:
            return GROUP
        return (*PRIVATE, *ADMIN) if visit.person in self._admins else PRIVATE

    def adding(self, visit: MessageOrigin, sources: Sequence[str], shown: str) -> LongTask:
        """Take sources into the library; `shown` names them to the admin.

        Raises:
            PermissionError: who asks is no admin.
        """
        if self._desk is None or visit.person not in self._admins:
            raise PermissionError("only admins add articles")
        desk, language = self._desk, self.speaks(visit.person, visit.client)
        begun = Card(Rich(say(Phrase.ADD_READING, language, source=shown)))
        return LongTask(begun, lambda tell: desk.add(sources, language, tell))

    async def _add(self, desk: LibraryAdmin, visit: MessageOrigin, argument: str) -> Card | LongTask:  # noqa: ARG002
        addresses = _ADDRESS.findall(argument)
        if addresses:
            return self.adding(visit, addresses, " ".join(addresses)[:200])
        return Card(Rich(say(Phrase.ADD_HOW, self.speaks(visit.person, visit.client))))

    async def _remove(self, desk: LibraryAdmin, visit: MessageOrigin, argument: str) -> Card:
        language = self.speaks(visit.person, visit.client)
        if not argument:
            return Card(Rich(say(Phrase.REMOVE_HOW, language)))
        keys = {each: article_key(each) for each in argument.split()}
        found = await self._on_shelf(lambda shelf: {each: shelf.find(key) for each, key in keys.items()})
        return await desk.remove({each: known.title if known else each for each, known in found.items()}, language)

    async def _rebuild(self, desk: LibraryAdmin, visit: MessageOrigin, _: str) -> LongTask:
        language = self.speaks(visit.person, visit.client)
        return LongTask(Card(Rich(say(Phrase.REBUILDING, language))), lambda _: desk.rebuild(language))

    async def _status(self, desk: LibraryAdmin, visit: MessageOrigin, _: str) -> Card:  # noqa: ARG002
        name, count = await self._on_shelf(lambda shelf: (shelf.name, len(shelf)))
        text = say(
            Phrase.STATUS,
            self.speaks(visit.person, visit.client),
            name=name,
            articles=count,
            answered=self.metrics["answered"],
            declined=self.metrics["declined"],
            waiting=self.engine.waiting,
            subscribers=self.store.subscribers(),
            minutes=int((self._clock() - self._began) / 60),
        )
        return Card(Rich(text))

    async def _feedback(self, desk: LibraryAdmin, visit: MessageOrigin, _: str) -> Card:  # noqa: ARG002
        good = [vote.good for vote in self.store.votes()]
        language = self.speaks(visit.person, visit.client)
        return Card(Rich(say(Phrase.FEEDBACK, language, good=sum(good), bad=len(good) - sum(good))))

    # Buttons.

    async def press(self, press: CallbackData | None, visit: MessageOrigin) -> Card | str | None:
        """What a tap turns the message into, or a note for who tapped; None where nothing is to be done."""
        language = self.speaks(visit.person, visit.client)
        wait_s = self.wait_s(visit)
        if wait_s:
            return say(Phrase.SLOW_DOWN, language, seconds=max(1, round(wait_s)))
        if press is None:
            return say(Phrase.OUTDATED, language)
        match press.what:
            case cards.SAME:
                return None
            case cards.GOOD | cards.BAD:
                return self._voted(press, visit.person, language)
            case cards.LANGUAGE if press.place < len(Language):
                chosen = list(Language)[press.place]
                self.store.choose_language(visit.person, chosen)
                return Card(Rich(say(Phrase.LANGUAGE_SET, chosen)))
            case cards.FORGET:
                return self._forgotten(visit, language)
            case cards.UNDO | cards.REMOVE | cards.DROP if self._desk is not None and visit.person in self._admins:
                card = await self._edited(self._desk, press, language)
            case _:
                card = await self._turned(press, language, admin=self.is_admin(visit))
        return card or say(Phrase.OUTDATED, language)

    async def _turned(self, press: CallbackData, language: Language, *, admin: bool = False) -> Card | None:
        """What a button turns its message into; None where that is no longer there."""
        match press.what:
            case cards.ARTICLES:
                return await self._listed(language, press.place)
            case cards.ARTICLE:
                found = await self._on_shelf(lambda shelf: shelf.find(press.subject))
                return cards.article(found, language, press.place, admin=admin) if found else None
            case cards.QUOTE | cards.WIDE:
                kept = await self._kept(press.number)
                return cards.quote(kept, press.place, language, wide=press.what == cards.WIDE) if kept else None
            case _:
                return None

    async def _edited(self, desk: LibraryAdmin, press: CallbackData, language: Language) -> Card | None:
        """What an admin's button does to the library; None where what it is about is no longer there."""
        if press.what == cards.UNDO:
            return await desk.undo(press.number, language)
        found = await self._on_shelf(lambda shelf: shelf.find(press.subject))
        if found is None:
            return None
        if press.what == cards.REMOVE:
            return cards.removal(found, language, press.place)
        return await desk.remove({found.id: found.title}, language)

    def _voted(self, press: CallbackData, person: int, language: Language) -> str:
        try:
            self.store.vote(press.number, press.place, person, good=press.what == cards.GOOD)
        except KeyError:
            return say(Phrase.OUTDATED, language)
        return say(Phrase.VOTE_COUNTED, language)

    # Inline.

    async def inline(self, person: int, client: str | None, query: str, text: str, offset: str) -> InlineResults | None:
        """Results for a question typed after the bot's name; None where it is not the last of a burst of keystrokes.

        `query` tells questions apart that one person types.
        """
        text, language = text.strip(), self.speaks(person, client)
        shared = cards.shared_of(text)
        if shared is not None:
            found = await self._shared(shared, language)
            return InlineResults((found,) if found else (), "", say(Phrase.INLINE_ASK_ME, language))
        if not text:
            return InlineResults((), "", say(Phrase.INLINE_EMPTY, language))
        if not await self._settled(person, query) or self._people.wait_s(person):
            return None
        kept = await self._inline_answer(text)
        first = int(offset) if offset.isdecimal() and len(offset) < 4 else 0
        results: list[InlineResult] = []
        more = ""
        if kept is not None and kept.answered:
            pages = [self._result(kept, place, language) for place in range(first, first + INLINE_PAGE)]
            results = [found for found in pages if found is not None]
            more = str(first + INLINE_PAGE) if first + INLINE_PAGE < len(kept.quotes) else ""
        return InlineResults(tuple(results), more, say(Phrase.INLINE_ASK_ME, language))

    async def _shared(self, press: CallbackData, language: Language) -> InlineResult | None:
        """The card of a quote or an article that somebody shares."""
        if press.what == cards.QUOTE:
            kept = await self._kept(press.number)
            return self._result(kept, press.place, language) if kept else None
        article = await self._on_shelf(lambda shelf: shelf.find(press.subject))
        if article is None:
            return None
        card = cards.article(article, language, 0)
        about = languages.date(article.published, language) if article.published else article.source or ""
        return InlineResult(f"a.{press.subject}", article.title, about, Card(card.rich), f"a-{press.subject}")

    def _result(self, kept: KeptAnswer, place: int, language: Language) -> InlineResult | None:
        card = cards.quote(kept, place, language)
        quote = kept.quotes[place] if card is not None else None
        if card is None or quote is None:
            return None
        best = quote.highlights[0] if quote.highlights else quote.span
        about = quote.article.text[best.start : best.end]
        return InlineResult(
            f"{kept.number}.{place}", quote.article.title, about, Card(card.rich), f"q-{kept.number}-{place}"
        )

    async def _settled(self, person: int, query: str) -> bool:
        self._typed[person] = query
        await asyncio.sleep(self._keystroke_s)
        if self._typed.get(person) != query:
            return False
        del self._typed[person]
        return True

    async def _inline_answer(self, text: str) -> KeptAnswer | None:
        """The answer to an inline question, the same for its further pages."""
        now = self._clock()
        if text in self._inline and now - self._inline[text][0] < INLINE_KEPT_S:
            return self._inline[text][1]
        _, turn = step(DialogueState(), text)
        if not isinstance(turn, Ask):
            return None
        try:
            answer = await self.engine.answer(turn.query)
        except (RetrievalError, TooSlow) as exc:
            log.warning("an inline question was not answered: %s", exc)
            return None
        self._count(answer)
        kept = self._keep(answer)
        self._inline[text] = (now, kept)
        while len(self._inline) > INLINE_ANSWERS:
            self._inline.popitem(last=False)
        return kept

    # New articles.

    async def news(self) -> list[tuple[Subscriber, Card | None]]:
        """Who has not been told of the newest articles, with what to tell them; None where those are gone again."""
        name, keys = await self._on_shelf(lambda shelf: (shelf.name, shelf.keys))
        if self._noted[0] != name and not self.store.untold():
            self.store.note_articles([key for key in keys if key not in self._noted[1]], name)
            self._noted = name, keys
        untold, new = self.store.untold(), self.store.news()[1]
        if not untold:
            return []
        found = await self._on_shelf(lambda shelf: [shelf.find(key) for key in new[: cards.ANNOUNCED]])
        articles = [article for article in found if article is not None]
        told = {each: cards.announcement(articles, each, count=len(new)) if articles else None for each in Language}
        return [(each, told[Language.of(each.language) or Language.EN]) for each in untold]

    # What it rests on.

    def wait_s(self, visit: MessageOrigin) -> float:
        """Take one from the budgets of a person and their chat; the seconds to wait where there is none left."""
        wait_s = self._people.wait_s(visit.person) or self._chats.wait_s(visit.chat)
        if wait_s:
            self.metrics.count("throttled")
        return wait_s

    def slow_down(self, visit: MessageOrigin, wait_s: float) -> Card | None:
        """What to say to a chat that has to wait; None where it was said a moment ago."""
        now = self._clock()
        self._told_off = {chat: until for chat, until in self._told_off.items() if until > now}
        if visit.chat in self._told_off:
            return None
        self._told_off[visit.chat] = now + max(wait_s, TOLD_OFF_S)
        seconds = max(1, round(wait_s))
        return Card(Rich(say(Phrase.SLOW_DOWN, self.speaks(visit.person, visit.client), seconds=seconds)))

    def speaks(self, person: int, client: str | None) -> Language:
        """The language to speak to a person: the one they chose, else that of their app, else English."""
        return Language.of(self.store.language(person)) or Language.of(client) or Language.EN

    def _talk(self, visit: MessageOrigin) -> Conversation:
        """The conversation a message belongs to, a new one where it was silent for long."""
        key, now = (visit.chat, visit.thread, visit.person), self._clock()
        talk = self._talks.pop(key, None)
        if talk is None or now - talk.at > CONVERSATION_S:
            talk = Conversation(DialogueState(client=Language.of(visit.client)), now)
        talk.state = replace(talk.state, chosen=Language.of(self.store.language(visit.person)))
        talk.at = now
        self._talks[key] = talk
        while len(self._talks) > CONVERSATIONS:
            self._talks.popitem(last=False)
        return talk

    async def _on_shelf(self, work: Callable[[ArticleList], R]) -> R:
        """What `work` makes of the articles of the snapshot that serves; they are put in order once for each.

        That takes seconds where they are many, in which questions are answered.
        """

        def at_once(answerer: Answerer) -> tuple[Index, list[R]]:
            shelf, snapshot = self._shelf, answerer.snapshot
            return snapshot, [] if shelf is None or shelf.name != snapshot.name else [work(shelf)]

        snapshot, made = await self.engine.call(at_once)
        if made:
            return made[0]
        async with self._shelving:
            if self._shelf is None or self._shelf.name != snapshot.name:
                self._shelf = await asyncio.to_thread(ArticleList.over, snapshot)
            shelf = self._shelf
        return await self.engine.call(lambda _: work(shelf))

    async def _listed(self, language: Language, page: int) -> Card:
        return await self._on_shelf(lambda shelf: cards.articles(shelf, language, page))

    async def _kept(self, number: int) -> KeptAnswer | None:
        found = self.store.answer(number)
        if found is None:
            return None
        _, answered, quotes, _ = found
        again = await self._on_shelf(lambda shelf: tuple(quote_from_record(quote, shelf) for quote in quotes))
        return KeptAnswer(number, answered, again)
