"""Where an article lies in a library's folder, and what tells it from others."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, field

from corpus.article import Article
from corpus.text.dedupe import SKETCH_SIZE, minhash_sketch, url_key

_SKETCH_FORMAT = f"<{SKETCH_SIZE}I"


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """Where an article lies, and what tells it from others.

    `path` is relative to the library's folder. `start` is the offset of its line in a file of records, in bytes, and -1
    in any other file. `url_key` is `url_key` of its address. `text_hash` is equal for texts that differ in white space
    and case alone, `digest` for articles that are equal in everything but their ids. `sketch` is the packed MinHash
    sketch of the text.
    """

    id: str
    path: str
    start: int
    url_key: str | None
    text_hash: bytes
    digest: bytes
    sketch: bytes = field(repr=False)

    @property
    def is_record(self) -> bool:
        """Whether it is a line of a file of records."""
        return self.start >= 0

    def sketch_values(self) -> list[int]:
        """The values of the sketch, each with its place in it, so that equal numbers are equal values."""
        return [place << 32 | value for place, value in enumerate(struct.unpack(_SKETCH_FORMAT, self.sketch))]


def make_entry(article: Article, path: str, start: int = -1) -> CatalogEntry:
    """The entry of an article that lies there."""
    words = hashlib.blake2b("".join(article.text.split()).casefold().encode(), digest_size=16).digest()
    url = url_key(article.url) if article.url else None
    values = struct.pack(_SKETCH_FORMAT, *minhash_sketch(article.text))
    return CatalogEntry(article.id, path, start, url, words, article_digest(article), values)


def article_digest(article: Article) -> bytes:
    """16 bytes that change with anything the article says, its id excepted."""
    optional = (article.url, article.source, article.author, article.published, article.language)
    parts = (article.title, article.text, *(value or "" for value in optional))
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).digest()


def is_library_file(path: str) -> bool:
    """Whether a file has the form in which the library keeps an article."""
    return path.endswith(".md")


def precedence(entry: CatalogEntry) -> int:
    """Which of several entries with one id counts: the lowest."""
    return 1 if entry.is_record else 0 if is_library_file(entry.path) else 2
