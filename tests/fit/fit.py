"""Fits ranking and confidence on the invented news; writes the shipped weights, the figures and a reliability plot.

    .venv/bin/python -m tests.fit.fit MODEL_FOLDER

MODEL_FOLDER holds a converted model, as `newsquote model add` leaves it in models/. The same data and model give the
same weights. Five minutes on two cores; nothing is read from outside `data/`.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from corpus.article import Article
from retrieval.evaluation import auroc
from retrieval.index.snapshot import Snapshot
from retrieval.index.writing.publishing import publish
from retrieval.models.encoder import Encoder, OnnxEncoder
from retrieval.ranking import confidence, fusion
from retrieval.ranking.question import Question
from retrieval.ranking.search import Searcher, SearchResult
from retrieval.ranking.weights import FITTED, fitted_weights
from retrieval.results import Query
from retrieval.text.languages import LanguagePair
from tests.fit.invented import Asked, each_alone, read, with_articles_gone, with_gaps

Floats = NDArray[np.float32]
Numbers: TypeAlias = float | Mapping[str, float] | Sequence["Numbers"]
HERE = Path(__file__).parent
FOLDS = 5
WRITTEN = {"fact", "reader", "keyword", "typo"}
"""The kinds of answerable question that ranking is fitted on."""

COUNTS = {
    "fact": 1.0,
    "reader": 1.0,
    "keyword": 1.0,
    "typo": 1.0,
    "paraphrase": 0.5,
    "near-miss": 1.0,
    "plain": 1.0,
    "far": 1.0,
    "gap": 0.5,
    "gone": 2.5,
}
"""How much a question of each kind counts; a paraphrase that names nothing is no question a library can be sure of."""

ASKED = frozenset(COUNTS) - {"gap", "gone"}
"""The kinds that people may ask: what is said of probabilities is said of these."""

ALONE = 2.0
"""How much more a question counts that is asked of its article alone."""

MISSED = 0.5
"""How much an answerable question counts whose first quote does not answer."""

GAPS = 6
"""How many libraries with gaps are searched, one question an article in each."""

STRANGERS = 4
"""How many questions about other articles are asked of each article alone."""

HIDDEN, DRAWS = 16, 4
"""A network of so many units is fitted from so many random starts, and all are served as one, averaged."""

RIGHT_SHARE = 0.6
"""How often the first quote answers a question that a reader asks, supposed."""

CLEARER, SURER = 1.3, 0.7
"""Readers' own questions are easier than the invented ones: log odds are taken so often, and so much is added.

On half of 203 news questions the calibration error falls from .148 to .101, on the other from .089 to .078. At
.5 about as many answers then are wrong as are missed.
"""


@dataclass(frozen=True, slots=True)
class Ranked:
    """One answerable question's candidate sentences: evidence (s, columns), which answer (s,), and its article."""

    evidence: Floats
    answers: NDArray[np.bool_]
    article: int


@dataclass(frozen=True, slots=True)
class Judged:
    """What the first passage said about itself, whether it answers, the question's article, kind and weight.

    `known` tells whether the library has the answer.
    """

    evidence: Floats
    right: bool
    known: bool
    article: int
    kind: str
    weight: float = 1.0

    @property
    def counts(self) -> float:
        """How much it counts in the fit."""
        return self.weight * COUNTS[self.kind] * (MISSED if self.known and not self.right else 1.0)


def searched(
    articles: Sequence[Article], asked: Iterable[Asked], encoder: Encoder, snapshots: Path, weights: Floats
) -> list[tuple[Asked, SearchResult]]:
    """What a library of the articles finds for each question."""
    name = publish(articles, encoder, snapshots).name
    searcher = Searcher(Snapshot.open(snapshots, name), encoder, weights=weights)
    queries = [(one, Query(one.text)) for one in asked]
    return [(one, searcher.search(query, Question.parse(query))) for one, query in queries]


def ranked(found: Iterable[tuple[Asked, SearchResult]]) -> list[Ranked]:
    """The questions among whose candidates the answer is."""
    rows = []
    for asked, result in found:
        pairs = [(hit, span) for hit in result.hits for span, _ in hit.sentences]
        answers = [
            hit.article == asked.article and any(span.start <= a.start and a.end <= span.end for a in asked.answers)
            for hit, span in pairs
        ]
        if any(answers):
            evidence = np.concatenate([hit.evidence for hit in result.hits])
            rows.append(Ranked(evidence, np.array(answers), asked.article))
    return rows


