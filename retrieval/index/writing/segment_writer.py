"""Writes a segment: row by row, or copied from another, then what it is searched by."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from corpus.article import Article
from corpus.storage.entry import article_digest
from retrieval.checksums import sha256_of
from retrieval.errors import SnapshotCorrupt
from retrieval.index import lexical, segment, vectors
from retrieval.index.build_progress import BuildProgress, ProgressCallback, Stage, remaining_seconds
from retrieval.index.contract import PASSAGE, PassageRecord, day_number, outlet_key
from retrieval.index.segment import MANIFEST, Segment, SegmentManifest, article_key, word_key
from retrieval.index.vectors import VectorSearchSettings
from retrieval.index.writing import passage_records
from retrieval.index.writing.passage_records import index_terms
from retrieval.models.encoder import unit_rows

CHECKPOINT = "checkpoint.json"

_COPIED = 4096
_CHECKPOINT_S = 10.0
_QUESTIONS = 200
_SHOWN = 256
"""So many passages between two lines of progress."""


class SegmentWriter:
    """Writes a segment, article by article. What a checkpoint notes can be gone on from after a kill or a power cut."""

    def __init__(
        self, folder: Path, encoder: str, dim: int, *, full: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`encoder` is the fingerprint of the one that makes the vectors, of `dim` numbers each."""
        self._folder = folder
        self._made_by: dict[str, Any] = {"encoder": encoder, "dim": dim, "recipe": passage_records.pipeline_version()}
        self._full = full
        self._clock = clock
        self._noted = clock()
        self._files: dict[str, BinaryIO] = {}
        self.counts = _Counts()
        self._shapes = segment.array_layouts(self.counts.manifest(**self._made_by))

    def __enter__(self) -> SegmentWriter:
        for name in (*(f"{name}.bin" for name in self._shapes), "articles.jsonl", "folded.txt"):
            self._files[name] = (self._folder / name).open("wb")
        for name in ("lines", "rows"):
            self._write(name, np.zeros(1, "<i8"))
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.close()

    def write(self, article: Article, passages: Iterable[PassageRecord]) -> None:
        """Write an article with its passages."""
        counts = self.counts
        line = json.dumps(asdict(article), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        self._files["articles.jsonl"].write(line)
        counts.text += len(line)
        self._write("lines", np.array([counts.text], "<i8"))
        self._write("days", np.array([day_number(article.published)], "<i4"))
        self._write("outlets", np.array([outlet_key(article.source)], "<i8"))
        self._files["digests.bin"].write(article_key(article.id, article_digest(article)))
        for passage in passages:
            self._passage(passage)
        self._write("rows", np.array([counts.passages], "<i8"))
        counts.articles += 1

    def _passage(self, passage: PassageRecord) -> None:
        counts = self.counts
        folded = ("\t".join(passage.folded) + "\n").encode()
        edges = (counts.sentences, counts.words, counts.folded)
        self._write("passages", np.array([(counts.articles, *passage.span, *edges)], PASSAGE))
        self._write("keys", np.array([passage.key], "<u8"))
        self._write("arabic", np.array([passage.arabic]))
        self._write("vectors", passage.vectors.passage)
        self._write("sentences", passage.sentences)
        self._write("sentence_vectors", passage.vectors.sentences)
        self._write("words", passage.words)
        self._write("word_vectors", passage.vectors.words)
        self._files["folded.txt"].write(folded)
        counts.passages += 1
        counts.sentences += len(passage.sentences)
        counts.words += len(passage.words)
        counts.folded += len(folded)

    def copied(self, old: Segment, first: int, last: int) -> Iterator[None]:
        """Write the articles `first` to `last` of another segment as they are there, some at a time."""
        for start in range(first, last, _COPIED):
            self._copy(old, start, min(start + _COPIED, last))
            yield

    def _copy(self, old: Segment, first: int, last: int) -> None:
        counts = self.counts
        begin, end = int(old.rows[first]), int(old.rows[last])
        edges = np.array(old.edges[begin : end + 1])
        starts, ends = edges[0], edges[-1]
        self._copy_bytes(old, "articles.jsonl", int(old.lines[first]), int(old.lines[last]))
        self._write("lines", old.lines[first + 1 : last + 1] + (counts.text - old.lines[first]))
        self._write("rows", old.rows[first + 1 : last + 1] + (counts.passages - begin))
        for name in ("days", "outlets", "digests"):
            self._copy_rows(old, name, first, last)
        shifts = {
            "article": counts.articles - first,
            "sentence": counts.sentences - int(starts["sentence"]),
            "word": counts.words - int(starts["word"]),
            "folded": counts.folded - int(starts["folded"]),
        }
        counts.articles += last - first
        counts.passages += end - begin
        counts.sentences += int(ends["sentence"] - starts["sentence"])
        counts.words += int(ends["word"] - starts["word"])
        counts.folded += int(ends["folded"] - starts["folded"])
        counts.text += int(old.lines[last] - old.lines[first])
        for name in ("keys", "arabic", "vectors"):
            self._copy_rows(old, name, begin, end)
        for name in ("sentences", "sentence_vectors"):
            self._copy_rows(old, name, int(starts["sentence"]), int(ends["sentence"]))
        for name in ("words", "word_vectors"):
            self._copy_rows(old, name, int(starts["word"]), int(ends["word"]))
        self._copy_bytes(old, "folded.txt", int(starts["folded"]), int(ends["folded"]))
        for name, shift in shifts.items():
            edges[name] += shift
        self._write("passages", edges[:-1])

    def checkpoint(self) -> None:
        """Note every few seconds, on the disk, how much is written."""
        if self._clock() - self._noted < _CHECKPOINT_S:
            return
        for file in self._files.values():
            file.flush()
            os.fsync(file.fileno())
        self._note()
        self._noted = self._clock()

    def step(self, what: Stage, articles: int) -> BuildProgress:
        """How far it is with what writes articles, of which there are so many."""
        passages = self.counts.passages * articles // max(1, self.counts.articles)
        return BuildProgress(
            what, self.counts.articles, articles, remaining_seconds(what, passages, vectors.list_count(passages))
        )

    def finish(self, progress: ProgressCallback) -> SegmentManifest:
        """Close the tables and make what they are searched by."""
        count, lists = self.counts.passages, vectors.list_count(self.counts.passages)

        def step(what: Stage, done: int, total: int = count) -> None:
            begun = not done  # whose pace is not known yet
            then_s = remaining_seconds(what, count, lists, itself=begun)
            progress(BuildProgress(what, done, 0 if what in {Stage.GROUPS, Stage.RECALL} else total, then_s))

        self._write("passages", self.counts.closing())
        for file in self._files.values():
            file.flush()
        if (self._folder / CHECKPOINT).exists() or self._clock() - self._noted >= _CHECKPOINT_S:
            self._note()  # what follows takes its time
        made = Segment(self._folder, self.counts.manifest(**self._made_by), searchable=False)
        vocabulary: set[str] = set()
        lexical.build(self._folder / "lexical", _documents(made, vocabulary, partial(step, Stage.TERMS)))
        keys = np.sort(np.fromiter(map(word_key, vocabulary), "<u8", len(vocabulary)))
        del vocabulary
        (self._folder / "vocabulary.bin").write_bytes(keys.tobytes())
        nearest = vectors.build(self._folder / "nearest.faiss", made.exact, _questions(made), step, made.release_pages)
        sizes = {
            path: path.stat().st_size
            for path in sorted(self._folder.rglob("*"))
            if path.is_file() and not path.name.endswith(".lock") and path.name != CHECKPOINT
        }
        files = {}
        for done, (path, size) in zip(accumulate(sizes.values(), initial=0), sizes.items(), strict=False):
            step(Stage.FILES, done >> 20, sum(sizes.values()) >> 20)
            files[path.relative_to(self._folder).as_posix()] = (size, sha256_of(path))
        manifest = replace(made.manifest, nearest=nearest, files=files)
        (self._folder / MANIFEST).write_text(manifest.to_json(), encoding="utf-8")
        return manifest

    def _note(self) -> None:
        note = {**self._made_by, "full": self._full, "counts": asdict(self.counts)}
        temporary = self._folder / f"{CHECKPOINT}.new"
        with temporary.open("w", encoding="utf-8") as file:
            json.dump(note, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._folder / CHECKPOINT)

    def _write(self, name: str, values: NDArray[Any]) -> None:
        self._files[f"{name}.bin"].write(np.ascontiguousarray(values).tobytes())

    def _copy_rows(self, old: Segment, name: str, first: int, last: int) -> None:
        dtype, shape = self._shapes[name]
        size = dtype.itemsize * int(np.prod(shape[1:]))
        self._copy_bytes(old, f"{name}.bin", first * size, last * size)

    def _copy_bytes(self, old: Segment, name: str, start: int, end: int) -> None:
        """Read, not mapped: pages of a mapped file would count as this process's memory, all of them."""
        left = end - start
        with (old.folder / name).open("rb") as file:
            file.seek(start)
            while left:
                block = file.read(min(left, 1 << 20))
                if not block:
                    raise SnapshotCorrupt(f"{name} of segment {old.folder.name} ends early; run: newsquote index build")
                self._files[name].write(block)
                left -= len(block)


def resume_segment(folder: Path, checkpoint: Mapping[str, Any]) -> Segment:
    """What was written when `checkpoint` was noted, as a segment: the files may go on beyond that."""
    counts = _Counts(**checkpoint["counts"])
    with (folder / "passages.bin").open("r+b") as file:
        file.truncate(counts.passages * PASSAGE.itemsize)
        file.seek(0, os.SEEK_END)
        file.write(counts.closing().tobytes())
    manifest = counts.manifest(checkpoint["encoder"], checkpoint["dim"], checkpoint["recipe"])
    return Segment(folder, manifest, searchable=False)


@dataclass(slots=True)
class _Counts:
    """How much of each a segment has so far; `folded` are bytes, and so is `text`."""

    articles: int = 0
    passages: int = 0
    sentences: int = 0
    words: int = 0
    folded: int = 0
    text: int = 0

    def manifest(self, encoder: str, dim: int, recipe: str) -> SegmentManifest:
        """Of a segment that has so much and is not finished: nothing is indexed, no file added up."""
        return SegmentManifest(
            encoder=encoder,
            dim=dim,
            recipe=recipe,
            articles=self.articles,
            passages=self.passages,
            sentences=self.sentences,
            words=self.words,
            nearest=VectorSearchSettings(),
            files={},
        )

    def closing(self) -> NDArray[Any]:
        """The row that ends the table of passages."""
        return np.array([(self.articles, 0, 0, self.sentences, self.words, self.folded)], PASSAGE)


def _documents(
    made: Segment, vocabulary: set[str], step: Callable[[int], None]
) -> Iterator[tuple[list[str], int, int]]:
    """Each passage's index terms, day and outlet; its folded words are put into the vocabulary."""
    days, outlets = (np.repeat(values, np.diff(made.rows)) for values in (made.days, made.outlets))
    with (made.folder / "folded.txt").open(encoding="utf-8", newline="\n") as lines:
        for row, (line, day, outlet) in enumerate(zip(lines, days.tolist(), outlets.tolist(), strict=True)):
            if row % _SHOWN == 0:
                step(row)
            found = [word for word in line.removesuffix("\n").split("\t") if word]
            vocabulary.update(found)
            yield index_terms(found), day, outlet


def _questions(made: Segment) -> NDArray[np.float32]:
    """Vectors to measure recall with: each between two sentences drawn anywhere, the same way every time.

    A question is farther from every passage than a passage's own sentence is, and harder to find the nearest of: with
    16 of 4,096 lists, .951 of those of real questions were found, .998 of sentences', .932 of these; with 64 .999,
    1.000 and .996.
    """
    drawn = np.random.default_rng(len(made.sentences)).integers(0, len(made.sentences), (2, _QUESTIONS))
    one, other = (unit_rows(np.asarray(made.sentence_vectors[rows], np.float32)) for rows in drawn)
    return unit_rows(one + other)
