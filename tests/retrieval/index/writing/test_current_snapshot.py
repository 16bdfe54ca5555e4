"""Snapshots in their folder: their names, how many are kept, which one is current."""

from __future__ import annotations

import datetime as dt
import errno
from pathlib import Path

import pytest

from retrieval.errors import PublishError, SnapshotCorrupt
from retrieval.index import snapshot_folder
from retrieval.index.snapshot import Snapshot
from retrieval.index.writing.current_snapshot import install_segment, is_intact, next_timestamp, switch_to
from retrieval.index.writing.publishing import publish
from tests.fakes import HashingEncoder
from tests.sample_library import BEES, LIBRARY, NOW, built, ticking


@pytest.mark.parametrize(
    ("name", "seconds"),
    [(None, 0), ("20261124T001400Z-1a2b3c4d", 0), ("20261124T001500Z-1a2b3c4d", 1), ("20261124T001530Z-1a2b3c4d", 31)],
    ids=["the first", "long after", "in the same second", "with the clock put back"],
)
def test_timestamps_increase_whatever_the_clock_says(name: str | None, seconds: int) -> None:
    assert next_timestamp(name, NOW) == NOW + dt.timedelta(seconds=seconds)


def test_three_snapshots_and_the_current_one_are_kept(tmp_path: Path) -> None:
    now = ticking()
    made = [publish(LIBRARY[: 1 + n % 3], HashingEncoder(), tmp_path, now=now).name for n in range(5)]
    assert snapshot_folder.snapshot_names(tmp_path) == made[2:]
    switch_to(tmp_path, made[2])
    assert snapshot_folder.current_name(tmp_path) == made[2]
    newest = publish(LIBRARY[1:], HashingEncoder(), tmp_path, now=now).name
    assert snapshot_folder.snapshot_names(tmp_path) == [*made[3:], newest]


def test_a_damaged_snapshot_cannot_become_current(tmp_path: Path) -> None:
    now = ticking()
    old = publish(LIBRARY[:1], HashingEncoder(), tmp_path, now=now).name
    new = publish(LIBRARY, HashingEncoder(), tmp_path, now=now).name
    (Snapshot.open(tmp_path, old).segments[0].folder / "vectors.bin").write_bytes(b"x")
    with pytest.raises(SnapshotCorrupt):
        switch_to(tmp_path, old)
    assert snapshot_folder.current_name(tmp_path) == new


def test_a_disk_that_is_full_at_the_last_step_keeps_no_half_published_snapshot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = built(tmp_path, [BEES]).name

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        with pytest.raises(PublishError, match="CURRENT could not be written: No space left on device"):
            publish(LIBRARY, HashingEncoder(), tmp_path)
    assert snapshot_folder.snapshot_names(tmp_path) == [old]
    assert not list(tmp_path.glob(".current-*"))


def test_an_installed_segment_is_kept_if_intact_and_replaced_if_damaged(tmp_path: Path) -> None:
    target = built(tmp_path / "one", LIBRARY).segments[0].folder
    again, third = (built(tmp_path / name, LIBRARY).segments[0].folder for name in ("two", "three"))
    first = target.stat().st_ino
    install_segment(again, target)
    assert (target.stat().st_ino, again.exists()) == (first, True)
    (target / "words.bin").write_bytes(b"x")
    assert not is_intact(target, memory=None)
    install_segment(third, target)
    assert (target.stat().st_ino != first, is_intact(target, memory=None), third.exists()) == (True, True, False)
    assert is_intact(third.with_name(f"{third.name}-damaged"), memory=None) is False
