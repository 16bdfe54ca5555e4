"""Copies an index to another engine without encoding anything again, and compares both at the end."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

from corpus.article import Article
from corpus.storage.entry import article_digest
from retrieval.errors import PublishError
from retrieval.index.contract import Index, PassageVectors, Published


class IndexSource:
    """The articles of an index as a source; holds their ids, digests and rows, but not their texts."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._rows: dict[str, int] = {}
        self._digests: dict[str, bytes] = {}
        for row, article in index.articles_with_rows():
            self._rows[article.id] = row
            self._digests[article.id] = article_digest(article)

    def digests(self) -> Mapping[str, bytes]:
        """The digest of each article (`corpus.storage.entry.article_digest`), by id."""
        return self._digests

    def load(self, ids: Iterable[str]) -> Iterator[Article]:
        """The articles with these ids, in their order."""
        return self._index.load(self._rows[article_id] for article_id in ids)


class Publish(Protocol):
    """Publishes a source to an engine, reusing the vectors that `known` returns."""

    def __call__(
        self, source: IndexSource, /, *, known: Callable[[Iterable[int]], Mapping[int, PassageVectors]]
    ) -> Published:
        """See `retrieval.index.writing.publishing.publish`."""


def migrate(old: Index, publish: Publish, opened: Callable[[], Index], source: IndexSource | None = None) -> Published:
    """Publish the contents of an index to another engine, and compare them. An interrupted run can be repeated.

    Args:
        old: The index to copy.
        publish: Publishes to the other engine.
        opened: Opens the published index there.
        source: The articles of `old`, if they were listed already.

    Raises:
        PublishError: the contents of the two indexes differ.
    """
    done = publish(source or IndexSource(old), known=old.vectors)
    sent, arrived = contents_digest(old), contents_digest(opened())
    if sent != arrived:
        raise PublishError(
            f"{sent[0]} articles with {sent[1]} passages (digest {sent[2][:8]}) were to be copied, {arrived[0]} with "
            f"{arrived[1]} (digest {arrived[2][:8]}) arrived; run: newsquote index build, then migrate again"
        )
    return done


def contents_digest(index: Index) -> tuple[int, int, str]:
    """The number of articles and passages of an index, and a digest of all its records, whatever their order."""
    articles = passages = total = 0
    for article, kept in index.export():
        digest = hashlib.blake2b(article.id.encode("utf-8", "surrogatepass"), digest_size=16)
        digest.update(article_digest(article))
        for one in kept:
            digest.update(repr((*one.span, one.key, one.arabic, one.folded)).encode("utf-8", "surrogatepass"))
            for array in (one.words, one.sentences, one.vectors.passage, one.vectors.sentences, one.vectors.words):
                digest.update(array.tobytes())
        total = (total + int.from_bytes(digest.digest(), "big")) % (1 << 128)
        articles += 1
        passages += len(kept)
    return articles, passages, f"{total:032x}"
