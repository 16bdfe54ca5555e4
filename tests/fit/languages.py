"""Fits ranking and confidence for Arabic and the multilingual model; writes retrieval/ranking/fitted/.

    .venv/bin/python -m tests.fit.languages SHIPPED_MODEL_FOLDER MULTILINGUAL_MODEL_FOLDER

Ranking and confidence as in fit.py, for each case on its own articles and questions. What a passage in the other
language gets on top is fitted where Arabic questions find both.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from corpus.article import Article
from retrieval.evaluation import auroc
from retrieval.models.encoder import Encoder
from retrieval.models.loading import open_encoder
from retrieval.ranking import confidence, fusion
from retrieval.ranking.confidence import RegressionProduct
from retrieval.ranking.search import SearchResult
from retrieval.ranking.weights import fitted_weights
from retrieval.text.languages import LanguagePair
from tests.fit.examples import Judged, judged, ranked, searched
from tests.fit.fit import Floats, by_name, write_fitted
from tests.fit.fitting import fit_logistic, fit_ranking
from tests.fit.invented import DATA, Asked, read, read_files, with_articles_gone
from tests.fit.report import expected

WRITTEN = {"fact", "paraphrase", "keyword", "typo"}
"""The kinds of answerable question that ranking is fitted on."""

TOPIC_COUNTS = {"fact": 1.0, "keyword": 1.0, "typo": 1.0, "reader": 1.0, "paraphrase": 1.0, "gone": 1.0}
ANSWER_COUNTS = {"fact": 1.0, "keyword": 1.0, "typo": 1.0, "reader": 1.0, "plain": 2.0, "near-miss": 0.5}
"""How much a question of each kind counts in the regression for the topic and in that for the answer."""

SHARPER, SHIFT = 4.0, 2.0
"""The topic's regression only turns down what lies far below nearly every answerable question."""

PARAPHRASE = 0.3
"""How much an Arabic paraphrase counts in the answer's regression; of the English ones none does. Without them .62 of
the answerable Arabic questions of XQuAD are answered at .5, with them .87, and .98 of the answered ones have an answer;
the area under the curve is .976 and .975. With as much weight for answers cut out it is .972."""


@dataclass(frozen=True, slots=True)
class Library:
    """Articles, the questions asked of them, and the encoder that finds them."""

    articles: list[Article]
    questions: list[Asked]
    encoder: Encoder

    def found(self, folder: Path, weights: Floats, *, kinds: set[str]) -> list[tuple[Asked, SearchResult]]:
        """What it finds for its questions of some kinds."""
        asked = [one for one in self.questions if one.kind in kinds]
        return searched(self.articles, asked, self.encoder, folder, weights)

    def judged(self, folder: Path, weights: Floats) -> list[Judged]:
        """Its questions, asked whole and with their articles gone."""
        rows = judged(self.found(folder, weights, kinds={*TOPIC_COUNTS, *ANSWER_COUNTS}))
        for articles, asked in with_articles_gone(self.articles, self.questions):
            rows += judged(searched(articles, asked, self.encoder, folder, weights), missing="gone")
        return rows


def across(english: list[Article]) -> list[Asked]:
    """The Arabic questions about English articles, by those articles' place among all."""
    places = {article.title: number for number, article in enumerate(english)}
    articles, questions = read_files(DATA, "arabic-english-*.json")
    return [Asked(one.text, places[articles[one.article].title], one.answers, one.kind) for one in questions.values()]


def fit_offset(found: Sequence[tuple[Asked, SearchResult]], same: Floats, other: Floats) -> float:
    """What a passage in the other language than the question's gets on top of its score.

    Args:
        found: What Arabic questions find in a library of both languages.
        same: The ranking of passages in the question's language.
        other: That of passages in the other.
    """
    rows = []
    for (_, result), row in zip([pair for pair in found if ranked([pair])], ranked(found), strict=True):
        crossing = np.concatenate(
            [np.full(len(hit.evidence), hit.language_pair is LanguagePair.CROSSING) for hit in result.hits]
        )
        scores = np.where(crossing, row.evidence @ other, row.evidence @ same)
        rows.append((scores, crossing, row.answers))

    def likelihood(offset: float) -> float:
        total = 0.0
        for scores, crossing, answers in rows:
            raised = scores + offset * crossing
            shares = np.exp(raised - raised.max())
            total += float(np.log(shares[answers].sum() / shares.sum()))
        return total

    return max((step / 20 for step in range(-100, 101)), key=likelihood)