def judged(found: Iterable[tuple[Asked, SearchResult]], *, missing: str | None = None) -> list[Judged]:
    """Every question that found something; with `missing`, of that kind and answered by nothing."""
    rows = []
    for asked, result in found:
        if not result.hits:
            continue
        top = result.hits[0]
        known = missing is None and bool(asked.answers)
        right = (
            known
            and top.article == asked.article
            and any(top.span.start <= answer.start and answer.end <= top.span.end for answer in asked.answers)
        )
        rows.append(Judged(result.evidence, right, known, asked.article, missing or asked.kind))
    return rows


def descend(slope: Callable[[Floats], Floats], start: Floats, *, steps: int = 800, rate: float = 0.05) -> Floats:
    """A low point of a smooth function by Adam (Kingma and Ba 2015), with a falling rate; convex ones' lowest."""
    at, mean, square = start.astype(np.float64), np.zeros(len(start)), np.zeros(len(start))
    for step in range(1, steps + 1):
        down = slope(at.astype(np.float32)).astype(np.float64)
        mean, square = 0.9 * mean + 0.1 * down, 0.999 * square + 0.001 * down**2
        scaled = mean / (1 - 0.9**step) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
        at -= rate * (1 - (step - 1) / steps) * scaled
    return at.astype(np.float32)


def fit_ranking(rows: Sequence[Ranked], *, decay: float = 6e-3) -> Floats:
    """Weights under which the answering sentences get most of a softmax over the candidates."""
    every = np.concatenate([row.evidence for row in rows])
    scale = every.std(axis=0) + 1e-6
    edges = np.cumsum([0, *(len(row.evidence) for row in rows)])[:-1]
    owner = np.repeat(np.arange(len(rows)), [len(row.evidence) for row in rows])
    answers = np.concatenate([row.answers for row in rows])
    scaled = every / scale

    def slope(weights: Floats) -> Floats:
        scores = scaled @ weights
        shares = np.exp(scores - np.maximum.reduceat(scores, edges)[owner])
        shares /= np.add.reduceat(shares, edges)[owner]
        right = np.where(answers, shares, 0)
        right /= np.maximum(np.add.reduceat(right, edges)[owner], 1e-12)
        return np.asarray(scaled.T @ (shares - right) / len(rows) + decay * weights, np.float32)

    return np.asarray(descend(slope, np.zeros(every.shape[1], np.float32)) / scale, np.float32)


def fit_logistic(evidence: Floats, right: Floats, weight: Floats, *, decay: float) -> Floats:
    """A logistic regression's weights and, last, its bias; `weight` (n,) says how much each row counts."""
    centre, scale = evidence.mean(axis=0), evidence.std(axis=0) + np.float32(1e-6)
    scaled = np.concatenate([(evidence - centre) / scale, np.ones((len(evidence), 1), np.float32)], axis=1)
    share = weight / weight.sum()
    held = np.append(np.full(evidence.shape[1], decay, np.float32), np.float32(0))

    def slope(weights: Floats) -> Floats:
        chance = 1 / (1 + np.exp(-(scaled @ weights)))
        return np.asarray(scaled.T @ (share * (chance - right)) + held * weights, np.float32)

    found = descend(slope, np.zeros(scaled.shape[1], np.float32))
    weights = found[:-1] / scale
    return np.append(weights, found[-1] - centre @ weights).astype(np.float32)


def fit_network(rows: Sequence[Judged], *, decay: float = 2e-3) -> confidence.Network:
    """A network under which what answers has high odds; its weights are kept small."""
    evidence = np.stack([row.evidence for row in rows])
    right = np.array([row.right for row in rows], np.float32)
    share = np.array([row.counts for row in rows], np.float32)
    share /= share.sum()
    centre, scale = evidence.mean(axis=0), np.maximum(evidence.std(axis=0), np.float32(1e-3))
    scaled = np.clip((evidence - centre) / scale, -confidence.MAX_DEVIATIONS, confidence.MAX_DEVIATIONS)
    size = scaled.shape[1]
    edges = np.cumsum([size, size * HIDDEN, HIDDEN, HIDDEN])
    held = np.repeat(np.array([decay, decay, 0, decay, 0], np.float32), [size, size * HIDDEN, HIDDEN, HIDDEN, 1])

    def slope(weights: Floats) -> Floats:
        direct, hidden, shift, out, bias = np.split(weights, edges)
        bent = np.tanh(scaled @ hidden.reshape(size, HIDDEN) + shift)
        wrong = share * (1 / (1 + np.exp(-(scaled @ direct + bent @ out + bias))) - right)
        back = wrong[:, None] * out * (1 - bent**2)
        down = (scaled.T @ wrong, (scaled.T @ back).ravel(), back.sum(axis=0), bent.T @ wrong, wrong.sum(keepdims=True))
        return np.asarray(np.concatenate(down) + held * weights, np.float32)

    draws = []
    for seed in range(DRAWS):
        start = np.zeros(edges[-1] + 1, np.float32)
        random = np.random.default_rng(seed)
        start[edges[0] : edges[2]] = random.uniform(-1, 1, edges[2] - edges[0]) / np.sqrt(size)
        start[edges[2] : edges[3]] = random.uniform(-1, 1, HIDDEN) / np.sqrt(HIDDEN)
        draws.append(np.split(descend(slope, start, steps=400, rate=0.03), edges))
    direct, hidden, shift, out, bias = zip(*draws, strict=True)
    return confidence.Network(
        centre=centre,
        scale=scale,
        direct=np.mean(direct, axis=0),
        hidden=np.concatenate([one.reshape(size, HIDDEN) for one in hidden], axis=1),
        shift=np.concatenate(shift),
        out=(np.concatenate(out) / DRAWS).astype(np.float32),
        bias=float(np.mean(bias)),
    )


