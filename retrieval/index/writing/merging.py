"""Merges segments in the background, so that they stay few. Writing only.

Every addition to a large library adds a segment, and removed articles stay in theirs. Segments larger than
SMALL_SEGMENT are merged once the newer ones hold half as much, so that a passage is rewritten about as often as the
library doubles; a segment that lost more than half of its passages is rewritten alone. The merged segment is written
without the library's lock, which is only taken to publish the snapshot that names it, a moment's work. If by then one
of its source segments is no longer current, or regained an article, the merged segment is dropped; that happens after
a full build, a rollback, or so many removals that a segment became small. A kill at any moment loses nothing: the next
merge removes what was not finished, and publishes what was finished but not published.
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
from retrieval.index import snapshot_folder
from retrieval.index.build_progress import ProgressCallback, Stage
from retrieval.index.segment import MANIFEST, Segment, SegmentManifest
from retrieval.index.snapshot_folder import SEGMENTS, SnapshotManifest
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
_SPACE_RATIO = 1.1
"""The largest expected size of a merged segment relative to its sources; .9 to 1 was measured."""


def merge_due(snapshots: Path) -> bool:
    """Whether there is something to merge or to clean up, enough disk for it, and no other merge running."""
    try:
        names = _segments_to_merge(snapshots)
        if not (names and _missing_bytes(snapshots, names) <= 0) and not list(snapshots.glob(".merge-*")):
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
    """Merge segments as long as there are some to merge; the name of the new snapshot, None if there was nothing to do.

    `lock` returns the lock that publishers hold; it is held while publishing, not while merging.

    Raises:
        PublishError: the disk is full or cannot be written to; the old snapshot stays current.
        SnapshotCorrupt: the current snapshot is damaged.
    """
    name = None
    try:
        with exclusive_lock(snapshots / _LOCK) as free:
            while free:
                names = _segments_to_merge(snapshots)
                folder = snapshots / f".merge-{hashlib.sha256(' '.join(names).encode()).hexdigest()[:16]}"
                remove_folders(path for path in snapshots.glob(".merge-*") if path != folder or not names)
                if not names:
                    return name
                done = _merge_once(snapshots, names, folder, lock, progress, now)
                if done is None:
                    return name
                name = done
    except OSError as exc:
        raise PublishError(
            f"segments could not be merged: {exc.strerror or exc}; what served before still serves. "
            f"Make room or check {snapshots}, then run: newsquote index merge"
        ) from exc
    return name


def _segments_to_merge(snapshots: Path) -> list[str]:
    """The segments of the current snapshot that should become one, in its order."""
    serving = snapshot_folder.current_name(snapshots) if snapshots.is_dir() else None
    if serving is None:
        return []
    manifest = SnapshotManifest.read(snapshots / serving)
    segments = [SegmentManifest.read(snapshots / SEGMENTS / name) for name in manifest.segments]
    if {one.recipe for one in segments} - {passage_records.pipeline_version()}:
        return []  # the next build rewrites everything
    starts = np.cumsum([0, *(one.articles for one in segments)])
    removed: list[int] = np.histogram(manifest.gone, starts)[0].tolist() if segments else []
    left_passages = [
        one.passages * (one.articles - left) // max(1, one.articles)
        for one, left in zip(segments, removed, strict=True)
    ]
    chosen = choose_segments([(left, one.passages) for left, one in zip(left_passages, segments, strict=True)])
    return [manifest.segments[number] for number in chosen]


def choose_segments(sizes: Sequence[tuple[int, int]]) -> list[int]:
    """The numbers of the segments to merge, if any. `sizes` are the passages (left, stored) of each segment."""
    large = [number for number, (left, _) in enumerate(sizes) if left > publishing.SMALL_SEGMENT]
    newer, first = 0, None
    for number in reversed(large):
        if sizes[number][0] <= 2 * newer:
            first = number
        newer += sizes[number][0]
    if first is not None:
        return [number for number in large if number >= first]
    return next(([number] for number in large if 2 * sizes[number][0] < sizes[number][1]), [])


def _missing_bytes(snapshots: Path, names: Sequence[str]) -> int:
    """The bytes of disk that merging lacks; negative if there is enough."""
    segments = (SegmentManifest.read(snapshots / SEGMENTS / name) for name in names)
    size = sum(size for segment in segments for size, _ in segment.files.values())
    return int(_SPACE_RATIO * size) - shutil.disk_usage(snapshots).free


def _merge_once(
    snapshots: Path,
    names: Sequence[str],
    folder: Path,
    lock: Callable[[], AbstractContextManager[None]],
    progress: ProgressCallback,
    now: Callable[[], dt.datetime],
) -> str | None:
    """Merge these segments and publish the result; None if they are no longer current."""
    memory = snapshots / ".verified.json"
    try:
        if not (folder / MANIFEST).exists() or not is_intact(folder, memory=memory):
            _write(snapshots, names, folder, progress)
        made = Segment(folder, SegmentManifest.read(folder), searchable=False)
        is_intact(folder, memory=memory)  # hashes the files now, not while holding the lock
        with lock():
            serving = _current_selection(snapshots)
            selection = _replaced(serving, names, made)
            if selection is None:
                remove_folders([folder])
                return None
            place = snapshots / SEGMENTS / made.manifest.name
            install_segment(folder, place)
            checksums.remember_moved(folder, place, memory)
            merged = Segment(place, made.manifest, searchable=False)
            name = make_current(
                snapshots,
                [(merged if one is made else one, mask) for one, mask in selection],
                made.manifest.encoder,
                made.manifest.dim,
                now(),
            )
            prune(snapshots)
        return name
    except (OSError, SnapshotCorrupt):
        if set(names) <= {one.folder.name for one, _ in _current_selection(snapshots)}:
            raise
        remove_folders([folder])  # they are no longer current and were removed meanwhile
        return None
    finally:
        if not (folder / MANIFEST).exists():
            remove_folders([folder])


def _write(snapshots: Path, names: Sequence[str], folder: Path, progress: ProgressCallback) -> None:
    """Write the merged segment."""
    missing = _missing_bytes(snapshots, names)
    if missing > 0:
        raise PublishError(
            f"{missing >> 20} MB more room is needed to merge segments in {snapshots}; what serves goes on serving"
        )
    remove_folders([folder])
    folder.mkdir()
    sources = [(one, mask) for one, mask in _current_selection(snapshots) if one.folder.name in names]
    for one, _ in sources:
        if not is_intact(one.folder, memory=None):  # or damaged data would get new, valid digests
            raise SnapshotCorrupt(f"segment {one.folder.name} is damaged; run: newsquote index build --full")
    about = sources[0][0].manifest
    count = sum(int(mask.sum()) for _, mask in sources)
    with SegmentWriter(folder, about.encoder, about.dim) as writer:
        for one, mask in sources:
            edges = np.flatnonzero(np.diff(mask, prepend=False, append=False)).tolist()
            for first, last in zip(edges[::2], edges[1::2], strict=True):
                for _ in writer.copy_articles(one, first, last):
                    progress(writer.progress(Stage.MERGED, count))
        writer.finish(progress)
    (folder / CHECKPOINT).unlink(missing_ok=True)
    sync_all(folder)


def _current_selection(snapshots: Path) -> SegmentSelection:
    """The segments of the current snapshot, each with a mask of its articles in the snapshot."""
    name = snapshot_folder.current_name(snapshots)
    assert name is not None
    manifest = SnapshotManifest.read(snapshots / name)
    folders = [snapshots / SEGMENTS / one for one in manifest.segments]
    segments = [Segment(folder, SegmentManifest.read(folder), searchable=False) for folder in folders]
    mask = np.ones(sum(one.manifest.articles for one in segments), np.bool_)
    mask[list(manifest.gone)] = False
    edges = np.cumsum([one.manifest.articles for one in segments])[:-1]
    return list(zip(segments, np.split(mask, edges), strict=True))


def _replaced(serving: SegmentSelection, names: Sequence[str], made: Segment) -> SegmentSelection | None:
    """The current selection with the merged segment in place of its sources; None if that would lose an article."""
    old = [(one, mask) for one, mask in serving if one.folder.name in names]
    needed = {key for one, mask in old for key, there in zip(one.article_keys(), mask.tolist(), strict=True) if there}
    keys = list(made.article_keys())
    if len(old) < len(names) or not needed <= set(keys):
        return None
    selection = []
    for one, mask in serving:
        if one.folder.name == names[0]:
            selection.append((made, np.array([key in needed for key in keys], np.bool_)))
        elif one.folder.name not in names:
            selection.append((one, mask))
    return selection
