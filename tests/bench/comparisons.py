"""The comparisons of newsquote with other libraries, each a function that yields rows of the table."""

from __future__ import annotations

import functools
import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.bench.data import large_library, passage_texts
from tests.bench.environment import ROOT, Bench, Row, sample_of_reports, sample_of_runs, time_row

IMPORT = "import sentence_transformers"
QUESTION = "Which tier is Kuwait in?"


def cold(bench: Bench) -> Iterator[Row]:
    """`newsquote ask` as a whole process."""
    home = bench.home("shipped", None)
    ask = [*bench.newsquote, "--home", str(home), "ask", QUESTION]
    bench.run(ask)
    ours, theirs = bench.in_turns(lambda: bench.run(ask), lambda: bench.run([sys.executable, "-c", IMPORT]))
    mine, other = sample_of_runs(ours), sample_of_runs(theirs)
    yield time_row("cold `ask`, whole process", mine, other, f"`python -c '{IMPORT}'`", at_most=0.10)


def warm(bench: Bench) -> Iterator[Row]:
    """A question answered in a running process, from compared words alone and with the best passages read."""
    home = bench.home("data", bench.articles)
    questions = bench.folder / "questions.json"
    questions.write_text(json.dumps(bench.questions[:300]), encoding="utf-8")
    what = "SentenceTransformer.encode of the question alone"
    for name, second_stage, at_most in (("reader = false", (), 0.5), ("passages read", ("reader",), 5.0)):
        arguments = ("warm", str(home), str(bench.models), str(questions), *second_stage)
        ours, theirs = bench.in_turns(
            functools.partial(bench.worker, *arguments), lambda: bench.worker("encode", str(questions))
        )
        mine, other = sample_of_reports(ours), sample_of_reports(theirs)
        yield time_row(f"warm answer, {name}", mine, other, what, at_most=at_most)
        if second_stage:
            ratio = mine.p95 / other.p95
            yield Row("the same, p95", f"{mine.p95:.1f} ms", f"{other.p95:.1f} ms", ratio, "≤ 8", ratio <= 8)


def batch(bench: Bench) -> Iterator[Row]:
    """`newsquote ask -` as a whole process, against the same search on SentenceTransformer's vectors."""
    home = bench.home("data", bench.articles)
    asked = bench.questions[:300]
    questions = bench.folder / "batch.json"
    questions.write_text(json.dumps(asked), encoding="utf-8")
    squad = bench.folder / "squad.json"
    squad.write_text(json.dumps(bench.squad), encoding="utf-8")
    ask = [*bench.newsquote, "--home", str(home), "ask", "--json", "-"]
    lines = "".join(f"{' '.join(question.split())}\n" for question in asked)
    other = [sys.executable, "-m", "tests.bench.workers", "pipeline", str(squad), str(questions)]
    ours, theirs = bench.in_turns(lambda: bench.run(ask, given=lines), lambda: bench.run(other))
    name = f"`ask -`, {len(asked)} questions, whole process"
    yield time_row(
        name, sample_of_runs(ours), sample_of_runs(theirs), "the same on SentenceTransformer and faiss, index in memory"
    )


def build(bench: Bench) -> Iterator[Row]:
    """Passages a second when building from scratch."""
    home = bench.home("data", bench.articles)
    ours, theirs = bench.in_turns(
        lambda: bench.worker("build", str(home), str(bench.models)), lambda: bench.worker("encode_passages", str(home))
    )
    mine, other = (statistics.median(r["per_s"] for r in reports) for reports in (ours, theirs))
    peaks = [statistics.median(r["peak_mb"] for r in reports) for reports in (ours, theirs)]
    yield Row(
        f"building {ours[0]['passages']} passages, a second (split, encode, index, publish)",
        f"{mine:.0f}/s, {peaks[0]:.0f} MB",
        f"{other:.0f}/s, {peaks[1]:.0f} MB: SentenceTransformer.encode, batch 32, nothing else",
        mine / other,
        "≥ 2",
        mine / other >= 2,
    )


