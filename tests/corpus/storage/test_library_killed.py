"""A writer that is killed at any moment leaves a whole library, and the next run goes on from there."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from corpus import Article, Found, Library

WRITER = """
import sys
from pathlib import Path
from corpus import Article, Found, Library
library = Library(Path(sys.argv[1]))
text = " ".join(f"word{n}" for n in range(400))
for round in range(int(sys.argv[2]), int(sys.argv[2]) + 1000):
    body = f"Round {round}. {text}"
    plain = [Article(f"p{n}", f"Plain {n}", body, language="en") for n in range(5)]
    written = [Article(f"r{n}", f"Record {n}", body, language="en") for n in range(30)]
    records = [Found(article, "r", record=True) for article in written]
    library.add([*plain, *records])
    library.remove(["p0", "r0", "r1"])
    print(round, flush=True)
"""


def test_a_library_is_whole_after_every_kill(tmp_path: Path) -> None:
    draw = random.Random(5)
    text = " ".join(f"word{n}" for n in range(400))
    started = 0
    for _ in range(6):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(started)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        writer.stdout.readline()
        # The kill must come at any moment of a round, which takes some 30 ms.
        until = time.monotonic() + draw.uniform(0, 0.06)
        while time.monotonic() < until:
            pass
        writer.send_signal(signal.SIGKILL)
        lines = writer.communicate()[0].split()
        started = int(lines[-1]) + 1 if lines else started
        library = Library(tmp_path)
        assert library.refused() == []
        for article in library.articles():
            head, _, rest = article.text.partition(". ")
            assert head.startswith("Round ")
            assert rest == text
        assert {f"p{n}" for n in range(1, 5)} | {f"r{n}" for n in range(2, 30)} <= set(library.ids())
    library = Library(tmp_path)
    library.add(
        [Found(Article("r5", "Record 5", "New text."), "r", record=True), Article("p1", "Plain 1", "New text.")]
    )
    assert {a.id: a.text for a in library.articles() if a.id in ("p1", "r5")} == {"p1": "New text.", "r5": "New text."}
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".new-")]
    assert len([path for path in tmp_path.iterdir() if path.suffix == ".jsonl"]) <= 9