def folded(rows: Sequence[Judged]) -> Floats:
    """Each row's log odds by a network that saw nothing of its article, (n,)."""
    found = np.zeros(len(rows), np.float32)
    for fold in range(FOLDS):
        fitted = fit_network([row for row in rows if row.article % FOLDS != fold])
        mine = [number for number, row in enumerate(rows) if row.article % FOLDS == fold]
        found[mine] = fitted.log_odds(np.stack([rows[number].evidence for number in mine]))
    return found


def curve(rows: Sequence[Judged], found: Floats) -> tuple[float, float]:
    """Slope and offset (Platt 1999) that make log odds of unseen articles those of the questions people may ask."""
    asked = np.array([row.kind in ASKED for row in rows])
    right = np.array([row.right for row in rows])[asked]
    weights = fit_logistic(found[asked, None], right.astype(np.float32), weights_of(rows)[asked], decay=0.0)
    return float(weights[0]), float(weights[1])


def bent(network: confidence.Network, slope: float, offset: float) -> confidence.Network:
    """The network whose log odds are `slope` times its own plus `offset`."""
    return replace(
        network,
        direct=network.direct * np.float32(slope),
        out=network.out * np.float32(slope),
        bias=network.bias * slope + offset,
    )


def expected(right: NDArray[np.bool_], weight: Floats) -> Floats:
    """The weights scaled so that RIGHT_SHARE of them lies on what is right, (n,)."""
    share = np.where(right, RIGHT_SHARE / weight[right].sum(), (1 - RIGHT_SHARE) / weight[~right].sum())
    return np.asarray(share * weight, np.float32)


def reliability(
    found: Floats, right: NDArray[np.bool_], weight: Floats, bins: int = 10
) -> list[tuple[float, float, float]]:
    """The mean probability, the share that is right and the weight of each tenth that holds any."""
    place = np.minimum((found * bins).astype(int), bins - 1)
    groups = [place == one for one in range(bins) if (place == one).any()]
    return [
        (
            float(np.average(found[group], weights=weight[group])),
            float(np.average(right[group], weights=weight[group])),
            float(weight[group].sum() / weight.sum()),
        )
        for group in groups
    ]


def plot(points: Sequence[tuple[float, float, float]]) -> str:
    """A reliability plot as SVG: probability to the right, share that is right upwards, circles by weight."""
    most = max(count for _, _, count in points)
    circles = "\n".join(
        f'<circle cx="{40 + 320 * said:.1f}" cy="{360 - 320 * was:.1f}" r="{3 + 9 * (count / most) ** 0.5:.1f}">'
        f"<title>{count:.2f} of all: said {said:.2f}, was {was:.2f}</title></circle>"
        for said, was, count in points
    )
    ticks = "\n".join(
        f'<text x="{40 + 32 * tenth}" y="378" text-anchor="middle">{tenth / 10:g}</text>'
        f'<text x="32" y="{364 - 32 * tenth}" text-anchor="end">{tenth / 10:g}</text>'
        for tenth in range(0, 11, 2)
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 400" font-family="sans-serif" font-size="11">\n'
        '<title>Confidence said and share that was right</title>\n<rect width="400" height="400" fill="white"/>\n'
        '<path d="M40 40V360H360" fill="none" stroke="black"/>\n'
        '<path d="M40 360L360 40" stroke="gray" stroke-dasharray="4"/>\n'
        f'<g fill="#2266aa">\n{circles}\n</g>\n{ticks}\n</svg>\n'
    )


def write_fitted(languages: LanguagePair, fitted: Mapping[str, Numbers]) -> None:
    """Write what was fitted for a language pair as `ranking.weights` reads it, a line for each name."""
    lines = ",\n".join(f'  "{name}": {json.dumps(rounded(numbers))}' for name, numbers in fitted.items())
    (FITTED / f"{languages}.json").write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


