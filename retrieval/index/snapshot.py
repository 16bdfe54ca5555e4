"""A snapshot: one immutable build of the index with the texts it quotes. Reading only.

snapshots/
  CURRENT                     one line: the name of the snapshot that serves
  20261124T001500Z-1a2b3c4d/
    manifest.json             format, encoder, counts, which segments it has and which of their articles are gone
  segments/
    0123456789abcdef/         the files themselves, see `segment.py`; snapshots share what they have in common
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.article import Article, Span
from retrieval.checksums import first_damaged
from retrieval.errors import RetrievalError, SnapshotCorrupt, SnapshotMissing, SnapshotOutdated
from retrieval.index.contract import (
    PASSAGE,
    SENTENCE,
    WORD,
    ArticleFilter,
    ArticleSummary,
    Floats,
    Matches,
    PassageData,
    PassageRecord,
    PassageVectors,
    Rows,
)
from retrieval.index.segment import MANIFEST, Segment, SegmentManifest, word_key
from retrieval.text.late_interaction import WORD_DIM

FORMAT = 3
"""Goes up whenever a snapshot's files change their meaning; older ones are then refused and rebuilt."""

SEGMENTS = "segments"

LET_GO = 5
"""After so many questions one file's pages are given back: of a million passages a question reads up to 15 MB."""

LISTED = 1 << 14
"""After so many articles that are listed all pages are given back."""

_REBUILD = "run: newsquote index build"

NAME = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a snapshot holds.

    `segments` names the segments, in the order of their rows; a name stands for what a segment holds. `gone` are
    articles that are in a segment and not in the snapshot, counted over all segments, ascending; they count neither
    among `articles` nor their passages among `passages`.
    """

    format: int
    created: str
    encoder: str
    dim: int
    articles: int
    passages: int
    segments: tuple[str, ...]
    gone: tuple[int, ...]

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read a snapshot's manifest.

        Raises:
            SnapshotCorrupt: it is missing, not a manifest or not the one the snapshot is named after.
            SnapshotOutdated: it has another format version.
        """
        try:
            text = (folder / "manifest.json").read_text(encoding="utf-8")
            raw = json.loads(text)
            version = raw["format"]
        except (OSError, ValueError, TypeError, KeyError) as exc:
            raise SnapshotCorrupt(f"snapshot {folder.name} has no readable manifest; {_REBUILD}") from exc
        if version != FORMAT:
            raise SnapshotOutdated(
                f"snapshot {folder.name} has format {version}, this newsquote reads {FORMAT}; {_REBUILD}"
            )
        try:
            known = {field.name: raw[field.name] for field in fields(cls)}
            known["segments"] = tuple(map(str, raw["segments"]))
            known["gone"] = tuple(map(int, raw["gone"]))
            manifest = cls(**known)
        except (TypeError, KeyError, ValueError, AttributeError) as exc:
            raise SnapshotCorrupt(f"snapshot {folder.name} has an incomplete manifest; {_REBUILD}") from exc
        if manifest.short_digest() != folder.name[-8:]:
            raise SnapshotCorrupt(f"snapshot {folder.name}: manifest.json is missing or damaged; {_REBUILD}")
        return manifest

    def to_json(self) -> str:
        """The manifest as it is written."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"

    def short_digest(self) -> str:
        """Eight hexadecimal digits of its SHA-256, with which a snapshot's name ends."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:8]


def snapshot_names(snapshots: Path) -> list[str]:
    """The names of the snapshots in a folder, oldest first."""
    if not snapshots.is_dir():
        return []
    return sorted(entry.name for entry in snapshots.iterdir() if NAME.fullmatch(entry.name))


