"""A snapshot: one immutable, self-contained build of the index with the texts it quotes. Reading only.

snapshots/
  CURRENT                     one line: the name of the snapshot that serves
  20261124T001500Z-1a2b3c4d/
    manifest.json             format, encoder, counts, size and SHA-256 of every file
    articles.jsonl            one article a line, in the order of their rows
    folded.txt                the folded words of each passage, stop words included
    vocabulary.txt            every one of them once
    *.bin                     flat arrays, memory-mapped; their types and shapes are in ARRAYS
    vectors.faiss             a unit vector for each passage
    lexical/                  the terms of each passage
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.article import Article, Span
from retrieval.digests import sha256_of, verified
from retrieval.errors import SnapshotCorrupt, SnapshotMissing, SnapshotOutdated
from retrieval.index import PASSAGE, SENTENCE, WORD, Fetched, Floats, Passages, Rows, Where
from retrieval.kinds import Mark
from retrieval.late import WORD_DIM
from retrieval.lexical import LexicalIndex
from retrieval.vectors import VectorIndex

FORMAT = 2
"""Goes up whenever a snapshot's files change their meaning; older ones are then refused and rebuilt."""

_REBUILD = "run: newsquote index build"

NAME = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a snapshot holds.

    `recipe` names the code that made passages and words; `files` maps each file's path inside the snapshot to its size
    and SHA-256.
    """

    format: int
    created: str
    encoder: str
    dim: int
    articles: int
    passages: int
    sentences: int
    words: int
    recipe: str
    files: dict[str, tuple[int, str]]

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read a snapshot's manifest.

        Raises:
            SnapshotCorrupt: it is missing or not a manifest.
            SnapshotOutdated: it has another format version.
        """
        try:
            raw = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
            version = raw["format"]
        except (OSError, ValueError, TypeError, KeyError) as exc:
            raise SnapshotCorrupt(f"snapshot {folder.name} has no readable manifest; {_REBUILD}") from exc
        if version != FORMAT:
            raise SnapshotOutdated(
                f"snapshot {folder.name} has format {version}, this newsquote reads {FORMAT}; {_REBUILD}"
            )
        try:
            known = {field.name: raw[field.name] for field in fields(cls)}
            known["files"] = {name: (int(size), str(digest)) for name, (size, digest) in raw["files"].items()}
            return cls(**known)
        except (TypeError, KeyError, ValueError, AttributeError) as exc:
            raise SnapshotCorrupt(f"snapshot {folder.name} has an incomplete manifest; {_REBUILD}") from exc

    def to_json(self) -> str:
        """The manifest as it is written."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"


def names(snapshots: Path) -> list[str]:
    """The names of the snapshots in a folder, oldest first."""
    if not snapshots.is_dir():
        return []
    return sorted(entry.name for entry in snapshots.iterdir() if NAME.fullmatch(entry.name))


def current(snapshots: Path) -> str | None:
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


class Snapshot:
    """An open snapshot, the `Index` on one machine; its files are memory-mapped and never change."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self.name = folder.name
        self.manifest = manifest
        self.size = manifest.passages
        size, _ = manifest.files["articles.jsonl"]
        self._texts = _array(folder / "articles.jsonl", np.dtype("u1"), (size,))
        self._lines = _array(folder / "lines.bin", np.dtype("<i8"), (manifest.articles + 1,))
        self._days = _array(folder / "days.bin", np.dtype("<i4"), (manifest.articles,))
        self.edges = _array(folder / "passages.bin", PASSAGE, (manifest.passages + 1,))
        self.keys = _array(folder / "keys.bin", np.dtype("<u8"), (manifest.passages,))
        self.sentences = _array(folder / "sentences.bin", SENTENCE, (manifest.sentences,))
        self.sentence_vectors = _array(
            folder / "sentence_vectors.bin", np.dtype("i1"), (manifest.sentences, manifest.dim)
        )
        self.words = _array(folder / "words.bin", WORD, (manifest.words,))
        self.word_vectors = _array(folder / "word_vectors.bin", np.dtype("i1"), (manifest.words, WORD_DIM))
        self._vocabulary_path = folder / "vocabulary.txt"
        self._vocabulary: frozenset[str] | None = None
        self.vectors = VectorIndex.open(folder / "vectors.faiss")
        self.lexical = LexicalIndex.open(folder / "lexical")
        self._articles: dict[int, Article] = {}

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
        name = name or current(snapshots)
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
        if row not in self._articles:
            if len(self._articles) > 4096:
                self._articles.clear()
            line = self._texts[int(self._lines[row]) : int(self._lines[row + 1])].tobytes()
            self._articles[row] = Article(**json.loads(line))
        return self._articles[row]

    def articles(self) -> Iterator[Article]:
        """Every article, by row."""
        return (self.article(row) for row in range(self.manifest.articles))

    def fetch(self, vector: Floats | None, weights: Mapping[str, float], limit: int, where: Where) -> Fetched:
        """The `limit` passages nearest to a unit vector, and as many that share the most telling terms."""
        allowed = self._allowed(where)
        nearest = np.empty(0, np.int64) if vector is None else self.vectors.search(vector, limit, allowed)[0]
        matching, scores = self.lexical.search(weights, limit if allowed is None else self.size)
        if allowed is not None:
            inside = np.isin(matching, allowed)
            matching, scores = matching[inside][:limit], scores[inside][:limit]
        rows = np.union1d(nearest, matching)
        bm25 = np.zeros(len(rows), np.float32)
        bm25[np.searchsorted(rows, matching)] = scores
        cosine = np.zeros(len(rows), np.float32) if vector is None else self.vectors.take(rows) @ vector
        return Fetched(rows, cosine, bm25, nearest, matching)

    def passages(self, rows: Rows) -> Passages:
        """What is kept of these passages."""
        firsts, lasts = self.edges[rows], self.edges[rows + 1]
        words = _ranges(firsts["word"], lasts["word"])
        sentences = _ranges(firsts["sentence"], lasts["sentence"])
        return Passages(
            article=firsts["article"],
            spans=tuple(map(Span, firsts["start"].tolist(), firsts["end"].tolist())),
            arabic=self.arabic(rows),
            words=self.words[words],
            word_vectors=self.word_vectors[words],
            word_counts=lasts["word"] - firsts["word"],
            sentences=self.sentences[sentences],
            sentence_vectors=self.sentence_vectors[sentences],
            sentence_counts=lasts["sentence"] - firsts["sentence"],
        )

    def arabic(self, rows: Rows) -> NDArray[np.bool_]:
        """Which of these passages have at least as many Arabic words as others, (n,)."""
        edges = self.edges["word"]
        counts = edges[rows + 1] - edges[rows]
        marked = (self.words["mark"][_ranges(edges[rows], edges[rows + 1])] & int(Mark.ARABIC)) > 0
        arabic = np.bincount(np.repeat(np.arange(len(rows)), counts), marked, len(rows))
        return np.asarray((arabic > 0) & (2 * arabic >= counts), np.bool_)

    def texts(self, rows: Rows) -> list[str]:
        """The words of these passages."""
        return [self.article(article).text[start:end] for article, start, end, *_ in self.edges[rows].tolist()]

    def beside(self, first: int, last: int) -> tuple[Span | None, Span | None]:
        """The sentences right before and right after the passages `first` to `last`, neighbours in one article."""
        return self._sentence(first - 1, first, -1), self._sentence(last + 1, last, 0)

    def _sentence(self, row: int, neighbour: int, place: int) -> Span | None:
        if not 0 <= row < self.size or self.edges["article"][row] != self.edges["article"][neighbour]:
            return None
        first, last = (int(edge) for edge in self.edges["sentence"][row : row + 2])
        sentence = self.sentences[first:last][place]
        return Span(int(sentence["start"]), int(sentence["end"]))

    def document_frequency(self, term: str) -> int:
        """In how many passages an index term occurs."""
        return self.lexical.document_frequency(term)

    def known(self, words: Iterable[str]) -> set[str]:
        """Those of these folded words that occur in a title or text."""
        if self._vocabulary is None:
            self._vocabulary = frozenset(self._vocabulary_path.read_text(encoding="utf-8").split())
        return set(self._vocabulary.intersection(words))

    def _allowed(self, where: Where) -> Rows | None:
        """The passages that may be found; None for all of them."""
        if where.everything:
            return None
        mask = np.ones(self.size, np.bool_)
        if where.since is not None or where.until is not None:
            mask &= self.published_between(where.since, where.until)
        if where.source is not None:
            mask &= self.from_source(where.source)
        return np.flatnonzero(mask).astype(np.int64)

    def published_between(self, since: dt.date | None, until: dt.date | None) -> NDArray[np.bool_]:
        """Which passages' articles were published from `since` to `until`, both included; undated ones never were."""
        days = self._days[self.edges["article"][:-1]]
        found = days > 0
        if since is not None:
            found &= days >= since.toordinal()
        if until is not None:
            found &= days <= until.toordinal()
        return np.asarray(found, np.bool_)

    def from_source(self, source: str) -> NDArray[np.bool_]:
        """Which passages' articles name `source` as their outlet, compared without case."""
        wanted = source.casefold().strip()
        rows = np.fromiter(
            ((a.source or "").casefold() == wanted for a in self.articles()), np.bool_, self.manifest.articles
        )
        return np.asarray(rows[self.edges["article"][:-1]], np.bool_)


def check(folder: Path, manifest: Manifest, *, memory: Path | None) -> None:
    """Compare a snapshot's files with its manifest; with `memory`, those seen before by their size and time only.

    Raises:
        SnapshotCorrupt: a file is missing or differs.
    """
    for name, (size, digest) in manifest.files.items():
        path = folder / name
        try:
            sound = path.stat().st_size == size and (
                sha256_of(path) == digest if memory is None else verified(path, digest, memory)
            )
        except OSError:
            sound = False
        if not sound:
            raise SnapshotCorrupt(
                f"snapshot {folder.name}: {name} is missing or damaged; run: newsquote index build --full, "
                "or newsquote index use with an older one"
            )


def _array(path: Path, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    if 0 in shape:  # an empty file cannot be mapped
        return np.empty(shape, dtype)
    return np.memmap(path, dtype, "r", shape=shape)


def _ranges(firsts: Rows, lasts: Rows) -> Rows:
    """The positions firsts[i] to lasts[i] of every i, one range after the other."""
    counts = lasts - firsts
    ahead = np.concatenate(([0], np.cumsum(counts)))
    return np.arange(ahead[-1]) + np.repeat(firsts - ahead[:-1], counts)