def by_name(names: Iterable[str], weights: Floats) -> dict[str, float]:
    """Weights by the names of what they weigh."""
    return dict(zip(names, weights.tolist(), strict=True))


def rounded(numbers: Numbers) -> Numbers:
    """The same numbers with four significant digits."""
    if isinstance(numbers, Mapping):
        return {name: float(f"{number:.4g}") for name, number in numbers.items()}
    return [rounded(one) for one in numbers] if isinstance(numbers, Sequence) else float(f"{numbers:.4g}")


def weights_of(rows: Sequence[Judged]) -> Floats:
    """What each row counts among the questions that people may ask, (n,)."""
    weight = np.array([row.counts if row.kind in ASKED else 0.0 for row in rows], np.float32)
    return expected(np.array([row.right for row in rows]), weight)


def report(rows: Sequence[Judged], found: Floats, sentences: float) -> str:
    """What the fit reaches on articles it did not see, as Markdown."""
    right = np.array([row.right for row in rows])
    asked = np.array([row.kind in ASKED for row in rows])
    lines = [
        "# Figures of the last fit",
        "",
        "Five folds by article; nothing here is evaluation data.",
        "",
        f"- The best sentence of the library answers: {sentences:.3f} of the answerable questions.",
    ]
    for name, kinds in (
        ("near misses, plain and far questions", ("near-miss", "plain", "far")),
        ("questions whose answer was cut out", ("gap",)),
        ("questions whose article is gone", ("gone",)),
    ):
        other = np.array([row.kind in kinds for row in rows])
        area = auroc(found[right & asked].tolist(), found[other].tolist())
        lines.append(f"- AUROC of right answers against {name}: {area:.3f}")
    weight = weights_of(rows)
    points = reliability(found, right, weight)
    error = sum(share * abs(said - was) for said, was, share in points)
    lines += [
        f"- Expected calibration error over ten bins, {RIGHT_SHARE} right as supposed: {error:.3f} (reliability.svg)",
        "",
        "| threshold | right ones that are answered | answered ones that are right |",
        "| --- | --- | --- |",
    ]
    for threshold in (0.3, 0.4, 0.5, 0.55, 0.6, 0.7, 0.8):
        yes = found >= threshold
        answered = weight[yes & right].sum() / weight[right].sum()
        lines.append(f"| {threshold} | {answered:.3f} | {weight[yes & right].sum() / weight[yes].sum():.3f} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Read the invented news, search it whole and with answers missing, fit, and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    encoder = OnnxEncoder.open(parser.parse_args().model)
    articles, questions = read()
    with tempfile.TemporaryDirectory() as folder:
        snapshots, shipped = Path(folder), fitted_weights(LanguagePair.SHIPPED).ranking
        written_questions = [asked for asked in questions if asked.kind in WRITTEN]
        whole = ranked(searched(articles, written_questions, encoder, snapshots, shipped))
        ranking = fit_ranking(whole)
        rows = judged(searched(articles, questions, encoder, snapshots, ranking))
        written_questions = [asked for asked in questions if asked.kind in WRITTEN]
        for library, asked in islice(with_gaps(articles, written_questions), GAPS):
            rows += judged(searched(library, asked, encoder, snapshots, ranking), missing="gap")
        for library, asked in with_articles_gone(articles, written_questions):
            rows += judged(searched(library, asked, encoder, snapshots, ranking), missing="gone")
        for number, (article, own, strangers) in enumerate(each_alone(articles, questions, STRANGERS)):
            alone = judged(searched([article], own, encoder, snapshots, ranking))
            alone += judged(searched([article], strangers, encoder, snapshots, ranking), missing="gone")
            rows += [replace(row, article=number, weight=ALONE) for row in alone]
    right = []
    for fold in range(FOLDS):
        weights = fit_ranking([row for row in whole if row.article % FOLDS != fold])
        right += [row.answers[int((row.evidence @ weights).argmax())] for row in whole if row.article % FOLDS == fold]
    unseen = folded(rows)
    slope, offset = curve(rows, unseen)
    found = np.asarray(1 / (1 + np.exp(-(slope * unseen + offset))), np.float32)
    network = bent(fit_network(rows), CLEARER * slope, CLEARER * offset + SURER)
    parts = {name: np.asarray(part).tolist() for name, part in asdict(network).items()}
    write_fitted(LanguagePair.SHIPPED, {"ranking": by_name(fusion.EVIDENCE, ranking), **parts})
    (HERE / "FIGURES.md").write_text(report(rows, found, float(np.mean(right))), encoding="utf-8")
    points = reliability(found, np.array([row.right for row in rows]), weights_of(rows))
    (HERE / "reliability.svg").write_text(plot(points), encoding="utf-8")


if __name__ == "__main__":
    main()
