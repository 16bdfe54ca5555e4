"""Fits what ranks and judges Arabic, and what the multilingual model finds; writes retrieval/fitted_languages.py.

    .venv/bin/python -m tests.fit.languages SHIPPED_MODEL_FOLDER MULTILINGUAL_MODEL_FOLDER

Ranking as in fit.py. Confidence is one logistic regression a case: there are too few Arabic questions for two.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from corpus.article import Article
from retrieval import confidence, fusion
from retrieval.cases import Case
from retrieval.encoder import Encoder
from retrieval.evaluation import auroc
from retrieval.models import open_encoder
from retrieval.search import Found
from tests.fit.fit import (
    WRITTEN,
    Floats,
    Judged,
    Ranked,
    fit_logistic,
    fit_ranking,
    judged,
    ranked,
    searched,
)
from tests.fit.invented import DATA, Asked, read, read_files, with_articles_gone, with_gaps

FITTED = Path(__file__).parents[2] / "retrieval" / "fitted_languages.py"
COUNTS = {"fact": 1.0, "keyword": 1.0, "typo": 1.0, "paraphrase": 1.0, "near-miss": 0.7, "gap": 0.5, "gone": 0.5}
"""How much a question of each kind counts in the regression."""

CERTAIN = 30.0
"""The topic regression's bias: it says nothing here."""


@dataclass(frozen=True, slots=True)
class Library:
    """Articles, the questions asked of them, and the encoder that finds them."""

    articles: list[Article]
    questions: list[Asked]
    encoder: Encoder

    def found(self, folder: Path, weights: Floats, *, kinds: set[str]) -> list[tuple[Asked, Found]]:
        """What it finds for its questions of some kinds."""
        asked = [one for one in self.questions if one.kind in kinds]
        return searched(self.articles, asked, self.encoder, folder, weights)

    def judged(self, folder: Path, weights: Floats) -> list[Judged]:
        """Its questions, asked whole, with their answers cut out and with their articles gone."""
        rows = judged(self.found(folder, weights, kinds={*WRITTEN, "near-miss"}))
        for articles, asked in with_gaps(self.articles, self.questions):
            rows += judged(searched(articles, asked, self.encoder, folder, weights), missing="gap")
        for articles, asked in with_articles_gone(self.articles, self.questions):
            rows += judged(searched(articles, asked, self.encoder, folder, weights), missing="gone")
        return rows


def across(english: list[Article]) -> list[Asked]:
    """The Arabic questions about English articles, by those articles' place among all."""
    places = {article.title: number for number, article in enumerate(english)}
    articles, questions = read_files(DATA, "arabic-english-*.json")
    return [Asked(one.text, places[articles[one.article].title], one.answers, one.kind) for one in questions.values()]


def fit_mixed(found: Sequence[tuple[Asked, Found]]) -> tuple[Floats, float]:
    """One ranking for both languages, and what a passage in the other one gets on top."""
    rows = []
    for (_, result), row in zip([pair for pair in found if ranked([pair])], ranked(found), strict=True):
        crossing = np.concatenate(
            [np.full((len(hit.evidence), 1), hit.case is Case.CROSSING, np.float32) for hit in result.hits]
        )
        rows.append(Ranked(np.concatenate([row.evidence, crossing], axis=1), row.answers, row.article))
    weights = fit_ranking(rows)
    return weights[:-1], float(weights[-1])


def fit_judging(rows: Sequence[Judged]) -> tuple[Floats, Floats]:
    """A logistic regression's weights and bias, and its calibration."""
    evidence = np.stack([row.evidence for row in rows])
    right = np.array([row.right for row in rows], np.float32)
    counts = np.array([COUNTS[row.kind] for row in rows], np.float32)
    answer = fit_logistic(evidence, right, counts, decay=0.03)
    chances = confidence.log_chance(evidence, certain(), answer)[:, None]
    return answer, fit_logistic(chances, right, counts, decay=0.0)


