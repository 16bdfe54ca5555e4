"""Evaluates answers to the questions of a SQuAD file: recall, MRR, highlights, abstention, calibration, milliseconds.

The format is that of SQuAD 2.0 (Rajpurkar, Jia and Liang 2018): articles of paragraphs, each with its questions. An
article whose paragraphs are all empty carries questions that no article answers.
"""

from __future__ import annotations

import json
import re
import statistics
import unicodedata
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from corpus.article import Article
from retrieval.errors import RetrievalError
from retrieval.results import Answer, Quote

LIMIT = 10
"""How many quotes each question asks for."""

_MARGIN = 12
"""How many characters on either side of a right answer tell where in its paragraph it stands."""

_BINS = 10
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")


class EvaluationError(RetrievalError):
    """A file is not in SQuAD form; the message says where."""


@dataclass(frozen=True, slots=True)
class GoldAnswer:
    """A right answer: its words, and the same with _MARGIN characters of the paragraph on either side."""

    words: str
    window: str


@dataclass(frozen=True, slots=True)
class GoldQuestion:
    """A question, the id of the article that answers it, and the right answers; none where no article answers."""

    question: str
    article: str
    gold: tuple[GoldAnswer, ...]

    def rank(self, answer: Answer) -> int | None:
        """The rank, from 0, of the first quote that covers a right answer; None where none does."""
        for rank, quote in enumerate(answer.quotes):
            if quote.article.id == self.article and any(gold.window in _one_line(quote.text) for gold in self.gold):
                return rank
        return None

    def highlighted(self, quote: Quote, first: int) -> bool:
        """Whether one of the quote's `first` best highlights holds a right answer."""
        text = quote.article.text
        sentences = [_one_line(text[span.start : span.end]) for span in quote.highlights[:first]]
        return any(gold.words in sentence for gold in self.gold for sentence in sentences)

    def answer_overlap(self, answer: Answer, score: Callable[[str, str], float]) -> float:
        """The best score of the first quote's answering words against the gold ones; 0 where it has none."""
        if not answer.quotes or (span := answer.quotes[0].answer) is None:
            return 0.0
        words = answer.quotes[0].article.text[span.start : span.end]
        return max((score(words, gold.words) for gold in self.gold), default=0.0)


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Answers whose confidence is in one tenth of 0 to 1: how many, their mean confidence, the share that is right."""

    count: int
    confidence: float
    right: float


@dataclass(frozen=True, slots=True)
class EvaluationResult:
    """The figures of an evaluation. Shares are from 0 to 1; what cannot be measured on the file is None.

    `answer_exact_match` and `answer_f1` compare the first quote's answering words with the gold ones as SQuAD does
    (Rajpurkar et al. 2016), over the answerable questions; a quote without them counts 0, None where no quote has any.
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
    answer_exact_match: float | None
    answer_f1: float | None
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
        articles, questions = [], []
        for number, group in enumerate(groups):
            name = f"a{number:04d}"
            questions += [_gold_question(name, p["context"], qa) for p in group["paragraphs"] for qa in p["qas"]]
            text = "\n\n".join(p["context"] for p in group["paragraphs"] if p["context"])
            if text:
                title, text = (unicodedata.normalize("NFC", part) for part in (group["title"], text))
                articles.append(Article(id=name, title=title, text=text))
    except (ValueError, TypeError, LookupError) as exc:
        raise EvaluationError(f"the file is not in SQuAD 2.0 form: {type(exc).__name__}: {exc}") from exc
    if not questions:
        raise EvaluationError("the file holds no question")
    return articles, questions


def _gold_question(article: str, context: str, qa: Mapping[str, Any]) -> GoldQuestion:
    gold = []
    for answer in [] if qa.get("is_impossible") else qa["answers"]:
        start, words = int(answer["answer_start"]), str(answer["text"])
        window = context[max(0, start - _MARGIN) : start + len(words) + _MARGIN]
        gold.append(GoldAnswer(_one_line(words), _one_line(window)))
    return GoldQuestion(_one_line(qa["question"]), article, tuple(gold))


def measure(questions: Sequence[GoldQuestion], answers: Sequence[Answer], *, articles: int) -> EvaluationResult:
    """The figures of answers, each with up to LIMIT quotes, to `questions` in their order about so many articles."""
    pairs = list(zip(questions, answers, strict=True))
    answerable = [(question, answer, question.rank(answer)) for question, answer in pairs if question.gold]
    total = max(1, len(answerable))
    with_answer = [answer for question, answer in pairs if question.gold]
    without = [answer for question, answer in pairs if not question.gold]
    true_answers, false_answers = sum(a.answered for a in with_answer), sum(a.answered for a in without)
    both = bool(with_answer and without)
    right = [(answer.confidence, bool(question.gold) and question.rank(answer) == 0) for question, answer in pairs]
    bins = tuple(_calibration_bins(right))
    times = sorted(answer.took_ms for answer in answers)

    def recall_at(k: int) -> float:
        return sum(rank is not None and rank < k for _, _, rank in answerable) / total

    def overlap(score: Callable[[str, str], float]) -> float | None:
        if not any(quote.answer for answer in answers for quote in answer.quotes):
            return None
        return sum(question.answer_overlap(answer, score) for question, answer, _ in answerable) / total

    def highlighted_in(first: int) -> float:
        return (
            sum(rank == 0 and question.highlighted(answer.quotes[0], first) for question, answer, rank in answerable)
            / total
        )

    return EvaluationResult(
        articles=articles,
        questions=len(pairs),
        answerable=len(answerable),
        recall_at_1=recall_at(1),
        recall_at_3=recall_at(3),
        recall_at_5=recall_at(5),
        mrr=sum(1 / (rank + 1) for _, _, rank in answerable if rank is not None) / total,
        first_highlight=highlighted_in(1),
        first_two_highlights=highlighted_in(2),
        answer_exact_match=overlap(exact_match),
        answer_f1=overlap(word_f1),
        auroc=auroc([a.confidence for a in with_answer], [a.confidence for a in without]) if both else None,
        answered_precision=true_answers / max(1, true_answers + false_answers) if both else None,
        answered_recall=true_answers / len(with_answer) if both else None,
        false_answers=false_answers / len(without) if both else None,
        calibration_error=sum(b.count * abs(b.confidence - b.right) for b in bins) / len(pairs),
        ms_median=statistics.median(times),
        ms_p95=times[min(len(times) - 1, int(0.95 * len(times)))],
        bins=bins,
    )


def exact_match(words: str, gold: str) -> float:
    """1 where two answers are the same but for case, punctuation, articles and white space, else 0."""
    return float(_squad_words(words) == _squad_words(gold))


def word_f1(words: str, gold: str) -> float:
    """The F1 of the words two answers share, from 0 to 1, as SQuAD counts them."""
    one, other = _squad_words(words), _squad_words(gold)
    shared = sum((Counter(one) & Counter(other)).values())
    return 2 * shared / (len(one) + len(other)) if shared else 0.0


def _squad_words(text: str) -> list[str]:
    bare = "".join(character for character in text.lower() if not unicodedata.category(character).startswith("P"))
    return _ARTICLES.sub(" ", bare).split()


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """The area under the ROC curve: the probability that a positive scores above a negative, ties counting half.

    Hanley and McNeil 1982.
    """
    ordered = sorted(negative)
    won = sum(bisect_left(ordered, score) + bisect_right(ordered, score) for score in positive) / 2
    return won / (len(positive) * len(negative))


def _calibration_bins(right: Sequence[tuple[float, bool]]) -> list[CalibrationBin]:
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


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
