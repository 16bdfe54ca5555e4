"""newsquote beside sentence-transformers, in one run on one machine: medians, p95, peak memory and their ratios.

    python -m tests.bench.bench [--data FILE...] [--passages N] [--rounds N] [--only CASE...]

Prints one Markdown table. Each case runs in processes of its own, newsquote and what it is compared with in turns, so
that both meet the same weather on a shared machine. `--data` are SQuAD-form files, the invented news of tests/fit by
default; `--passages` is the size of the library that one article is added to.
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib.metadata
import json
import os
import platform
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.bench.processes import timed

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from retrieval.models.encoder import Encoded

ROOT = Path(__file__).resolve().parents[2]
DATA = sorted((ROOT / "tests" / "fit" / "data").glob("news-*.json"))
IMPORT = "import sentence_transformers"
OURS = frozenset({"build", "warm"})
"""The workers that do what the command does, which has OpenBLAS on one thread."""

QUESTION = "Which tier is Kuwait in?"


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
    """A line of the table; `ratio` is ours over theirs in whatever `bar` speaks of."""

    figure: str
    ours: str
    theirs: str
    ratio: float
    bar: str
    kept: bool

    def markdown(self) -> str:
        mark = "" if not self.bar else "✓" if self.kept else "✗"
        return f"| {self.figure} | {self.ours} | {self.theirs} | {self.ratio:.3f} | {self.bar} | {mark} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, nargs="+", default=DATA, metavar="FILE")
    parser.add_argument("--passages", type=int, default=2000, metavar="N")
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    default = sorted(CASES.keys() - {"peers", "slim"})
    parser.add_argument("--only", nargs="+", choices=sorted(CASES), default=default, metavar="CASE")
    parser.add_argument("--peers", type=Path, metavar="PYTHON", help="of a venv with haystack-ai and txtai in it")
    parser.add_argument("--worker", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        name, *arguments = options.worker
        print(json.dumps(WORKERS[name](*arguments)))
        return
    os.environ["HF_HUB_OFFLINE"] = "1"
    with tempfile.TemporaryDirectory(prefix="newsquote-bench-") as folder:
        bench = Bench(Path(folder), options.data, options.passages, options.rounds, options.peers)
        print(_about(bench), end="\n\n")
        print("| figure | newsquote | beside it | ratio | bar | |\n| --- | --- | --- | --- | --- | --- |", flush=True)
        for name in options.only:
            print(f"{name} ...", file=sys.stderr, flush=True)
            for row in CASES[name](bench):
                print(row.markdown(), flush=True)


def _about(bench: Bench) -> str:
    libraries = ("sentence-transformers", "torch", "onnxruntime", "tokenizers", "faiss-cpu", "tantivy")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in libraries)
    return (
        f"{dt.datetime.now(dt.UTC):%Y-%m-%d}, {_cpu()}, {os.cpu_count()} cores, Python {platform.python_version()},\n"
        f"{versions}.\nData: {len(bench.articles)} articles, {len(bench.questions)} questions."
    )


class Bench:
    """A temporary home with the data's articles in it, made when first asked for, and ways to time processes."""

    def __init__(self, folder: Path, data: Sequence[Path], passages: int, rounds: int, peers: Path | None) -> None:
        self.folder, self.passages, self.rounds, self.peers = folder, passages, rounds, peers
        files = [json.loads(path.read_text(encoding="utf-8"))["data"] for path in data]
        self.squad = [article for file in files for article in file]
        self.articles = [record for number, article in enumerate(self.squad) if (record := _record(number, article))]
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
            raise RuntimeError(f"{command} ended with {ended.status}: {ended.complaint}")
        return ended.ms, ended.peak_mb, printed

    def worker(self, name: str, *arguments: str) -> dict[str, Any]:
        """What a function of this module reports from a process of its own."""
        environment = {"OPENBLAS_NUM_THREADS": "1"} if name in OURS else {}
        command = [sys.executable, "-m", "tests.bench.bench", "--worker", name, *arguments]
        _, _, printed = self.run(command, environment=environment)
        report: dict[str, Any] = json.loads(printed.splitlines()[-1])
        return report

    def in_turns(self, ours: Callable[[], Any], theirs: Callable[[], Any]) -> tuple[list[Any], list[Any]]:
        """Results of both, taken one after the other, `rounds` times."""
        pairs = [(ours(), theirs()) for _ in range(self.rounds)]
        return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


