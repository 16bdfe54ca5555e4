"""Few segments of many, beside whoever publishes.

Every addition to a large library leaves a segment, and what was removed keeps its place in one. Segments that are not
SMALL are merged once those that came after hold half as much, so that a passage is rewritten about as often as the
library doubles; one of which less than half is left is made anew. The merged segment is written without the library's
lock, which is only taken to publish the snapshot that names it, a moment's work. If by then one of the segments it was
made of serves no longer, or has an article back, the work is dropped: after a full build, a rollback, or where so much
was removed that a segment is SMALL. Killed at any moment nothing is lost: what was not finished is removed by the next
merge, what was finished and could not be published is published by it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import shutil
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np

from corpus.storage.disk import sync_all
from corpus.storage.lock import exclusive_lock
from retrieval import checksums
from retrieval.errors import PublishError, RetrievalError, SnapshotCorrupt
from retrieval.index import snapshot
from retrieval.index.build_progress import ProgressCallback, Stage
from retrieval.index.segment import MANIFEST, Segment, SegmentManifest
from retrieval.index.snapshot import SEGMENTS, Manifest
from retrieval.index.writing import passage_records, publishing
from retrieval.index.writing.current_snapshot import (
    SegmentSelection,
    install_segment,
    is_intact,
    make_current,
    prune,
    remove_folders,
)
from retrieval.index.writing.segment_writer import CHECKPOINT, SegmentWriter

_LOCK = ".merging"
_ROOM = 1.1
"""The merged segment's size by that of those it is made of, at the most: what was measured is .9 to 1."""


def merge_due(snapshots: Path) -> bool:
    """Whether there is something to merge or to tidy up, room for it, and nobody at it."""
    try:
        wanted = _wanted(snapshots)
        if not (wanted and _lacking(snapshots, wanted) <= 0) and not list(snapshots.glob(".merge-*")):
            return False
        with exclusive_lock(snapshots / _LOCK) as free:
            return free
    except (OSError, RetrievalError):
        return False


def merge(
    snapshots: Path,
    lock: Callable[[], AbstractContextManager[None]],
    *,
    progress: ProgressCallback = lambda _: None,
    now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
) -> str | None:
    """Merge what is to be merged; the name of the snapshot that serves then, None where there was nothing to do.

    `lock` gives the lock that publishers hold; it is held to publish, not to merge.

    Raises:
        PublishError: there is no room, or the files cannot be written; what served before still serves.
        SnapshotCorrupt: what serves is damaged.
    """
    name = None
    try:
        with exclusive_lock(snapshots / _LOCK) as free:
            while free:
                wanted = _wanted(snapshots)
                work = snapshots / f".merge-{hashlib.sha256(' '.join(wanted).encode()).hexdigest()[:16]}"
                remove_folders(path for path in snapshots.glob(".merge-*") if path != work or not wanted)
                if not wanted:
                    return name
                done = _merged(snapshots, wanted, work, lock, progress, now)
                if done is None:
                    return name
                name = done
    except OSError as exc:
        raise PublishError(
            f"segments could not be merged: {exc.strerror or exc}; what served before still serves. "
            f"Make room or check {snapshots}, then run: newsquote index merge"
        ) from exc
    return name


def _wanted(snapshots: Path) -> list[str]:
    """The segments of what serves that are to be made into one, in its order."""
    serving = snapshot.current_name(snapshots) if snapshots.is_dir() else None
    if serving is None:
        return []
    manifest = Manifest.read(snapshots / serving)
    segments = [SegmentManifest.read(snapshots / SEGMENTS / name) for name in manifest.segments]
    if {one.recipe for one in segments} - {passage_records.pipeline_version()}:
        return []  # the next build makes all of it anew
    starts = np.cumsum([0, *(one.articles for one in segments)])
    gone: list[int] = np.histogram(manifest.gone, starts)[0].tolist() if segments else []
    live = [
        one.passages * (one.articles - left) // max(1, one.articles) for one, left in zip(segments, gone, strict=True)
    ]
    chosen = choose_segments([(left, one.passages) for left, one in zip(live, segments, strict=True)])
    return [manifest.segments[number] for number in chosen]


def choose_segments(sizes: Sequence[tuple[int, int]]) -> list[int]:
    """Which segments to merge, by how many passages of each are left and how many it has; none where all is well."""
    large = [number for number, (left, _) in enumerate(sizes) if left > publishing.SMALL]
    weight, first = 0, None
    for number in reversed(large):
        if sizes[number][0] <= 2 * weight:
            first = number
        weight += sizes[number][0]
    if first is not None:
        return [number for number in large if number >= first]
    return next(([number] for number in large if 2 * sizes[number][0] < sizes[number][1]), [])


