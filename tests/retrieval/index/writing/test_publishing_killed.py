"""A publisher killed at any moment leaves a usable snapshot, and the next run continues from there."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import pytest

from corpus.article import Article
from retrieval.index import snapshot_folder
from retrieval.index.snapshot import Snapshot
from retrieval.index.writing.merging import merge
from retrieval.index.writing.publishing import publish
from tests.fakes import HashingEncoder
from tests.sample_library import articles_in

WRITER = """
import contextlib, sys
from pathlib import Path
from retrieval.index.writing import publishing, segment_writer as writer
from retrieval.index.writing.merging import merge
from tests.fakes import HashingEncoder
from tests.retrieval.index.writing.test_publishing_killed import library

publishing.SMALL_SEGMENT, writer._CHECKPOINT_S, publishing._PASSAGES_PER_BATCH = 6, 0.0, 4
folder, first = Path(sys.argv[1]), int(sys.argv[2])
for number in range(first, first + 1000):
    # Builds, additions, removals, merges and full builds, by turns.
    publishing.publish(library(number), HashingEncoder(), folder, full=number % 7 == 6)
    if number % 3 == 2:
        merge(folder, contextlib.nullcontext)
    print(number, flush=True)
"""

PUBLISHER_OR_MERGER = """
import sys
from pathlib import Path
from corpus import Library
from retrieval.index.writing import publishing, segment_writer as writer
from retrieval.index.writing.merging import merge
from tests.fakes import HashingEncoder
from tests.retrieval.index.writing.test_publishing_killed import library

publishing.SMALL_SEGMENT, writer._CHECKPOINT_S, publishing._PASSAGES_PER_BATCH = 6, 0.0, 4
folder, part = Path(sys.argv[1]), sys.argv[2]
lock = Library(folder / "library", lock_timeout_s=60).lock
while part == "merge":
    merge(folder / "snapshots", lock)
for number in sys.stdin:
    with lock():
        publishing.publish(library(int(number)), HashingEncoder(), folder / "snapshots", full=int(number) % 17 == 16)
    print(number, end="", flush=True)
"""


def library(number: int) -> list[Article]:
    """The articles of a round: each round adds, removes and changes some; each text names its round."""
    return [
        Article(f"a{at:03d}", f"Article {at}", f"Round {number - number % (at + 2)}. The {at}th stands by the gate.")
        for at in range(10 + number % 40)
        if (at + number) % 11
    ]


def kill_writer(folder: Path, rounds: int, seed: int) -> None:
    draw = random.Random(seed)
    done = -1
    for _ in range(rounds):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(folder), str(done + 1)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        if draw.random() < 0.8:
            writer.stdout.readline()
        # The kill must come at any moment of a round, which takes some 60 ms.
        until = time.monotonic() + draw.uniform(0, 0.15)
        while time.monotonic() < until:
            pass
        writer.send_signal(signal.SIGKILL)
        lines = writer.communicate()[0].split()
        done = int(lines[-1]) if lines else max(done, current_round(folder, done))
        if snapshot_folder.current_name(folder) is None:
            continue
        served = {article.id: article.text for article in articles_in(Snapshot.open(folder))}
        expected = [{one.id: one.text for one in library(number)} for number in range(max(0, done - 1), done + 3)]
        assert served in expected
        opened = Snapshot.open(folder)
        snapshot_folder.check_files(opened.folder, opened.manifest, memory=None)
    assert done > 0, "the writer published nothing"
    name = publish(library(3), HashingEncoder(), folder).name
    assert articles_in(Snapshot.open(folder, name)) == library(3)
    assert not list(folder.glob(".build-*"))
    assert {path.name for path in (folder / "segments").iterdir()} == {
        segment
        for one in snapshot_folder.snapshot_names(folder)
        for segment in Snapshot.open(folder, one).manifest.segments
    }


def kill_publisher_and_merger(folder: Path, rounds: int, seed: int) -> None:
    """Kill a publisher and a merger that share a home together, and start both again."""
    draw = random.Random(seed)
    home = folder / "snapshots"
    begun = 0
    for _ in range(rounds):
        command = [sys.executable, "-c", PUBLISHER_OR_MERGER, str(folder)]
        publisher = subprocess.Popen([*command, "publish"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        merger = subprocess.Popen([*command, "merge"])
        assert publisher.stdin is not None
        assert publisher.stdout is not None
        for _ in range(6):
            print(begun, file=publisher.stdin, flush=True)
            begun += 1
            publisher.stdout.readline()
        print(begun, file=publisher.stdin, flush=True)
        # The kill must come at any moment of a round, which takes some 60 ms.
        until = time.monotonic() + draw.uniform(0, 0.15)
        while time.monotonic() < until:
            pass
        for process in (publisher, merger):
            process.send_signal(signal.SIGKILL)
        publisher.communicate()
        merger.communicate()
        opened = Snapshot.open(home)
        served = {article.id: article.text for article in articles_in(opened)}
        assert served in [{one.id: one.text for one in library(number)} for number in (begun - 1, begun)]
        snapshot_folder.check_files(opened.folder, opened.manifest, memory=None)
        begun += 1
    name = publish(library(3), HashingEncoder(), home, full=True).name
    assert merge(home, nullcontext) is None
    assert articles_in(Snapshot.open(home, name)) == library(3)
    assert not [*home.glob(".build-*"), *home.glob(".merge-*")]


def current_round(folder: Path, done: int) -> int:
    """The round of the current snapshot, if the writer was killed before it printed its number."""
    if snapshot_folder.current_name(folder) is None:
        return done
    served = {article.id: article.text for article in articles_in(Snapshot.open(folder))}
    rounds = [n for n in (done, done + 1, done + 2) if n >= 0 and served == {a.id: a.text for a in library(n)}]
    return rounds[-1] if rounds else done


def test_a_snapshot_serves_after_every_kill(tmp_path: Path) -> None:
    kill_writer(tmp_path, 6, seed=11)


@pytest.mark.soak
def test_a_snapshot_serves_after_fifty_kills(tmp_path: Path) -> None:
    kill_writer(tmp_path, 50, seed=50)


def test_publisher_and_merger_running_together_survive_every_kill(tmp_path: Path) -> None:
    kill_publisher_and_merger(tmp_path, 4, seed=12)


@pytest.mark.soak
def test_publisher_and_merger_running_together_survive_fifty_kills(tmp_path: Path) -> None:
    kill_publisher_and_merger(tmp_path, 50, seed=51)