def fit_judging(rows: Sequence[Judged], *, paraphrase: float = PARAPHRASE) -> RegressionProduct:
    """Fit both regressions, sharpen the first, and calibrate their product on the questions that people may ask."""
    evidence = np.stack([row.evidence for row in rows])
    right = np.array([row.right for row in rows], np.float32)
    about = np.array([TOPIC_COUNTS.get(row.kind, 0.0) for row in rows], np.float32)
    asked = np.array([{**ANSWER_COUNTS, "paraphrase": paraphrase}.get(row.kind, 0.0) for row in rows], np.float32)
    one, other = about > 0, asked > 0
    topic = SHARPER * fit_logistic(evidence[one], right[one], about[one], decay=0.1)
    topic[-1] += SHARPER * SHIFT
    answer = fit_logistic(evidence[other], right[other], asked[other], decay=0.1)
    chances = confidence.log_odds(confidence.log_product(evidence[other], topic, answer))[:, None]
    calibration = fit_logistic(chances, right[other], expected(right[other] > 0, asked[other]), decay=0.0)
    return RegressionProduct(topic, answer, np.append(calibration, np.float32(1)))


def main() -> None:
    """Fit the four cases and write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shipped", type=Path)
    parser.add_argument("multilingual", type=Path)
    folders = parser.parse_args()
    shipped, multilingual = open_encoder(folders.shipped), open_encoder(folders.multilingual)
    english, english_questions = read()
    arabic, asked = read_files(DATA, "arabic-[0-9]*.json")
    arabic_questions = list(asked.values())
    crossing_questions = across(english)
    mixed = [
        *crossing_questions,
        *(Asked(one.text, one.article + len(english), one.answers, one.kind) for one in arabic_questions),
    ]
    start = fitted_weights(LanguagePair.SHIPPED).ranking

    def settled(case: LanguagePair, ranking: Floats, library: Library, folder: Path, *, offset: float = 0.0) -> None:
        rows = library.judged(folder, ranking)
        judging = fit_judging(rows, paraphrase=0 if case is LanguagePair.ENGLISH else PARAPHRASE)
        chances = judging(np.stack([row.evidence for row in rows])).tolist()
        for kind in ("near-miss", "gone"):
            yes = [chance for chance, row in zip(chances, rows, strict=True) if row.right]
            no = [chance for chance, row in zip(chances, rows, strict=True) if row.kind == kind]
            print(f"{case}: AUROC of right answers against {kind} {auroc(yes, no):.3f}", flush=True)
        names = (*confidence.EVIDENCE, "bias")
        write_fitted(
            case,
            {
                "ranking": by_name(fusion.EVIDENCE, ranking),
                "offset": offset,
                "topic": by_name(names, judging.topic),
                "answer": by_name(names, judging.answer),
                "calibration": judging.calibration.tolist(),
            },
        )

    with tempfile.TemporaryDirectory() as name:
        one, other, both = (Path(name) / part for part in ("terms", "arabic", "english"))
        terms = Library(arabic, arabic_questions, shipped)
        settled(LanguagePair.TERMS, fit_ranking(ranked(terms.found(one, start, kinds=WRITTEN))), terms, one)
        own = Library(arabic, arabic_questions, multilingual)
        ranking = fit_ranking(ranked(own.found(other, start, kinds=WRITTEN)))
        settled(LanguagePair.ARABIC, ranking, own, other)
        everything = Library([*english, *_renumbered(arabic, len(english))], mixed, multilingual)
        found = everything.found(both, start, kinds=WRITTEN)
        crossing = fit_ranking(ranked(found))
        offset = fit_offset(found, ranking, crossing)
        print(f"a passage in the other language gets {offset} on top", flush=True)
        settled(
            LanguagePair.CROSSING, crossing, Library(english, crossing_questions, multilingual), both, offset=offset
        )
        news = Library(english, english_questions, multilingual)
        settled(LanguagePair.ENGLISH, fit_ranking(ranked(news.found(both, start, kinds=WRITTEN))), news, both)


def _renumbered(articles: Sequence[Article], after: int) -> list[Article]:
    return [Article(f"invented-{after + number:03d}", one.title, one.text) for number, one in enumerate(articles)]


if __name__ == "__main__":
    main()