def _lacking(snapshots: Path, wanted: Sequence[str]) -> int:
    """The bytes of disk that merging lacks; below 0 there are some to spare."""
    files = (path for name in wanted for path in (snapshots / SEGMENTS / name).rglob("*"))
    return int(_ROOM * sum(path.stat().st_size for path in files)) - shutil.disk_usage(snapshots).free


def _merged(
    snapshots: Path,
    wanted: Sequence[str],
    work: Path,
    lock: Callable[[], AbstractContextManager[None]],
    progress: ProgressCallback,
    now: Callable[[], dt.datetime],
) -> str | None:
    """Make a segment of some and publish it; None where these serve no longer."""
    memory = snapshots / ".verified.json"
    try:
        if not (work / MANIFEST).exists() or not is_intact(work, memory=memory):
            _write(snapshots, wanted, work, progress)
        made = Segment(work, SegmentManifest.read(work), searchable=False)
        is_intact(work, memory=memory)  # now, so that nothing is read while others wait
        with lock():
            serving = _serving(snapshots)
            parts = _with(serving, wanted, made)
            if parts is None:
                remove_folders([work])
                return None
            place = snapshots / SEGMENTS / made.manifest.name
            install_segment(work, place)
            checksums.remember_moved(work, place, memory)
            merged = Segment(place, made.manifest, searchable=False)
            name = make_current(
                snapshots,
                [(merged if one is made else one, alive) for one, alive in parts],
                made.manifest.encoder,
                made.manifest.dim,
                now(),
            )
            prune(snapshots)
        return name
    except (OSError, SnapshotCorrupt):
        if set(wanted) <= {one.folder.name for one, _ in _serving(snapshots)}:
            raise
        remove_folders([work])  # somebody published what does without them, and they were removed meanwhile
        return None
    finally:
        if not (work / MANIFEST).exists():
            remove_folders([work])


def _write(snapshots: Path, wanted: Sequence[str], work: Path, progress: ProgressCallback) -> None:
    """Write the merged segment."""
    lacking = _lacking(snapshots, wanted)
    if lacking > 0:
        raise PublishError(
            f"{lacking >> 20} MB more room is needed to merge segments in {snapshots}; what serves goes on serving"
        )
    remove_folders([work])
    work.mkdir()
    sources = [(one, alive) for one, alive in _serving(snapshots) if one.folder.name in wanted]
    for one, _ in sources:
        if not is_intact(one.folder, memory=None):  # or what is damaged would get digests that say it is not
            raise SnapshotCorrupt(f"segment {one.folder.name} is damaged; run: newsquote index build --full")
    about = sources[0][0].manifest
    count = sum(int(alive.sum()) for _, alive in sources)
    with SegmentWriter(work, about.encoder, about.dim) as writer:
        for one, alive in sources:
            edges = np.flatnonzero(np.diff(alive, prepend=False, append=False)).tolist()
            for first, last in zip(edges[::2], edges[1::2], strict=True):
                for _ in writer.copied(one, first, last):
                    progress(writer.step(Stage.MERGED, count))
        writer.finish(progress)
    (work / CHECKPOINT).unlink(missing_ok=True)
    sync_all(work)


def _serving(snapshots: Path) -> SegmentSelection:
    """The segments that serve, each with which of its articles do."""
    name = snapshot.current_name(snapshots)
    assert name is not None
    manifest = Manifest.read(snapshots / name)
    folders = [snapshots / SEGMENTS / one for one in manifest.segments]
    segments = [Segment(folder, SegmentManifest.read(folder), searchable=False) for folder in folders]
    alive = np.ones(sum(one.manifest.articles for one in segments), np.bool_)
    alive[list(manifest.gone)] = False
    edges = np.cumsum([one.manifest.articles for one in segments])[:-1]
    return list(zip(segments, np.split(alive, edges), strict=True))


def _with(serving: SegmentSelection, wanted: Sequence[str], made: Segment) -> SegmentSelection | None:
    """What serves with the merged segment in place of those it was made of; None where that is not the same."""
    old = [(one, alive) for one, alive in serving if one.folder.name in wanted]
    needed = {key for one, alive in old for key, there in zip(one.article_keys(), alive.tolist(), strict=True) if there}
    keys = list(made.article_keys())
    if len(old) < len(wanted) or not needed <= set(keys):
        return None
    parts = []
    for one, alive in serving:
        if one.folder.name == wanted[0]:
            parts.append((made, np.array([key in needed for key in keys], np.bool_)))
        elif one.folder.name not in wanted:
            parts.append((one, alive))
    return parts