def current_name(snapshots: Path) -> str | None:
    """The name of the snapshot that serves, None where none was ever published.

    Raises:
        SnapshotCorrupt: CURRENT does not hold a snapshot's name.
    """
    try:
        name = (snapshots / "CURRENT").read_text(encoding="utf-8", errors="replace").strip()
    except FileNotFoundError:
        return None
    if not NAME.fullmatch(name):
        raise SnapshotCorrupt("snapshots/CURRENT does not name a snapshot; run: newsquote index build")
    return name


@dataclass(frozen=True, slots=True)
class Snapshots:
    """The snapshots in a folder, a `Store`."""

    folder: Path

    def current(self) -> str | None:
        """The name of the one that serves, None where nothing was ever published."""
        return current_name(self.folder)

    def open(self, name: str | None = None, *, encoder: str | None = None) -> Snapshot:
        """Open one; see `Snapshot.open`."""
        return Snapshot.open(self.folder, name, encoder=encoder)

    def encoder(self) -> str | None:
        """The fingerprint of the encoder that made the one that serves."""
        name = self.current()
        return None if name is None else Manifest.read(self.folder / name).encoder

    def listed(self) -> list[tuple[str, str]]:
        """Name and description of each, oldest first."""
        found = []
        for name in snapshot_names(self.folder):
            try:
                manifest = Manifest.read(self.folder / name)
                found.append((name, f"{manifest.articles} articles, {manifest.passages} passages"))
            except RetrievalError as exc:
                found.append((name, str(exc)))
        return found

    def check(self) -> str:
        """Read every byte of the one that serves."""
        name = self.current()
        if name is None:
            raise SnapshotMissing("there is no index yet; run: newsquote index build")
        manifest = Manifest.read(self.folder / name)
        files = check(self.folder / name, manifest, memory=None)
        self.open(name)
        return f"{name} is intact: {manifest.articles} articles, {manifest.passages} passages, {files} files."


