"""Articles to a snapshot, and a snapshot to CURRENT. Writing only; answering never imports this.

One writer at a time: the caller holds the library's lock. A build that is interrupted, at any moment, leaves what
served before serving; the next build takes from it what it had finished, and removes it.

A library of up to SMALL passages is one segment, made anew whenever it changes, to the same bytes as from nothing.
Beyond that only what is new, with the segments that are SMALL, goes into a new segment; the others stay as they are,
and the snapshot says which of their articles are gone. So publishing never waits for a large one to be rewritten.

That segments stay few, and what is gone does not keep its disk, is seen to afterwards, by `retrieval.merge`: whoever
published begins a process for it, which takes the lock only when it is done. Its folders, `.merge-*`, are left alone.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import accumulate, groupby
from pathlib import Path
from typing import Any, BinaryIO, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from corpus.article import Article, Passage
from corpus.catalog import digest_of
from corpus.split import split_article
from retrieval import lexical, rows, segment, snapshot, vectors
from retrieval.digests import sha256_of, unsound
from retrieval.encoder import Encoder, unit
from retrieval.errors import PublishError, RetrievalError, SnapshotCorrupt
from retrieval.index import PASSAGE, day_of, outlet_of
from retrieval.rows import Kept, Vectors, encoded, index_terms
from retrieval.segment import MANIFEST, Segment, SegmentManifest, article_key, word_key
from retrieval.snapshot import FORMAT, SEGMENTS, Manifest, Snapshot
from retrieval.steps import Progress, Step, What, following
from retrieval.vectors import NearestBy

KEEP = 3
SMALL = 10_000
"""A segment of so many passages and fewer is made anew with what is new; see tests/bench/RESULTS.md."""

_CHUNK = 256
_COPIED = 4096
_CHECKPOINT_S = 10.0
_QUESTIONS = 200
STAMP = "%Y%m%dT%H%M%SZ"
CHECKPOINT = "checkpoint.json"


@runtime_checkable
class Source(Protocol):
    """Articles that can be told apart without being read, such as a library's."""

    def digests(self) -> Mapping[str, bytes]:
        """What `corpus.catalog.digest_of` makes of each article, by id, in the order they are to be indexed."""

    def load(self, ids: Iterable[str]) -> Iterator[Article]:
        """The articles with these ids, in their order."""


Parts = Sequence[tuple[Segment, NDArray[np.bool_]]]
"""Segments, each with which of its articles a snapshot has."""


@dataclass(frozen=True, slots=True)
class Published:
    """A snapshot that now serves, and how much of it was new."""

    name: str
    articles: int
    passages: int
    encoded: int


@dataclass(frozen=True, slots=True)
class _Plan:
    """How a snapshot comes about: segments that stay, each with which of its articles do, and the ids of a new one."""

    stay: Parts
    anew: tuple[str, ...]
    unchanged: bool
    replaces: Manifest | None


class _Given:
    """Articles at hand as a source."""

    def __init__(self, articles: Iterable[Article]) -> None:
        self._articles = {article.id: article for article in articles}

    def digests(self) -> Mapping[str, bytes]:
        return {article.id: digest_of(article) for article in self._articles.values()}

    def load(self, ids: Iterable[str]) -> Iterator[Article]:
        return (self._articles[article_id] for article_id in ids)


def given(articles: Source | Iterable[Article]) -> Source:
    """Articles, at hand or not, as a source."""
    return articles if isinstance(articles, Source) else _Given(articles)


