"""Inline questions: typed after the bot's name in any chat, answered with quotes to choose from."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass

from bot.conversation import cards, languages
from bot.conversation.cards import CallbackData, Card, StoredAnswer
from bot.conversation.chatbot.session import Session
from bot.conversation.dialogue import Ask, DialogueState, step
from bot.conversation.languages import Language
from bot.conversation.phrases import Phrase, say
from bot.service.engine import AnswerTimeout
from bot.service.throttle import Throttle
from retrieval.errors import RetrievalError

log = logging.getLogger(__name__)

KEYSTROKE_S = 0.3  # how long an inline question has to stand before it is looked up
INLINE_PAGE = 5
INLINE_KEPT_S = 60.0
INLINE_ANSWERS = 500


@dataclass(frozen=True, slots=True)
class InlineResult:
    """A card offered for an inline question; `start` is the parameter of a link that opens it in the bot."""

    id: str
    title: str
    about: str
    card: Card
    start: str


@dataclass(frozen=True, slots=True)
class InlineResults:
    """Results of an inline question, the offset of the next page, and what to say where there are none."""

    results: tuple[InlineResult, ...]
    more: str
    otherwise: str


class InlineQuestions:
    """Answers inline questions, one for each burst of keystrokes."""

    def __init__(self, session: Session, people: Throttle, keystroke_s: float = KEYSTROKE_S) -> None:
        self._session = session
        self._people = people
        self._keystroke_s = keystroke_s
        self._typed: dict[int, str] = {}
        self._answers: OrderedDict[str, tuple[float, StoredAnswer]] = OrderedDict()

    async def results(
        self, person: int, client: str | None, query: str, text: str, offset: str
    ) -> InlineResults | None:
        """Results for a question typed after the bot's name; None where the person has typed on since.

        `query` is the id of the inline query.
        """
        text, language = text.strip(), self._session.language_of(person, client)
        shared = cards.shared_of(text)
        if shared is not None:
            found = await self._shared(shared, language)
            return InlineResults((found,) if found else (), "", say(Phrase.INLINE_ASK_ME, language))
        if not text:
            return InlineResults((), "", say(Phrase.INLINE_EMPTY, language))
        if not await self._settled(person, query) or self._people.wait_s(person):
            return None
        stored = await self._answer(text)
        first = int(offset) if offset.isdecimal() and len(offset) < 4 else 0
        results: list[InlineResult] = []
        more = ""
        if stored is not None and stored.answered:
            pages = [self._result(stored, place, language) for place in range(first, first + INLINE_PAGE)]
            results = [found for found in pages if found is not None]
            more = str(first + INLINE_PAGE) if first + INLINE_PAGE < len(stored.quotes) else ""
        return InlineResults(tuple(results), more, say(Phrase.INLINE_ASK_ME, language))

    async def _shared(self, press: CallbackData, language: Language) -> InlineResult | None:
        """The card of a quote or an article that is being shared."""
        if press.what == cards.QUOTE:
            stored = await self._session.stored_answer(press.number)
            return self._result(stored, press.place, language) if stored else None
        article = await self._session.with_articles(lambda articles: articles.find(press.subject))
        if article is None:
            return None
        card = cards.article(article, language, 0)
        about = languages.date(article.published, language) if article.published else article.source or ""
        return InlineResult(f"a.{press.subject}", article.title, about, Card(card.rich), f"a-{press.subject}")

    def _result(self, stored: StoredAnswer, place: int, language: Language) -> InlineResult | None:
        card = cards.quote(stored, place, language)
        quote = stored.quotes[place] if card is not None else None
        if card is None or quote is None:
            return None
        best = quote.highlights[0] if quote.highlights else quote.span
        words = quote.article.text[slice(*quote.answer)] if quote.answer else quote.article.title
        about = quote.article.text[best.start : best.end]
        return InlineResult(f"{stored.number}.{place}", words, about, Card(card.rich), f"q-{stored.number}-{place}")

    async def _settled(self, person: int, query: str) -> bool:
        self._typed[person] = query
        await asyncio.sleep(self._keystroke_s)
        if self._typed.get(person) != query:
            return False
        del self._typed[person]
        return True

    async def _answer(self, text: str) -> StoredAnswer | None:
        """The answer to an inline question, reused for its further pages."""
        now = self._session.clock()
        if text in self._answers and now - self._answers[text][0] < INLINE_KEPT_S:
            return self._answers[text][1]
        _, turn = step(DialogueState(), text)
        if not isinstance(turn, Ask):
            return None
        try:
            answer = await self._session.engine.answer(turn.query)
        except (RetrievalError, AnswerTimeout) as exc:
            log.warning("an inline question was not answered: %s", exc)
            return None
        self._session.count(answer)
        stored = self._session.store_answer(answer)
        self._answers[text] = (now, stored)
        while len(self._answers) > INLINE_ANSWERS:
            self._answers.popitem(last=False)
        return stored
