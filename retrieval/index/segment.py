"""A segment: passages that were indexed together, in files that never change. Reading only.

A snapshot has one segment, or a few where the library is large; snapshots share those they have in common.

    segment.json                counts, how its passages were made, size and SHA-256 of every other file
    articles.jsonl              one article a line, in the order of their rows
    folded.txt                  the folded words of each passage, stop words included
    *.bin                       flat arrays, memory-mapped; their types and shapes are in ARRAYS
    lexical/                    the terms of each passage
    nearest.faiss               where there are many passages: which to compare with a question at all
"""

from __future__ import annotations

import hashlib
import json
import math
import mmap
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.article import Article, Span
from retrieval.errors import SnapshotCorrupt
from retrieval.index.contract import (
    PASSAGE,
    SENTENCE,
    WORD,
    ArticleFilter,
    Floats,
    PassageRecord,
    PassageVectors,
    outlet_key,
)
from retrieval.index.lexical import LexicalIndex
from retrieval.index.vectors import VectorIndex, VectorSearchSettings
from retrieval.text.late_interaction import WORD_DIM

MANIFEST = "segment.json"

_REBUILD = "run: newsquote index build"

DIGEST = np.dtype("V16")


@dataclass(frozen=True, slots=True)
class SegmentManifest:
    """What a segment holds.

    `recipe` names the code that made passages and words; `files` maps each file's path inside the segment to its size
    and SHA-256; `nearest` says how its vectors are searched.
    """

    encoder: str
    dim: int
    recipe: str
    articles: int
    passages: int
    sentences: int
    words: int
    nearest: VectorSearchSettings
    files: dict[str, tuple[int, str]]

    @classmethod
    def read(cls, folder: Path) -> SegmentManifest:
        """Read a segment's manifest.

        Raises:
            SnapshotCorrupt: it is missing or not a manifest.
        """
        try:
            text = (folder / MANIFEST).read_text(encoding="utf-8")
            raw = json.loads(text)
            known = {field.name: raw[field.name] for field in fields(cls)}
            known["files"] = {name: (int(size), str(digest)) for name, (size, digest) in raw["files"].items()}
            known["nearest"] = VectorSearchSettings(**raw["nearest"])
            manifest = cls(**known)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as exc:
            raise SnapshotCorrupt(f"segment {folder.name} has no readable manifest; {_REBUILD} --full") from exc
        if manifest.to_json() != text:
            raise SnapshotCorrupt(f"segment {folder.name}: {MANIFEST} is damaged; {_REBUILD} --full")
        return manifest

    def to_json(self) -> str:
        """The manifest as it is written."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"

    @property
    def name(self) -> str:
        """What the segment's folder is called: the same for the same content, whatever the lexical files are called."""
        content = {name: digest for name, (_, digest) in sorted(self.files.items()) if not name.startswith("lexical/")}
        about = json.dumps([self.encoder, self.dim, self.recipe, asdict(self.nearest), content])
        return hashlib.sha256(about.encode()).hexdigest()[:16]


def array_layouts(manifest: SegmentManifest) -> dict[str, tuple[np.dtype[Any], tuple[int, ...]]]:
    """Type and shape of each flat array, by its file's name."""
    articles, passages, sentences, words = manifest.articles, manifest.passages, manifest.sentences, manifest.words
    return {
        "lines": (np.dtype("<i8"), (articles + 1,)),
        "rows": (np.dtype("<i8"), (articles + 1,)),
        "days": (np.dtype("<i4"), (articles,)),
        "outlets": (np.dtype("<i8"), (articles,)),
        "digests": (DIGEST, (articles,)),
        "passages": (PASSAGE, (passages + 1,)),
        "keys": (np.dtype("<u8"), (passages,)),
        "arabic": (np.dtype("?"), (passages,)),
        "vectors": (np.dtype("<f4"), (passages, manifest.dim)),
        "sentences": (SENTENCE, (sentences,)),
        "sentence_vectors": (np.dtype("i1"), (sentences, manifest.dim)),
        "words": (WORD, (words,)),
        "word_vectors": (np.dtype("i1"), (words, WORD_DIM)),
    }


