"""Catalog entries: where an article is stored, and what identifies it."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, field

from corpus.article import Article
from corpus.text.dedupe import SKETCH_SIZE, minhash_sketch, url_key

_SKETCH_FORMAT = f"<{SKETCH_SIZE}I"


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """Where an article is stored, and what identifies it.

    `path` is relative to the library's folder. `start` is the offset of its line in a records file, in bytes, and -1
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
        """Whether it is a line of a records file."""
        return self.start >= 0

    def sketch_values(self) -> list[int]:
        """The values of the sketch, each combined with its position, so that they can be compared as a set."""
        return [place << 32 | value for place, value in enumerate(struct.unpack(_SKETCH_FORMAT, self.sketch))]


def make_entry(article: Article, path: str, start: int = -1) -> CatalogEntry:
    """The entry of an article stored in the file `path`, at the byte offset `start` if it is a record."""
    text_hash = hashlib.blake2b("".join(article.text.split()).casefold().encode(), digest_size=16).digest()
    url = url_key(article.url) if article.url else None
    values = struct.pack(_SKETCH_FORMAT, *minhash_sketch(article.text))
    return CatalogEntry(article.id, path, start, url, text_hash, article_digest(article), values)


def article_digest(article: Article) -> bytes:
    """A hash of everything but the id: 16 bytes."""
    optional = (article.url, article.source, article.author, article.published, article.language)
    parts = (article.title, article.text, *(value or "" for value in optional))
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).digest()


def is_library_file(path: str) -> bool:
    """Whether a file has the format in which the library stores a single article."""
    return path.endswith(".md")


def precedence(entry: CatalogEntry) -> int:
    """0 for the library's own files, 1 for records, 2 for others; of several entries with one id the lowest counts."""
    return 1 if entry.is_record else 0 if is_library_file(entry.path) else 2
