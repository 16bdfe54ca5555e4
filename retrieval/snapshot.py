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
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.article import Article, Span
from retrieval.digests import sha256_of, verified
from retrieval.errors import SnapshotCorrupt, SnapshotMissing, SnapshotOutdated
from retrieval.kinds import Mark
from retrieval.late import WORD_DIM
from retrieval.lexical import LexicalIndex
from retrieval.vectors import VectorIndex

FORMAT = 2
"""Goes up whenever a snapshot's files change their meaning; older ones are then refused and rebuilt."""

_REBUILD = "run: newsquote index build"

NAME = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}")

PASSAGE = np.dtype([(name, "<i8") for name in ("article", "start", "end", "sentence", "word", "folded")])
"""A passage: its article's row, its span, where its sentences, words and folded words begin. One row more closes it."""

SENTENCE = np.dtype([("start", "<i8"), ("end", "<i8"), ("word", "<i4"), ("heading", "?")])
"""A sentence: its span, how many words of its passage, the title's first, precede it, whether it has no end mark."""

WORD = np.dtype([("term", "<u4"), ("mark", "<u2")])
"""A content word of a passage's title or text: its index term's number, and what it looks like (`kinds.Mark`)."""


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
    """An open snapshot; its files are memory-mapped and never change. Rows are positions: article and passage rows."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self.name = folder.name
        self.manifest = manifest
        size, _ = manifest.files["articles.jsonl"]
        self._texts = _array(folder / "articles.jsonl", np.dtype("u1"), (size,))
        self._lines = _array(folder / "lines.bin", np.dtype("<i8"), (manifest.articles + 1,))
        self._days = _array(folder / "days.bin", np.dtype("<i4"), (manifest.articles,))
        self.passages = _array(folder / "passages.bin", PASSAGE, (manifest.passages + 1,))
        self.keys = _array(folder / "keys.bin", np.dtype("<u8"), (manifest.passages,))
        self.sentences = _array(folder / "sentences.bin", SENTENCE, (manifest.sentences,))
        self.sentence_vectors = _array(
            folder / "sentence_vectors.bin", np.dtype("i1"), (manifest.sentences, manifest.dim)
        )
        self.words = _array(folder / "words.bin", WORD, (manifest.words,))
        self.word_vectors = _array(folder / "word_vectors.bin", np.dtype("i1"), (manifest.words, WORD_DIM))
        self._vocabulary_path = folder / "vocabulary.txt"
        self._vocabulary: frozenset[str] | None = None
        self._arabic: NDArray[np.bool_] | None = None
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

    def passage(self, row: int) -> tuple[int, Span]:
        """The article row and the span of a passage."""
        passage: Any = self.passages[row]
        return int(passage["article"]), Span(int(passage["start"]), int(passage["end"]))

    def passage_sentences(self, row: int) -> list[Span]:
        """The spans of a passage's sentences, in order."""
        first, last = int(self.passages["sentence"][row]), int(self.passages["sentence"][row + 1])
        return [Span(int(one["start"]), int(one["end"])) for one in self.sentences[first:last]]

    def arabic(self) -> NDArray[np.bool_]:
        """Which passages have at least as many Arabic words as others, (passages,) bool; found when first asked for."""
        if self._arabic is None:
            marked = np.concatenate(([0], np.cumsum((self.words["mark"] & int(Mark.ARABIC)) > 0)))
            edges = self.passages["word"]
            arabic = marked[edges[1:]] - marked[edges[:-1]]
            self._arabic = (arabic > 0) & (2 * arabic >= edges[1:] - edges[:-1])
        return self._arabic

    def vocabulary(self) -> frozenset[str]:
        """Every folded word of the titles and texts; read when first asked for."""
        if self._vocabulary is None:
            self._vocabulary = frozenset(self._vocabulary_path.read_text(encoding="utf-8").split())
        return self._vocabulary

    def published_between(self, since: dt.date | None, until: dt.date | None) -> NDArray[np.bool_]:
        """Which passages' articles were published from `since` to `until`, both included; undated ones never were."""
        days = self._days[self.passages["article"][:-1]]
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
        return np.asarray(rows[self.passages["article"][:-1]], np.bool_)


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
