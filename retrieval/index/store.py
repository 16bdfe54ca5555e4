"""The snapshots on one machine, from which an index is opened. Reading only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from retrieval.errors import RetrievalError, SnapshotMissing
from retrieval.index.snapshot import Snapshot
from retrieval.index.snapshot_folder import SnapshotManifest, check_files, current_name, snapshot_names


@dataclass(frozen=True, slots=True)
class SnapshotStore:
    """The snapshots in a folder, an `IndexStore`."""

    folder: Path

    def current(self) -> str | None:
        """The name of the current snapshot, None if nothing was ever published."""
        return current_name(self.folder)

    def open(self, name: str | None = None, *, encoder: str | None = None) -> Snapshot:
        """Open a snapshot; see `Snapshot.open`."""
        return Snapshot.open(self.folder, name, encoder=encoder)

    def encoder(self) -> str | None:
        """The fingerprint of the encoder that the current snapshot was made with."""
        name = self.current()
        return None if name is None else SnapshotManifest.read(self.folder / name).encoder

    def descriptions(self) -> list[tuple[str, str]]:
        """Name and description of each snapshot, oldest first."""
        found = []
        for name in snapshot_names(self.folder):
            try:
                manifest = SnapshotManifest.read(self.folder / name)
                found.append((name, f"{manifest.articles} articles, {manifest.passages} passages"))
            except RetrievalError as exc:
                found.append((name, str(exc)))
        return found

    def check(self) -> str:
        """Read every byte of the current snapshot."""
        name = self.current()
        if name is None:
            raise SnapshotMissing("there is no index yet; run: newsquote index build")
        manifest = SnapshotManifest.read(self.folder / name)
        files = check_files(self.folder / name, manifest, memory=None)
        self.open(name)
        return f"{name} is intact: {manifest.articles} articles, {manifest.passages} passages, {files} files."
