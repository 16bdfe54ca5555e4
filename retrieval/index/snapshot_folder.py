"""The folder of snapshots: their names, manifests and files, and which is current. Reading only.

snapshots/
  CURRENT                     one line: the name of the current snapshot
  20261124T001500Z-1a2b3c4d/
    manifest.json             format, encoder, counts, its segments and which of their articles it leaves out
  segments/
    0123456789abcdef/         the files themselves, see `segment.py`; snapshots may share segments
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from retrieval.checksums import first_damaged
from retrieval.errors import SnapshotCorrupt, SnapshotOutdated
from retrieval.index.segment import MANIFEST, SegmentManifest

FORMAT = 3
"""Increased whenever the meaning of a snapshot's files changes; older snapshots are then refused and rebuilt."""
SEGMENTS = "segments"
_REBUILD = "run: newsquote index build"
NAME = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class SnapshotManifest:
    """The contents of a snapshot, as written to manifest.json.

    `segments` are the names of its segments, in the order of their rows; a name is a digest of the contents. `gone` are
    the articles that are in a segment but not in the snapshot, numbered over all segments, ascending; `articles` and
    `passages` do not count them.
    """

    format: int
    created: str
    encoder: str
    dim: int
    articles: int
    passages: int
    segments: tuple[str, ...]
    gone: tuple[int, ...]

    @classmethod
    def read(cls, folder: Path) -> SnapshotManifest:
        """Read a snapshot's manifest.

        Raises:
            SnapshotCorrupt: it is missing, not a manifest or not the one the snapshot is named after.
            SnapshotOutdated: it has another format version.
        """
        try:
            text = (folder / "manifest.json").read_text(encoding="utf-8")
            raw = json.loads(text)
            version = raw["format"]
        except (OSError, ValueError, TypeError, KeyError) as exc:
            raise SnapshotCorrupt(f"snapshot {folder.name} has no readable manifest; {_REBUILD}") from exc
        if version != FORMAT:
            raise SnapshotOutdated(
                f"snapshot {folder.name} has format {version}, this newsquote reads {FORMAT}; {_REBUILD}"
            )
        try:
            known = {field.name: raw[field.name] for field in fields(cls)}
            known["segments"] = tuple(map(str, raw["segments"]))
            known["gone"] = tuple(map(int, raw["gone"]))
            manifest = cls(**known)
        except (TypeError, KeyError, ValueError, AttributeError) as exc:
            raise SnapshotCorrupt(f"snapshot {folder.name} has an incomplete manifest; {_REBUILD}") from exc
        if manifest.short_digest() != folder.name[-8:]:
            raise SnapshotCorrupt(f"snapshot {folder.name}: manifest.json is missing or damaged; {_REBUILD}")
        return manifest

    def to_json(self) -> str:
        """The text of the manifest file."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"

    def short_digest(self) -> str:
        """The first eight hexadecimal digits of its SHA-256; a snapshot's name ends with them."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:8]


def snapshot_names(snapshots: Path) -> list[str]:
    """The names of the snapshots in a folder, oldest first."""
    if not snapshots.is_dir():
        return []
    return sorted(entry.name for entry in snapshots.iterdir() if NAME.fullmatch(entry.name))


def current_name(snapshots: Path) -> str | None:
    """The name of the current snapshot, None if none was ever published.

    Raises:
        SnapshotCorrupt: CURRENT does not hold a snapshot's name.
    """
    try:
        name = (snapshots / "CURRENT").read_text(encoding="utf-8", errors="replace").strip()
    except FileNotFoundError:
        return None
    if not NAME.fullmatch(name):
        raise SnapshotCorrupt("snapshots/CURRENT does not name a snapshot; run: newsquote index build")
    return name


def check_files(folder: Path, manifest: SnapshotManifest, *, memory: Path | None) -> int:
    """Compare a snapshot's files with its manifest and return their number.

    With `memory`, a JSON file, those that were verified before are compared by size and times only.

    Raises:
        SnapshotCorrupt: a file is missing or differs.
    """
    segments = folder.parent / SEGMENTS
    files: list[tuple[Path, int | None, str]] = []
    bad = None
    for name in manifest.segments:
        try:
            one = SegmentManifest.read(segments / name)
        except SnapshotCorrupt:
            bad = segments / name / MANIFEST
            break
        if one.name != name:
            bad = segments / name / MANIFEST
            break
        files += [(segments / name / file, size, digest) for file, (size, digest) in one.files.items()]
    bad = bad or first_damaged(files, memory)
    if bad is not None:
        raise SnapshotCorrupt(
            f"snapshot {folder.name}: {bad.relative_to(segments)} is missing or damaged; "
            "run: newsquote index build --full, or newsquote index use with an older one"
        )
    return 1 + len(manifest.segments) + len(files)
