"""Answers and turns of a conversation as the command line's JSON shows them."""

from __future__ import annotations

from typing import Any

from bot.conversation.dialogue import Reply, Show
from bot.terminal.listing import article_record
from retrieval.results import Answer, Quote

Record = dict[str, Any]


def answer_record(answer: Answer, *, why: bool = False) -> Record:
    """An answer with its quotes; with `why`, the evidence for it and for each quote."""
    return {
        "question": answer.question,
        "answered": answer.answered,
        "certain": answer.certain,
        "confidence": round(answer.confidence, 4),
        "quotes": [_quote_record(quote, why=why) for quote in answer.quotes],
        "snapshot": answer.snapshot,
        "took_ms": round(answer.took_ms, 2),
        **({"evidence": answer.evidence} if why else {}),
    }


def turn_record(turn: Reply | None, text: str) -> Record:
    """What a person is shown in a conversation, `text`, and of which kind it is.

    An "answer" and what is "declined" carry the answer's record; "talk" is whatever else is said: help, thanks, a list
    of articles, further quotes of an answer, and, for None, what went wrong.
    """
    if isinstance(turn, Show) and turn.first == 0:
        kind = "answer" if turn.answer.answered else "declined"
        return {"kind": kind, "text": text, **answer_record(turn.answer)}
    return {"kind": "talk", "text": text}


def _quote_record(quote: Quote, *, why: bool) -> Record:
    return {
        "article": article_record(quote.article, text=False),
        "text": quote.text,
        "start": quote.span.start,
        "end": quote.span.end,
        "highlights": [[mark.start, mark.end] for mark in quote.highlights],
        "answer": _words_record(quote),
        "score": round(quote.score, 6),
        "link": quote.link,
        **({"also_in": [article_record(a, text=False) for a in quote.also_in]} if quote.also_in else {}),
        **({"evidence": quote.evidence} if why else {}),
    }


def _words_record(quote: Quote) -> Record | None:
    """The words that answer and where they stand in the article."""
    if quote.answer is None:
        return None
    start, end = quote.answer
    return {"text": quote.article.text[start:end], "start": start, "end": end}