def adding(bench: Bench) -> Iterator[Row]:
    """One article added to a large library."""
    home = bench.home("large", large_library(bench.articles, bench.passages))
    text = (
        "The ferry that was to carry the orchestra over the strait on Sunday stayed in harbour, and the music with it. "
        "The captain, who has crossed the strait for thirty years, said that the swell was the worst she had seen, "
        "and that the double basses would not have enjoyed it. The concert is to be given next Sunday at that hour."
    )
    one = bench.records("one", [{"id": "the-new-one", "title": "A ferry stays in harbour", "text": text}])
    full = [*bench.newsquote, "--home", str(home), "index", "build", "--full"]
    add = [*bench.newsquote, "--home", str(home), "add", str(one)]
    remove = [*bench.newsquote, "--home", str(home), "articles", "remove", "the-new-one"]
    built = [bench.run(full)]
    added = []
    for _ in range(3):
        added.append(bench.run(add))
        bench.run(remove)
    mine, other = sample_of_runs(added), sample_of_runs(built)
    yield time_row(f"adding one article to {bench.passages:,} passages", mine, other, "building them", at_most=0.05)
    yield Row(
        "the same, peak memory",
        f"{mine.peak_mb:.0f} MB",
        f"{other.peak_mb:.0f} MB",
        mine.peak_mb / other.peak_mb,
        "≤ 0.5",
        mine.peak_mb <= 0.5 * other.peak_mb,
    )


def chat(bench: Bench) -> Iterator[Row]:
    """Resident memory of a chat that has answered."""
    home = bench.home("shipped", None)
    command = [*bench.newsquote, "--home", str(home), "chat"]
    ours = _resident(command, f"{QUESTION}\n", bench.environment)
    idle = f"{IMPORT}; print('up', flush=True); input()"
    theirs = _resident([sys.executable, "-c", idle], "", bench.environment)
    yield Row(
        "warm `chat`, resident memory",
        f"{ours:.0f} MB",
        f"{theirs:.0f} MB: a process that imported sentence_transformers",
        ours / theirs,
        "≤ 0.6",
        ours <= 0.6 * theirs,
    )


def quality(bench: Bench) -> Iterator[Row]:
    """Recall and reciprocal rank with the served model and with SentenceTransformer's own vectors."""
    squad = bench.folder / "squad.json"
    squad.write_text(json.dumps(bench.squad), encoding="utf-8")
    bench.home("shipped", None)
    mine = bench.worker("quality", str(squad), str(bench.models))
    other = bench.worker("quality", str(squad), "")
    for name in ("recall@1", "mrr"):
        yield Row(
            name,
            f"{mine[name]:.4f}",
            f"{other[name]:.4f}: the same pipeline on SentenceTransformer's vectors",
            mine[name] / other[name],
            "within .005",
            mine[name] >= other[name] - 0.005,
        )