def publish(
    articles: Source | Iterable[Article],
    encoder: Encoder,
    snapshots: Path,
    *,
    full: bool = False,
    progress: Progress = lambda _: None,
    known: Callable[[Iterable[int]], Mapping[int, Vectors]] = lambda _: {},
    now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
) -> Published:
    """Build a snapshot of `articles` aside, make it CURRENT, keep the three newest.

    An article that the snapshot that serves has too is not read again; in one that changed, a passage whose words and
    title are as they were keeps its vectors; where nothing changed, no snapshot is made. With `full` everything is
    encoded anew, for a library that is one segment to the same bytes. `known` gives the vectors of passages that
    another index has made already.

    Raises:
        PublishError: the files cannot be written; what served before still serves.
    """
    source = given(articles)
    try:
        snapshots.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as stack:
            previous = None if full else _previous(snapshots, encoder)
            digests = source.digests()
            plan = _planned(digests, previous)
            if previous is not None and plan.unchanged:
                remove(snapshots.glob(".build-*"))
                return Published(previous.name, previous.manifest.articles, previous.manifest.passages, 0)
            folder = Path(tempfile.mkdtemp(prefix=".build-", dir=snapshots))
            stack.callback(_give_up, folder)
            held = previous.segments if previous else []
            left = _left(snapshots, encoder, {one.folder.name for one in held} | {folder.name}, full=full)
            carried = _Carried([*held, *left], {article_key(one, digests[one]) for one in plan.anew})
            made, count = _build(source, digests, plan, encoder, folder, carried, known, progress, full=full)
            if made is not None:
                progress(Step(What.CHECK, 0, 0, following(What.CHECK, made.passages, 0, itself=True)))
            name = _published(snapshots, folder, plan, made, encoder, now())
            if name is None:
                assert previous is not None
                name = previous.name
        remove(snapshots.glob(".build-*"))
        prune(snapshots)
        manifest = Manifest.read(snapshots / name)
    except OSError as exc:
        remove(snapshots.glob(".build-*"))  # a full disk needs the room
        raise PublishError(
            f"the index could not be written: {exc.strerror or exc}; what served before still serves. "
            f"Make room or check {snapshots}, then run: newsquote index build"
        ) from exc
    return Published(name, manifest.articles, manifest.passages, count)


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
    """Remove all but the `keep` newest snapshots, never the one that serves, and the segments that none has."""
    serving = snapshot.current(snapshots)
    for name in snapshot.names(snapshots)[:-keep]:
        if name != serving:
            shutil.rmtree(snapshots / name)
    held: set[str] = set()
    for name in snapshot.names(snapshots):
        with contextlib.suppress(RetrievalError):
            held.update(Manifest.read(snapshots / name).segments)
    remove(path for path in (snapshots / SEGMENTS).glob("*") if path.name not in held)


def after(name: str | None, now: dt.datetime) -> dt.datetime:
    """The moment, or a second after that of a snapshot's name, so that names sort as they were made."""
    if name is None:
        return now
    last = dt.datetime.strptime(name.partition("-")[0], STAMP).replace(tzinfo=dt.UTC)
    return max(now, last + dt.timedelta(seconds=1))


def _previous(snapshots: Path, encoder: Encoder) -> Snapshot | None:
    try:
        return Snapshot.open(snapshots, encoder=encoder.fingerprint)
    except RetrievalError:
        return None  # nothing to carry over from: everything is encoded


def _planned(digests: Mapping[str, bytes], previous: Snapshot | None) -> _Plan:
    """Which segments stay, and what goes into a new one."""
    segments = [] if previous is None else previous.segments
    recipe = rows.recipe()
    starts = np.cumsum([0, *(one.manifest.articles for one in segments)])
    places: dict[bytes, int] = {}
    for start, one in zip(starts.tolist(), segments, strict=False):
        if one.manifest.recipe == recipe:
            places.update(zip(one.article_keys(), range(start, start + one.manifest.articles), strict=True))
    found = (places.get(article_key(*pair), -1) for pair in digests.items())
    wanted = np.fromiter(found, np.int64, len(digests))
    owner = np.searchsorted(starts, wanted, "right") - 1
    held = [wanted[owner == number] - starts[number] for number in range(len(segments))]
    alive = [np.zeros(one.manifest.articles, np.bool_) for one in segments]
    for live, places_there in zip(alive, held, strict=True):
        live[places_there] = True
    ordered = [bool((np.diff(places_there) > 0).all()) for places_there in held]
    sizes = [int(one.passages_of(live).sum()) for one, live in zip(segments, alive, strict=True)]
    new = int(np.count_nonzero(wanted < 0))
    again = [number for number, size in enumerate(sizes) if size <= SMALL]
    whole = [live.all() and straight for live, straight in zip(alive, ordered, strict=True)]
    if not new and (not again or (len(again) == 1 and whole[again[0]])):
        again = []
    stay = tuple((segments[number], alive[number]) for number in range(len(segments)) if number not in again)
    listed = list(digests)
    anew = [listed[at] for at in np.flatnonzero((wanted < 0) | np.isin(owner, again)).tolist()]
    kept = len(stay) == len(segments)
    unchanged = previous is not None and not anew and kept and gone(stay) == previous.manifest.gone
    return _Plan(stay, tuple(anew), unchanged, None if previous is None else previous.manifest)


def gone(parts: Parts) -> tuple[int, ...]:
    """The articles that are in the segments of a snapshot and not in it, counted over all of these segments."""
    if not parts:
        return ()
    return tuple(np.flatnonzero(~np.concatenate([alive for _, alive in parts])).tolist())


