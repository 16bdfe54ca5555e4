"""What readers yield: articles found and sources refused."""

from __future__ import annotations

from dataclasses import dataclass

from corpus.article import Article


@dataclass(frozen=True, slots=True)
class Found:
    """An article, and where it was found: a path, an address, or "records.jsonl, line 7".

    `record` tells that it came from a records file, so that the library stores it in one.
    """

    article: Article
    source: str
    record: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """A source, or part of one, that gave no article, and the reason to show to the user."""

    source: str
    reason: str


Item = Found | Refused