# The cases: each yields rows.


def cold(bench: Bench) -> Iterator[Row]:
    """`newsquote ask` as a whole process."""
    home = bench.home("shipped", None)
    ask = [*bench.newsquote, "--home", str(home), "ask", QUESTION]
    bench.run(ask)
    ours, theirs = bench.in_turns(lambda: bench.run(ask), lambda: bench.run([sys.executable, "-c", IMPORT]))
    mine, other = _sample(ours), _sample(theirs)
    yield _row("cold `ask`, whole process", mine, other, f"`python -c '{IMPORT}'`", at_most=0.10)


def warm(bench: Bench) -> Iterator[Row]:
    """A question answered in a process that is up."""
    home = bench.home("data", bench.articles)
    questions = bench.folder / "questions.json"
    questions.write_text(json.dumps(bench.questions[:300]), encoding="utf-8")
    ours, theirs = bench.in_turns(
        lambda: bench.worker("warm", str(home), str(bench.models), str(questions)),
        lambda: bench.worker("encode", str(questions)),
    )
    mine, other = _pooled(ours), _pooled(theirs)
    yield _row("warm answer", mine, other, "SentenceTransformer.encode of the question alone", at_most=0.5)


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
    other = [sys.executable, "-m", "tests.bench.bench", "--worker", "pipeline", str(squad), str(questions)]
    ours, theirs = bench.in_turns(lambda: bench.run(ask, given=lines), lambda: bench.run(other))
    name = f"`ask -`, {len(asked)} questions, whole process"
    yield _row(name, _sample(ours), _sample(theirs), "the same on SentenceTransformer and faiss, index in memory")


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
    home = bench.home("large", large(bench.articles, bench.passages))
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
    mine, other = _sample(added), _sample(built)
    yield _row(f"adding one article to {bench.passages:,} passages", mine, other, "building them", at_most=0.05)
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
    """haystack and txtai with the same model, passages and questions; needs --peers."""
    from retrieval.models.conversion.sources import locate_source
    from retrieval.models.manifest import DEFAULT_SOURCE

    if bench.peers is None:
        raise RuntimeError("peers needs --peers, the Python of a venv that has them: make bench-peers")
    home = bench.home("data", bench.articles)
    passages, questions = bench.folder / "passages.json", bench.folder / "questions.json"
    passages.write_text(json.dumps(_passages(home)), encoding="utf-8")
    questions.write_text(json.dumps(bench.questions[:300]), encoding="utf-8")
    script = [str(bench.peers), str(ROOT / "tests" / "bench" / "peers.py")]
    for name in ("haystack", "txtai"):
        model = locate_source(DEFAULT_SOURCE)[0]
        warm, build, theirs = [], [], []
        for _ in range(bench.rounds):
            warm.append(bench.worker("warm", str(home), str(bench.models), str(questions)))
            build.append(bench.worker("build", str(home), str(bench.models)))
            _, _, printed = bench.run([*script, name, model, str(passages), str(questions)])
            theirs.append(json.loads(printed.splitlines()[-1]))
        yield _row(f"warm answer beside {name}", _pooled(warm), _pooled(theirs), "dense and BM25 search, no answer")
        mine, other = (statistics.median(r["per_s"] for r in reports) for reports in (build, theirs))
        yield Row(f"passages a second beside {name}", f"{mine:.0f}/s", f"{other:.0f}/s", mine / other, "", kept=True)
        start = 1000 * statistics.median(r["start_s"] for r in theirs)
        ours = 1000 * statistics.median(r["start_s"] for r in warm)
        yield Row(f"start beside {name}", f"{ours:,.0f} ms", f"{start:,.0f} ms", ours / start, "", kept=True)


