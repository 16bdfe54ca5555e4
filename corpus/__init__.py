"""What was published: sources in, clean articles and passages out. No models, no search."""

from __future__ import annotations

from corpus.article import Article, Passage, Span, content_id
from corpus.errors import ArticleError, CorpusError, LibraryError, LibraryLocked, SourceError
from corpus.library import Kind, Library, Outcome
from corpus.readers import Found, Item, Refused, read
from corpus.sentences import split_sentences, trim
from corpus.shipped import shipped_articles
from corpus.split import split_article

__all__ = [
    "Article",
    "ArticleError",
    "CorpusError",
    "Found",
    "Item",
    "Kind",
    "Library",
    "LibraryError",
    "LibraryLocked",
    "Outcome",
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
