"""Articles to a snapshot, and a snapshot to CURRENT. Writing only; answering never imports this.

One writer at a time: the caller holds the library's lock. A build that is interrupted, at any moment, leaves what
served before serving; the next build takes from it what it had finished, and removes it.

A library of up to SMALL passages is one segment, made anew whenever it changes, to the same bytes as from nothing.
Beyond that only what is new, with the segments that are SMALL, goes into a new segment; the others stay as they are,
and the snapshot says which of their articles are gone. So publishing never waits for a large one to be rewritten.

That segments stay few, and what is gone does not keep its disk, is seen to afterwards, by `merging`: whoever published
begins a process for it, which takes the lock only when it is done. Its folders, `.merge-*`, are left alone.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from corpus.article import Article, Passage
from corpus.storage.entry import article_digest
from corpus.text.split import split_article
from retrieval.errors import PublishError, RetrievalError
from retrieval.index.build_progress import BuildProgress, ProgressCallback, Stage, remaining_seconds
from retrieval.index.contract import PassageVectors
from retrieval.index.segment import MANIFEST, Segment, SegmentManifest, article_key
from retrieval.index.snapshot import SEGMENTS, Manifest, Snapshot
from retrieval.index.writing import passage_records
from retrieval.index.writing.current_snapshot import (
    SegmentSelection,
    install_segment,
    is_intact,
    make_current,
    prune,
    remove_folders,
    removed_articles,
)
from retrieval.index.writing.passage_records import encode_articles
from retrieval.index.writing.segment_writer import CHECKPOINT, SegmentWriter, resume_segment
from retrieval.models.encoder import Encoder

SMALL = 10_000
"""A segment of so many passages and fewer is made anew with what is new; see tests/bench/RESULTS.md."""

_CHUNK = 256


@runtime_checkable
class Source(Protocol):
    """Articles that can be told apart without being read, such as a library's."""

    def digests(self) -> Mapping[str, bytes]:
        """The `corpus.storage.entry.article_digest` of each article, by id, in the order they are to be indexed."""

    def load(self, ids: Iterable[str]) -> Iterator[Article]:
        """The articles with these ids, in their order."""


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

    stay: SegmentSelection
    anew: tuple[str, ...]
    unchanged: bool
    replaces: Manifest | None


class _Given:
    """Articles at hand as a source."""

    def __init__(self, articles: Iterable[Article]) -> None:
        self._articles = {article.id: article for article in articles}

    def digests(self) -> Mapping[str, bytes]:
        return {article.id: article_digest(article) for article in self._articles.values()}

    def load(self, ids: Iterable[str]) -> Iterator[Article]:
        return (self._articles[article_id] for article_id in ids)


def as_source(articles: Source | Iterable[Article]) -> Source:
    """Articles, at hand or not, as a source."""
    return articles if isinstance(articles, Source) else _Given(articles)


