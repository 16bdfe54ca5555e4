"""A temporary home with articles to measure on, processes to time, and the rows of the table of figures."""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from tests.bench.data import squad_record
from tests.bench.processes import timed

ROOT = Path(__file__).resolve().parents[2]
SINGLE_THREADED = frozenset({"build", "warm"})
"""The workers that run newsquote, whose command limits OpenBLAS to one thread."""


@dataclass(frozen=True)
class Sample:
    """What one process or call took; memory is the process's peak."""

    ms: tuple[float, ...]
    peak_mb: float = 0.0

    @property
    def median(self) -> float:
        return statistics.median(self.ms)

    @property
    def p95(self) -> float:
        return float(np.percentile(self.ms, 95))


@dataclass(frozen=True)
class Row:
    """A line of the table. `ratio` is our figure over theirs, `bar` its limit, `kept` whether it is kept."""

    figure: str
    ours: str
    theirs: str
    ratio: float
    bar: str
    kept: bool

    def markdown(self) -> str:
        mark = "" if not self.bar else "✓" if self.kept else "✗"
        return f"| {self.figure} | {self.ours} | {self.theirs} | {self.ratio:.3f} | {self.bar} | {mark} |"


class Bench:
    """Homes in a temporary folder, built when first needed, and ways to time processes on them."""

    def __init__(self, folder: Path, data: Sequence[Path], passages: int, rounds: int, peers: Path | None) -> None:
        self.folder, self.passages, self.rounds, self.peers = folder, passages, rounds, peers
        files = [json.loads(path.read_text(encoding="utf-8"))["data"] for path in data]
        self.squad = [article for file in files for article in file]
        self.articles = [
            record for number, article in enumerate(self.squad) if (record := squad_record(number, article))
        ]
        self.questions = [
            qa["question"] for article in self.squad for paragraph in article["paragraphs"] for qa in paragraph["qas"]
        ]
        self.models = folder / "models"
        self.environment = {**os.environ, "NEWSQUOTE_MODELS": str(self.models), "PYTHONPATH": str(ROOT)}
        self.newsquote = [str(Path(sys.executable).with_name("newsquote"))]
        self._homes: dict[str, Path] = {}

    def home(self, name: str, articles: Sequence[dict[str, str]] | None) -> Path:
        """A home with these articles indexed; with None, the shipped one."""
        if name not in self._homes:
            home = self.folder / name
            if articles is None:
                self.run([*self.newsquote, "--home", str(home), "index", "build"])
            else:
                self.run([*self.newsquote, "--home", str(home), "add", str(self.records(name, articles))])
            self._homes[name] = home
        return self._homes[name]

    def records(self, name: str, articles: Sequence[dict[str, str]]) -> Path:
        path = self.folder / f"{name}.jsonl"
        path.write_text("".join(json.dumps(article) + "\n" for article in articles), encoding="utf-8")
        return path

    def run(
        self, command: Sequence[str], *, given: str = "", environment: Mapping[str, str] = MappingProxyType({})
    ) -> tuple[float, float, str]:
        """Milliseconds, peak megabytes of the process, and what it printed."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as source:
            source.write(given.encode())
            source.seek(0)
            ended = timed(command, stdin=source, stdout=out, env={**self.environment, **environment})
            out.seek(0)
            printed = out.read().decode()
        if ended.status and not (ended.status == 1 and "ask" in command):  # 1: nothing found
            raise RuntimeError(f"{command} ended with {ended.status}: {ended.stderr}")
        return ended.ms, ended.peak_mb, printed

    def worker(self, name: str, *arguments: str) -> dict[str, Any]:
        """What a worker of tests/bench/workers.py reports from a process of its own."""
        environment = {"OPENBLAS_NUM_THREADS": "1"} if name in SINGLE_THREADED else {}
        command = [sys.executable, "-m", "tests.bench.workers", name, *arguments]
        _, _, printed = self.run(command, environment=environment)
        report: dict[str, Any] = json.loads(printed.splitlines()[-1])
        return report

    def in_turns(self, ours: Callable[[], Any], theirs: Callable[[], Any]) -> tuple[list[Any], list[Any]]:
        """Results of both, taken one after the other, `rounds` times."""
        pairs = [(ours(), theirs()) for _ in range(self.rounds)]
        return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def sample_of_runs(runs: Sequence[tuple[float, float, str]]) -> Sample:
    return Sample(tuple(run[0] for run in runs), statistics.median(run[1] for run in runs))


def sample_of_reports(reports: Sequence[dict[str, Any]]) -> Sample:
    return Sample(tuple(ms for r in reports for ms in r["ms"]), statistics.median(r["peak_mb"] for r in reports))


def time_row(figure: str, mine: Sample, other: Sample, what: str, *, at_most: float | None = None) -> Row:
    ratio = mine.median / other.median
    bar = "" if at_most is None else f"≤ {at_most:g}"
    return Row(figure, _format(mine), f"{_format(other)}: {what}", ratio, bar, at_most is None or ratio <= at_most)


def _format(sample: Sample) -> str:
    return f"{sample.median:,.1f} ms (p95 {sample.p95:,.1f}), {sample.peak_mb:.0f} MB"