class Segment:
    """An open segment. Its articles and passages have rows of their own, from 0."""

    def __init__(self, folder: Path, manifest: SegmentManifest, *, searchable: bool = True) -> None:
        """With `searchable` false, only what its passages were made into can be read.

        Raises:
            OSError, ValueError: a file cannot be opened.
        """
        self.folder = folder
        self.manifest = manifest
        self._pages: list[mmap.mmap] = []
        arrays = {name: self._mapped(f"{name}.bin", *about) for name, about in array_layouts(manifest).items()}
        self.lines, self.rows, self.digests = arrays["lines"], arrays["rows"], arrays["digests"]
        self.edges, self.keys, self.arabic = arrays["passages"], arrays["keys"], arrays["arabic"]
        self.words, self.word_vectors = arrays["words"], arrays["word_vectors"]
        self.sentences, self.sentence_vectors = arrays["sentences"], arrays["sentence_vectors"]
        self.exact: Floats = arrays["vectors"]
        self.days, self.outlets = arrays["days"], arrays["outlets"]
        self._texts = self._mapped("articles.jsonl", np.dtype("u1"), (int(self.lines[-1]),))
        if searchable:
            self._vocabulary = self._mapped("vocabulary.bin", np.dtype("<u8"), None)
            self.vectors = VectorIndex.open(folder / "nearest.faiss", self.exact, manifest.nearest)
            self.lexical = LexicalIndex.open(folder / "lexical")

    def release_pages(self, turn: int | None = None) -> None:
        """Give back what was read of one file, another with each turn, or of all; it stays in the system's cache."""
        if self._pages and hasattr(mmap, "MADV_DONTNEED"):
            for pages in self._pages if turn is None else [self._pages[turn % len(self._pages)]]:
                pages.madvise(mmap.MADV_DONTNEED)

    def _mapped(self, name: str, dtype: np.dtype[Any], shape: tuple[int, ...] | None) -> NDArray[Any]:
        found, pages = map_array(self.folder / name, dtype, shape)
        if pages is not None:
            self._pages.append(pages)
        return found

    @property
    def size(self) -> int:
        """How many passages it has."""
        return self.manifest.passages

    def article(self, row: int) -> Article:
        """The article of a row."""
        return Article(**json.loads(self._texts[int(self.lines[row]) : int(self.lines[row + 1])].tobytes()))

    def article_keys(self) -> Iterator[bytes]:
        """The `article_key` of each article, by row."""
        size = DIGEST.itemsize
        joined = self.digests.tobytes()
        return (joined[start : start + size] for start in range(0, len(joined), size))

    def passages_of(self, articles: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """The passages of those articles, (passages,) bool from (articles,) bool."""
        return np.repeat(articles, np.diff(self.rows))

    def allowed(self, where: ArticleFilter) -> NDArray[np.bool_]:
        """Which articles may answer, (articles,)."""
        allowed = np.ones(self.manifest.articles, np.bool_)
        if where.since is not None or where.until is not None:
            allowed &= self.days > 0
        if where.since is not None:
            allowed &= self.days >= where.since.toordinal()
        if where.until is not None:
            allowed &= self.days <= where.until.toordinal()
        if where.source is not None:
            allowed &= self.outlets == outlet_key(where.source)
        return allowed

    def known(self, words: Mapping[int, str]) -> set[str]:
        """Those of these folded words, by `word_key`, that occur in a title or text."""
        keys = np.fromiter(words, np.uint64, len(words))
        places = np.minimum(np.searchsorted(self._vocabulary, keys), max(0, len(self._vocabulary) - 1))
        if not len(self._vocabulary):
            return set()
        return {words[key] for key in keys[self._vocabulary[places] == keys].tolist()}

    def known_vectors(self, keys: NDArray[np.uint64]) -> dict[int, PassageVectors]:
        """The vectors of the passages that were made of the same words, by their key; of several the first."""
        rows = np.flatnonzero(np.isin(self.keys, keys))[::-1].tolist()
        return {int(self.keys[row]): self._vectors(row) for row in rows}

    def export(self, articles: NDArray[np.bool_]) -> Iterator[tuple[Article, list[PassageRecord]]]:
        """Those of its articles, with all that is kept of their passages."""
        with (self.folder / "folded.txt").open("rb") as folded:
            for number in np.flatnonzero(articles).tolist():
                first, last = int(self.rows[number]), int(self.rows[number + 1])
                folded.seek(int(self.edges["folded"][first]))
                kept = [
                    self._kept(row, folded.readline().decode().rstrip("\n").split("\t")) for row in range(first, last)
                ]
                yield self.article(number), kept

    def _kept(self, row: int, folded: list[str]) -> PassageRecord:
        edges = self.edges[row : row + 2]
        return PassageRecord(
            span=Span(int(edges["start"][0]), int(edges["end"][0])),
            key=int(self.keys[row]),
            folded=tuple(word for word in folded if word),
            words=self.words[slice(*edges["word"].tolist())],
            sentences=self.sentences[slice(*edges["sentence"].tolist())],
            arabic=bool(self.arabic[row]),
            vectors=self._vectors(row),
        )

    def _vectors(self, row: int) -> PassageVectors:
        words, sentences = (slice(*self.edges[unit][row : row + 2].tolist()) for unit in ("word", "sentence"))
        return PassageVectors(self.exact[row], self.sentence_vectors[sentences], self.word_vectors[words])

    def sentence(self, row: int, place: int) -> Span:
        """The first (0) or last (-1) sentence of a passage."""
        first, last = (int(edge) for edge in self.edges["sentence"][row : row + 2])
        sentence = self.sentences[first:last][place]
        return Span(int(sentence["start"]), int(sentence["end"]))


def word_key(word: str) -> int:
    """A number for a folded word; that two of a library's have the same is out of the question."""
    return int.from_bytes(hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def article_key(article_id: str, digest: bytes) -> bytes:
    """16 bytes that name an article as it is, from its id and its `corpus.storage.entry.article_digest`."""
    return hashlib.blake2b(digest + article_id.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def map_array(path: Path, dtype: np.dtype[Any], shape: tuple[int, ...] | None) -> tuple[NDArray[Any], mmap.mmap | None]:
    """A file as a flat array, and what maps it into memory; without a shape, all of it.

    Raises:
        OSError, ValueError: the file is missing or shorter than that.
    """
    shape = shape if shape is not None else (path.stat().st_size // dtype.itemsize,)
    if 0 in shape:  # an empty file cannot be mapped
        return np.empty(shape, dtype), None
    with path.open("rb") as file:
        pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return np.frombuffer(pages, dtype, math.prod(shape)).reshape(shape), pages
