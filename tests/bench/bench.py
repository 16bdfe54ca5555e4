"""newsquote beside sentence-transformers, in one run on one machine: medians, p95, peak memory and their ratios.

    python -m tests.bench.bench [--data FILE...] [--passages N] [--rounds N] [--only CASE...]

Prints one Markdown table. Each case runs in processes of its own, newsquote and what it is compared with in turns, so
that both meet the same load on a shared machine. `--data` are SQuAD-form files, the invented news of tests/fit by
default; `--passages` is the size of the library that one article is added to.
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib.metadata
import os
import platform
import sys
import tempfile
from pathlib import Path

from tests.bench.comparisons import COMPARISONS
from tests.bench.environment import ROOT, Bench

DATA = sorted((ROOT / "tests" / "fit" / "data").glob("news-*.json"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, nargs="+", default=DATA, metavar="FILE")
    parser.add_argument("--passages", type=int, default=2000, metavar="N")
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    default = sorted(COMPARISONS.keys() - {"peers", "slim"})
    parser.add_argument("--only", nargs="+", choices=sorted(COMPARISONS), default=default, metavar="CASE")
    parser.add_argument("--peers", type=Path, metavar="PYTHON", help="of a venv with haystack-ai and txtai in it")
    options = parser.parse_args()
    os.environ["HF_HUB_OFFLINE"] = "1"
    with tempfile.TemporaryDirectory(prefix="newsquote-bench-") as folder:
        bench = Bench(Path(folder), options.data, options.passages, options.rounds, options.peers)
        print(_about(bench), end="\n\n")
        print("| figure | newsquote | beside it | ratio | bar | |\n| --- | --- | --- | --- | --- | --- |", flush=True)
        for name in options.only:
            print(f"{name} ...", file=sys.stderr, flush=True)
            for row in COMPARISONS[name](bench):
                print(row.markdown(), flush=True)


def _about(bench: Bench) -> str:
    libraries = ("sentence-transformers", "torch", "onnxruntime", "tokenizers", "faiss-cpu", "tantivy")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in libraries)
    return (
        f"{dt.datetime.now(dt.UTC):%Y-%m-%d}, {_cpu()}, {os.cpu_count()} cores, Python {platform.python_version()},\n"
        f"{versions}.\nData: {len(bench.articles)} articles, {len(bench.questions)} questions."
    )


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    main()
