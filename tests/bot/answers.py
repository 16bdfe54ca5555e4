"""Answers made by hand, for tests of what people see."""

from __future__ import annotations

from corpus.article import Article, Span, content_id
from retrieval.results import Answer, Quote

TITLE = "US cooperates with Kuwait to ensure well-being of human trafficking victims"
FIRST = "According to the report, Kuwait remains at the second level."
SECOND = "The criteria were set by the Palermo Protocol."
THIRD = "The government sheltered victims and provided several services to protect them."
LAST = "Some officials continue to use arbitration instead of investigating."
TEXT = f"{FIRST} {SECOND}\n\n{THIRD}\n\n{LAST}"


def article(
    text: str = TEXT,
    title: str = TITLE,
    *,
    url: str | None = None,
    source: str | None = "Times Kuwait",
    published: str | None = None,
) -> Article:
    """An article; the one on Kuwait unless said otherwise."""
    return Article(content_id(title, text), title, text, url=url, source=source, published=published)


def span(of: Article, words: str) -> Span:
    """Where `words` first stand in an article."""
    start = of.text.index(words)
    return Span(start, start + len(words))


def quote(
    of: Article, words: str, *best: str, context: str | None = None, link: str | None = None, **evidence: float
) -> Quote:
    """A quote of `words` with the sentences of `best` highlighted, in order."""
    return Quote(
        article=of,
        span=span(of, words),
        highlights=tuple(span(of, sentence) for sentence in best),
        score=0.5,
        context=span(of, context or of.text),
        link=link,
        evidence=evidence,
    )


def answer(*quotes: Quote, answered: bool = True, confidence: float = 0.9, question: str = "?") -> Answer:
    """An answer of the quotes given."""
    return Answer(question, answered, confidence, quotes, "20261124T001500Z-1a2b3c4d", 1.0)
