"""Fits ranking and confidence on the invented news; writes the shipped weights, the figures and a reliability plot.

    .venv/bin/python -m tests.fit.fit MODEL_FOLDER

MODEL_FOLDER holds a converted model, as `newsquote model add` leaves it in models/. The same data and model give the
same weights. Five minutes on two cores; nothing is read from outside `data/`.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from retrieval.models.encoder import OnnxEncoder
from retrieval.ranking import confidence, fusion
from retrieval.ranking.weights import FITTED, fitted_weights
from retrieval.text.languages import LanguagePair
from tests.fit.examples import Judged, judged, ranked, searched
from tests.fit.fitting import fit_logistic, fit_network, fit_ranking
from tests.fit.invented import each_alone, read, with_articles_gone, with_gaps
from tests.fit.report import ASKED, plot, reliability, report, weights_of

Floats = NDArray[np.float32]
Numbers: TypeAlias = float | Mapping[str, float] | Sequence["Numbers"]
HERE = Path(__file__).parent
FOLDS = 5
WRITTEN = {"fact", "reader", "keyword", "typo"}
"""The kinds of answerable question that ranking is fitted on."""

ALONE = 2.0
"""How much more a question counts that is asked of its article alone."""

GAPS = 6
"""How many libraries with gaps are searched, one question an article in each."""

STRANGERS = 4
"""How many questions about other articles are asked of each article alone."""

CLEARER, SURER = 1.3, 0.7
"""Readers' own questions are easier than the invented ones: log odds are taken so often, and so much is added.

On half of 203 news questions the calibration error falls from .148 to .101, on the other from .089 to .078. At
.5 about as many answers then are wrong as are missed.
"""


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
