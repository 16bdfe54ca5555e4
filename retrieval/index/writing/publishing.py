"""Builds a snapshot of articles and makes it current. Writing only; answering never imports this.

One writer at a time: the caller holds the library's lock. A build that is interrupted, at any moment, leaves the old
snapshot current; the next build reuses what it had finished, and removes the rest.

A library of up to SMALL_SEGMENT passages is one segment, rewritten at every change to the same bytes as a full build.
Beyond that, new articles and those of the small segments go into a new segment; the other segments stay untouched, and
the snapshot says which of their articles were removed. So publishing never waits for a large segment to be rewritten.

Afterwards `merging` keeps the number of segments low and frees the disk of removed articles: the publisher starts a
process for it, which takes the lock only when it is done. Its folders, `.merge-*`, are not touched here.
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
from retrieval.index.contract import PassageVectors, Published
from retrieval.index.segment import MANIFEST, Segment, SegmentManifest, article_key
from retrieval.index.snapshot import Snapshot
from retrieval.index.snapshot_folder import SEGMENTS, SnapshotManifest
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

SMALL_SEGMENT = 10_000
"""Segments of up to this many passages are rewritten together with new articles; see tests/bench/RESULTS.md."""

_PASSAGES_PER_BATCH = 256


@runtime_checkable
class Source(Protocol):
    """A collection of articles with their digests, such as a library; articles are read only on request."""

    def digests(self) -> Mapping[str, bytes]:
        """The digest of each article (`corpus.storage.entry.article_digest`), by id, in the order to index them."""

    def load(self, ids: Iterable[str]) -> Iterator[Article]:
        """The articles with these ids, in their order."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a snapshot is made of: segments that are reused, and the ids of the articles of a new one.

    `replaces` is the manifest of the current snapshot; `unchanged` says that the new one would equal it.
    """

    reused: SegmentSelection
    rebuilt_ids: tuple[str, ...]
    unchanged: bool
    replaces: SnapshotManifest | None


class _ArticlesInMemory:
    """Articles in memory as a source."""

    def __init__(self, articles: Iterable[Article]) -> None:
        self._articles = {article.id: article for article in articles}

    def digests(self) -> Mapping[str, bytes]:
        return {article.id: article_digest(article) for article in self._articles.values()}

    def load(self, ids: Iterable[str]) -> Iterator[Article]:
        return (self._articles[article_id] for article_id in ids)


def as_source(articles: Source | Iterable[Article]) -> Source:
    """A source, or articles in memory, as a source."""
    return articles if isinstance(articles, Source) else _ArticlesInMemory(articles)


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
    """Build a snapshot of `articles`, make it current, and keep the three newest.

    Articles that the current snapshot has are copied, not read again; in a changed article, passages with the same
    text and title keep their vectors; if nothing changed, no snapshot is made. With `full`, everything is encoded
    again; for a library of one segment, the bytes are the same. `known` returns the vectors of passages that another
    index already has, by key.

    Raises:
        PublishError: the files cannot be written; the old snapshot stays current.
    """
    source = as_source(articles)
    try:
        snapshots.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as stack:
            previous = None if full else _open_current(snapshots, encoder)
            digests = source.digests()
            plan = _plan(digests, previous)
            if previous is not None and plan.unchanged:
                remove_folders(snapshots.glob(".build-*"))
                return Published(previous.name, previous.manifest.articles, previous.manifest.passages, 0)
            folder = Path(tempfile.mkdtemp(prefix=".build-", dir=snapshots))
            stack.callback(_discard_unless_resumable, folder)
            segments_held = previous.segments if previous else []
            unfinished = _unfinished_segments(
                snapshots, encoder, {one.folder.name for one in segments_held} | {folder.name}, full=full
            )
            reusable = _ReusableSegments(
                [*segments_held, *unfinished], {article_key(one, digests[one]) for one in plan.rebuilt_ids}
            )
            made, count = _write_segment(source, digests, plan, encoder, folder, reusable, known, progress, full=full)
            if made is not None:
                progress(
                    BuildProgress(Stage.CHECK, 0, 0, remaining_seconds(Stage.CHECK, made.passages, 0, itself=True))
                )
            name = _install(snapshots, folder, plan, made, encoder, now())
            if name is None:
                assert previous is not None
                name = previous.name
        remove_folders(snapshots.glob(".build-*"))
        prune(snapshots)
        manifest = SnapshotManifest.read(snapshots / name)
    except OSError as exc:
        remove_folders(snapshots.glob(".build-*"))  # a full disk needs the space
        raise PublishError(
            f"the index could not be written: {exc.strerror or exc}; what served before still serves. "
            f"Make room or check {snapshots}, then run: newsquote index build"
        ) from exc
    return Published(name, manifest.articles, manifest.passages, count)


def _open_current(snapshots: Path, encoder: Encoder) -> Snapshot | None:
    try:
        return Snapshot.open(snapshots, encoder=encoder.fingerprint)
    except RetrievalError:
        return None  # nothing to reuse: everything is encoded


def _plan(digests: Mapping[str, bytes], previous: Snapshot | None) -> _Plan:
    """Decide which segments are reused, and which articles go into a new one."""
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
    segments_held = [wanted[owner == number] - starts[number] for number in range(len(segments))]
    masks = [np.zeros(one.manifest.articles, np.bool_) for one in segments]
    for mask, places_there in zip(masks, segments_held, strict=True):
        mask[places_there] = True
    ordered = [bool((np.diff(places_there) > 0).all()) for places_there in segments_held]
    sizes = [int(one.passage_mask(mask).sum()) for one, mask in zip(segments, masks, strict=True)]
    new = int(np.count_nonzero(wanted < 0))
    small = [number for number, size in enumerate(sizes) if size <= SMALL_SEGMENT]
    whole = [mask.all() and straight for mask, straight in zip(masks, ordered, strict=True)]
    if not new and (not small or (len(small) == 1 and whole[small[0]])):
        small = []
    reused = tuple((segments[number], masks[number]) for number in range(len(segments)) if number not in small)
    listed = list(digests)
    rebuilt_ids = [listed[at] for at in np.flatnonzero((wanted < 0) | np.isin(owner, small)).tolist()]
    kept = len(reused) == len(segments)
    unchanged = previous is not None and not rebuilt_ids and kept and removed_articles(reused) == previous.manifest.gone
    return _Plan(reused, tuple(rebuilt_ids), unchanged, None if previous is None else previous.manifest)


def _write_segment(
    source: Source,
    digests: Mapping[str, bytes],
    plan: _Plan,
    encoder: Encoder,
    folder: Path,
    reusable: _ReusableSegments,
    known: Callable[[Iterable[int]], Mapping[int, PassageVectors]],
    progress: ProgressCallback,
    *,
    full: bool,
) -> tuple[SegmentManifest | None, int]:
    """Write the new segment into `folder`; its manifest, None if it has no articles, and the passages encoded."""
    if not plan.rebuilt_ids:
        return None, 0
    places = [reusable.locations.get(article_key(one, digests[one])) for one in plan.rebuilt_ids]
    count = 0

    def vectors_of(keys: Iterable[int]) -> Mapping[int, PassageVectors]:
        listed = list(keys)
        return {**known(listed), **reusable.vectors(listed)}

    with SegmentWriter(folder, encoder.fingerprint, encoder.dim, full=full) as writer:

        def done() -> None:
            progress(writer.progress(Stage.ARTICLES, len(plan.rebuilt_ids)))
            writer.checkpoint()

        # Articles that were consecutive in the same segment are copied together.
        for run, group in groupby(enumerate(places), lambda one: one[1] and (one[1][0], one[1][1] - one[0])):
            numbers = [number for number, _ in group]
            if run is None:
                articles = source.load(plan.rebuilt_ids[numbers[0] : numbers[-1] + 1])
                for batch in passage_batches(articles):
                    for article, passages, new in encode_articles(batch, encoder, vectors_of):
                        writer.write(article, passages)
                        count += new
                        done()
            else:
                old, shift = reusable.sources[run[0]], run[1]
                for _ in writer.copy_articles(old, numbers[0] + shift, numbers[-1] + 1 + shift):
                    done()
        return writer.finish(progress), count


def passage_batches(articles: Iterable[Article]) -> Iterator[list[tuple[Article, list[Passage]]]]:
    """Articles with their passages, in batches of about _PASSAGES_PER_BATCH passages."""
    batch: list[tuple[Article, list[Passage]]] = []
    for article in articles:
        batch.append((article, split_article(article)))
        if sum(len(passages) for _, passages in batch) >= _PASSAGES_PER_BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _install(
    snapshots: Path, folder: Path, plan: _Plan, made: SegmentManifest | None, encoder: Encoder, now: dt.datetime
) -> str | None:
    """Install the new segment and make the snapshot current; its name, None if it equals the current one."""
    selection = [*plan.reused]
    if made is not None:
        place = snapshots / SEGMENTS / made.name
        install_segment(folder, place)
        selection.append((Segment(place, made, searchable=False), np.ones(made.articles, np.bool_)))
    named = tuple(one.folder.name for one, _ in selection)
    if plan.replaces is not None and (plan.replaces.segments, plan.replaces.gone) == (
        named,
        removed_articles(selection),
    ):
        return None
    name = make_current(snapshots, selection, encoder.fingerprint, encoder.dim, now)
    if made is not None:
        (snapshots / SEGMENTS / made.name / CHECKPOINT).unlink(missing_ok=True)
    return name


def _unfinished_segments(
    snapshots: Path, encoder: Encoder, segments_held: Collection[str], *, full: bool
) -> list[Segment]:
    """Segments to reuse besides those of the current snapshot: installed ones, and parts of interrupted builds.

    With `full`, only those of interrupted full builds.
    """
    found = []
    for folder in sorted([*snapshots.glob(".build-*"), *(snapshots / SEGMENTS).glob("*")]):
        if folder.name in segments_held:
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


def _discard_unless_resumable(folder: Path) -> None:
    """Remove the folder of a build unless it has a checkpoint to resume from."""
    if not (folder / CHECKPOINT).exists():
        shutil.rmtree(folder, ignore_errors=True)


class _ReusableSegments:
    """Articles and vectors of existing segments, looked up by content."""

    def __init__(self, sources: Sequence[Segment], wanted: Collection[bytes]) -> None:
        """`wanted` are the `article_key`s of the articles to be written."""
        self.sources = sources
        recipe = passage_records.pipeline_version()
        self.locations: dict[bytes, tuple[int, int]] = {}
        """The source and row of each wanted article that can be copied, by its key."""
        for number, one in enumerate(sources):
            if one.manifest.recipe == recipe:
                for row, key in enumerate(one.article_keys()):
                    if key in wanted:
                        self.locations.setdefault(key, (number, row))

    def vectors(self, keys: Iterable[int]) -> dict[int, PassageVectors]:
        """The vectors of the stored passages with these keys, by key."""
        wanted = np.unique(np.fromiter(keys, np.uint64))
        found: dict[int, PassageVectors] = {}
        for one in reversed(self.sources):
            found.update(one.known_vectors(wanted))
        return found
