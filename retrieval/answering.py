"""A question to an answer: search, decide, quote. Every quote is cut from its article and checked when it is made."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from corpus.article import Article, Span
from corpus.text.dedupe import are_near_duplicates, may_be_near_duplicates, same_story, shingles
from corpus.text.sentences import trim
from retrieval.errors import QuestionError
from retrieval.index.contract import Index
from retrieval.links import link_to
from retrieval.models.encoder import Encoder
from retrieval.models.reranker import Reranker
from retrieval.ranking import confidence, fusion, quoting
from retrieval.ranking.search import Question, Searcher
from retrieval.results import Answer, Hit, Query, Quote
from retrieval.text.analysis import terms

MAX_QUESTION = 2000
CONTEXT = 700
"""How many characters of the article the wider context shows on either side of a quote, up to a paragraph's edge."""


def cleaned(question: str) -> str:
    """A question fit to be asked: NFC, one line, without control characters and lone surrogates.

    Raises:
        QuestionError: nothing is left, or more than MAX_QUESTION characters are.
    """
    text = question
    if not text.isprintable():
        text = "".join(" " if unicodedata.category(ch) in {"Cc", "Cs", "Zl", "Zp"} else ch for ch in text)
    text = " ".join(unicodedata.normalize("NFC", text).split())
    if not text:
        raise QuestionError("the question is empty; ask something, for example: newsquote ask 'Who said what?'")
    if len(text) > MAX_QUESTION:
        raise QuestionError(
            f"the question has {len(text):,} characters; {MAX_QUESTION:,} are the most that can be asked"
        )
    return text


@dataclass(frozen=True, slots=True)
class _Told:
    """A quote to be, its text and words, and the articles that tell it again: reprints of the same story."""

    draft: quoting.QuoteDraft
    text: str
    words: set[str]
    also: list[int]


class Answerer:
    """Answers from one snapshot. Not for several threads at once."""

    def __init__(
        self,
        snapshot: Index,
        encoder: Encoder,
        *,
        threshold: float = confidence.THRESHOLD,
        reranker: Reranker | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.snapshot = snapshot
        self._searcher = Searcher(snapshot, encoder, reranker=reranker)
        self._threshold = threshold
        self._clock = clock

    def answer(self, query: Query) -> Answer:
        """Answer a question, or decline and hold the nearest passages.

        Raises:
            QuestionError: the question is empty or too long.
        """
        began = self._clock()
        text = cleaned(query.text)
        question = Question.of(query)
        found = self._searcher.search(query, question)
        drafts = [self._draft(number, hit) for number, hit in enumerate(found.hits)]
        quotes = quoting.add_neighbour_sentences(quoting.join_adjacent(drafts, self._words), self._beside)
        asked = [word.term for word in question.words if not word.stop]
        spread = quoting.limit_per_article(
            quotes, named=lambda row: quoting.mentions_title(asked, terms(self.snapshot.article(row).title))
        )
        chosen = self._told_once(spread, drafts, query.limit)
        probability = found.confidence
        return Answer(
            question=text,
            answered=bool(chosen) and probability >= self._threshold,
            confidence=probability,
            quotes=tuple(self._quote(told.draft, found.hits[told.draft.hit], told.also) for told in chosen),
            snapshot=self.snapshot.name,
            took_ms=1000 * (self._clock() - began),
            evidence={
                name: value
                for name, value in zip(confidence.EVIDENCE, found.evidence.tolist(), strict=False)
                if value or name not in confidence.KINDS
            },
        )

    def _told_once(
        self, quotes: Iterator[quoting.QuoteDraft], passages: Sequence[quoting.QuoteDraft], limit: int
    ) -> list[_Told]:
        """The first `limit` quotes that differ, each with the articles among whose passages it is told again."""
        told: list[_Told] = []
        while len(told) < limit and (quote := next(quotes, None)) is not None:
            this = self._read(quote)
            if not self._told_before(this, told):
                told.append(this)
        shown = {one.draft.article for one in told}
        for passage in passages:
            if passage.article not in shown:
                self._told_before(self._read(passage), told)
        return told

    def _read(self, draft: quoting.QuoteDraft) -> _Told:
        text = self._text(draft.article, draft.span)
        return _Told(draft, text, set(text.split()), [])

    def _told_before(self, this: _Told, told: Iterable[_Told]) -> bool:
        """Whether it only repeats one of those told, of another article, which then takes note of its article."""
        article = this.draft.article
        for one in told:
            if one.draft.article == article or not may_be_near_duplicates(this.words, one.words):
                continue
            if are_near_duplicates(shingles(this.text), shingles(one.text)) and self._same(one.draft, this.draft):
                if article not in one.also:
                    one.also.append(article)
                return True
        return False

    def _same(self, one: quoting.QuoteDraft, two: quoting.QuoteDraft) -> bool:
        return same_story(self.snapshot.article(one.article).text, self.snapshot.article(two.article).text)

    def _text(self, article: int, span: Span) -> str:
        return self.snapshot.article(article).text[span.start : span.end]

    def _draft(self, number: int, hit: Hit) -> quoting.QuoteDraft:
        return quoting.QuoteDraft(hit.article, hit.span, hit.sentences, hit.score, (hit.row,), number)

    def _words(self, article: int, span: Span) -> int:
        return len(self._text(article, span).split())

    def _beside(self, draft: quoting.QuoteDraft) -> tuple[Span | None, Span | None]:
        """The sentences right before and right after a draft's passages, which are neighbours in the article."""
        return self.snapshot.neighbours(min(draft.rows), max(draft.rows))

    def _quote(self, draft: quoting.QuoteDraft, hit: Hit, also: list[int]) -> Quote:
        article = self.snapshot.article(draft.article)
        span = trim(article.text, draft.span)
        marks = tuple(trim(article.text, mark) for mark in quoting.highlights(draft.sentences))
        best = article.text[marks[0].start : marks[0].end]
        top = hit.evidence[max(range(len(hit.sentences)), key=lambda at: hit.sentences[at][1])]
        ranks = {"dense rank": hit.dense_rank, "lexical rank": hit.lexical_rank, "reranker": hit.reranked}
        return Quote(
            article=article,
            span=span,
            highlights=marks,
            score=draft.score,
            context=_wider(article, span),
            link=link_to(article.url, best),
            also_in=tuple(self.snapshot.article(row) for row in also),
            evidence={
                **{name: float(rank) for name, rank in ranks.items() if rank is not None},
                **dict(zip(fusion.EVIDENCE, top.tolist(), strict=True)),
            },
        )


def _wider(article: Article, span: Span) -> Span:
    """Whole paragraphs around a quote, about CONTEXT characters on either side."""
    text = article.text
    start = text.rfind("\n", 0, max(0, span.start - CONTEXT)) + 1
    end = text.find("\n", min(len(text), span.end + CONTEXT))
    return trim(text, Span(start, len(text) if end < 0 else end))
