"""Everything in one command: examples, what the reader loses on them, training, export, the asset, figures.

    python -m tests.fit.reader.run --data SETS --start WEIGHTS.safetensors --work WORK --invented FOLDER --eval FOLDER

SETS holds the general sets (default: NEWSQUOTE_READER_DATA); `--invented` further invented news beside that of
this repository; `--eval` the files to state figures on. What is there already in WORK is not made again.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from tests.fit.invented import DATA

TRAINED = ("news-1", "news-2", "news-3", "news-4", "news-5", "news-6", "news-7", "news-8", "news-9")
HELD_OUT = "news-10", "news-11", "news-12", "news-13"
DRAWINGS = 7, 8
"""The seeds by which questions are reworded and near misses drawn."""


def main() -> None:
    """Run each part whose result is not there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default=os.environ.get("NEWSQUOTE_READER_DATA"))
    parser.add_argument("--start", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--invented", type=Path, default=DATA / "reader")
    parser.add_argument("--eval", type=Path)
    parser.add_argument("--minutes", default="60")
    asked = parser.parse_args()
    work: Path = asked.work
    work.mkdir(parents=True, exist_ok=True)

    def part(out: str, module: str, *words: object) -> Path:
        if not (work / out).exists():
            command = [sys.executable, "-m", f"tests.fit.reader.{module}", *map(str, words)]
            subprocess.run(command, check=True)
        return work / out

    def files(names: tuple[str, ...]) -> list[Path]:
        places = [folder / f"{name}.json" for name in names for folder in (DATA, asked.invented)]
        return list(dict.fromkeys(place for place in places if place.exists()))

    general = part("general.pkl", "data", asked.data, work / "general.pkl")
    news = [
        part(f"news-{seed}.pkl", "news", work / f"news-{seed}.pkl", *files(TRAINED), "--seed", seed)
        for seed in DRAWINGS
    ]
    first = part("start", "export", asked.start, "--out", work / "start", "--examples", general, "--quick")
    losses = part("losses.pkl", "mine", first / "model.onnx", general, work / "losses.pkl")
    mix = part("mix.pkl", "mix", *news, losses, work / "mix.pkl")
    trained = work / "trained"
    settings = ("--rate", "6e-5", "--batch", 32, "--frozen", 1, "--minutes", asked.minutes, "--resume")
    last = part("trained/last.safetensors", "train", mix, "--start", asked.start, "--out", trained, *settings)
    final = part("final", "export", last, asked.start, "--out", work / "final", "--examples", general)
    part("shipped", "asset", final / "model.onnx", "--facts", final / "manifest.json", "--out", work / "shipped")
    sets = [files(HELD_OUT)]
    if asked.eval:
        sets += [[asked.eval / f"{name}.json"] for name in ("news", "xquad-en", "xquad-en-abstain")]
    read = []
    for names in sets:
        cases = part(f"{names[-1].stem}.cases", "evaluate", "dump", *names, "--out", work / f"{names[-1].stem}.cases",
                     "--models", work / "models")  # fmt: skip
        read.append(part(f"{names[-1].stem}.read", "evaluate", "read", cases, final / "model.onnx", "--no-title",
                         "--out", work / f"{names[-1].stem}.read"))  # fmt: skip
    part("figures", "evaluate", "judge", *read)


if __name__ == "__main__":
    main()
