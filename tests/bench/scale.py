"""newsquote at the size of a newspaper's archive: build, add, answer, memory and recall by number of passages.

    python -m tests.bench.scale FOLDER [--passages N...] [--only STEP...]

Keeps a home for each size under FOLDER (13 KB a passage: 13 GB for a million), so that each step can be repeated.
Articles and vectors are synthetic, see `tests.bench.synthetic`.

The figures do not include encoding, which takes 10 ms a passage on the machine of RESULTS.md.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import itertools
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from corpus.readers.records import format_record
from retrieval.models.encoder import OnnxEncoder
from tests.bench.processes import timed
from tests.bench.synthetic import PASSAGES, SyntheticEncoder, article, questions

SIZES = (10_000, 100_000, 1_000_000)


# The steps. Each prints what it measured as JSON.


def make(home: Path, passages: int) -> dict[str, Any]:
    """Write the library's one file of records."""
    library = home / "library"
    library.mkdir(parents=True, exist_ok=True)
    path = library / "archive.jsonl"
    count = passages // PASSAGES
    if not path.exists():
        with (library / ".new").open("w", encoding="utf-8") as file:
            for number in range(count):
                file.write(format_record(article(number)))
        (library / ".new").rename(path)
    return {"articles": count, "bytes": path.stat().st_size}


def build(home: Path) -> dict[str, Any]:
    """Build a snapshot of the library with synthetic vectors."""
    from bot.terminal.progress import build_progress_bar
    from corpus import Library
    from retrieval.index.writing.publishing import publish

    library = Library(home / "library")
    began = time.perf_counter()
    library.digests()
    read_s = time.perf_counter() - began
    encoder = SyntheticEncoder(_model(home))
    began = time.perf_counter()
    with build_progress_bar() as step:
        done = publish(library, encoder, home / "snapshots", progress=step)
    took = time.perf_counter() - began
    size = sum(path.stat().st_size for path in (home / "snapshots").rglob("*") if path.is_file())
    return {"passages": done.passages, "read_s": read_s, "build_s": took, "bytes": size, "peak_mb": _peak_mb()}


def warm(home: Path) -> dict[str, Any]:
    """Answer all questions in one process."""
    from retrieval.answering import Answerer
    from retrieval.index.snapshot import Snapshot
    from retrieval.results import Query

    answerer = Answerer(Snapshot.open(home / "snapshots"), _model(home))
    return {**_timed(lambda text: answerer.answer(Query(text)), _asked(1000)), "resident_mb": _resident_mb()}


def filtered(home: Path) -> dict[str, Any]:
    """Answer questions about one year, and about one outlet."""
    from retrieval.answering import Answerer
    from retrieval.index.snapshot import Snapshot
    from retrieval.results import Query

    answerer = Answerer(Snapshot.open(home / "snapshots"), _model(home))
    since, until = dt.date(2020, 1, 1), dt.date(2020, 12, 31)
    year = _timed(lambda text: answerer.answer(Query(text, since=since, until=until)), _asked(200))
    outlet = _timed(lambda text: answerer.answer(Query(text, source="outlet 7")), _asked(200))
    return {"year": year, "outlet": outlet}


def listing(home: Path) -> dict[str, Any]:
    """A bot lists all articles again, as after each change, while it answers questions."""
    return asyncio.run(_listing(home))


async def _listing(home: Path) -> dict[str, Any]:
    from bot.conversation.chatbot.chatbot import Chatbot
    from bot.service.engine import Engine
    from bot.service.state import StateDatabase
    from retrieval.answering import Answerer
    from retrieval.index.store import SnapshotStore
    from retrieval.results import Query

    snapshots, model, asked = SnapshotStore(home / "snapshots"), _model(home), itertools.cycle(_asked(100))
    with tempfile.TemporaryDirectory() as folder, StateDatabase(Path(folder) / "state.db") as state:
        async with Engine(lambda: Answerer(snapshots.open(), model), snapshots.current) as engine:

            async def ask() -> float:
                began = time.perf_counter()
                await engine.answer(Query(next(asked)))
                await asyncio.sleep(0.02)
                return 1000 * (time.perf_counter() - began - 0.02)

            alone = [await ask() for _ in range(300)]
            began = time.perf_counter()
            listed = asyncio.create_task(Chatbot(engine, state).news())
            beside = [await ask()]
            while not listed.done():
                beside.append(await ask())
            await listed
            took = time.perf_counter() - began
    spread = {
        name: np.percentile(ms, (50, 100)).round(1).tolist() for name, ms in [("alone", alone), ("beside", beside)]
    }
    return {"s": round(took, 1), "p50 max ms": spread, "peak_mb": _peak_mb()}