def certain() -> Floats:
    """A topic regression that is always sure."""
    return np.append(np.zeros(len(confidence.EVIDENCE), np.float32), np.float32(CERTAIN))


def written(name: str, ranking: Floats, offset: float, answer: Floats, calibration: Floats) -> str:
    """One case's entry in the module."""

    def table(columns: Sequence[str], weights: Floats) -> str:
        pairs = zip(columns, weights.tolist(), strict=True)
        return "{" + ", ".join(f'"{column}": {weight:.4g}' for column, weight in pairs) + "}"

    columns = (*confidence.EVIDENCE, "bias")
    return (
        f'    "{name}": Fitted(ranking={table(fusion.EVIDENCE, ranking)}, offset={offset:.4g}, '
        f"topic={table(columns, certain())}, answer={table(columns, answer)}, "
        f"calibration=({calibration[0]:.4g}, {calibration[1]:.4g})),\n"
    )


HEAD = '''"""Fitted for Arabic and the multilingual model by tests/fit/languages.py. Do not edit by hand."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fitted:
    """Weights by evidence name."""

    ranking: dict[str, float]
    offset: float
    topic: dict[str, float]
    answer: dict[str, float]
    calibration: tuple[float, float]


FITTED = {
'''


def main() -> None:
    """Fit the four cases and write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shipped", type=Path)
    parser.add_argument("multilingual", type=Path)
    folders = parser.parse_args()
    shipped, multilingual = open_encoder(folders.shipped), open_encoder(folders.multilingual)
    english, english_questions = read()
    arabic, asked = read_files(DATA, "arabic-1.json")
    arabic_questions = list(asked.values())
    crossing_questions = across(english)
    mixed = [
        *crossing_questions,
        *(Asked(one.text, one.article + len(english), one.answers, one.kind) for one in arabic_questions),
    ]
    entries = []

    def settled(case: Case, ranking: Floats, offset: float, library: Library, folder: Path) -> None:
        rows = library.judged(folder, ranking)
        answer, calibration = fit_judging(rows)
        chances = confidence.log_chance(np.stack([row.evidence for row in rows]), certain(), answer).tolist()
        for kind in ("near-miss", "gap", "gone"):
            yes = [chance for chance, row in zip(chances, rows, strict=True) if row.right]
            no = [chance for chance, row in zip(chances, rows, strict=True) if row.kind == kind]
            print(f"{case}: AUROC of right answers against {kind} {auroc(yes, no):.3f}", flush=True)
        entries.append(written(case.value, ranking, offset, answer, calibration))

    with tempfile.TemporaryDirectory() as name:
        one, other, both = (Path(name) / part for part in ("terms", "arabic", "english"))
        terms = Library(arabic, arabic_questions, shipped)
        settled(Case.TERMS, fit_ranking(ranked(terms.found(one, fusion.WEIGHTS, kinds=WRITTEN))), 0.0, terms, one)
        everything = Library([*english, *_renumbered(arabic, len(english))], mixed, multilingual)
        ranking, offset = fit_mixed(everything.found(both, fusion.WEIGHTS, kinds=WRITTEN))
        settled(Case.ARABIC, ranking, 0.0, Library(arabic, arabic_questions, multilingual), other)
        settled(Case.CROSSING, ranking, offset, Library(english, crossing_questions, multilingual), both)
        news = Library(english, english_questions, multilingual)
        ranking = fit_ranking(ranked(news.found(both, fusion.WEIGHTS, kinds=WRITTEN)))
        settled(Case.ENGLISH, ranking, 0.0, news, both)
    FITTED.write_text(HEAD + "".join(entries) + "}\n", encoding="utf-8")


def _renumbered(articles: Sequence[Article], after: int) -> list[Article]:
    return [Article(f"invented-{after + number:03d}", one.title, one.text) for number, one in enumerate(articles)]


if __name__ == "__main__":
    main()