class Snapshot:
    """An open snapshot, the `Index` on one machine; its files are memory-mapped and never change."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self.name = folder.name
        self.manifest = manifest
        self.size = manifest.passages
        self.segments = [_open(folder.parent, name, manifest) for name in manifest.segments]
        self._firsts = _starts(segment.size for segment in self.segments)
        self._articles = _starts(segment.manifest.articles for segment in self.segments)
        self._gone = np.array(manifest.gone, np.int64)
        alive = np.ones(self._articles[-1], np.bool_)
        alive[self._gone] = False
        self._live = np.flatnonzero(alive) if len(self._gone) else None
        self._kept: dict[int, Article] = {}
        self._asked = 0

    @classmethod
    def open(cls, snapshots: Path, name: str | None = None, *, encoder: str | None = None) -> Snapshot:
        """Open a snapshot, CURRENT by default, after its files were checked against its manifest.

        A file's digest is computed once and remembered by its size and time of change. With `encoder`, the
        fingerprint of the one that will encode the questions.

        Raises:
            SnapshotMissing: there is none, or none of that name.
            SnapshotCorrupt: a file is missing or not what the manifest says.
            SnapshotOutdated: another format version or another encoder made it.
            PermissionError: the home cannot be written to, or its files cannot be read.
        """
        name = name or current_name(snapshots)
        if name is None:
            raise SnapshotMissing("there is no index yet; run: newsquote index build")
        folder = snapshots / name
        if not NAME.fullmatch(name) or not folder.is_dir():
            raise SnapshotMissing(f"there is no snapshot {name}; newsquote index list shows those there are")
        manifest = Manifest.read(folder)
        if encoder is not None and manifest.encoder != encoder:
            raise SnapshotOutdated(
                f"snapshot {name} was made with the encoder {manifest.encoder}, the one in use is {encoder}; "
                "run: newsquote index build"
            )
        check(folder, manifest, memory=snapshots / ".verified.json")
        try:
            return cls(folder, manifest)
        except PermissionError:
            raise
        except (OSError, ValueError) as exc:
            raise SnapshotCorrupt(f"snapshot {name} cannot be opened ({exc}); run: newsquote index build") from exc

    def article(self, row: int) -> Article:
        """The article of a row."""
        if row not in self._kept:
            if len(self._kept) > 4096:
                self._kept.clear()
            self._kept[row] = self._read(row)
        return self._kept[row]

    def _read(self, row: int) -> Article:
        place = row if self._live is None else int(self._live[row])
        number = int(np.searchsorted(self._articles, place, "right")) - 1
        return self.segments[number].article(place - int(self._articles[number]))

    def articles(self) -> Iterator[Article]:
        """Every article, by row."""
        return self.load(range(self.manifest.articles))

    def articles_with_rows(self) -> Iterator[tuple[int, Article]]:
        """Every article with its row."""
        return enumerate(self.articles())

    def listed(self) -> Iterator[ArticleSummary]:
        """What to list every article by, read past what is kept for answers, so that another thread may do it."""
        for row in range(self.manifest.articles):
            article = self._read(row)
            yield ArticleSummary(row, article.id, article.title, article.published)
            if row % LISTED == LISTED - 1:
                for segment in self.segments:
                    segment.release_pages()

    def load(self, rows: Iterable[int]) -> Iterator[Article]:
        """The articles of these rows, in their order."""
        return map(self.article, rows)

    def export(self) -> Iterator[tuple[Article, list[PassageRecord]]]:
        """Every article with all that is kept of its passages."""
        for number, segment in enumerate(self.segments):
            alive = np.ones(segment.manifest.articles, np.bool_)
            alive[self._gone_from(number)] = False
            yield from segment.export(alive)

    def vectors(self, keys: Iterable[int]) -> dict[int, PassageVectors]:
        """The vectors of those passages that were made of the same words, by their key."""
        wanted = np.unique(np.fromiter(keys, np.uint64))
        return {key: kept for one in self.segments for key, kept in one.known_vectors(wanted).items()}

    def fetch(self, vector: Floats | None, weights: Mapping[str, float], limit: int, where: ArticleFilter) -> Matches:
        """The `limit` passages nearest to a unit vector, and as many that share the most telling terms."""
        self._asked += 1
        if self._asked % LET_GO == 0:
            for segment in self.segments:
                segment.release_pages(self._asked // LET_GO)
        near, matched = [], []
        for number, segment in enumerate(self.segments):
            first = self._firsts[number]
            articles = None if where.everything else segment.allowed(where)
            gone = self._gone_from(number)
            if len(gone):
                articles = np.ones(segment.manifest.articles, np.bool_) if articles is None else articles
                articles[gone] = False
            allowed = None if articles is None else segment.passages_of(articles)
            if vector is not None:
                rows, scores = segment.vectors.search(vector, limit, allowed)
                near.append((rows + first, scores))
            rows, scores = _matching(segment, self._weights(segment, weights), limit, where, allowed)
            matched.append((rows + first, scores))
        nearest, _ = _best(near, limit)
        matching, scores = _best(matched, limit)
        rows = np.union1d(nearest, matching)
        bm25 = np.zeros(len(rows), np.float32)
        bm25[np.searchsorted(rows, matching)] = scores
        return Matches(rows, self._cosines(rows, vector), bm25, nearest, matching)

    def passages(self, rows: Rows) -> PassageData:
        """What is kept of these passages."""
        numbers, own = self._places(rows)
        segments = [self.segments[number] for number in numbers.tolist()]
        edges = self._taken(lambda segment: segment.edges, PASSAGE, numbers, own[:, None] + np.arange(2))
        words, sentences = (list(map(tuple, edges[unit].tolist())) for unit in ("word", "sentence"))
        dim = self.manifest.dim
        return PassageData(
            article=self._article_rows(numbers, edges["article"][:, 0]),
            spans=tuple(map(Span, edges["start"][:, 0].tolist(), edges["end"][:, 0].tolist())),
            arabic=self.arabic(rows),
            words=_joined([one.words[slice(*at)] for one, at in zip(segments, words, strict=True)], WORD),
            word_vectors=_joined(
                [one.word_vectors[slice(*at)] for one, at in zip(segments, words, strict=True)],
                np.dtype("i1"),
                WORD_DIM,
            ),
            word_counts=np.diff(edges["word"])[:, 0],
            sentences=_joined(
                [one.sentences[slice(*at)] for one, at in zip(segments, sentences, strict=True)], SENTENCE
            ),
            sentence_vectors=_joined(
                [one.sentence_vectors[slice(*at)] for one, at in zip(segments, sentences, strict=True)],
                np.dtype("i1"),
                dim,
            ),
            sentence_counts=np.diff(edges["sentence"])[:, 0],
        )

    def arabic(self, rows: Rows) -> NDArray[np.bool_]:
        """Which of these passages have at least as many Arabic words as others, (n,)."""
        return self._taken(lambda segment: segment.arabic, np.dtype(np.bool_), *self._places(rows))

    def texts(self, rows: Rows) -> list[str]:
        """The words of these passages."""
        numbers, own = self._places(rows)
        edges = self._taken(lambda segment: segment.edges, PASSAGE, numbers, own)
        articles = self._article_rows(numbers, edges["article"])
        return [
            self.article(article).text[start:end]
            for article, start, end in zip(
                articles.tolist(), edges["start"].tolist(), edges["end"].tolist(), strict=True
            )
        ]

    def neighbours(self, first: int, last: int) -> tuple[Span | None, Span | None]:
        """The sentences right before and right after the passages `first` to `last`, neighbours in one article."""
        [number, _], [low, high] = (found.tolist() for found in self._places(np.array([first, last])))
        segment = self.segments[number]
        article = segment.edges["article"]
        before = segment.sentence(low - 1, -1) if low and article[low - 1] == article[low] else None
        follows = high + 1 < segment.size and article[high + 1] == article[high]
        return before, segment.sentence(high + 1, 0) if follows else None

    def document_frequency(self, term: str) -> int:
        """In how many passages an index term occurs; in a large library those lately removed count too."""
        return sum(segment.lexical.document_frequency(term) for segment in self.segments)

    def known(self, words: Iterable[str]) -> set[str]:
        """Those of these folded words that occur in a title or text, now or lately."""
        keys = {word_key(word): word for word in words}
        return set().union(*(segment.known(keys) for segment in self.segments))

    def _weights(self, segment: Segment, weights: Mapping[str, float]) -> Mapping[str, float]:
        """The weights with which a segment scores terms as if it were the whole library: rare here is not rare at all.

        What is left is the mean length of a passage, which hardly differs between segments.
        """
        if len(self.segments) == 1:
            return weights
        size = sum(other.size for other in self.segments)
        found = {term: segment.lexical.document_frequency(term) for term in weights}
        return {
            term: weight * _idf(size, self.document_frequency(term)) / _idf(segment.size, found[term])
            for term, weight in weights.items()
            if found[term]
        }

    def _gone_from(self, number: int) -> Rows:
        """The articles of a segment that are gone, by its own rows."""
        first, last = np.searchsorted(self._gone, self._articles[number : number + 2])
        return np.asarray(self._gone[first:last] - self._articles[number], np.int64)

    def _places(self, rows: Rows) -> tuple[Rows, Rows]:
        """The segment of each passage, and its row there, both (n,)."""
        numbers = np.searchsorted(self._firsts, rows, "right") - 1
        return numbers, rows - self._firsts[numbers]

    def _taken(
        self, column: Callable[[Segment], NDArray[Any]], dtype: np.dtype[Any], numbers: Rows, own: Rows
    ) -> NDArray[Any]:
        """What a column of the segments has at these places: `numbers` (n,) of segments, `own` (n, ...) rows there."""
        found = np.empty(own.shape, dtype)
        for number in set(numbers.tolist()):
            there = numbers == number
            found[there] = column(self.segments[number])[own[there]]
        return found

    def _article_rows(self, numbers: Rows, own: Rows) -> Rows:
        """The rows of articles, by their segments and rows there."""
        rows = np.asarray(own + self._articles[numbers], np.int64)
        return rows if self._live is None else np.searchsorted(self._live, rows)

    def _cosines(self, rows: Rows, vector: Floats | None) -> Floats:
        if vector is None or not len(rows):
            return np.zeros(len(rows), np.float32)
        edges = np.searchsorted(rows, self._firsts)
        taken = [
            segment.vectors.take(rows[edges[number] : edges[number + 1]] - self._firsts[number])
            for number, segment in enumerate(self.segments)
        ]
        return np.asarray(np.concatenate(taken) @ vector, np.float32)


def _matching(
    segment: Segment, weights: Mapping[str, float], limit: int, where: ArticleFilter, allowed: NDArray[np.bool_] | None
) -> tuple[Rows, Floats]:
    """The best passages of a segment by words. Its lexical index knows the conditions, not what is gone."""
    wanted = limit
    while True:
        rows, scores = segment.lexical.search(weights, wanted, where)
        inside = np.ones(len(rows), np.bool_) if allowed is None else allowed[rows]
        if len(rows) < wanted or np.count_nonzero(inside) >= limit:
            return rows[inside][:limit], scores[inside][:limit]
        wanted *= 2


def _best(found: list[tuple[Rows, Floats]], limit: int) -> tuple[Rows, Floats]:
    """The best of several rankings, equal scores by row."""
    if not found:
        return np.empty(0, np.int64), np.empty(0, np.float32)
    rows, scores = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = np.lexsort((rows, -scores))[:limit]
    return rows[order], scores[order]


def _idf(size: int, count: int) -> float:
    """A term's inverse document frequency, as tantivy has it."""
    return math.log(1 + (size - count + 0.5) / (count + 0.5))


