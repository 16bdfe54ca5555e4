"""Fits what a reader's score counts beside the evidence of words; writes ranking/fitted/reading.json, prints figures.

    .venv/bin/python -m tests.fit.reading MODEL_FOLDER

MODEL_FOLDER holds the converted encoder. The reader is the one that ships. It was not trained on the news used here
(news-10 to news-13), nor was the confidence in words, so both are as sure of it as of any news. Libraries of one
article up to all of them are asked, and some without the article asked about. Twenty minutes on two cores.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from corpus.article import Article
from retrieval.evaluation import auroc
from retrieval.index.snapshot import Snapshot
from retrieval.index.writing.publishing import publish
from retrieval.models.encoder import OnnxEncoder
from retrieval.models.loading import open_reader
from retrieval.models.reader import Reader, Reading
from retrieval.ranking.confidence import read_evidence
from retrieval.ranking.question import Question
from retrieval.ranking.search import Searcher, SearchResult
from retrieval.ranking.weights import FITTED, fitted_weights
from retrieval.results import Query
from tests.fit.fitting import fit_logistic
from tests.fit.invented import DATA, InventedQuestion, libraries_without_articles, read_files

HELD_OUT = "news-1[0-3].json"
SIZES = (1, 3, 10, 40)
"""How many articles the small libraries have; all of them are asked together, too."""

ASKED = 0.5
"""The share of the questions that is asked, drawn anew for each size."""

MISSED, GONE = 0.5, 0.6
"""What a question counts whose answer does not come first, and one whose article is missing."""

SLOPE, OFFSET = 1.3, 1.2
"""Readers' own questions are easier than those invented to be missed: log odds are multiplied and raised by these.

With 1 and 0 the calibration error is .105 on 203 news questions, .147 on 47 about the shipped article and .153 on
XQuAD with articles missing; with these .051, .053 and .056; with 1.4 and 1.4 .064, .083 and .045.
"""


class RememberingReader:
    """A reader that reads a text once for a question, in however many libraries it stands."""

    multilingual = False

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._known: dict[tuple[str, str], Reading] = {}

    def read(self, question: str, texts: Sequence[str]) -> list[Reading]:
        """As `Reader.read`."""
        new = [text for text in dict.fromkeys(texts) if (question, text) not in self._known]
        for text, found in zip(new, self._reader.read(question, new), strict=True):
            self._known[question, text] = found
        return [self._known[question, text] for text in texts]


@dataclass(frozen=True, slots=True)
class ReadExample:
    """The log odds by words and the reader's score of a first hit, whether it answers, and of which library it is."""

    odds: float
    read: float
    right: bool
    known: bool
    weight: float
    library: str


def example(asked: InventedQuestion, article: str | None, found: SearchResult, library: str) -> ReadExample | None:
    """What one search says; `article` is the id of the article that answers, None where it is missing."""
    if not found.hits or found.read is None:
        return None
    first = found.hits[0]
    compared = fitted_weights(first.language_pair).confidence(found.evidence[None, :])[0]
    known = article is not None and bool(asked.answers)
    right = (
        known
        and f"invented-{first.article:03d}" == article
        and any(first.span.start <= answer.start and answer.end <= first.span.end for answer in asked.answers)
    )
    weight = 1.0 if right or (not known and article is not None) else MISSED if known else GONE
    odds, read = read_evidence(float(compared), found.read)
    return ReadExample(odds, read, right, known, weight, library)


def libraries(
    articles: Sequence[Article], questions: Sequence[InventedQuestion], rng: random.Random
) -> Iterator[tuple[str, list[Article], list[tuple[InventedQuestion, bool]]]]:
    """Libraries by name, and the questions asked of each with whether its article is there."""

    def some(asked: Sequence[InventedQuestion]) -> list[InventedQuestion]:
        return [one for one in asked if rng.random() < ASKED]

    yield "all", list(articles), [(one, True) for one in some(questions)]
    for size in SIZES:
        order = rng.sample(range(len(articles)), len(articles))
        for start in range(0, len(order), size):
            inside = order[start : start + size]
            own = some([one for one in questions if one.article in inside])
            others = [one for one in questions if one.article not in inside and one.answers]
            strangers = rng.sample(others, len(inside))
            pairs = [*((one, True) for one in own), *((one, False) for one in strangers)]
            yield str(size), [articles[number] for number in inside], pairs
    for kept, gone in libraries_without_articles(articles, questions):
        yield "missing", kept, [(one, False) for one in some(gone)]


def examples(encoder: OnnxEncoder, reader: Reader) -> list[ReadExample]:
    """What is found in all libraries."""
    articles, by_id = read_files(DATA / "reader", HELD_OUT)
    found = []
    for name, library, pairs in libraries(articles, list(by_id.values()), random.Random(5)):
        with tempfile.TemporaryDirectory() as folder:
            snapshot = Snapshot.open(Path(folder), publish(library, encoder, Path(folder)).name)
            searcher = Searcher(snapshot, encoder, reader=reader)
            for asked, there in pairs:
                result = searcher.search(Query(asked.text), Question.parse(Query(asked.text)))
                hits = tuple(
                    hit._replace(article=int(snapshot.article(hit.article).id.removeprefix("invented-")))
                    for hit in result.hits
                )
                article = articles[asked.article].id if there else None
                found.append(example(asked, article, replace(result, hits=hits), name))
    return [one for one in found if one is not None]


def main() -> None:
    """Search, fit, write and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    encoder = OnnxEncoder.open(parser.parse_args().model)
    with tempfile.TemporaryDirectory() as folder:
        reader = RememberingReader(open_reader(None, cache=Path(folder) / "verified.json"))
        found = examples(encoder, reader)
    evidence = np.array([(one.odds, one.read) for one in found], np.float32)
    right = np.array([one.right for one in found], np.float32)
    weight = np.array([one.weight for one in found], np.float32)
    odds, read, bias = fit_logistic(evidence, right, weight, decay=0.0).tolist()
    print(f"{len(found)} examples: {odds:.3f} x odds by words + {read:.3f} x reader's score + {bias:.3f}")
    scores = odds * evidence[:, 0] + read * evidence[:, 1] + bias
    for name in dict.fromkeys(one.library for one in found):
        own = np.array([one.library == name for one in found])
        said = float((1 / (1 + np.exp(-scores[own]))).mean())
        line = f"{name}: {own.sum()} questions, said {said:.3f}, right {right[own].mean():.3f}"
        known = np.array([one.known for one in found])
        if (own & known).any() and (own & ~known).any():
            for label, values in (("words", evidence[:, 0]), ("reader", evidence[:, 1]), ("both", scores)):
                line += f", AUROC by {label} {auroc(values[own & known].tolist(), values[own & ~known].tolist()):.3f}"
        print(line)
    fitted = {"odds": SLOPE * odds, "read": SLOPE * read, "bias": SLOPE * bias + OFFSET}
    lines = ",\n".join(f'  "{name}": {number:.4g}' for name, number in fitted.items())
    (FITTED / "reading.json").write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
