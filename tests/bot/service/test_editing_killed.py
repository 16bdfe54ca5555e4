"""A process that adds and publishes may be killed at any moment: the index stays intact and the next run goes on."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from bot.service.editing import Editor
from bot.settings import Settings
from corpus import OutcomeKind
from retrieval.answering import Answerer
from retrieval.index import snapshot_folder
from retrieval.index.snapshot import Snapshot
from retrieval.results import Query
from tests.fakes import HashingEncoder
from tests.sample_library import articles_in

ROOT = Path(__file__).parents[3]
WRITER = """
import sys
from pathlib import Path
from bot.service.editing import Editor
from bot.settings import Settings
from tests.fakes import HashingEncoder
editor = Editor(Settings.load(Path(sys.argv[1]), {}), HashingEncoder)
while True:
    for batch in sorted(Path(sys.argv[2]).iterdir()):
        editor.add([str(batch)])
        editor.remove([f"{batch.stem}-0"])
        print(batch.stem, flush=True)
"""
BATCHES, EACH = 6, 4


def test_after_every_kill_the_current_snapshot_is_intact_and_the_next_run_goes_on(tmp_path: Path) -> None:
    draw = random.Random(11)
    batches = tmp_path / "batches"
    batches.mkdir()
    for number in range(BATCHES):
        lines = (
            {
                "id": f"b{number}-{n}",
                "title": f"Bridge {number} {n}",
                "text": f"Bridge number {number} {n} closes. " * 40,
            }
            for n in range(EACH)
        )
        (batches / f"b{number}.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    settings = Settings.load(tmp_path / "home", {})
    for _ in range(5):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(settings.home), str(batches)], stdout=subprocess.PIPE, cwd=ROOT
        )
        assert writer.stdout is not None
        writer.stdout.readline()
        # The kill must come at any moment of a round, which takes some 200 ms.
        until = time.monotonic() + draw.uniform(0, 0.4)
        while time.monotonic() < until:
            pass
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
        assert Editor(settings, HashingEncoder).library.refused() == []
        serving = Snapshot.open(settings.snapshots)
        for article in articles_in(serving):
            assert article.text == f"Bridge number {article.title[7:]} closes. " * 40
        quotes = Answerer(serving, HashingEncoder()).answer(Query("Which bridge closes?")).quotes
        assert all(quote.text == quote.article.text[slice(*quote.span)] for quote in quotes)
    editor = Editor(settings, HashingEncoder)
    for batch in sorted(batches.iterdir()):
        assert {outcome.kind for outcome in editor.add([str(batch)])} <= {OutcomeKind.ADDED, OutcomeKind.SKIPPED}
    everything = [f"b{number}-{n}" for number in range(BATCHES) for n in range(EACH)]
    assert editor.library.ids() == everything
    assert sorted(article.id for article in articles_in(Snapshot.open(settings.snapshots))) == everything
    assert snapshot_folder.current_name(settings.snapshots) == snapshot_folder.snapshot_names(settings.snapshots)[-1]
