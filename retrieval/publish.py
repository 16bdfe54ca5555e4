"""Articles to a snapshot, and a snapshot to CURRENT. Writing only; answering never imports this.

One writer at a time: the caller holds the library's lock. A build that is interrupted, at any moment, leaves what
served before serving; its own files are removed by the next build.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import inspect
import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from corpus import article as article_module
from corpus import sentences as sentences_module
from corpus import split as split_module
from corpus.article import Article, Passage
from corpus.split import split_article
from retrieval import analysis, kinds, late, lexical, snapshot, vectors
from retrieval.analysis import STOP_WORDS, Word, stem, words
from retrieval.digests import sha256_of
from retrieval.encoder import Encoded, Encoder
from retrieval.errors import PublishError, RetrievalError
from retrieval.index import PASSAGE, SENTENCE, WORD
from retrieval.late import WORD_DIM, compress, term_keys, word_vectors
from retrieval.snapshot import FORMAT, Manifest, Snapshot

KEEP = 3
_CHUNK = 256
_COPIED = 4096
_STAMP = "%Y%m%dT%H%M%SZ"
# The files whose rows are copied as they are: what a row belongs to, and its bytes.
_UNITS = {
    "keys.bin": "passage",
    "sentences.bin": "sentence",
    "sentence_vectors.bin": "sentence",
    "words.bin": "word",
    "word_vectors.bin": "word",
    "folded.txt": "folded",
}
_SIZES: dict[str, Callable[[Snapshot], int]] = {
    "keys.bin": lambda _: 8,
    "sentences.bin": lambda _: SENTENCE.itemsize,
    "sentence_vectors.bin": lambda old: old.manifest.dim,
    "words.bin": lambda _: WORD.itemsize,
    "word_vectors.bin": lambda _: WORD_DIM,
    "folded.txt": lambda _: 1,
}
_ENDS = re.compile(r"[.!?…؟۔।][\"'”’»)\]]*\s*\Z")
Progress = Callable[[int], None]
"""Called with the number of articles indexed so far."""


@dataclass(frozen=True, slots=True)
class Published:
    """A snapshot that now serves, and how much of it was new."""

    name: str
    articles: int
    passages: int
    encoded: int


@dataclass(frozen=True, slots=True)
class _Vectors:
    """What is kept of a passage: (dim,) float32, (s, dim) int8 and (w, WORD_DIM) int8."""

    passage: NDArray[np.float32]
    sentences: NDArray[np.int8]
    words: NDArray[np.int8]


def search_text(passage: Passage) -> str:
    """What is encoded for a passage: its article's title, for search only, then its own words."""
    return f"{passage.article.title}\n{passage.text}"


def publish(
    articles: Iterable[Article],
    encoder: Encoder,
    snapshots: Path,
    *,
    full: bool = False,
    progress: Progress = lambda _: None,
    now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
) -> Published:
    """Build a snapshot of `articles` aside, make it CURRENT, keep the three newest.

    An article that the snapshot that serves has too is copied from it; in one that changed, a passage whose words and
    title are as they were keeps its vectors; where nothing changed, no snapshot is made. With `full` everything is
    encoded anew, to the same bytes.

    Raises:
        PublishError: the files cannot be written; what served before still serves.
    """
    try:
        snapshots.mkdir(parents=True, exist_ok=True)
        for stale in snapshots.glob(".build-*"):
            shutil.rmtree(stale)
        folder = snapshots / f".build-{os.getpid()}"
        folder.mkdir()
        try:
            previous = None if full else _previous(snapshots, encoder)
            moment = _after_the_newest(snapshots, now())
            manifest, encoded = _build(articles, encoder, folder, previous, progress, moment)
            if previous is not None and _same(manifest, previous.manifest):
                return Published(previous.name, manifest.articles, manifest.passages, 0)
            name = f"{moment:{_STAMP}}-{hashlib.sha256(manifest.to_json().encode()).hexdigest()[:8]}"
            _sync(folder)
            folder.rename(snapshots / name)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        _sync_folder(snapshots)
        try:
            use(snapshots, name)
        except PublishError:
            shutil.rmtree(snapshots / name, ignore_errors=True)  # a full disk needs the room
            raise
        prune(snapshots)
    except OSError as exc:
        raise PublishError(
            f"the index could not be written: {exc.strerror or exc}; what served before still serves. "
            f"Make room or check {snapshots}, then run: newsquote index build"
        ) from exc
    return Published(name, manifest.articles, manifest.passages, encoded)


