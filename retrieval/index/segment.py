"""A segment: passages that were indexed together, in files that never change. Reading only.

A snapshot has one segment, or a few if the library is large; snapshots may share segments.

    segment.json                counts, encoder, pipeline version, size and SHA-256 of every other file
    articles.jsonl              one article a line, in the order of their rows
    folded.txt                  the folded words of each passage, stop words included
    *.bin                       flat arrays, memory-mapped; `array_layouts` has their types and shapes
    lexical/                    the tantivy index of each passage's terms
    nearest.faiss               if there are many passages: the faiss index of their vectors
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
    """The contents of a segment, as written to segment.json.

    `recipe` is the version of the code that made passages and words; `files` maps each file's path inside the segment
    to its size and SHA-256; `nearest` says how its vectors are searched.
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
        """The text of the manifest file."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"

    @property
    def name(self) -> str:
        """The name of the segment's folder: a digest of its contents, without the lexical files, whose names vary."""
        content = {name: digest for name, (_, digest) in sorted(self.files.items()) if not name.startswith("lexical/")}
        about = json.dumps([self.encoder, self.dim, self.recipe, asdict(self.nearest), content])
        return hashlib.sha256(about.encode()).hexdigest()[:16]


def array_layouts(manifest: SegmentManifest) -> dict[str, tuple[np.dtype[Any], tuple[int, ...]]]:
    """Type and shape of each flat array, by the name of its file without .bin."""
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
    """An open segment. Its articles and passages are numbered from 0.

    `text_offsets` (articles + 1,) are byte offsets into articles.jsonl, `passage_offsets` (articles + 1,) the first
    passage of each article; `passages` (passages + 1,) is PASSAGE, the other arrays are as in `array_layouts`.
    """

    def __init__(self, folder: Path, manifest: SegmentManifest, *, searchable: bool = True) -> None:
        """With `searchable` false, the vector index and the lexical index are not opened.

        Raises:
            OSError, ValueError: a file cannot be opened.
        """
        self.folder = folder
        self.manifest = manifest
        self._pages: list[mmap.mmap] = []
        arrays = {name: self._map(f"{name}.bin", *about) for name, about in array_layouts(manifest).items()}
        self.text_offsets, self.passage_offsets, self.digests = arrays["lines"], arrays["rows"], arrays["digests"]
        self.passages, self.keys, self.arabic = arrays["passages"], arrays["keys"], arrays["arabic"]
        self.words, self.word_vectors = arrays["words"], arrays["word_vectors"]
        self.sentences, self.sentence_vectors = arrays["sentences"], arrays["sentence_vectors"]
        self.passage_vectors: Floats = arrays["vectors"]
        self.days, self.outlets = arrays["days"], arrays["outlets"]
        self._texts = self._map("articles.jsonl", np.dtype("u1"), (int(self.text_offsets[-1]),))
        if searchable:
            self._vocabulary = self._map("vocabulary.bin", np.dtype("<u8"), None)
            self.vector_index = VectorIndex.open(folder / "nearest.faiss", self.passage_vectors, manifest.nearest)
            self.lexical_index = LexicalIndex.open(folder / "lexical")

    def release_pages(self, turn: int | None = None) -> None:
        """Release the mapped pages of one file, the next one with each `turn`, or of all files.

        They no longer count as this process's memory but stay in the system's cache.
        """
        if self._pages and hasattr(mmap, "MADV_DONTNEED"):
            for pages in self._pages if turn is None else [self._pages[turn % len(self._pages)]]:
                pages.madvise(mmap.MADV_DONTNEED)

    def _map(self, name: str, dtype: np.dtype[Any], shape: tuple[int, ...] | None) -> NDArray[Any]:
        found, pages = map_array(self.folder / name, dtype, shape)
        if pages is not None:
            self._pages.append(pages)
        return found

    @property
    def size(self) -> int:
        """The number of passages."""
        return self.manifest.passages

    def article(self, row: int) -> Article:
        """The article of a row."""
        return Article(
            **json.loads(self._texts[int(self.text_offsets[row]) : int(self.text_offsets[row + 1])].tobytes())
        )

    def article_keys(self) -> Iterator[bytes]:
        """The `article_key` of each article, by row."""
        size = DIGEST.itemsize
        joined = self.digests.tobytes()
        return (joined[start : start + size] for start in range(0, len(joined), size))

    def passage_mask(self, articles: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which passages belong to the chosen articles, (passages,) bool from (articles,) bool."""
        return np.repeat(articles, np.diff(self.passage_offsets))

    def article_mask(self, where: ArticleFilter) -> NDArray[np.bool_]:
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

    def known_words(self, words: Mapping[int, str]) -> set[str]:
        """Those of these folded words, by `word_key`, that occur in a title or text."""
        keys = np.fromiter(words, np.uint64, len(words))
        places = np.minimum(np.searchsorted(self._vocabulary, keys), max(0, len(self._vocabulary) - 1))
        if not len(self._vocabulary):
            return set()
        return {words[key] for key in keys[self._vocabulary[places] == keys].tolist()}

    def known_vectors(self, keys: NDArray[np.uint64]) -> dict[int, PassageVectors]:
        """The vectors of the passages with these keys, by key; where several share a key, the first one's."""
        rows = np.flatnonzero(np.isin(self.keys, keys))[::-1].tolist()
        return {int(self.keys[row]): self._passage_vectors(row) for row in rows}

    def export(self, articles: NDArray[np.bool_]) -> Iterator[tuple[Article, list[PassageRecord]]]:
        """The articles where `articles` (articles,) is true, each with the records of its passages."""
        with (self.folder / "folded.txt").open("rb") as folded:
            for number in np.flatnonzero(articles).tolist():
                first, last = int(self.passage_offsets[number]), int(self.passage_offsets[number + 1])
                folded.seek(int(self.passages["folded"][first]))
                records = [
                    self._record(row, folded.readline().decode().rstrip("\n").split("\t")) for row in range(first, last)
                ]
                yield self.article(number), records

    def _record(self, row: int, folded: list[str]) -> PassageRecord:
        edges = self.passages[row : row + 2]
        return PassageRecord(
            span=Span(int(edges["start"][0]), int(edges["end"][0])),
            key=int(self.keys[row]),
            folded=tuple(word for word in folded if word),
            words=self.words[slice(*edges["word"].tolist())],
            sentences=self.sentences[slice(*edges["sentence"].tolist())],
            arabic=bool(self.arabic[row]),
            vectors=self._passage_vectors(row),
        )

    def _passage_vectors(self, row: int) -> PassageVectors:
        words, sentences = (slice(*self.passages[unit][row : row + 2].tolist()) for unit in ("word", "sentence"))
        return PassageVectors(self.passage_vectors[row], self.sentence_vectors[sentences], self.word_vectors[words])

    def sentence(self, row: int, place: int) -> Span:
        """The first (0) or last (-1) sentence of a passage."""
        first, last = (int(edge) for edge in self.passages["sentence"][row : row + 2])
        sentence = self.sentences[first:last][place]
        return Span(int(sentence["start"]), int(sentence["end"]))


def word_key(word: str) -> int:
    """A 64-bit hash of a folded word; collisions within a library are too unlikely to matter."""
    return int.from_bytes(hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def article_key(article_id: str, digest: bytes) -> bytes:
    """A 16-byte digest of an article's id and content; `digest` is its `corpus.storage.entry.article_digest`."""
    return hashlib.blake2b(digest + article_id.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def map_array(path: Path, dtype: np.dtype[Any], shape: tuple[int, ...] | None) -> tuple[NDArray[Any], mmap.mmap | None]:
    """A memory-mapped file as an array, and its mapping; without a shape, the whole file, flat.

    Raises:
        OSError, ValueError: the file is missing or too short.
    """
    shape = shape if shape is not None else (path.stat().st_size // dtype.itemsize,)
    if 0 in shape:  # an empty file cannot be mapped
        return np.empty(shape, dtype), None
    with path.open("rb") as file:
        pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return np.frombuffer(pages, dtype, math.prod(shape)).reshape(shape), pages
