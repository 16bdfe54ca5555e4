from __future__ import annotations

from pathlib import Path

import pytest

from retrieval.errors import SnapshotCorrupt, SnapshotMissing
from retrieval.index.store import SnapshotStore
from tests.sample_library import BEES, LIBRARY, built


def test_an_empty_folder_has_no_snapshots(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path / "none")
    assert (store.current(), store.encoder(), store.descriptions()) == (None, None, [])
    with pytest.raises(SnapshotMissing, match="there is no index yet; run: newsquote index build"):
        store.check()


def test_snapshots_are_listed_with_their_counts_or_why_they_cannot_be_read(tmp_path: Path) -> None:
    name = built(tmp_path, [BEES]).name
    (tmp_path / "20261124T001600Z-00000000").mkdir()
    assert SnapshotStore(tmp_path).descriptions() == [
        (name, "1 articles, 1 passages"),
        (
            "20261124T001600Z-00000000",
            "snapshot 20261124T001600Z-00000000 has no readable manifest; run: newsquote index build",
        ),
    ]


def test_checking_reads_the_current_snapshot(tmp_path: Path) -> None:
    opened = built(tmp_path, LIBRARY)
    store = SnapshotStore(tmp_path)
    assert store.encoder() == "hashing-32"
    assert store.check().startswith(f"{opened.name} is intact: 3 articles, 3 passages, ")
    (opened.segments[0].folder / "words.bin").write_bytes(b"x")
    with pytest.raises(SnapshotCorrupt, match=r"words\.bin is missing or damaged"):
        store.check()