def _build(
    source: Source,
    digests: Mapping[str, bytes],
    plan: _Plan,
    encoder: Encoder,
    folder: Path,
    carried: _Carried,
    known: Callable[[Iterable[int]], Mapping[int, Vectors]],
    progress: Progress,
    *,
    full: bool,
) -> tuple[SegmentManifest | None, int]:
    """Write the new segment into `folder`: its manifest, None where nothing goes into it, and what was encoded."""
    if not plan.anew:
        return None, 0
    places = [carried.places.get(article_key(one, digests[one])) for one in plan.anew]
    count = 0

    def vectors_of(keys: Iterable[int]) -> Mapping[int, Vectors]:
        listed = list(keys)
        return {**known(listed), **carried.known(listed)}

    with Writer(folder, encoder.fingerprint, encoder.dim, full=full) as writer:

        def done() -> None:
            progress(writer.step(What.ARTICLES, len(plan.anew)))
            writer.checkpoint()

        # Neighbours that were neighbours before are copied in one go.
        for run, group in groupby(enumerate(places), lambda one: one[1] and (one[1][0], one[1][1] - one[0])):
            numbers = [number for number, _ in group]
            if run is None:
                articles = source.load(plan.anew[numbers[0] : numbers[-1] + 1])
                for batch in batches(articles):
                    for article, passages, new in encoded(batch, encoder, vectors_of):
                        writer.write(article, passages)
                        count += new
                        done()
            else:
                old, shift = carried.sources[run[0]], run[1]
                for _ in writer.copied(old, numbers[0] + shift, numbers[-1] + 1 + shift):
                    done()
        return writer.finish(progress), count


def batches(articles: Iterable[Article]) -> Iterator[list[tuple[Article, list[Passage]]]]:
    """Articles with their passages, in groups of about _CHUNK passages."""
    batch: list[tuple[Article, list[Passage]]] = []
    for article in articles:
        batch.append((article, split_article(article)))
        if sum(len(passages) for _, passages in batch) >= _CHUNK:
            yield batch
            batch = []
    if batch:
        yield batch


def _published(
    snapshots: Path, folder: Path, plan: _Plan, made: SegmentManifest | None, encoder: Encoder, now: dt.datetime
) -> str | None:
    """Put the new segment in its place and make the snapshot serve; its name, None where it is the one that serves."""
    parts = [*plan.stay]
    if made is not None:
        place = snapshots / SEGMENTS / made.name
        in_place(folder, place)
        parts.append((Segment(place, made, searchable=False), np.ones(made.articles, np.bool_)))
    named = tuple(one.folder.name for one, _ in parts)
    if plan.replaces is not None and (plan.replaces.segments, plan.replaces.gone) == (named, gone(parts)):
        return None
    name = serve(snapshots, parts, encoder.fingerprint, encoder.dim, now)
    if made is not None:
        (snapshots / SEGMENTS / made.name / CHECKPOINT).unlink(missing_ok=True)
    return name


def serve(snapshots: Path, parts: Parts, encoder: str, dim: int, now: dt.datetime) -> str:
    """Write down the snapshot that has these parts and let it serve; its name.

    Raises:
        PublishError: CURRENT cannot be written; what served before still serves.
        OSError: something else cannot.
    """
    moment = after(max(snapshot.names(snapshots), default=None), now)
    manifest = Manifest(
        format=FORMAT,
        created=f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        encoder=encoder,
        dim=dim,
        articles=sum(int(alive.sum()) for _, alive in parts),
        passages=sum(int(one.passages_of(alive).sum()) for one, alive in parts),
        segments=tuple(one.folder.name for one, _ in parts),
        gone=gone(parts),
    )
    name = f"{moment:{STAMP}}-{manifest.short_digest()}"
    aside = Path(tempfile.mkdtemp(prefix=".build-", dir=snapshots))
    (aside / "manifest.json").write_text(manifest.to_json(), encoding="utf-8")
    sync(aside)
    aside.chmod(0o755)
    aside.rename(snapshots / name)
    _sync_folder(snapshots)
    try:
        use(snapshots, name)
    except PublishError:
        shutil.rmtree(snapshots / name, ignore_errors=True)
        raise
    return name


def in_place(folder: Path, target: Path) -> None:
    """Move a finished segment to where snapshots look for it.

    One of the same content may be there already: it is kept where it is sound and replaced where it is damaged.
    """
    sync(folder)
    target.parent.mkdir(exist_ok=True)
    if target.exists():
        if sound(target, memory=None):
            return
        target.rename(folder.with_name(f"{folder.name}-damaged"))
    folder.chmod(0o755)
    folder.rename(target)
    _sync_folder(target.parent)


