"""Where an article lies in a library's folder, and what tells it from others."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, field

from corpus.article import Article
from corpus.text.dedupe import SKETCH, sketch, url_key

_SKETCHED = f"<{SKETCH}I"


@dataclass(frozen=True, slots=True)
class Entry:
    """Where an article lies, and what tells it from others.

    `path` is relative to the folder. `start` is its line's first byte in a file of records, -1 in any other. `url` is
    the key of its address, `words` equal where two texts differ in white space and case alone, `digest` where all is
    equal. `sketch` holds the values of which nearly equal texts share some.
    """

    id: str
    path: str
    start: int
    url: str | None
    words: bytes
    digest: bytes
    sketch: bytes = field(repr=False)

    @property
    def is_record(self) -> bool:
        """Whether it is a line of a file of records."""
        return self.start >= 0

    def sketched(self) -> list[int]:
        """The values of the sketch, each with its place in it, so that equal numbers are equal values."""
        return [place << 32 | value for place, value in enumerate(struct.unpack(_SKETCHED, self.sketch))]


def entry_of(article: Article, path: str, start: int = -1) -> Entry:
    """The entry of an article that lies there."""
    words = hashlib.blake2b("".join(article.text.split()).casefold().encode(), digest_size=16).digest()
    url = url_key(article.url) if article.url else None
    values = struct.pack(_SKETCHED, *sketch(article.text))
    return Entry(article.id, path, start, url, words, digest_of(article), values)


def digest_of(article: Article) -> bytes:
    """16 bytes that change with anything the article says, its id excepted."""
    optional = (article.url, article.source, article.author, article.published, article.language)
    parts = (article.title, article.text, *(value or "" for value in optional))
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).digest()


def is_own(path: str) -> bool:
    """Whether a file has the form in which the library keeps an article."""
    return path.endswith(".md")


def rank(entry: Entry) -> int:
    """Which of several entries with one id counts: the lowest."""
    return 1 if entry.is_record else 0 if is_own(entry.path) else 2
