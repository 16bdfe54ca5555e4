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
from tests.fit.examples import ConfidenceExample, confidence_examples, ranking_examples, search_all
from tests.fit.fitting import fit_logistic, fit_network, fit_ranking
from tests.fit.invented import libraries_with_gaps, libraries_without_articles, read_news, single_article_libraries
from tests.fit.report import REALISTIC_KINDS, realistic_weights, reliability_bins, reliability_plot, report

Floats = NDArray[np.float32]
Numbers: TypeAlias = float | Mapping[str, float] | Sequence["Numbers"]
HERE = Path(__file__).parent
FOLDS = 5
RANKING_KINDS = {"fact", "reader", "keyword", "typo"}
"""The kinds of answerable question that ranking is fitted on."""

SINGLE_ARTICLE_WEIGHT = 2.0
"""How much more a question counts in a library of its article alone."""

GAP_LIBRARIES = 6
"""How many libraries with gaps are searched; in each, every article lost the answer to one question."""

UNRELATED_QUESTIONS = 4
"""How many questions about other articles are asked of each article alone."""

READER_SLOPE, READER_OFFSET = 1.3, 0.7
"""Readers' own questions are easier than the invented ones: log odds are multiplied and raised by these.

On half of 203 news questions the calibration error falls from .148 to .101, on the other from .089 to .078. At
.5 about as many answers then are wrong as are missed.
"""


def cross_validated_log_odds(examples: Sequence[ConfidenceExample]) -> Floats:
    """Each example's log odds by a network fitted without its article, (n,)."""
    found = np.zeros(len(examples), np.float32)
    for fold in range(FOLDS):
        fitted = fit_network([example for example in examples if example.article % FOLDS != fold])
        mine = [number for number, example in enumerate(examples) if example.article % FOLDS == fold]
        found[mine] = fitted.log_odds(np.stack([examples[number].evidence for number in mine]))
    return found


def fit_calibration(examples: Sequence[ConfidenceExample], found: Floats) -> tuple[float, float]:
    """Slope and offset (Platt 1999) that calibrate the log odds of unseen articles on the questions that people ask."""
    asked = np.array([example.kind in REALISTIC_KINDS for example in examples])
    right = np.array([example.right for example in examples])[asked]
    weights = fit_logistic(found[asked, None], right.astype(np.float32), realistic_weights(examples)[asked], decay=0.0)
    return float(weights[0]), float(weights[1])


def calibrate_network(network: confidence.Network, slope: float, offset: float) -> confidence.Network:
    """The network whose log odds are `slope` times its own plus `offset`."""
    return replace(
        network,
        direct=network.direct * np.float32(slope),
        out=network.out * np.float32(slope),
        bias=network.bias * slope + offset,
    )


def write_fitted(languages: LanguagePair, fitted: Mapping[str, Numbers]) -> None:
    """Write what was fitted for a language pair as ranking/weights.py reads it, one line a name."""
    lines = ",\n".join(f'  "{name}": {json.dumps(round_numbers(numbers))}' for name, numbers in fitted.items())
    (FITTED / f"{languages}.json").write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


def name_weights(names: Iterable[str], weights: Floats) -> dict[str, float]:
    """Weights by the name of their evidence."""
    return dict(zip(names, weights.tolist(), strict=True))


def round_numbers(numbers: Numbers) -> Numbers:
    """The same numbers with four significant digits."""
    if isinstance(numbers, Mapping):
        return {name: float(f"{number:.4g}") for name, number in numbers.items()}
    return [round_numbers(one) for one in numbers] if isinstance(numbers, Sequence) else float(f"{numbers:.4g}")


def main() -> None:
    """Read the invented news, search it whole and with answers missing, fit, and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    encoder = OnnxEncoder.open(parser.parse_args().model)
    articles, questions = read_news()
    with tempfile.TemporaryDirectory() as folder:
        snapshots, shipped = Path(folder), fitted_weights(LanguagePair.SHIPPED).ranking
        written_questions = [asked for asked in questions if asked.kind in RANKING_KINDS]
        whole = ranking_examples(search_all(articles, written_questions, encoder, snapshots, shipped))
        ranking = fit_ranking(whole)
        examples = confidence_examples(search_all(articles, questions, encoder, snapshots, ranking))
        written_questions = [asked for asked in questions if asked.kind in RANKING_KINDS]
        for library, asked in islice(libraries_with_gaps(articles, written_questions), GAP_LIBRARIES):
            examples += confidence_examples(search_all(library, asked, encoder, snapshots, ranking), missing="gap")
        for library, asked in libraries_without_articles(articles, written_questions):
            examples += confidence_examples(search_all(library, asked, encoder, snapshots, ranking), missing="gone")
        for number, (article, own, strangers) in enumerate(
            single_article_libraries(articles, questions, UNRELATED_QUESTIONS)
        ):
            alone = confidence_examples(search_all([article], own, encoder, snapshots, ranking))
            alone += confidence_examples(search_all([article], strangers, encoder, snapshots, ranking), missing="gone")
            examples += [replace(example, article=number, weight=SINGLE_ARTICLE_WEIGHT) for example in alone]
    right = []
    for fold in range(FOLDS):
        weights = fit_ranking([example for example in whole if example.article % FOLDS != fold])
        right += [
            example.answers[int((example.evidence @ weights).argmax())]
            for example in whole
            if example.article % FOLDS == fold
        ]
    unseen = cross_validated_log_odds(examples)
    slope, offset = fit_calibration(examples, unseen)
    found = np.asarray(1 / (1 + np.exp(-(slope * unseen + offset))), np.float32)
    network = calibrate_network(fit_network(examples), READER_SLOPE * slope, READER_SLOPE * offset + READER_OFFSET)
    parts = {name: np.asarray(part).tolist() for name, part in asdict(network).items()}
    write_fitted(LanguagePair.SHIPPED, {"ranking": name_weights(fusion.EVIDENCE, ranking), **parts})
    (HERE / "FIGURES.md").write_text(report(examples, found, float(np.mean(right))), encoding="utf-8")
    points = reliability_bins(found, np.array([example.right for example in examples]), realistic_weights(examples))
    (HERE / "reliability.svg").write_text(reliability_plot(points), encoding="utf-8")


if __name__ == "__main__":
    main()
