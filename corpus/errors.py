"""What can go wrong with articles.

CorpusError
├── ArticleError      an article, or a span of it, that breaks the rules of `corpus.article`
├── SourceError       a source that cannot be read; the message says why and what to do
│   └── SourceBusy    its server cannot answer now; later it may
└── LibraryError      the library folder cannot be used
    └── LibraryLocked somebody else is writing to it
"""

from __future__ import annotations


class CorpusError(Exception):
    """Everything corpus/ raises on purpose; its message is one line for a person."""


class ArticleError(CorpusError):
    """An article or a span that breaks the rules of `corpus.article`."""


class SourceError(CorpusError):
    """A source that cannot be read."""


class SourceBusy(SourceError):
    """A source whose server cannot answer now; `retry_after_s` is how long it asked to be left alone, where it did."""

    def __init__(self, message: str, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class LibraryError(CorpusError):
    """The library folder cannot be read or written."""


class LibraryLocked(LibraryError):
    """Another process is writing to the library, longer than we wait."""