def _joined(parts: list[NDArray[Any]], dtype: np.dtype[Any], *width: int) -> NDArray[Any]:
    """Arrays one after the other; numpy's own way takes ten times as long where rows have fields."""
    joined = np.empty((sum(map(len, parts)), *width), dtype)
    start = 0
    for part in parts:
        joined[start : start + len(part)] = part
        start += len(part)
    return joined


def _starts(sizes: Iterable[int]) -> Rows:
    return np.concatenate((np.zeros(1, np.int64), np.cumsum(np.fromiter(sizes, np.int64))))


def _open(snapshots: Path, name: str, manifest: Manifest) -> Segment:
    folder = snapshots / SEGMENTS / name
    segment = Segment(folder, SegmentManifest.read(folder))
    if (segment.manifest.encoder, segment.manifest.dim) != (manifest.encoder, manifest.dim):
        raise ValueError(f"segment {name} is of another encoder")
    return segment


def check(folder: Path, manifest: Manifest, *, memory: Path | None) -> int:
    """Compare a snapshot's files with its manifest; with `memory`, those seen before by their size and time only.

    Returns how many files there are.

    Raises:
        SnapshotCorrupt: a file is missing or differs.
    """
    segments = folder.parent / SEGMENTS
    files: list[tuple[Path, int | None, str]] = []
    bad = None
    for name in manifest.segments:
        try:
            one = SegmentManifest.read(segments / name)
        except SnapshotCorrupt:
            bad = segments / name / MANIFEST
            break
        if one.name != name:
            bad = segments / name / MANIFEST
            break
        files += [(segments / name / file, size, digest) for file, (size, digest) in one.files.items()]
    bad = bad or first_damaged(files, memory)
    if bad is not None:
        raise SnapshotCorrupt(
            f"snapshot {folder.name}: {bad.relative_to(segments)} is missing or damaged; "
            "run: newsquote index build --full, or newsquote index use with an older one"
        )
    return 1 + len(manifest.segments) + len(files)
