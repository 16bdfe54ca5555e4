"""An open snapshot: one immutable build of the index, with the articles it quotes. Reading only."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.article import Article, Span
from retrieval.errors import SnapshotCorrupt, SnapshotMissing, SnapshotOutdated
from retrieval.index.contract import (
    PASSAGE,
    SENTENCE,
    WORD,
    ArticleFilter,
    ArticleSummary,
    Candidates,
    Floats,
    PassageData,
    PassageRecord,
    PassageVectors,
    Rows,
)
from retrieval.index.segment import Segment, SegmentManifest, word_key
from retrieval.index.snapshot_folder import NAME, SEGMENTS, SnapshotManifest, check_files, current_name
from retrieval.text.late_interaction import WORD_DIM

QUERIES_PER_RELEASE = 5
"""One file's pages are released after this many queries; with a million passages a query reads up to 15 MB."""
ARTICLES_PER_RELEASE = 1 << 14
"""All pages are released after this many articles have been summarised."""


class Snapshot:
    """An open snapshot, the `Index` on one machine. Its files are memory-mapped and never change.

    A row of a passage or article counts over all segments; articles that were removed from the snapshot have none.
    """

    def __init__(self, folder: Path, manifest: SnapshotManifest) -> None:
        self.folder = folder
        self.name = folder.name
        self.manifest = manifest
        self.size = manifest.passages
        self.segments = [_open_segment(folder.parent, name, manifest) for name in manifest.segments]
        self._first_passages = _offsets(segment.size for segment in self.segments)
        self._first_articles = _offsets(segment.manifest.articles for segment in self.segments)
        self._removed = np.array(manifest.gone, np.int64)
        mask = np.ones(self._first_articles[-1], np.bool_)
        mask[self._removed] = False
        self._kept_rows = np.flatnonzero(mask) if len(self._removed) else None
        self._article_cache: dict[int, Article] = {}
        self._queries = 0

    @classmethod
    def open(cls, snapshots: Path, name: str | None = None, *, encoder: str | None = None) -> Snapshot:
        """Open a snapshot, CURRENT by default, after checking its files against its manifest.

        A file is hashed once and then recognised by its size and modification time. `encoder` is the fingerprint of
        the encoder that will encode the questions.

        Raises:
            SnapshotMissing: there is no snapshot, or none of that name.
            SnapshotCorrupt: a file is missing or not what the manifest says.
            SnapshotOutdated: it has another format version or was made with another encoder.
            PermissionError: the home cannot be written to, or its files cannot be read.
        """
        name = name or current_name(snapshots)
        if name is None:
            raise SnapshotMissing("there is no index yet; run: newsquote index build")
        folder = snapshots / name
        if not NAME.fullmatch(name) or not folder.is_dir():
            raise SnapshotMissing(f"there is no snapshot {name}; newsquote index list shows those there are")
        manifest = SnapshotManifest.read(folder)
        if encoder is not None and manifest.encoder != encoder:
            raise SnapshotOutdated(
                f"snapshot {name} was made with the encoder {manifest.encoder}, the one in use is {encoder}; "
                "run: newsquote index build"
            )
        check_files(folder, manifest, memory=snapshots / ".verified.json")
        try:
            return cls(folder, manifest)
        except PermissionError:
            raise
        except (OSError, ValueError) as exc:
            raise SnapshotCorrupt(f"snapshot {name} cannot be opened ({exc}); run: newsquote index build") from exc

    def article(self, row: int) -> Article:
        """The article of a row."""
        if row not in self._article_cache:
            if len(self._article_cache) > 4096:
                self._article_cache.clear()
            self._article_cache[row] = self._read(row)
        return self._article_cache[row]

    def _read(self, row: int) -> Article:
        position = row if self._kept_rows is None else int(self._kept_rows[row])
        number = int(np.searchsorted(self._first_articles, position, "right")) - 1
        return self.segments[number].article(position - int(self._first_articles[number]))

    def articles_with_rows(self) -> Iterator[tuple[int, Article]]:
        """Every article with its row."""
        return enumerate(self.load(range(self.manifest.articles)))

    def summaries(self) -> Iterator[ArticleSummary]:
        """A summary of every article. It bypasses the cache of articles, so it may run in another thread."""
        for row in range(self.manifest.articles):
            article = self._read(row)
            yield ArticleSummary(row, article.id, article.title, article.published)
            if row % ARTICLES_PER_RELEASE == ARTICLES_PER_RELEASE - 1:
                for segment in self.segments:
                    segment.release_pages()

    def load(self, rows: Iterable[int]) -> Iterator[Article]:
        """The articles of these rows, in their order."""
        return map(self.article, rows)

    def export(self) -> Iterator[tuple[Article, list[PassageRecord]]]:
        """Every article with the records of its passages."""
        for number, segment in enumerate(self.segments):
            mask = np.ones(segment.manifest.articles, np.bool_)
            mask[self._removed_from(number)] = False
            yield from segment.export(mask)

    def vectors(self, keys: Iterable[int]) -> dict[int, PassageVectors]:
        """The vectors of the stored passages with these keys, by key."""
        wanted = np.unique(np.fromiter(keys, np.uint64))
        return {key: kept for one in self.segments for key, kept in one.known_vectors(wanted).items()}

    def retrieve(
        self, vector: Floats | None, weights: Mapping[str, float], limit: int, where: ArticleFilter
    ) -> Candidates:
        """The `limit` passages nearest to a unit vector, and the `limit` best by BM25; see `Index.retrieve`."""
        self._queries += 1
        if self._queries % QUERIES_PER_RELEASE == 0:
            for segment in self.segments:
                segment.release_pages(self._queries // QUERIES_PER_RELEASE)
        dense, lexical = [], []
        for number, segment in enumerate(self.segments):
            first = self._first_passages[number]
            articles = None if where.allows_all else segment.article_mask(where)
            removed = self._removed_from(number)
            if len(removed):
                articles = np.ones(segment.manifest.articles, np.bool_) if articles is None else articles
                articles[removed] = False
            allowed = None if articles is None else segment.passage_mask(articles)
            if vector is not None:
                rows, scores = segment.vector_index.search(vector, limit, allowed)
                dense.append((rows + first, scores))
            rows, scores = _lexical_search(segment, self._weights(segment, weights), limit, where, allowed)
            lexical.append((rows + first, scores))
        dense_ranking, _ = _merge_rankings(dense, limit)
        lexical_ranking, scores = _merge_rankings(lexical, limit)
        rows = np.union1d(dense_ranking, lexical_ranking)
        bm25 = np.zeros(len(rows), np.float32)
        bm25[np.searchsorted(rows, lexical_ranking)] = scores
        return Candidates(rows, self._cosines(rows, vector), bm25, dense_ranking, lexical_ranking)

    def passages(self, rows: Rows) -> PassageData:
        """The stored data of these passages."""
        numbers, own = self._locate(rows)
        segments = [self.segments[number] for number in numbers.tolist()]
        edges = self._gather(lambda segment: segment.passages, PASSAGE, numbers, own[:, None] + np.arange(2))
        words, sentences = (list(map(tuple, edges[unit].tolist())) for unit in ("word", "sentence"))
        dim = self.manifest.dim
        return PassageData(
            article=self._article_rows(numbers, edges["article"][:, 0]),
            spans=tuple(map(Span, edges["start"][:, 0].tolist(), edges["end"][:, 0].tolist())),
            arabic=self.arabic(rows),
            words=_concatenate([one.words[slice(*at)] for one, at in zip(segments, words, strict=True)], WORD),
            word_vectors=_concatenate(
                [one.word_vectors[slice(*at)] for one, at in zip(segments, words, strict=True)],
                np.dtype("i1"),
                WORD_DIM,
            ),
            word_counts=np.diff(edges["word"])[:, 0],
            sentences=_concatenate(
                [one.sentences[slice(*at)] for one, at in zip(segments, sentences, strict=True)], SENTENCE
            ),
            sentence_vectors=_concatenate(
                [one.sentence_vectors[slice(*at)] for one, at in zip(segments, sentences, strict=True)],
                np.dtype("i1"),
                dim,
            ),
            sentence_counts=np.diff(edges["sentence"])[:, 0],
        )

    def arabic(self, rows: Rows) -> NDArray[np.bool_]:
        """Whether at least half of the words are Arabic, for each of these passages, (n,)."""
        return self._gather(lambda segment: segment.arabic, np.dtype(np.bool_), *self._locate(rows))

    def texts(self, rows: Rows) -> list[str]:
        """The texts of these passages."""
        numbers, own = self._locate(rows)
        edges = self._gather(lambda segment: segment.passages, PASSAGE, numbers, own)
        articles = self._article_rows(numbers, edges["article"])
        return [
            self.article(article).text[start:end]
            for article, start, end in zip(
                articles.tolist(), edges["start"].tolist(), edges["end"].tolist(), strict=True
            )
        ]

    def neighbours(self, first: int, last: int) -> tuple[Span | None, Span | None]:
        """The sentences right before and after the consecutive passages `first` to `last` of one article."""
        [number, _], [low, high] = (found.tolist() for found in self._locate(np.array([first, last])))
        segment = self.segments[number]
        article = segment.passages["article"]
        before = segment.sentence(low - 1, -1) if low and article[low - 1] == article[low] else None
        follows = high + 1 < segment.size and article[high + 1] == article[high]
        return before, segment.sentence(high + 1, 0) if follows else None

    def document_frequency(self, term: str) -> int:
        """The number of passages an index term occurs in, including removed ones whose segment was not merged yet."""
        return sum(segment.lexical_index.document_frequency(term) for segment in self.segments)

    def known_words(self, words: Iterable[str]) -> set[str]:
        """Those of these folded words that occur in a title or text, including removed ones not merged away yet."""
        keys = {word_key(word): word for word in words}
        return set().union(*(segment.known_words(keys) for segment in self.segments))

    def _weights(self, segment: Segment, weights: Mapping[str, float]) -> Mapping[str, float]:
        """The weights that make a segment score terms with the document frequencies of the whole library.

        The mean passage length is still the segment's own; it hardly differs between segments.
        """
        if len(self.segments) == 1:
            return weights
        size = sum(other.size for other in self.segments)
        found = {term: segment.lexical_index.document_frequency(term) for term in weights}
        return {
            term: weight * _idf(size, self.document_frequency(term)) / _idf(segment.size, found[term])
            for term, weight in weights.items()
            if found[term]
        }

    def _removed_from(self, number: int) -> Rows:
        """The removed articles of a segment, by its own rows."""
        first, last = np.searchsorted(self._removed, self._first_articles[number : number + 2])
        return np.asarray(self._removed[first:last] - self._first_articles[number], np.int64)

    def _locate(self, rows: Rows) -> tuple[Rows, Rows]:
        """The segment number of each passage, and its row in that segment, both (n,)."""
        numbers = np.searchsorted(self._first_passages, rows, "right") - 1
        return numbers, rows - self._first_passages[numbers]

    def _gather(
        self, column: Callable[[Segment], NDArray[Any]], dtype: np.dtype[Any], numbers: Rows, own: Rows
    ) -> NDArray[Any]:
        """The values of a column of the segments: `numbers` (n,) are segment numbers, `own` (n, ...) rows in them."""
        found = np.empty(own.shape, dtype)
        for number in set(numbers.tolist()):
            there = numbers == number
            found[there] = column(self.segments[number])[own[there]]
        return found

    def _article_rows(self, numbers: Rows, own: Rows) -> Rows:
        """The snapshot's rows of articles, from their segment numbers and their rows in these."""
        rows = np.asarray(own + self._first_articles[numbers], np.int64)
        return rows if self._kept_rows is None else np.searchsorted(self._kept_rows, rows)

    def _cosines(self, rows: Rows, vector: Floats | None) -> Floats:
        if vector is None or not len(rows):
            return np.zeros(len(rows), np.float32)
        edges = np.searchsorted(rows, self._first_passages)
        taken = [
            segment.vector_index.take(rows[edges[number] : edges[number + 1]] - self._first_passages[number])
            for number, segment in enumerate(self.segments)
        ]
        return np.asarray(np.concatenate(taken) @ vector, np.float32)


def _lexical_search(
    segment: Segment, weights: Mapping[str, float], limit: int, where: ArticleFilter, allowed: NDArray[np.bool_] | None
) -> tuple[Rows, Floats]:
    """The best passages of a segment by BM25; asks for more as long as removed ones take the places of others."""
    wanted = limit
    while True:
        rows, scores = segment.lexical_index.search(weights, wanted, where)
        inside = np.ones(len(rows), np.bool_) if allowed is None else allowed[rows]
        if len(rows) < wanted or np.count_nonzero(inside) >= limit:
            return rows[inside][:limit], scores[inside][:limit]
        wanted *= 2


def _merge_rankings(found: list[tuple[Rows, Floats]], limit: int) -> tuple[Rows, Floats]:
    """The `limit` best of several rankings, equal scores by row."""
    if not found:
        return np.empty(0, np.int64), np.empty(0, np.float32)
    rows, scores = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = np.lexsort((rows, -scores))[:limit]
    return rows[order], scores[order]


def _idf(size: int, count: int) -> float:
    """A term's inverse document frequency, as tantivy computes it."""
    return math.log(1 + (size - count + 0.5) / (count + 0.5))


def _concatenate(parts: list[NDArray[Any]], dtype: np.dtype[Any], *width: int) -> NDArray[Any]:
    """Concatenates arrays; numpy.concatenate takes ten times as long for structured types."""
    joined = np.empty((sum(map(len, parts)), *width), dtype)
    start = 0
    for part in parts:
        joined[start : start + len(part)] = part
        start += len(part)
    return joined


def _offsets(sizes: Iterable[int]) -> Rows:
    """Where each of some consecutive parts starts, and where the last one ends."""
    return np.concatenate((np.zeros(1, np.int64), np.cumsum(np.fromiter(sizes, np.int64))))


def _open_segment(snapshots: Path, name: str, manifest: SnapshotManifest) -> Segment:
    folder = snapshots / SEGMENTS / name
    segment = Segment(folder, SegmentManifest.read(folder))
    if (segment.manifest.encoder, segment.manifest.dim) != (manifest.encoder, manifest.dim):
        raise ValueError(f"segment {name} is of another encoder")
    return segment
