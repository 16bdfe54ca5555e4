"""Fits ranking and confidence for Arabic and the multilingual model; writes retrieval/ranking/fitted/.

    .venv/bin/python -m tests.fit.languages SHIPPED_MODEL_FOLDER MULTILINGUAL_MODEL_FOLDER

Ranking and confidence are fitted as in fit.py, for each language pair on its own articles and questions. What is added
to the score of a passage in the other language is fitted where Arabic questions find passages in both.
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
from tests.fit.examples import ConfidenceExample, confidence_examples, ranking_examples, search_all
from tests.fit.fit import Floats, name_weights, write_fitted
from tests.fit.fitting import fit_logistic, fit_ranking
from tests.fit.invented import DATA, InventedQuestion, libraries_without_articles, read_files, read_news
from tests.fit.report import balance_weights

RANKING_KINDS = {"fact", "paraphrase", "keyword", "typo"}
"""The kinds of answerable question that ranking is fitted on."""

TOPIC_WEIGHTS = {"fact": 1.0, "keyword": 1.0, "typo": 1.0, "reader": 1.0, "paraphrase": 1.0, "gone": 1.0}
ANSWER_WEIGHTS = {"fact": 1.0, "keyword": 1.0, "typo": 1.0, "reader": 1.0, "plain": 2.0, "near-miss": 0.5}
"""How much a question of each kind counts in the regression for the topic and in that for the answer."""

TOPIC_SLOPE, TOPIC_OFFSET = 4.0, 2.0
"""The topic's log odds are raised and multiplied by these, so that it only declines what is far below nearly every
answerable question."""

PARAPHRASE_WEIGHT = 0.3
"""How much an Arabic paraphrase counts in the answer's regression; of the English ones none does. Without them .62 of
the answerable Arabic questions of XQuAD are answered at .5, with them .87, and .98 of the answered ones have an answer;
the area under the curve is .976 and .975. With as much weight for answers cut out it is .972."""


@dataclass(frozen=True, slots=True)
class Library:
    """Articles, the questions asked of them, and the encoder that finds them."""

    articles: list[Article]
    questions: list[InventedQuestion]
    encoder: Encoder

    def search(self, folder: Path, weights: Floats, *, kinds: set[str]) -> list[tuple[InventedQuestion, SearchResult]]:
        """What the library finds for its questions of some kinds."""
        asked = [one for one in self.questions if one.kind in kinds]
        return search_all(self.articles, asked, self.encoder, folder, weights)

    def confidence_examples(self, folder: Path, weights: Floats) -> list[ConfidenceExample]:
        """Examples of its questions, asked of all its articles and of libraries without theirs."""
        examples = confidence_examples(self.search(folder, weights, kinds={*TOPIC_WEIGHTS, *ANSWER_WEIGHTS}))
        for articles, asked in libraries_without_articles(self.articles, self.questions):
            examples += confidence_examples(search_all(articles, asked, self.encoder, folder, weights), missing="gone")
        return examples


def arabic_about_english(english: list[Article]) -> list[InventedQuestion]:
    """The Arabic questions about English articles; `article` is the position in `english`."""
    places = {article.title: number for number, article in enumerate(english)}
    articles, questions = read_files(DATA, "arabic-english-*.json")
    return [
        InventedQuestion(one.text, places[articles[one.article].title], one.answers, one.kind)
        for one in questions.values()
    ]


def fit_offset(found: Sequence[tuple[InventedQuestion, SearchResult]], same: Floats, other: Floats) -> float:
    """What is added to the score of a passage that is not in the question's language.

    Args:
        found: What Arabic questions find in a library of both languages.
        same: The ranking weights for passages in the question's language.
        other: Those for passages in the other language.
    """
    examples = []
    for (_, result), example in zip(
        [pair for pair in found if ranking_examples([pair])], ranking_examples(found), strict=True
    ):
        crossing = np.concatenate(
            [np.full(len(hit.evidence), hit.language_pair is LanguagePair.CROSSING) for hit in result.hits]
        )
        scores = np.where(crossing, example.evidence @ other, example.evidence @ same)
        examples.append((scores, crossing, example.answers))

    def likelihood(offset: float) -> float:
        total = 0.0
        for scores, crossing, answers in examples:
            raised = scores + offset * crossing
            shares = np.exp(raised - raised.max())
            total += float(np.log(shares[answers].sum() / shares.sum()))
        return total

    return max((step / 20 for step in range(-100, 101)), key=likelihood)


def fit_confidence(
    examples: Sequence[ConfidenceExample], *, paraphrase: float = PARAPHRASE_WEIGHT
) -> RegressionProduct:
    """Fit both regressions, sharpen the topic's, and calibrate their product on the questions that people ask."""
    evidence = np.stack([example.evidence for example in examples])
    right = np.array([example.right for example in examples], np.float32)
    about = np.array([TOPIC_WEIGHTS.get(example.kind, 0.0) for example in examples], np.float32)
    asked = np.array(
        [{**ANSWER_WEIGHTS, "paraphrase": paraphrase}.get(example.kind, 0.0) for example in examples], np.float32
    )
    one, other = about > 0, asked > 0
    topic = TOPIC_SLOPE * fit_logistic(evidence[one], right[one], about[one], decay=0.1)
    topic[-1] += TOPIC_SLOPE * TOPIC_OFFSET
    answer = fit_logistic(evidence[other], right[other], asked[other], decay=0.1)
    log_odds = confidence.log_odds(confidence.log_product(evidence[other], topic, answer))[:, None]
    calibration = fit_logistic(log_odds, right[other], balance_weights(right[other] > 0, asked[other]), decay=0.0)
    return RegressionProduct(topic, answer, np.append(calibration, np.float32(1)))