def use(snapshots: Path, name: str) -> None:
    """Make a snapshot CURRENT, in one rename.

    Raises:
        SnapshotMissing, SnapshotCorrupt, SnapshotOutdated: it cannot serve.
        PublishError: CURRENT cannot be written.
    """
    Snapshot.open(snapshots, name)
    temporary = snapshots / f".current-{os.getpid()}"
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(f"{name}\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(snapshots / "CURRENT")
        _sync_folder(snapshots)
    except OSError as exc:
        temporary.unlink(missing_ok=True)
        raise PublishError(
            f"{snapshots / 'CURRENT'} could not be written: {exc.strerror or exc}; what served before still serves"
        ) from exc


def prune(snapshots: Path, keep: int = KEEP) -> None:
    """Remove all but the `keep` newest snapshots, never the one that serves."""
    serving = snapshot.current(snapshots)
    for name in snapshot.names(snapshots)[:-keep]:
        if name != serving:
            shutil.rmtree(snapshots / name)


def _after_the_newest(snapshots: Path, moment: dt.datetime) -> dt.datetime:
    """The moment itself, or a second after the newest snapshot's, so that names sort as they were made."""
    newest = max((name[: len("20261124T001500Z")] for name in snapshot.names(snapshots)), default=None)
    if newest is None:
        return moment
    return max(moment, dt.datetime.strptime(newest, _STAMP).replace(tzinfo=dt.UTC) + dt.timedelta(seconds=1))


def _same(one: Manifest, other: Manifest) -> bool:
    """Whether two snapshots hold the same; the files of the lexical index have other names in each build."""
    files = [{name: file for name, file in m.files.items() if not name.startswith("lexical/")} for m in (one, other)]
    return files[0] == files[1]


def _previous(snapshots: Path, encoder: Encoder) -> Snapshot | None:
    try:
        return Snapshot.open(snapshots, encoder=encoder.fingerprint)
    except RetrievalError:
        return None  # nothing to carry over from: everything is encoded


def _build(
    articles: Iterable[Article],
    encoder: Encoder,
    folder: Path,
    previous: Snapshot | None,
    progress: Progress,
    now: dt.datetime,
) -> tuple[Manifest, int]:
    counts = {"articles": 0, "passages": 0, "sentences": 0, "words": 0, "folded": 0, "encoded": 0}
    carried = _Carried(previous)
    files: dict[str, BinaryIO] = {}

    def write(name: str, values: NDArray[Any]) -> None:
        files[name].write(np.ascontiguousarray(values).tobytes())

    def incoming() -> Iterator[tuple[int, Article, int | None]]:
        """Each article with its row and the row it had."""
        offset = 0
        write("lines.bin", np.array([0], "<i8"))
        for row, article in enumerate(articles):
            line = json.dumps(asdict(article), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
            files["articles.jsonl"].write(line)
            offset += len(line)
            write("lines.bin", np.array([offset], "<i8"))
            write("days.bin", np.array([_day(article)], "<i4"))
            counts["articles"] += 1
            yield row, article, carried.article(line)
            progress(counts["articles"])

    def blocks() -> Iterator[NDArray[np.float32]]:
        # Neighbours that were neighbours before are copied in one go.
        for shift, group in groupby(incoming(), lambda one: None if one[2] is None else one[2] - one[0]):
            if shift is None:
                yield from anew((row, passage) for row, article, _ in group for passage in split_article(article))
            else:
                rows = [row for row, _, _ in group]
                yield from copied(rows[0] + shift, rows[-1] + shift + 1, shift)

    def anew(passages: Iterator[tuple[int, Passage]]) -> Iterator[NDArray[np.float32]]:
        while chunk := list(islice(passages, _CHUNK)):
            keys = [_key(passage) for _, passage in chunk]
            old = [carried.passage(key) for key in keys]
            fresh = encoder.encode_passages(
                [search_text(p) for (_, p), row in zip(chunk, old, strict=True) if row is None]
            )
            block = []
            for (article_row, passage), key, row in zip(chunk, keys, old, strict=True):
                found_words = words(search_text(passage))
                content = [word for word in found_words if not word.stop]
                found = _vectors(passage, content, next(fresh)) if row is None else carried.take(row)
                folded = ("\t".join(word.folded for word in found_words) + "\n").encode()
                counts["encoded"] += row is None
                write("passages.bin", np.array([(article_row, *passage.span, *edges())], PASSAGE))
                write("keys.bin", np.array([key], "<u8"))
                write("sentences.bin", _sentences(passage, content))
                write("sentence_vectors.bin", found.sentences)
                write("words.bin", _words(passage, content))
                write("word_vectors.bin", found.words)
                files["folded.txt"].write(folded)
                counts["passages"] += 1
                counts["sentences"] += len(passage.sentences)
                counts["words"] += len(content)
                counts["folded"] += len(folded)
                block.append(found.passage)
            yield np.stack(block)

    def copied(first: int, last: int, shift: int) -> Iterator[NDArray[np.float32]]:
        for part, starts, ends, block in carried.parts(first, last):
            part["article"] -= shift
            for name, place in zip(("sentence", "word", "folded"), edges(), strict=True):
                part[name] += place - starts[name]
            write("passages.bin", part)
            for name, unit in _UNITS.items():
                carried.copy(name, starts[unit], ends[unit], files[name])
            counts["passages"] += len(part)
            counts["sentences"] += ends["sentence"] - starts["sentence"]
            counts["words"] += ends["word"] - starts["word"]
            counts["folded"] += ends["folded"] - starts["folded"]
            yield block

    def edges() -> tuple[int, int, int]:
        return counts["sentences"], counts["words"], counts["folded"]

    try:
        for name in ("articles.jsonl", "lines.bin", "days.bin", "passages.bin", *_UNITS):
            files[name] = (folder / name).open("wb")
        vectors.save(folder / "vectors.faiss", blocks(), encoder.dim)
        write("passages.bin", np.array([(counts["articles"], 0, 0, *edges())], PASSAGE))
    finally:
        carried.close()
        for file in files.values():
            file.close()
    vocabulary: set[str] = set()
    lexical.save(folder / "lexical", _index_terms(folder / "folded.txt", vocabulary))
    (folder / "vocabulary.txt").write_text("\n".join(sorted(vocabulary)), encoding="utf-8")
    del counts["folded"]
    encoded = counts.pop("encoded")
    manifest = Manifest(
        format=FORMAT,
        created=f"{now:%Y-%m-%dT%H:%M:%SZ}",
        encoder=encoder.fingerprint,
        dim=encoder.dim,
        recipe=_recipe(),
        files={
            path.relative_to(folder).as_posix(): (path.stat().st_size, sha256_of(path))
            for path in sorted(folder.rglob("*"))
            if path.is_file() and not path.name.endswith(".lock")
        },
        **counts,
    )
    (folder / "manifest.json").write_text(manifest.to_json(), encoding="utf-8")
    return manifest, encoded


def _index_terms(folded: Path, vocabulary: set[str]) -> Iterator[list[str]]:
    """Each passage's index terms; its folded words are put into the vocabulary."""
    with folded.open(encoding="utf-8", newline="\n") as lines:
        for line in lines:
            found = [word for word in line.removesuffix("\n").split("\t") if word]
            vocabulary.update(found)
            yield [stem(word) for word in found if word not in STOP_WORDS]


def _recipe() -> str:
    """Names the code that makes an article's passages, words and vectors; another's rows are not copied."""
    modules = (article_module, sentences_module, split_module, analysis, kinds, late, sys.modules[__name__])
    return hashlib.sha256("".join(inspect.getsource(module) for module in modules).encode()).hexdigest()[:16]


def _day(article: Article) -> int:
    return 0 if article.published is None else dt.datetime.fromisoformat(article.published).date().toordinal()


def _key(passage: Passage) -> int:
    """Names the words a passage's vectors were made of, and where its sentences end in them."""
    start = passage.span.start
    edges = ",".join(str(sentence.end - start) for sentence in passage.sentences)
    content = f"{passage.article.title}\0{passage.text}\0{edges}".encode()
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little")


def _opens(passage: Passage) -> list[int]:
    """Where the title and each sentence start in the passage's search text."""
    shift = len(passage.article.title) + 1 - passage.span.start
    return [0, *(sentence.start + shift for sentence in passage.sentences)]


def _sentences(passage: Passage, content: list[Word]) -> NDArray[Any]:
    rows = np.empty(len(passage.sentences), SENTENCE)
    text = passage.article.text
    rows["start"] = [sentence.start for sentence in passage.sentences]
    rows["end"] = [sentence.end for sentence in passage.sentences]
    rows["word"] = np.searchsorted([word.span.start for word in content], _opens(passage)[1:])
    rows["heading"] = [not _ENDS.search(text, sentence.start, sentence.end) for sentence in passage.sentences]
    return rows


def _words(passage: Passage, content: list[Word]) -> NDArray[Any]:
    rows = np.empty(len(content), WORD)
    rows["term"] = term_keys([word.term for word in content])
    rows["mark"] = kinds.marks(search_text(passage), content, _opens(passage))
    return rows


def _vectors(passage: Passage, content: list[Word], encoded: Encoded) -> _Vectors:
    """Keep of an encoded passage what answers questions: its vector, its sentences' and its content words'."""
    shift = len(passage.article.title) + 1
    inside = encoded.offsets[:, 0] - shift if len(encoded.offsets) else np.empty(0, np.int32)
    starts = np.array([sentence.start - passage.span.start for sentence in passage.sentences])
    owner = np.searchsorted(starts, inside, "right") - 1
    sentences = np.empty((len(starts), len(encoded.vector)), np.float32)
    for number in range(len(starts)):
        own = encoded.tokens[(owner == number) & (inside >= 0)]
        mean = own.mean(axis=0) if len(own) else encoded.vector  # a sentence past the model's reach: its passage speaks
        sentences[number] = mean / max(float(np.linalg.norm(mean)), 1e-9)
    spans = [word.span for word in content]
    return _Vectors(
        passage=encoded.vector,
        sentences=compress(sentences),
        words=compress(word_vectors(spans, encoded.tokens, encoded.offsets)),
    )


class _Carried:
    """What a snapshot holds, found again by what it was made of, and copied."""

    def __init__(self, previous: Snapshot | None) -> None:
        self._snapshot = previous
        keys = np.empty(0, np.uint64) if previous is None else np.asarray(previous.keys)
        self._order = np.argsort(keys, kind="stable")
        self._keys = keys[self._order]
        self._articles: dict[bytes, int] = {}
        self._files: dict[str, BinaryIO] = {}
        if previous is not None and previous.manifest.recipe == _recipe():
            with (previous.folder / "articles.jsonl").open("rb") as lines:
                self._articles = {_digest(line): row for row, line in enumerate(lines)}

    def article(self, line: bytes) -> int | None:
        """The row of an article that was the same and was made into rows in the same way."""
        return self._articles.get(_digest(line))

    def parts(
        self, first: int, last: int
    ) -> Iterator[tuple[NDArray[Any], dict[str, int], dict[str, int], NDArray[np.float32]]]:
        """The passages of articles `first` to `last`, a part at a time, with where what they own starts and ends."""
        old = self._opened()
        begin, end = np.searchsorted(old.edges["article"], (first, last)).tolist()
        for start in range(begin, end, _COPIED):
            stop = min(start + _COPIED, end)
            starts, ends = (
                {"passage": row, **{name: int(old.edges[name][row]) for name in ("sentence", "word", "folded")}}
                for row in (start, stop)
            )
            yield np.array(old.edges[start:stop]), starts, ends, old.vectors.take(np.arange(start, stop))

    def copy(self, name: str, start: int, end: int, target: BinaryIO) -> None:
        """Append the rows `start` to `end` of one of the old files to a new one.

        Read, not mapped: pages of a mapped file would count as this process's memory, all of them.
        """
        if name not in self._files:
            self._files[name] = (self._opened().folder / name).open("rb")
        size = _SIZES[name](self._opened())
        file, left = self._files[name], (end - start) * size
        file.seek(start * size)
        while left:
            block = file.read(min(left, 1 << 20))
            target.write(block)
            left -= len(block)

    def passage(self, key: int) -> int | None:
        """The row of a passage that was made of the same words."""
        place = int(np.searchsorted(self._keys, np.uint64(key)))
        if place < len(self._keys) and int(self._keys[place]) == key:
            return int(self._order[place])
        return None

    def take(self, row: int) -> _Vectors:
        """The vectors of a passage."""
        old = self._opened()
        first, last = (slice(int(old.edges[f][row]), int(old.edges[f][row + 1])) for f in ("sentence", "word"))
        return _Vectors(
            passage=old.vectors.take(np.array([row], np.int64))[0],
            sentences=np.asarray(old.sentence_vectors[first]),
            words=np.asarray(old.word_vectors[last]),
        )

    def close(self) -> None:
        """Close the files that were copied from."""
        for file in self._files.values():
            file.close()

    def _opened(self) -> Snapshot:
        if self._snapshot is None:
            raise LookupError("there is no snapshot to carry over from")
        return self._snapshot


def _digest(line: bytes) -> bytes:
    return hashlib.blake2b(line, digest_size=16).digest()


def _sync(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            _sync_folder(path)
        else:
            with path.open("rb") as file:
                os.fsync(file.fileno())
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