def recall(home: Path) -> dict[str, Any]:
    """Recall@10 against exact search, and the time of the search alone."""
    from retrieval.index.contract import ArticleFilter
    from retrieval.index.snapshot import Snapshot

    snapshot, model = Snapshot.open(home / "snapshots"), _model(home)
    vectors = np.stack([model.encode_query(text).vector for text in _asked(200)])
    firsts = np.cumsum([0, *(segment.size for segment in snapshot.segments)])
    scores = [[] for _ in vectors]  # type: list[list[tuple[float, int]]]
    for first, segment in zip(firsts.tolist(), snapshot.segments, strict=False):
        for start in range(0, segment.size, 65_536):
            found = vectors @ np.asarray(segment.passage_vectors[start : start + 65_536]).T
            for number, row in enumerate(found):
                best = np.argpartition(-row, min(10, len(row) - 1))[:10]
                scores[number] += [(float(row[at]), first + start + int(at)) for at in best]
    hits = 0
    ms = []
    for vector, found_scores in zip(vectors, scores, strict=True):
        exact = {row for _, row in sorted(found_scores, reverse=True)[:10]}
        began = time.perf_counter()
        nearest = snapshot.retrieve(vector, {}, 100, ArticleFilter()).dense_ranking
        ms.append(1000 * (time.perf_counter() - began))
        hits += len(exact & set(nearest[:10].tolist()))
    searches = [settings_of(segment.manifest.nearest) for segment in snapshot.segments]
    return {"recall@10": hits / (10 * len(vectors)), "ms": float(np.median(ms)), "segments": searches}


def settings_of(search: Any) -> dict[str, Any]:
    return {"index": search.index, "probes": search.probes, "recall": search.recall}


def adding(home: Path) -> dict[str, Any]:
    """`newsquote add` of one article, as a whole process with the real model, three times."""
    command = _newsquote(home)
    took, peak = [], []
    for number in range(3):
        path = home / f"one-{number}.jsonl"
        text = f"The ferry that was to carry the orchestra stayed in harbour on day {number}. " + article(number).text
        path.write_text(json.dumps({"id": f"new-{number}", "title": f"Ferry {number}", "text": text}) + "\n")
        ms, peak_mb = _run([*command, "add", str(path)])
        took.append(ms)
        peak.append(peak_mb)
    _run([*command, "articles", "remove", *(f"new-{number}" for number in range(3))])
    return {"ms": sorted(took), "peak_mb": max(peak)}


def cold(home: Path) -> dict[str, Any]:
    """`newsquote ask` as a whole process."""
    command = _newsquote(home)
    _run([*command, "ask", "Which tier is Kuwait in?"])
    runs = [_run([*command, "ask", text]) for text in _asked(7)]
    return {"ms": sorted(ms for ms, _ in runs), "peak_mb": max(peak for _, peak in runs)}


FAISS_INDEXES = (
    ("Flat", (0,)),
    ("SQ8", (0,)),
    ("IVF{lists},SQ8", (16, 32, 64, 128, 256)),
    ("IVF{lists},PQ96x4fs", (64, 256)),
    ("PCA128,IVF{lists},SQ8", (64, 256)),
    ("HNSW32_SQ8", (128, 512)),
)


