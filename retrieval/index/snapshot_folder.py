"""The folder of snapshots: their names, manifests and files, and which is current. Reading only.

snapshots/
  CURRENT                     one line: the name of the snapshot that serves
  20261124T001500Z-1a2b3c4d/
    manifest.json             format, encoder, counts, which segments it has and which of their articles are gone
  segments/
    0123456789abcdef/         the files themselves, see `segment.py`; snapshots share what they have in common
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
"""Goes up whenever a snapshot's files change their meaning; older ones are then refused and rebuilt."""
SEGMENTS = "segments"
_REBUILD = "run: newsquote index build"
NAME = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class SnapshotManifest:
    """What a snapshot holds.

    `segments` names the segments, in the order of their rows; a name stands for what a segment holds. `gone` are
    articles that are in a segment and not in the snapshot, counted over all segments, ascending; they count neither
    among `articles` nor their passages among `passages`.
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
        """The manifest as it is written."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"

    def short_digest(self) -> str:
        """Eight hexadecimal digits of its SHA-256, with which a snapshot's name ends."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:8]


def snapshot_names(snapshots: Path) -> list[str]:
    """The names of the snapshots in a folder, oldest first."""
    if not snapshots.is_dir():
        return []
    return sorted(entry.name for entry in snapshots.iterdir() if NAME.fullmatch(entry.name))


def current_name(snapshots: Path) -> str | None:
    """The name of the snapshot that serves, None where none was ever published.

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
    """Compare a snapshot's files with its manifest; with `memory`, those seen before by their size and time only.

    Returns how many files there are.

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
