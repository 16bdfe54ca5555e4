"""The text that stands for a passage in a search. Pure."""

from __future__ import annotations

from corpus.article import Passage


def search_text(passage: Passage) -> str:
    """What is encoded for a passage: its article's title, for search only, then its own words."""
    return f"{passage.article.title}\n{passage.text}"
