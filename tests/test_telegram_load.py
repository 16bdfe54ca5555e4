"""Many chats ask ten questions each while one request in twenty goes wrong."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from corpus.article import Article
from tests.bot.phone import settings_for
from tests.bot_api import Server, World
from tests.sample_library import built

ROOT = Path(__file__).parents[1]
BIRDS = ["heron", "stork", "crane", "egret", "ibis", "bittern", "spoonbill", "flamingo", "pelican", "cormorant"]
FAULTS = ("429", "500", "502", "drop_before", "drop_after", "slow")


def resident_mb(process: int) -> float:
    lines = Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


@pytest.mark.parametrize("chats", [10, pytest.param(200, marks=pytest.mark.soak)])
def test_every_question_is_answered_in_order_and_doubled_only_where_a_receipt_was_lost(
    tmp_path: Path, chats: int
) -> None:
    with Server() as server:
        world = server.world
        settings = settings_for(tmp_path, server)
        built(settings.snapshots, [Article(id=b, title=b.title(), text=f"The {b} stands in the marsh.") for b in BIRDS])
        command = [sys.executable, "-m", "tests.bot.bot_process", str(tmp_path), server.url, "400"]
        with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as bot:
            try:
                world.wait(lambda: world.called("deleteWebhook"), 30)
                for kind in FAULTS:
                    world.fault(kind, times=1_000_000, share=0.05 / len(FAULTS), seconds=1 if kind == "429" else 0.2)
                asked: dict[tuple[int, str], float] = {}
                for bird in BIRDS:
                    for chat in range(1, chats + 1):
                        asked[chat, bird] = time.time()
                        world.say(f"Where in the marsh does the {bird} stand?", chat)
                world.wait(lambda: len(world.sent) >= len(asked) / 2, 120)
                half_mb = resident_mb(bot.pid)
                world.wait(lambda: len(world.sent) >= len(asked) and len(answers(world)) == len(asked), 120)
                whole_mb = resident_mb(bot.pid)
            finally:
                bot.kill()
    first = answers(world)
    for chat in range(1, chats + 1):
        assert [bird for place, bird in first if place == chat] == BIRDS
    waits = sorted(at - asked[question] for question, at in first.items())
    doubled = len(world.sent) - len(asked)
    print(
        f"{len(asked)} answers in {max(waits):.1f} s, p50 {waits[len(waits) // 2]:.1f} s, "
        f"p95 {waits[int(0.95 * len(waits))]:.1f} s; {sum(world.struck.values())} faults, {doubled} doubled; "
        f"memory {half_mb:.0f} MB at half, {whole_mb:.0f} MB at the end"
    )
    assert doubled <= world.struck["drop_after"]
    assert whole_mb - half_mb < 30


def answers(world: World) -> dict[tuple[int, str], float]:
    """When each question was first answered, by chat and bird, in the order of the answers."""
    found: dict[tuple[int, str], float] = {}
    for at, chat, text in world.sent:
        found.setdefault((chat, text.split()[1]), at)
    return found
