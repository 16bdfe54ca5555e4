"""SQuAD-form questions to figures: recall, MRR, highlighting, abstention, calibration, milliseconds.

The form is that of SQuAD 2.0 (Rajpurkar, Jia and Liang 2018): articles of paragraphs, each with its questions. An
article whose paragraphs are all empty carries questions that no article answers.
"""

from __future__ import annotations

import json
import re
import statistics
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from corpus.article import Article
from retrieval.errors import RetrievalError
from retrieval.results import Answer, Quote

LIMIT = 10
"""How many quotes an answer is asked for."""

_MARGIN = 12
_BINS = 10


class EvaluationError(RetrievalError):
    """A file that is not in SQuAD form; the message says where."""


@dataclass(frozen=True, slots=True)
class GoldAnswer:
    """A right answer: its words, and they with twelve characters of the paragraph on either side."""

    words: str
    window: str


@dataclass(frozen=True, slots=True)
class GoldQuestion:
    """A question, the id of the article that answers it, and the right answers; none where no article answers."""

    question: str
    article: str
    gold: tuple[GoldAnswer, ...]

    def rank(self, answer: Answer) -> int | None:
        """The place, from 0, of the first quote that covers a right answer; None where none does."""
        for place, quote in enumerate(answer.quotes):
            if quote.article.id == self.article and any(gold.window in _squeeze(quote.text) for gold in self.gold):
                return place
        return None

    def highlighted(self, quote: Quote, first: int) -> bool:
        """Whether one of the quote's first highlights holds a right answer."""
        text = quote.article.text
        marks = [_squeeze(text[mark.start : mark.end]) for mark in quote.highlights[:first]]
        return any(gold.words in mark for gold in self.gold for mark in marks)


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Answers whose confidence is in one tenth: how many, their mean confidence, and the share that is right."""

    count: int
    confidence: float
    right: float


@dataclass(frozen=True, slots=True)
class EvaluationResult:
    """What an evaluation found. Shares are from 0 to 1; what cannot be measured on the file is None.

    `answered_precision` is the share of answered questions that have an answer, `answered_recall` the share of those
    with an answer that were answered, `false_answers` the share of those without that were. `calibration_error` is the
    expected calibration error over ten bins (Guo et al. 2017) of "the first quote answers".
    """

    articles: int
    questions: int
    answerable: int
    recall_at_1: float
    recall_at_3: float
    recall_at_5: float
    mrr: float
    first_highlight: float
    first_two_highlights: float
    auroc: float | None
    answered_precision: float | None
    answered_recall: float | None
    false_answers: float | None
    calibration_error: float
    ms_median: float
    ms_p95: float
    bins: tuple[CalibrationBin, ...]


def read_questions(data: bytes) -> tuple[list[Article], list[GoldQuestion]]:
    """The articles and the questions of a SQuAD-form file, in its order; articles are named a0000, a0001 and so on.

    Raises:
        EvaluationError: the bytes are not JSON in SQuAD form.
    """
    try:
        groups = json.loads(data)["data"]
        articles, cases = [], []
        for number, group in enumerate(groups):
            name = f"a{number:04d}"
            cases += [_case(name, p["context"], qa) for p in group["paragraphs"] for qa in p["qas"]]
            text = "\n\n".join(p["context"] for p in group["paragraphs"] if p["context"])
            if text:
                title, text = (unicodedata.normalize("NFC", part) for part in (group["title"], text))
                articles.append(Article(id=name, title=title, text=text))
    except (ValueError, TypeError, LookupError) as exc:
        raise EvaluationError(f"the file is not in SQuAD 2.0 form: {type(exc).__name__}: {exc}") from exc
    if not cases:
        raise EvaluationError("the file holds no question")
    return articles, cases


def _case(article: str, context: str, qa: Mapping[str, Any]) -> GoldQuestion:
    gold = []
    for answer in [] if qa.get("is_impossible") else qa["answers"]:
        start, words = int(answer["answer_start"]), str(answer["text"])
        window = context[max(0, start - _MARGIN) : start + len(words) + _MARGIN]
        gold.append(GoldAnswer(_squeeze(words), _squeeze(window)))
    return GoldQuestion(_squeeze(qa["question"]), article, tuple(gold))


def measure(cases: Sequence[GoldQuestion], answers: Sequence[Answer], *, articles: int) -> EvaluationResult:
    """Compare answers, each with up to LIMIT quotes, with the cases they belong to."""
    pairs = list(zip(cases, answers, strict=True))
    answerable = [(case, answer, case.rank(answer)) for case, answer in pairs if case.gold]
    total = max(1, len(answerable))
    yes = [answer for case, answer in pairs if case.gold]
    no = [answer for case, answer in pairs if not case.gold]
    true_yes, false_yes = sum(a.answered for a in yes), sum(a.answered for a in no)
    both = bool(yes and no)
    right = [(answer.confidence, bool(case.gold) and case.rank(answer) == 0) for case, answer in pairs]
    bins = tuple(_bins(right))
    times = sorted(answer.took_ms for answer in answers)

    def within(places: int) -> float:
        return sum(rank is not None and rank < places for _, _, rank in answerable) / total

    def marked(first: int) -> float:
        return sum(rank == 0 and case.highlighted(answer.quotes[0], first) for case, answer, rank in answerable) / total

    return EvaluationResult(
        articles=articles,
        questions=len(pairs),
        answerable=len(answerable),
        recall_at_1=within(1),
        recall_at_3=within(3),
        recall_at_5=within(5),
        mrr=sum(1 / (rank + 1) for _, _, rank in answerable if rank is not None) / total,
        first_highlight=marked(1),
        first_two_highlights=marked(2),
        auroc=auroc([a.confidence for a in yes], [a.confidence for a in no]) if both else None,
        answered_precision=true_yes / max(1, true_yes + false_yes) if both else None,
        answered_recall=true_yes / len(yes) if both else None,
        false_answers=false_yes / len(no) if both else None,
        calibration_error=sum(b.count * abs(b.confidence - b.right) for b in bins) / len(pairs),
        ms_median=statistics.median(times),
        ms_p95=times[min(len(times) - 1, int(0.95 * len(times)))],
        bins=bins,
    )


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """The probability that a positive's score is above a negative's, ties counting half (Hanley and McNeil 1982)."""
    ordered = sorted(negative)
    won = sum(bisect_left(ordered, score) + bisect_right(ordered, score) for score in positive) / 2
    return won / (len(positive) * len(negative))


def _bins(right: Sequence[tuple[float, bool]]) -> list[CalibrationBin]:
    groups: list[list[tuple[float, bool]]] = [[] for _ in range(_BINS)]
    for confidence, was_right in right:
        groups[min(_BINS - 1, int(confidence * _BINS))].append((confidence, was_right))
    return [
        CalibrationBin(
            len(group),
            statistics.fmean(confidence for confidence, _ in group) if group else 0.0,
            statistics.fmean(was_right for _, was_right in group) if group else 0.0,
        )
        for group in groups
    ]


def _squeeze(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
