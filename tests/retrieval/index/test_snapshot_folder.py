from __future__ import annotations

import json
from pathlib import Path

import pytest

from retrieval.errors import SnapshotCorrupt, SnapshotOutdated
from retrieval.index import snapshot_folder
from retrieval.index.segment import SegmentManifest
from retrieval.index.snapshot import Snapshot
from retrieval.index.snapshot_folder import SnapshotManifest
from tests.sample_library import built


def test_a_current_file_without_a_snapshot_name_is_refused(tmp_path: Path) -> None:
    built(tmp_path)
    (tmp_path / "CURRENT").write_bytes(b"\xff\xfe../..\n")
    with pytest.raises(SnapshotCorrupt, match="CURRENT does not name a snapshot"):
        Snapshot.open(tmp_path)


def test_a_manifest_that_was_changed_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / built(tmp_path).name
    record = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**record, "passages": 2}))
    with pytest.raises(SnapshotCorrupt, match=r"manifest\.json is missing or damaged"):
        Snapshot.open(tmp_path)


def test_another_format_is_refused_with_the_command_that_rebuilds(tmp_path: Path) -> None:
    folder = tmp_path / built(tmp_path).name
    record = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**record, "format": 0}))
    with pytest.raises(SnapshotOutdated, match=r"format 0.*newsquote index build"):
        Snapshot.open(tmp_path)


@pytest.mark.parametrize("damage", ["[]", "{", '{"format": 1}'], ids=["a list", "half a file", "nothing in it"])
def test_a_damaged_manifest_is_refused(tmp_path: Path, damage: str) -> None:
    folder = tmp_path / built(tmp_path).name
    (folder / "manifest.json").write_text(damage.replace('"format": 1', f'"format": {snapshot_folder.FORMAT}'))
    with pytest.raises(SnapshotCorrupt, match="manifest"):
        Snapshot.open(tmp_path)


def test_every_file_with_a_flipped_byte_is_refused(tmp_path: Path) -> None:
    folder = built(tmp_path).segments[0].folder
    names = ["segment.json", *SegmentManifest.read(folder).files]
    assert {"articles.jsonl", "passages.bin", "vectors.bin"} < set(names)
    for name in names:
        path = folder / name
        sound = path.read_bytes()
        if not sound:
            continue
        path.write_bytes(bytes([sound[0] ^ 1]) + sound[1:])
        with pytest.raises(SnapshotCorrupt, match=name.replace(".", r"\.")):
            Snapshot.open(tmp_path)
        path.write_bytes(sound)
    assert Snapshot.open(tmp_path).manifest.articles == 3


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    (built(tmp_path).segments[0].folder / "words.bin").unlink()
    with pytest.raises(SnapshotCorrupt, match=r"words\.bin"):
        Snapshot.open(tmp_path)


def test_checking_reads_every_byte_again(tmp_path: Path) -> None:
    opened = built(tmp_path)
    folder, keys = opened.folder, opened.segments[0].folder / "keys.bin"
    assert snapshot_folder.check_files(folder, SnapshotManifest.read(folder), memory=None) > 15
    keys.write_bytes(b"\0" * keys.stat().st_size)
    with pytest.raises(SnapshotCorrupt, match=r"keys\.bin"):
        snapshot_folder.check_files(folder, SnapshotManifest.read(folder), memory=None)