def publish(
    articles: Source | Iterable[Article],
    encoder: Encoder,
    snapshots: Path,
    *,
    full: bool = False,
    progress: ProgressCallback = lambda _: None,
    known: Callable[[Iterable[int]], Mapping[int, PassageVectors]] = lambda _: {},
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
    source = as_source(articles)
    try:
        snapshots.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as stack:
            previous = None if full else _previous(snapshots, encoder)
            digests = source.digests()
            plan = _planned(digests, previous)
            if previous is not None and plan.unchanged:
                remove_folders(snapshots.glob(".build-*"))
                return Published(previous.name, previous.manifest.articles, previous.manifest.passages, 0)
            folder = Path(tempfile.mkdtemp(prefix=".build-", dir=snapshots))
            stack.callback(_give_up, folder)
            held = previous.segments if previous else []
            left = _left(snapshots, encoder, {one.folder.name for one in held} | {folder.name}, full=full)
            carried = _Carried([*held, *left], {article_key(one, digests[one]) for one in plan.anew})
            made, count = _build(source, digests, plan, encoder, folder, carried, known, progress, full=full)
            if made is not None:
                progress(
                    BuildProgress(Stage.CHECK, 0, 0, remaining_seconds(Stage.CHECK, made.passages, 0, itself=True))
                )
            name = _published(snapshots, folder, plan, made, encoder, now())
            if name is None:
                assert previous is not None
                name = previous.name
        remove_folders(snapshots.glob(".build-*"))
        prune(snapshots)
        manifest = Manifest.read(snapshots / name)
    except OSError as exc:
        remove_folders(snapshots.glob(".build-*"))  # a full disk needs the room
        raise PublishError(
            f"the index could not be written: {exc.strerror or exc}; what served before still serves. "
            f"Make room or check {snapshots}, then run: newsquote index build"
        ) from exc
    return Published(name, manifest.articles, manifest.passages, count)


def _previous(snapshots: Path, encoder: Encoder) -> Snapshot | None:
    try:
        return Snapshot.open(snapshots, encoder=encoder.fingerprint)
    except RetrievalError:
        return None  # nothing to carry over from: everything is encoded


def _planned(digests: Mapping[str, bytes], previous: Snapshot | None) -> _Plan:
    """Which segments stay, and what goes into a new one."""
    segments = [] if previous is None else previous.segments
    recipe = passage_records.pipeline_version()
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
    unchanged = previous is not None and not anew and kept and removed_articles(stay) == previous.manifest.gone
    return _Plan(stay, tuple(anew), unchanged, None if previous is None else previous.manifest)


def _build(
    source: Source,
    digests: Mapping[str, bytes],
    plan: _Plan,
    encoder: Encoder,
    folder: Path,
    carried: _Carried,
    known: Callable[[Iterable[int]], Mapping[int, PassageVectors]],
    progress: ProgressCallback,
    *,
    full: bool,
) -> tuple[SegmentManifest | None, int]:
    """Write the new segment into `folder`: its manifest, None where nothing goes into it, and what was encoded."""
    if not plan.anew:
        return None, 0
    places = [carried.places.get(article_key(one, digests[one])) for one in plan.anew]
    count = 0

    def vectors_of(keys: Iterable[int]) -> Mapping[int, PassageVectors]:
        listed = list(keys)
        return {**known(listed), **carried.known(listed)}

    with SegmentWriter(folder, encoder.fingerprint, encoder.dim, full=full) as writer:

        def done() -> None:
            progress(writer.step(Stage.ARTICLES, len(plan.anew)))
            writer.checkpoint()

        # Neighbours that were neighbours before are copied in one go.
        for run, group in groupby(enumerate(places), lambda one: one[1] and (one[1][0], one[1][1] - one[0])):
            numbers = [number for number, _ in group]
            if run is None:
                articles = source.load(plan.anew[numbers[0] : numbers[-1] + 1])
                for batch in batches(articles):
                    for article, passages, new in encode_articles(batch, encoder, vectors_of):
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
        install_segment(folder, place)
        parts.append((Segment(place, made, searchable=False), np.ones(made.articles, np.bool_)))
    named = tuple(one.folder.name for one, _ in parts)
    if plan.replaces is not None and (plan.replaces.segments, plan.replaces.gone) == (named, removed_articles(parts)):
        return None
    name = make_current(snapshots, parts, encoder.fingerprint, encoder.dim, now)
    if made is not None:
        (snapshots / SEGMENTS / made.name / CHECKPOINT).unlink(missing_ok=True)
    return name


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
                if is_intact(folder, memory=snapshots / ".verified.json"):
                    found.append(Segment(folder, SegmentManifest.read(folder), searchable=False))
            elif checkpoint:
                found.append(resume_segment(folder, checkpoint))
    return [one for one in found if (one.manifest.encoder, one.manifest.dim) == (encoder.fingerprint, encoder.dim)]


def _give_up(folder: Path) -> None:
    """Remove what a build wrote unless it is worth going on from."""
    if not (folder / CHECKPOINT).exists():
        shutil.rmtree(folder, ignore_errors=True)


class _Carried:
    """What segments hold that are there already, found again by what it was made of."""

    def __init__(self, sources: Sequence[Segment], wanted: Collection[bytes]) -> None:
        """`wanted` are the `article_key`s of the articles that are to be written."""
        self.sources = sources
        recipe = passage_records.pipeline_version()
        self.places: dict[bytes, tuple[int, int]] = {}
        """The source and row of each article that would be made into the same rows."""
        for number, one in enumerate(sources):
            if one.manifest.recipe == recipe:
                for row, key in enumerate(one.article_keys()):
                    if key in wanted:
                        self.places.setdefault(key, (number, row))

    def known(self, keys: Iterable[int]) -> dict[int, PassageVectors]:
        """The vectors of those passages that were made of the same words, by their key."""
        wanted = np.unique(np.fromiter(keys, np.uint64))
        found: dict[int, PassageVectors] = {}
        for one in reversed(self.sources):
            found.update(one.known_vectors(wanted))
        return found