def main() -> None:
    """Fit the four language pairs and write their weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shipped", type=Path)
    parser.add_argument("multilingual", type=Path)
    folders = parser.parse_args()
    shipped, multilingual = open_encoder(folders.shipped), open_encoder(folders.multilingual)
    english, english_questions = read_news()
    arabic, asked = read_files(DATA, "arabic-[0-9]*.json")
    arabic_questions = list(asked.values())
    crossing_questions = arabic_about_english(english)
    mixed = [
        *crossing_questions,
        *(InventedQuestion(one.text, one.article + len(english), one.answers, one.kind) for one in arabic_questions),
    ]
    start = fitted_weights(LanguagePair.SHIPPED).ranking

    def fit(languages: LanguagePair, ranking: Floats, library: Library, folder: Path, *, offset: float = 0.0) -> None:
        examples = library.confidence_examples(folder, ranking)
        regressions = fit_confidence(examples, paraphrase=0 if languages is LanguagePair.ENGLISH else PARAPHRASE_WEIGHT)
        probabilities = regressions(np.stack([example.evidence for example in examples])).tolist()
        for kind in ("near-miss", "gone"):
            yes = [probability for probability, example in zip(probabilities, examples, strict=True) if example.right]
            no = [
                probability
                for probability, example in zip(probabilities, examples, strict=True)
                if example.kind == kind
            ]
            print(f"{languages}: AUROC of right answers against {kind} {auroc(yes, no):.3f}", flush=True)
        names = (*confidence.EVIDENCE, "bias")
        write_fitted(
            languages,
            {
                "ranking": name_weights(fusion.EVIDENCE, ranking),
                "offset": offset,
                "topic": name_weights(names, regressions.topic),
                "answer": name_weights(names, regressions.answer),
                "calibration": regressions.calibration.tolist(),
            },
        )

    with tempfile.TemporaryDirectory() as name:
        one, other, both = (Path(name) / part for part in ("terms", "arabic", "english"))
        terms = Library(arabic, arabic_questions, shipped)
        fit(
            LanguagePair.TERMS, fit_ranking(ranking_examples(terms.search(one, start, kinds=RANKING_KINDS))), terms, one
        )
        own = Library(arabic, arabic_questions, multilingual)
        ranking = fit_ranking(ranking_examples(own.search(other, start, kinds=RANKING_KINDS)))
        fit(LanguagePair.ARABIC, ranking, own, other)
        everything = Library([*english, *_renumbered(arabic, len(english))], mixed, multilingual)
        found = everything.search(both, start, kinds=RANKING_KINDS)
        crossing = fit_ranking(ranking_examples(found))
        offset = fit_offset(found, ranking, crossing)
        print(f"a passage in the other language gets {offset} on top", flush=True)
        fit(LanguagePair.CROSSING, crossing, Library(english, crossing_questions, multilingual), both, offset=offset)
        news = Library(english, english_questions, multilingual)
        fit(
            LanguagePair.ENGLISH,
            fit_ranking(ranking_examples(news.search(both, start, kinds=RANKING_KINDS))),
            news,
            both,
        )


def _renumbered(articles: Sequence[Article], after: int) -> list[Article]:
    return [Article(f"invented-{after + number:03d}", one.title, one.text) for number, one in enumerate(articles)]


if __name__ == "__main__":
    main()