def slim(bench: Bench) -> Iterator[Row]:
    """The size of an install that serves and cannot convert; needs a package index."""
    bench.home("shipped", None)
    venv = bench.folder / "slim"
    bench.run([sys.executable, "-m", "venv", str(venv)])
    pip = [str(venv / "bin" / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check"]
    needs = ["-c", str(ROOT / "constraints.txt"), "-r", str(ROOT / "deploy" / "requirements-serve.txt")]
    bench.run([*pip, "install", *needs])
    bench.run([*pip, "install", "--no-deps", str(ROOT)])
    bench.run([*pip, "uninstall", "--yes", "setuptools", "pip"])
    home = str(bench.folder / "slim-home")
    environment = {name: value for name, value in bench.environment.items() if name != "PYTHONPATH"}
    asked = [str(venv / "bin" / "newsquote"), "--home", home, "ask", "--json", QUESTION]
    printed = subprocess.run(asked, env=environment, capture_output=True, check=False).stdout
    if not json.loads(printed)["quotes"]:
        raise RuntimeError(f"the slim install answered {printed!r}")
    mine, other = _size_mb(venv), _size_mb(Path(sys.prefix))
    yield Row(
        "installed size without sentence-transformers",
        f"{mine:.0f} MB",
        f"{other:.0f} MB: everything, with what tests need",
        mine / other,
        "≤ 400 MB",
        mine <= 400,
    )


def peers(bench: Bench) -> Iterator[Row]:
    """haystack and txtai with the same model, passages and questions; needs --peers.

    haystack is asked with an extractive reader, too: one of the shipped reader's kind and size, whose head is random,
    since only its time is compared.
    """
    from retrieval.models.conversion.sources import locate_source
    from retrieval.models.manifest import DEFAULT_SOURCE

    if bench.peers is None:
        raise RuntimeError("peers needs --peers, the Python of a venv that has them: make bench-peers")
    home = bench.home("data", bench.articles)
    passages, questions = bench.folder / "passages.json", bench.folder / "questions.json"
    passages.write_text(json.dumps(passage_texts(home)), encoding="utf-8")
    questions.write_text(json.dumps(bench.questions[:300]), encoding="utf-8")
    script = [str(bench.peers), str(ROOT / "tests" / "bench" / "peers.py")]
    folder = bench.folder / "peers"
    shutil.copytree(locate_source(DEFAULT_SOURCE)[0], folder)
    subprocess.run([sys.executable, "-m", "tests.bench.workers", "reader_model", str(folder)], check=True)
    few = bench.folder / "few.json"
    few.write_text(json.dumps(bench.questions[:40]), encoding="utf-8")
    read, theirs = bench.in_turns(
        lambda: bench.worker("warm", str(home), str(bench.models), str(few), "reader"),
        lambda: json.loads(
            bench.run([*script, "haystack-reader", str(folder), str(passages), str(few)])[2].splitlines()[-1]
        ),
    )
    yield time_row(
        "warm answer, passages read, beside haystack",
        sample_of_reports(read),
        sample_of_reports(theirs),
        "dense and BM25 search, the best eight read",
        at_most=0.3,
    )
    for name in ("haystack", "txtai"):
        model = locate_source(DEFAULT_SOURCE)[0]
        warm, build, theirs = [], [], []
        for _ in range(bench.rounds):
            warm.append(bench.worker("warm", str(home), str(bench.models), str(questions)))
            build.append(bench.worker("build", str(home), str(bench.models)))
            _, _, printed = bench.run([*script, name, model, str(passages), str(questions)])
            theirs.append(json.loads(printed.splitlines()[-1]))
        yield time_row(
            f"warm answer beside {name}",
            sample_of_reports(warm),
            sample_of_reports(theirs),
            "dense and BM25 search, no answer",
        )
        mine, other = (statistics.median(r["per_s"] for r in reports) for reports in (build, theirs))
        yield Row(f"passages a second beside {name}", f"{mine:.0f}/s", f"{other:.0f}/s", mine / other, "", kept=True)
        start = 1000 * statistics.median(r["start_s"] for r in theirs)
        ours = 1000 * statistics.median(r["start_s"] for r in warm)
        yield Row(f"start beside {name}", f"{ours:,.0f} ms", f"{start:,.0f} ms", ours / start, "", kept=True)


COMPARISONS: dict[str, Callable[[Bench], Iterator[Row]]] = {
    "adding": adding,
    "batch": batch,
    "build": build,
    "chat": chat,
    "cold": cold,
    "peers": peers,
    "quality": quality,
    "slim": slim,
    "warm": warm,
}


def _resident(command: Sequence[str], given: str, environment: dict[str, str]) -> float:
    """Megabytes resident once the process has printed and fallen silent for two seconds."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(given.encode())
        process.stdin.flush()
        process.stdout.read(1)
        time.sleep(2)
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
        process.kill()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def _size_mb(folder: Path) -> float:
    return sum(path.lstat().st_size for path in folder.rglob("*")) / 1e6
