"""What a reader yields: articles found and sources refused."""

from __future__ import annotations

from dataclasses import dataclass

from corpus.article import Article


@dataclass(frozen=True, slots=True)
class Found:
    """An article, and where it was found: a path, an address, or "records.jsonl, line 7".

    `record` says that it came from a file of records, so that a library keeps it in one.
    """

    article: Article
    source: str
    record: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """A source, or a part of one, that gave no article, and the reason in words for a person."""

    source: str
    reason: str


Item = Found | Refused
