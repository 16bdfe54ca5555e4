"""Finished segments and snapshots in their places, and CURRENT. Writing only: the caller holds the library's lock."""

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
"""Segments, each with which of its articles a snapshot has."""


def make_current(snapshots: Path, selection: SegmentSelection, encoder: str, dim: int, now: dt.datetime) -> str:
    """Write down the snapshot that has these parts and let it serve; its name.

    Raises:
        PublishError: CURRENT cannot be written; what served before still serves.
        OSError: something else cannot.
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
        sync(snapshots)
    except OSError as exc:
        temporary.unlink(missing_ok=True)
        raise PublishError(
            f"{snapshots / 'CURRENT'} could not be written: {exc.strerror or exc}; what served before still serves"
        ) from exc


def prune(snapshots: Path, keep: int = SNAPSHOTS_KEPT) -> None:
    """Remove all but the `keep` newest snapshots, never the one that serves, and the segments that none has."""
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
    """Move a finished segment to where snapshots look for it.

    One of the same content may be there already: it is kept where it is sound and replaced where it is damaged.
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
    """Whether a segment's files are what its manifest says."""
    try:
        manifest = SegmentManifest.read(folder)
    except SnapshotCorrupt:
        return False
    return (
        first_damaged(((folder / name, size, digest) for name, (size, digest) in manifest.files.items()), memory)
        is None
    )


def remove_folders(folders: Iterable[Path]) -> None:
    """Remove folders, as far as that goes."""
    for folder in list(folders):
        shutil.rmtree(folder, ignore_errors=True)


def next_timestamp(name: str | None, now: dt.datetime) -> dt.datetime:
    """The moment, or a second after that of a snapshot's name, so that names sort as they were made."""
    if name is None:
        return now
    last = dt.datetime.strptime(name.partition("-")[0], TIMESTAMP_FORMAT).replace(tzinfo=dt.UTC)
    return max(now, last + dt.timedelta(seconds=1))


def removed_articles(selection: SegmentSelection) -> tuple[int, ...]:
    """The articles that are in the segments of a snapshot and not in it, counted over all of these segments."""
    if not selection:
        return ()
    return tuple(np.flatnonzero(~np.concatenate([mask for _, mask in selection])).tolist())