CASES: dict[str, Callable[[Bench], Iterator[Row]]] = {
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


# The workers: each runs in a process of its own and reports what it measured.


def _warm(home: str, models: str, questions: str) -> dict[str, Any]:
    began = time.perf_counter()
    from retrieval.answering import Answerer
    from retrieval.index.snapshot import Snapshot
    from retrieval.models.loading import open_encoder
    from retrieval.models.manifest import DEFAULT_SOURCE
    from retrieval.results import Query

    answerer = Answerer(Snapshot.open(Path(home) / "snapshots"), open_encoder(Path(models) / DEFAULT_SOURCE))
    asked = json.loads(Path(questions).read_text(encoding="utf-8"))
    answerer.answer(Query(asked[0]))
    start_s = time.perf_counter() - began
    return {"start_s": start_s, **_timed(lambda question: answerer.answer(Query(question)), asked)}


def _encode(questions: str) -> dict[str, Any]:
    model = _sentence_transformer()
    return _timed(model.encode, json.loads(Path(questions).read_text(encoding="utf-8")))


def _timed(run: Callable[[str], object], questions: Sequence[str]) -> dict[str, Any]:
    for question in questions[-5:]:
        run(question)
    ms = []
    for question in questions[:-5]:
        began = time.perf_counter()
        run(question)
        ms.append(1000 * (time.perf_counter() - began))
    return {"ms": ms, "peak_mb": _peak_mb()}


def _build(home: str, models: str) -> dict[str, Any]:
    from corpus import Library
    from retrieval.index.writing.publishing import publish
    from retrieval.models.loading import open_encoder
    from retrieval.models.manifest import DEFAULT_SOURCE

    encoder = open_encoder(Path(models) / DEFAULT_SOURCE)
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        done = publish(Library(Path(home) / "library").articles(), encoder, Path(folder), full=True)
        took = time.perf_counter() - began
    return {"per_s": done.passages / took, "passages": done.passages, "peak_mb": _peak_mb()}


def _passages(home: Path) -> list[str]:
    from corpus import Library
    from corpus.text.split import split_article
    from retrieval.text.search_text import search_text

    articles = Library(home / "library").articles()
    return [search_text(passage) for article in articles for passage in split_article(article)]


def _encode_passages(home: str) -> dict[str, Any]:
    texts = _passages(Path(home))
    model = _sentence_transformer()
    model.encode(texts[:64], batch_size=32)
    began = time.perf_counter()
    model.encode(texts, batch_size=32)
    return {"per_s": len(texts) / (time.perf_counter() - began), "peak_mb": _peak_mb()}


def _pipeline(squad: str, questions: str) -> dict[str, Any]:
    """Index the articles and answer the questions, all of it on SentenceTransformer's vectors."""
    from retrieval.answering import Answerer
    from retrieval.index.snapshot import Snapshot
    from retrieval.index.writing.publishing import publish
    from retrieval.results import Query

    encoder = Torch()
    with tempfile.TemporaryDirectory() as folder:
        publish(_articles(json.loads(Path(squad).read_text(encoding="utf-8"))), encoder, Path(folder))
        answerer = Answerer(Snapshot.open(Path(folder)), encoder)
        for question in json.loads(Path(questions).read_text(encoding="utf-8")):
            answerer.answer(Query(question))
    return {}


def _quality(squad: str, models: str) -> dict[str, Any]:
    from retrieval.answering import Answerer
    from retrieval.index.snapshot import Snapshot
    from retrieval.index.writing.publishing import publish
    from retrieval.models.loading import open_encoder
    from retrieval.models.manifest import DEFAULT_SOURCE
    from retrieval.results import Query

    encoder = open_encoder(Path(models) / DEFAULT_SOURCE) if models else Torch()
    data = json.loads(Path(squad).read_text(encoding="utf-8"))
    ranks = []
    with tempfile.TemporaryDirectory() as folder:
        publish(_articles(data), encoder, Path(folder))
        answerer = Answerer(Snapshot.open(Path(folder)), encoder)
        for number, article in enumerate(data):
            shift = 0
            for paragraph in article["paragraphs"]:
                for qa in paragraph["qas"]:
                    spans = [
                        (shift + a["answer_start"], shift + a["answer_start"] + len(a["text"])) for a in qa["answers"]
                    ]
                    if qa.get("is_impossible") or not spans:
                        continue
                    quotes = answerer.answer(Query(qa["question"], limit=10)).quotes
                    ranks.append(
                        next(
                            (
                                rank
                                for rank, quote in enumerate(quotes, 1)
                                if quote.article.id == f"b{number:04d}"
                                and any(quote.span.start <= start and end <= quote.span.end for start, end in spans)
                            ),
                            0,
                        )
                    )
                shift += len(paragraph["context"]) + 2
    return {
        "recall@1": sum(rank == 1 for rank in ranks) / len(ranks),
        "mrr": sum(1 / rank for rank in ranks if rank) / len(ranks),
    }


WORKERS: dict[str, Callable[..., dict[str, Any]]] = {
    "build": _build,
    "encode": _encode,
    "encode_passages": _encode_passages,
    "pipeline": _pipeline,
    "quality": _quality,
    "warm": _warm,
}


class Torch:
    """The same contract on SentenceTransformer: what newsquote would be without its own serving encoder."""

    def __init__(self) -> None:
        self._model = _sentence_transformer()

    @property
    def dim(self) -> int:
        return 384

    @property
    def fingerprint(self) -> str:
        return "sentence-transformers"

    @property
    def multilingual(self) -> bool:
        return False

    def encode_query(self, text: str) -> Encoded:
        return next(self.encode_passages([text]))

    def encode_passages(self, texts: Sequence[str]) -> Iterator[Encoded]:
        import torch

        from retrieval.models.encoder import Encoded, unit_rows

        for start in range(0, len(texts), 32):
            part: list[Any] = list(texts[start : start + 32])
            features: Any = self._model.preprocess(part)
            with torch.inference_mode():
                output = self._model(features)
            marks = self._model.tokenizer(part, truncation=True, max_length=256, return_offsets_mapping=True)
            rows = zip(output["sentence_embedding"].numpy(), output["token_embeddings"].numpy(), strict=True)
            for (vector, states), offsets in zip(rows, marks["offset_mapping"], strict=True):
                inside = np.array(offsets[1:-1], np.int32).reshape(-1, 2)
                yield Encoded(unit_rows(vector), unit_rows(states[1 : len(inside) + 1]), inside)


def _sentence_transformer() -> SentenceTransformer:
    from sentence_transformers import SentenceTransformer

    from retrieval.models.conversion.sources import locate_source
    from retrieval.models.manifest import DEFAULT_SOURCE

    model: SentenceTransformer = SentenceTransformer(locate_source(DEFAULT_SOURCE)[0], device="cpu")
    return model


def large(articles: Sequence[dict[str, str]], passages: int) -> list[dict[str, str]]:
    """Articles of about ten passages each, made of the given ones' sentences, until there are so many passages."""
    shuffle = random.Random(7)
    sentences = [part + ". " for article in articles for part in article["text"].replace("\n", " ").split(". ") if part]
    made = []
    for number in range(max(1, passages // 10)):
        chosen = "".join(shuffle.choices(sentences, k=10 * 100 // 22))
        made.append({"id": f"large{number:06d}", "title": f"Report {number}", "text": chosen})
    return made


def _record(number: int, article: dict[str, Any]) -> dict[str, str] | None:
    text = "\n\n".join(paragraph["context"] for paragraph in article["paragraphs"] if paragraph["context"])
    return {"id": f"b{number:04d}", "title": article["title"], "text": text} if text else None


def _articles(squad: Sequence[dict[str, Any]]) -> Iterator[Any]:
    from corpus.article import Article

    for number, article in enumerate(squad):
        record = _record(number, article)
        if record:
            yield Article(**record)


def _sample(runs: Sequence[tuple[float, float, str]]) -> Sample:
    return Sample(tuple(run[0] for run in runs), statistics.median(run[1] for run in runs))


def _pooled(reports: Sequence[dict[str, Any]]) -> Sample:
    return Sample(tuple(ms for r in reports for ms in r["ms"]), statistics.median(r["peak_mb"] for r in reports))


def _row(figure: str, mine: Sample, other: Sample, what: str, *, at_most: float | None = None) -> Row:
    ratio = mine.median / other.median
    bar = "" if at_most is None else f"≤ {at_most:g}"
    return Row(figure, _shown(mine), f"{_shown(other)}: {what}", ratio, bar, at_most is None or ratio <= at_most)


def _shown(sample: Sample) -> str:
    return f"{sample.median:,.1f} ms (p95 {sample.p95:,.1f}), {sample.peak_mb:.0f} MB"


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


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    main()
