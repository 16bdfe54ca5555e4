"""Articles: reading them from sources, cleaning and storing them, splitting them into passages. No models, no search.

The public names are imported on first use, so that answering a question does not load the code that reads sources.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from corpus.article import Article, Passage, Span, content_id
    from corpus.errors import ArticleError, CorpusError, LibraryError, LibraryLocked, SourceError
    from corpus.readers.item import Found, Item, Refused
    from corpus.readers.source import read
    from corpus.shipped import shipped_articles
    from corpus.storage.library import Library
    from corpus.storage.outcome import Outcome, OutcomeKind
    from corpus.text.sentences import split_sentences, trim
    from corpus.text.split import split_article

__all__ = [
    "Article",
    "ArticleError",
    "CorpusError",
    "Found",
    "Item",
    "Library",
    "LibraryError",
    "LibraryLocked",
    "Outcome",
    "OutcomeKind",
    "Passage",
    "Refused",
    "SourceError",
    "Span",
    "content_id",
    "read",
    "shipped_articles",
    "split_article",
    "split_sentences",
    "trim",
]

_MODULES = {
    "article": ("Article", "Passage", "Span", "content_id"),
    "errors": ("ArticleError", "CorpusError", "LibraryError", "LibraryLocked", "SourceError"),
    "storage.library": ("Library", "Outcome", "OutcomeKind"),
    "readers.item": ("Found", "Item", "Refused"),
    "readers.source": ("read",),
    "text.sentences": ("split_sentences", "trim"),
    "shipped": ("shipped_articles",),
    "text.split": ("split_article",),
}


def __getattr__(name: str) -> object:
    for module, names in _MODULES.items():
        if name in names:
            found: object = getattr(import_module(f"corpus.{module}"), name)
            globals()[name] = found
            return found
    raise AttributeError(f"module 'corpus' has no attribute {name!r}")
