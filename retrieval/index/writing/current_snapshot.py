"""Installs finished segments and snapshots and switches CURRENT. Writing only: the caller holds the library's lock."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from corpus.storage.disk import sync, sync_all
from retrieval.checksums import first_damaged
from retrieval.errors import PublishError, RetrievalError, SnapshotCorrupt
from retrieval.index import snapshot_folder
from retrieval.index.segment import Segment, SegmentManifest
from retrieval.index.snapshot import Snapshot
from retrieval.index.snapshot_folder import FORMAT, SEGMENTS, SnapshotManifest

SNAPSHOTS_KEPT = 3
TIMESTAMP_FORMAT = "%Y%m%dT%H%M%SZ"

SegmentSelection = Sequence[tuple[Segment, NDArray[np.bool_]]]
"""Segments, each with a mask (articles,) of the articles that a snapshot has."""


def make_current(snapshots: Path, selection: SegmentSelection, encoder: str, dim: int, now: dt.datetime) -> str:
    """Write a snapshot of these segments, make it current and return its name.

    Raises:
        PublishError: CURRENT cannot be written; the old snapshot stays current.
        OSError: another file cannot be written.
    """
    moment = next_timestamp(max(snapshot_folder.snapshot_names(snapshots), default=None), now)
    manifest = SnapshotManifest(
        format=FORMAT,
        created=f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        encoder=encoder,
        dim=dim,
        articles=sum(int(mask.sum()) for _, mask in selection),
        passages=sum(int(one.passage_mask(mask).sum()) for one, mask in selection),
        segments=tuple(one.folder.name for one, _ in selection),
        gone=removed_articles(selection),
    )
    name = f"{moment:{TIMESTAMP_FORMAT}}-{manifest.short_digest()}"
    aside = Path(tempfile.mkdtemp(prefix=".build-", dir=snapshots))
    (aside / "manifest.json").write_text(manifest.to_json(), encoding="utf-8")
    sync_all(aside)
    aside.chmod(0o755)
    aside.rename(snapshots / name)
    sync(snapshots)
    try:
        switch_to(snapshots, name)
    except PublishError:
        shutil.rmtree(snapshots / name, ignore_errors=True)
        raise
    return name


def switch_to(snapshots: Path, name: str) -> None:
    """Make a snapshot CURRENT, in one rename.

    Raises:
        SnapshotMissing, SnapshotCorrupt, SnapshotOutdated: it cannot be used.
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
        sync(snapshots)
    except OSError as exc:
        temporary.unlink(missing_ok=True)
        raise PublishError(
            f"{snapshots / 'CURRENT'} could not be written: {exc.strerror or exc}; what served before still serves"
        ) from exc


def prune(snapshots: Path, keep: int = SNAPSHOTS_KEPT) -> None:
    """Remove all but the `keep` newest snapshots and the current one, and the segments that none of them has."""
    serving = snapshot_folder.current_name(snapshots)
    for name in snapshot_folder.snapshot_names(snapshots)[:-keep]:
        if name != serving:
            shutil.rmtree(snapshots / name)
    used: set[str] = set()
    for name in snapshot_folder.snapshot_names(snapshots):
        with contextlib.suppress(RetrievalError):
            used.update(SnapshotManifest.read(snapshots / name).segments)
    remove_folders(path for path in (snapshots / SEGMENTS).glob("*") if path.name not in used)


def install_segment(folder: Path, target: Path) -> None:
    """Move a finished segment to `target`.

    If one with the same contents is there already, it is kept if intact and replaced if damaged.
    """
    sync_all(folder)
    target.parent.mkdir(exist_ok=True)
    if target.exists():
        if is_intact(target, memory=None):
            return
        target.rename(folder.with_name(f"{folder.name}-damaged"))
    folder.chmod(0o755)
    folder.rename(target)
    sync(target.parent)


def is_intact(folder: Path, *, memory: Path | None) -> bool:
    """Whether a segment's files match its manifest; with `memory`, as `first_damaged` has it."""
    try:
        manifest = SegmentManifest.read(folder)
    except SnapshotCorrupt:
        return False
    return (
        first_damaged(((folder / name, size, digest) for name, (size, digest) in manifest.files.items()), memory)
        is None
    )


def remove_folders(folders: Iterable[Path]) -> None:
    """Remove folders, ignoring errors."""
    for folder in list(folders):
        shutil.rmtree(folder, ignore_errors=True)


def next_timestamp(name: str | None, now: dt.datetime) -> dt.datetime:
    """`now`, or one second after the time in the snapshot name if that is later, so that names sort by age."""
    if name is None:
        return now
    last = dt.datetime.strptime(name.partition("-")[0], TIMESTAMP_FORMAT).replace(tzinfo=dt.UTC)
    return max(now, last + dt.timedelta(seconds=1))


def removed_articles(selection: SegmentSelection) -> tuple[int, ...]:
    """The articles that are in the segments but not in the snapshot, numbered over all segments, ascending."""
    if not selection:
        return ()
    return tuple(np.flatnonzero(~np.concatenate([mask for _, mask in selection])).tolist())