def faiss_indexes(home: Path) -> dict[str, Any]:
    """Recall, CPU, size and build time of faiss's indexes over the largest segment's vectors, by search effort.

    Each returns three times as many as wanted, which are compared exactly, as in `retrieval.index.vectors`.
    """
    import faiss

    from retrieval.index.snapshot import Snapshot

    segment = max(Snapshot.open(home / "snapshots").segments, key=lambda one: one.size)
    vectors, model = np.asarray(segment.passage_vectors), _model(home)
    asked = np.stack([model.encode_query(text).vector for text in _asked(200)])
    exact = np.argsort(-(vectors @ asked.T), axis=0)[:10].T
    lists = 2 ** round(np.log2(4 * np.sqrt(len(vectors))))
    trained = np.random.default_rng(0).choice(len(vectors), min(len(vectors), 48 * lists), replace=False)
    found = {}
    for name, efforts in FAISS_INDEXES:
        faiss.omp_set_num_threads(os.cpu_count() or 1)
        began = time.process_time()
        index = faiss.index_factory(vectors.shape[1], name.format(lists=lists), faiss.METRIC_INNER_PRODUCT)
        index.train(vectors[np.sort(trained)])
        index.add(vectors)
        build_s = time.process_time() - began
        path = home / "measured.faiss"
        faiss.write_index(index, str(path))
        faiss.omp_set_num_threads(1)
        for effort in efforts:
            if "IVF" in name:
                faiss.ParameterSpace().set_index_parameter(index, "nprobe", effort)
            elif "HNSW" in name:
                faiss.ParameterSpace().set_index_parameter(index, "efSearch", effort)
            hits, spent = 0, time.process_time()
            for question, best in zip(asked, exact, strict=True):
                rows = index.search(question[None, :], 300)[1][0]
                rows = rows[rows >= 0]
                hits += len(set(rows[np.argsort(-(vectors[rows] @ question))[:10]].tolist()) & set(best.tolist()))
            cpu_ms = 1000 * (time.process_time() - spent) / len(asked)
            found[f"{name.format(lists=lists)} {effort}".removesuffix(" 0")] = {
                "recall@10": hits / exact.size,
                "cpu_ms": round(cpu_ms, 2),
                "mb": path.stat().st_size >> 20,
                "build_cpu_s": round(build_s, 1),
            }
        path.unlink()
    return found


STEPS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "build": build,
    "recall": recall,
    "faiss": faiss_indexes,
    "warm": warm,
    "filtered": filtered,
    "listing": listing,
    "cold": cold,
    "adding": adding,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--passages", type=int, nargs="+", default=SIZES, metavar="N")
    parser.add_argument("--only", nargs="+", choices=["make", *STEPS], default=["make", *STEPS], metavar="STEP")
    parser.add_argument("--step", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        print(json.dumps(STEPS[options.step](options.folder)))
        return
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # as the command itself has it
    for passages in options.passages:
        home = options.folder / str(passages)
        for name in options.only:
            if name == "make":
                print(passages, name, json.dumps(make(home, passages)), flush=True)
                continue
            step = [sys.executable, "-m", "tests.bench.scale", str(home), "--step", name]
            done = subprocess.run(step, check=True, stdout=subprocess.PIPE, text=True)
            print(passages, name, done.stdout.splitlines()[-1], flush=True)


def _model(home: Path) -> OnnxEncoder:
    from retrieval.models.conversion.converter import convert
    from retrieval.models.manifest import DEFAULT_SOURCE

    models = home.parent / "models"
    if not (models / DEFAULT_SOURCE).exists():
        convert(DEFAULT_SOURCE, models)
    return OnnxEncoder.open(models / DEFAULT_SOURCE)


def _newsquote(home: Path) -> list[str]:
    os.environ["NEWSQUOTE_MODELS"] = str(home.parent / "models")
    return [str(Path(sys.executable).with_name("newsquote")), "--home", str(home)]


def _asked(count: int) -> list[str]:
    return random.Random(3).choices(questions(), k=count)


def _timed(run: Callable[[str], object], asked: Sequence[str]) -> dict[str, Any]:
    for question in asked[:10]:
        run(question)
    ms, cpu = [], []
    for question in asked[10:]:
        began, spent = time.perf_counter(), time.process_time()
        run(question)
        ms.append(1000 * (time.perf_counter() - began))
        cpu.append(1000 * (time.process_time() - spent))
    shown = {"ms": np.percentile(ms, (50, 95, 99)), "cpu_ms": np.percentile(cpu, (50, 95, 99))}
    return {"p50 p95 p99": {name: values.round(2).tolist() for name, values in shown.items()}, "peak_mb": _peak_mb()}


def _run(command: Sequence[str]) -> tuple[float, float]:
    """Milliseconds and peak megabytes of a process."""
    ended = timed(command)
    if ended.status > 1:
        raise RuntimeError(f"{command} ended with {ended.status}: {ended.stderr}")
    return ended.ms, ended.peak_mb


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


if __name__ == "__main__":
    main()