def sound(folder: Path, *, memory: Path | None) -> bool:
    """Whether a segment's files are what its manifest says."""
    try:
        manifest = SegmentManifest.read(folder)
    except SnapshotCorrupt:
        return False
    return unsound(((folder / name, size, digest) for name, (size, digest) in manifest.files.items()), memory) is None


def _left(snapshots: Path, encoder: Encoder, held: Collection[str], *, full: bool) -> list[Segment]:
    """What interrupted builds had finished, and segments but those held; with `full`, only of full builds."""
    found = []
    for folder in sorted([*snapshots.glob(".build-*"), *(snapshots / SEGMENTS).glob("*")]):
        if folder.name in held:
            continue
        try:
            checkpoint = json.loads((folder / CHECKPOINT).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            checkpoint = None
        if full and not (checkpoint and checkpoint["full"]):
            continue
        with contextlib.suppress(OSError, ValueError, RetrievalError, KeyError, TypeError):
            if (folder / MANIFEST).exists():
                if sound(folder, memory=snapshots / ".verified.json"):
                    found.append(Segment(folder, SegmentManifest.read(folder), searchable=False))
            elif checkpoint:
                found.append(_resumed(folder, _Counts(**checkpoint["counts"]), checkpoint))
    return [one for one in found if (one.manifest.encoder, one.manifest.dim) == (encoder.fingerprint, encoder.dim)]


def _resumed(folder: Path, counts: _Counts, checkpoint: Mapping[str, Any]) -> Segment:
    """What a build had written when it noted so: its files may go on beyond that."""
    with (folder / "passages.bin").open("r+b") as file:
        file.truncate(counts.passages * PASSAGE.itemsize)
        file.seek(0, os.SEEK_END)
        file.write(counts.closing().tobytes())
    manifest = SegmentManifest(
        encoder=checkpoint["encoder"],
        dim=checkpoint["dim"],
        recipe=checkpoint["recipe"],
        articles=counts.articles,
        passages=counts.passages,
        sentences=counts.sentences,
        words=counts.words,
        nearest=NearestBy(),
        files={},
    )
    return Segment(folder, manifest, searchable=False)


def _give_up(folder: Path) -> None:
    """Remove what a build wrote unless it is worth going on from."""
    if not (folder / CHECKPOINT).exists():
        shutil.rmtree(folder, ignore_errors=True)


def remove(folders: Iterable[Path]) -> None:
    """Remove folders, as far as that goes."""
    for folder in list(folders):
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(slots=True)
class _Counts:
    """How much of each a segment has so far; `folded` are bytes, and so is `text`."""

    articles: int = 0
    passages: int = 0
    sentences: int = 0
    words: int = 0
    folded: int = 0
    text: int = 0

    def closing(self) -> NDArray[Any]:
        """The row that ends the table of passages."""
        return np.array([(self.articles, 0, 0, self.sentences, self.words, self.folded)], PASSAGE)


class Writer:
    """Writes a segment, article by article. What a checkpoint notes can be gone on from after a kill or a power cut."""

    def __init__(
        self, folder: Path, encoder: str, dim: int, *, full: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`encoder` is the fingerprint of the one that makes the vectors, of `dim` numbers each."""
        self._folder = folder
        self._encoder, self._dim, self._recipe = encoder, dim, rows.recipe()
        self._full = full
        self._clock = clock
        self._noted = clock()
        self._files: dict[str, BinaryIO] = {}
        self.counts = _Counts()
        manifest = self._manifest(NearestBy())
        self._shapes = segment.shapes(manifest)

    def __enter__(self) -> Writer:
        for name in (*(f"{name}.bin" for name in self._shapes), "articles.jsonl", "folded.txt"):
            self._files[name] = (self._folder / name).open("wb")
        for name in ("lines", "rows"):
            self._write(name, np.zeros(1, "<i8"))
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.close()

    def write(self, article: Article, passages: Iterable[Kept]) -> None:
        """Write an article with its passages."""
        counts = self.counts
        line = json.dumps(asdict(article), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        self._files["articles.jsonl"].write(line)
        counts.text += len(line)
        self._write("lines", np.array([counts.text], "<i8"))
        self._write("days", np.array([day_of(article.published)], "<i4"))
        self._write("outlets", np.array([outlet_of(article.source)], "<i8"))
        self._files["digests.bin"].write(article_key(article.id, digest_of(article)))
        for passage in passages:
            self._passage(passage)
        self._write("rows", np.array([counts.passages], "<i8"))
        counts.articles += 1

    def _passage(self, passage: Kept) -> None:
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

    def step(self, what: What, articles: int) -> Step:
        """How far it is with what writes articles, of which there are so many."""
        passages = self.counts.passages * articles // max(1, self.counts.articles)
        return Step(what, self.counts.articles, articles, following(what, passages, vectors.lists_of(passages)))

    def finish(self, progress: Progress) -> SegmentManifest:
        """Close the tables and make what they are searched by."""
        count, lists = self.counts.passages, vectors.lists_of(self.counts.passages)

        def step(what: What, done: int, total: int = count) -> None:
            begun = not done  # whose pace is not known yet
            then_s = following(what, count, lists, itself=begun)
            progress(Step(what, done, 0 if what in {What.GROUPS, What.RECALL} else total, then_s))

        self._write("passages", self.counts.closing())
        for file in self._files.values():
            file.flush()
        if (self._folder / CHECKPOINT).exists() or self._clock() - self._noted >= _CHECKPOINT_S:
            self._note()  # what follows takes its time
        made = Segment(self._folder, self._manifest(NearestBy()), searchable=False)
        vocabulary: set[str] = set()
        lexical.save(self._folder / "lexical", _documents(made, vocabulary, partial(step, What.TERMS)))
        keys = np.sort(np.fromiter(map(word_key, vocabulary), "<u8", len(vocabulary)))
        del vocabulary
        (self._folder / "vocabulary.bin").write_bytes(keys.tobytes())
        nearest = vectors.build(self._folder / "nearest.faiss", made.exact, _questions(made), step)
        sizes = {
            path: path.stat().st_size
            for path in sorted(self._folder.rglob("*"))
            if path.is_file() and not path.name.endswith(".lock") and path.name != CHECKPOINT
        }
        files = {}
        for done, (path, size) in zip(accumulate(sizes.values(), initial=0), sizes.items(), strict=False):
            step(What.FILES, done >> 20, sum(sizes.values()) >> 20)
            files[path.relative_to(self._folder).as_posix()] = (size, sha256_of(path))
        manifest = self._manifest(nearest, files)
        (self._folder / MANIFEST).write_text(manifest.to_json(), encoding="utf-8")
        return manifest

    def _manifest(self, nearest: NearestBy, files: Mapping[str, tuple[int, str]] | None = None) -> SegmentManifest:
        counts = self.counts
        return SegmentManifest(
            encoder=self._encoder,
            dim=self._dim,
            recipe=self._recipe,
            articles=counts.articles,
            passages=counts.passages,
            sentences=counts.sentences,
            words=counts.words,
            nearest=nearest,
            files=dict(files or {}),
        )

    def _note(self) -> None:
        about = {"encoder": self._encoder, "dim": self._dim, "recipe": self._recipe}
        note = {**about, "full": self._full, "counts": asdict(self.counts)}
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


def _documents(
    made: Segment, vocabulary: set[str], step: Callable[[int], None]
) -> Iterator[tuple[list[str], int, int]]:
    """Each passage's index terms, day and outlet; its folded words are put into the vocabulary."""
    days, outlets = (np.repeat(values, np.diff(made.rows)) for values in (made.days, made.outlets))
    with (made.folder / "folded.txt").open(encoding="utf-8", newline="\n") as lines:
        for row, (line, day, outlet) in enumerate(zip(lines, days.tolist(), outlets.tolist(), strict=True)):
            if row % _CHUNK == 0:
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
    one, other = (unit(np.asarray(made.sentence_vectors[rows], np.float32)) for rows in drawn)
    return unit(one + other)


class _Carried:
    """What segments hold that are there already, found again by what it was made of."""

    def __init__(self, sources: Sequence[Segment], wanted: Collection[bytes]) -> None:
        """`wanted` are the `article_key`s of the articles that are to be written."""
        self.sources = sources
        recipe = rows.recipe()
        self.places: dict[bytes, tuple[int, int]] = {}
        """The source and row of each article that would be made into the same rows."""
        for number, one in enumerate(sources):
            if one.manifest.recipe == recipe:
                for row, key in enumerate(one.article_keys()):
                    if key in wanted:
                        self.places.setdefault(key, (number, row))

    def known(self, keys: Iterable[int]) -> dict[int, Vectors]:
        """The vectors of those passages that were made of the same words, by their key."""
        wanted = np.unique(np.fromiter(keys, np.uint64))
        found: dict[int, Vectors] = {}
        for one in reversed(self.sources):
            found.update(one.known_vectors(wanted))
        return found


def sync(folder: Path) -> None:
    """See that a folder and all in it are on the disk."""
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
