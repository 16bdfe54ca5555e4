"""The errors that this package raises.

CorpusError
├── ArticleError      an article, or a span of it, that breaks the rules of `corpus.article`
├── SourceError       a source that cannot be read; the message says why and what to do
│   └── SourceBusy    its server cannot answer now but may later
└── LibraryError      the library folder cannot be used
    └── LibraryLocked another process is writing to it
"""

from __future__ import annotations


class CorpusError(Exception):
    """Base of every error that this package raises on purpose; the message is one line for the user."""


class ArticleError(CorpusError):
    """An article or a span that breaks the rules of `corpus.article`."""


class SourceError(CorpusError):
    """A source that cannot be read."""


class SourceBusy(SourceError):
    """A source whose server cannot answer now; `retry_after_s` is how long it asked us to wait, 0 if it did not."""

    def __init__(self, message: str, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class LibraryError(CorpusError):
    """The library folder cannot be read or written."""


class LibraryLocked(LibraryError):
    """Another process has been writing to the library for longer than we wait."""
