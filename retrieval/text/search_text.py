"""The text that represents a passage in a search."""

from __future__ import annotations

from corpus.article import Passage


def search_text(passage: Passage) -> str:
    """The text encoded for a passage: its article's title, which is only for search, and its own text."""
    return f"{passage.article.title}\n{passage.text}"
