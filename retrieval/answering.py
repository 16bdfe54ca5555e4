"""A question to an answer: search, decide, quote. Every quote is a slice of its article."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable, Mapping

from corpus.article import Article, Span
from corpus.text.sentences import trim
from retrieval.errors import QuestionError
from retrieval.index.contract import Index
from retrieval.links import link_to
from retrieval.models.encoder import Encoder
from retrieval.models.reader import Reader
from retrieval.models.reranker import Reranker
from retrieval.ranking import confidence, fusion, quoting
from retrieval.ranking.duplicates import drop_duplicates
from retrieval.ranking.question import Question
from retrieval.ranking.reading import answering_words
from retrieval.ranking.search import Searcher
from retrieval.results import Answer, Hit, Query, Quote
from retrieval.text.analysis import terms

MAX_QUESTION = 2000
"""The most characters a question may have."""

CONTEXT = 700
"""How many characters on either side of a quote its wider context shows at least, up to a paragraph's edge."""


def clean_question(question: str) -> str:
    """The question in NFC, on one line, without control characters and lone surrogates.

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


class Answerer:
    """Answers from one snapshot. Not for several threads at once."""

    def __init__(
        self,
        snapshot: Index,
        encoder: Encoder,
        *,
        threshold: float = confidence.THRESHOLD,
        reranker: Reranker | None = None,
        reader: Reader | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.snapshot = snapshot
        self._searcher = Searcher(snapshot, encoder, reranker=reranker, reader=reader)
        self._threshold = threshold
        self._clock = clock

    def answer(self, query: Query) -> Answer:
        """An answer to a question; with `answered` false, its quotes are the nearest passages.

        Raises:
            QuestionError: the question is empty or too long.
        """
        began = self._clock()
        text = clean_question(query.text)
        question = Question.parse(query)
        found = self._searcher.search(query, question)
        passages = [
            quoting.QuoteDraft(hit.article, hit.span, hit.sentences, hit.score, (hit.row,), number)
            for number, hit in enumerate(found.hits)
        ]
        drafts = quoting.add_neighbour_sentences(quoting.join_adjacent(passages, self._word_count), self._neighbours)
        asked = [word.term for word in question.words if not word.stop]
        spread = quoting.limit_per_article(
            drafts, named=lambda row: quoting.mentions_title(asked, terms(self.snapshot.article(row).title))
        )
        quotes = drop_duplicates(spread, passages, query.limit, lambda row: self.snapshot.article(row).text)
        probability = found.confidence
        answers = {
            (hit.article, sentence): answer
            for hit in found.hits
            for (sentence, _), answer in zip(hit.sentences, hit.answers, strict=False)
        }
        return Answer(
            question=text,
            answered=bool(quotes) and probability >= self._threshold,
            confidence=probability,
            quotes=tuple(
                self._quote(quote.draft, found.hits[quote.draft.hit], quote.reprints, answers) for quote in quotes
            ),
            snapshot=self.snapshot.name,
            took_ms=1000 * (self._clock() - began),
            evidence={
                **({} if found.read is None else {"read": found.read}),
                **{
                    name: value
                    for name, value in zip(confidence.EVIDENCE, found.evidence.tolist(), strict=False)
                    if value or name not in confidence.ANSWER_TYPES
                },
            },
        )

    def _word_count(self, article: int, span: Span) -> int:
        return len(self.snapshot.article(article).text[span.start : span.end].split())

    def _neighbours(self, draft: quoting.QuoteDraft) -> tuple[Span | None, Span | None]:
        """The sentences right before and right after a draft's passages."""
        return self.snapshot.neighbours(min(draft.rows), max(draft.rows))

    def _quote(
        self,
        draft: quoting.QuoteDraft,
        hit: Hit,
        reprints: list[int],
        answers: Mapping[tuple[int, Span], tuple[Span | None, float]],
    ) -> Quote:
        article = self.snapshot.article(draft.article)
        span = trim(article.text, draft.span)
        sentences = quoting.highlights(draft.sentences)
        marks = tuple(trim(article.text, mark) for mark in sentences)
        read = answers.get((draft.article, sentences[0]))
        best = article.text[marks[0].start : marks[0].end]
        top = hit.evidence[max(range(len(hit.sentences)), key=lambda at: hit.sentences[at][1])]
        ranks = {
            "dense rank": hit.dense_rank,
            "lexical rank": hit.lexical_rank,
            "reranker": hit.reranked,
            "read": max((score for _, score in hit.answers), default=None),
        }
        return Quote(
            article=article,
            span=span,
            highlights=marks,
            score=draft.score,
            context=_context(article, span),
            link=link_to(article.url, best),
            answer=None if read is None else answering_words(article.text, sentences[0], *read),
            also_in=tuple(self.snapshot.article(row) for row in reprints),
            evidence={
                **{name: float(rank) for name, rank in ranks.items() if rank is not None},
                **dict(zip(fusion.EVIDENCE, top.tolist(), strict=True)),
            },
        )


def _context(article: Article, span: Span) -> Span:
    """The quote's span widened by CONTEXT characters on either side, then to whole paragraphs."""
    text = article.text
    start = text.rfind("\n", 0, max(0, span.start - CONTEXT)) + 1
    end = text.find("\n", min(len(text), span.end + CONTEXT))
    return trim(text, Span(start, len(text) if end < 0 else end))
