"""Articles, and spans and passages of their text."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import unicodedata
from dataclasses import dataclass, field
from typing import NamedTuple

from corpus.errors import ArticleError

_INVALID = re.compile("[\0\ud800-\udfff]")


class Span(NamedTuple):
    """A half-open range of Unicode code points in an article's text."""

    start: int
    end: int


def content_id(title: str, text: str) -> str:
    """The id of an article that came without one: the first 16 hexadecimal digits of its content's SHA-256."""
    return hashlib.sha256(f"{title}\0{text}".encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Article:
    """One published article. `text` is clean and final: every offset in the project counts its code points.

    `published` is an ISO 8601 date or date and time, `language` a BCP 47 code; what is not known is None. Articles are
    compared by everything but their text; an `id` made by `content_id` stands for the text.

    Raises:
        ArticleError: the title or text is blank or not Unicode NFC, holds a lone surrogate or a NUL, or
            `published` is not a date.
    """

    id: str
    title: str
    text: str = field(repr=False, compare=False)
    url: str | None = None
    source: str | None = None
    author: str | None = None
    published: str | None = None
    language: str | None = None

    def __post_init__(self) -> None:
        if not self.id.strip():
            raise ArticleError("the id is blank")
        for name, value in (("title", self.title), ("text", self.text)):
            if not value.strip():
                raise ArticleError(f"the {name} is blank")
            if _INVALID.search(value):
                raise ArticleError(f"the {name} holds a NUL or a lone surrogate")
            if not unicodedata.is_normalized("NFC", value):
                raise ArticleError(f"the {name} is not in Unicode NFC")
        if self.published is not None:
            try:
                dt.datetime.fromisoformat(self.published)
            except ValueError as exc:
                raise ArticleError(f"published is {self.published!r}, not a date such as 2026-11-24") from exc


@dataclass(frozen=True, slots=True)
class Passage:
    """Whole sentences of one article: `sentences` are adjacent spans that tile `span`.

    Raises:
        ArticleError: the span is empty or does not lie in the article's text, or the sentences do not tile it.
    """

    article: Article
    span: Span
    sentences: tuple[Span, ...]

    def __post_init__(self) -> None:
        start, end = self.span
        if not 0 <= start < end <= len(self.article.text):
            raise ArticleError(f"the span {start}:{end} is not in a text of {len(self.article.text)} characters")
        edges = [start, *(s.end for s in self.sentences)]
        if edges[-1] != end or any(s.start != edge for s, edge in zip(self.sentences, edges, strict=False)):
            raise ArticleError(f"the sentences do not tile the span {start}:{end}")

    @property
    def text(self) -> str:
        """The passage's text, sliced from the article."""
        return self.article.text[self.span.start : self.span.end]
