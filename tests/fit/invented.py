"""The invented news that ranking and confidence are fitted on, and libraries of it in which answers are missing."""

from __future__ import annotations

import json
import random
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from corpus.article import Article, Span
from corpus.text.sentences import split_sentences

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class InventedQuestion:
    """A question about the article in position `article`, and the spans of it that answer; none for a near miss.

    `kind` says how it was written: fact, keyword, typo, paraphrase, reader, near-miss, plain or far.
    """

    text: str
    article: int
    answers: tuple[Span, ...]
    kind: str


def read_news(data: Path = DATA) -> tuple[list[Article], list[InventedQuestion]]:
    """Every English article and question in a folder, file by file; then those of readers.json and readers-2.json.

    readers.json asks again, by the id of a question, in the words of somebody who knows what the news was about but not
    how it was written ("again"), and asks plain things about the people and firms of an article, by its title, that no
    article says ("missing").
    """
    articles, questions = read_files(data, "news-*.json")
    readers = json.loads((data / "readers.json").read_text(encoding="utf-8"))
    numbers = {article.title: number for number, article in enumerate(articles)}
    again = [replace(questions[name], text=text, kind="reader") for name, text in readers["again"].items()]
    missing = [
        InventedQuestion(text, numbers[title], (), "plain")
        for title, texts in readers["missing"].items()
        for text in texts
    ]
    more = [
        _question(qa, numbers[group["title"]], 0)
        for group in json.loads((data / "readers-2.json").read_text(encoding="utf-8"))["data"]
        for qa in group["qas"]
    ]
    return articles, [*questions.values(), *again, *missing, *more]


def read_files(data: Path, pattern: str) -> tuple[list[Article], dict[str, InventedQuestion]]:
    """The articles of some files, and their questions by id."""
    articles: list[Article] = []
    questions: dict[str, InventedQuestion] = {}
    for path in sorted(data.glob(pattern)):
        for group in json.loads(path.read_text(encoding="utf-8"))["data"]:
            contexts = [paragraph["context"] for paragraph in group["paragraphs"]]
            text = "\n\n".join(contexts)
            if not unicodedata.is_normalized("NFC", text):
                raise ValueError(f"{path.name}: {group['title']} is not in Unicode NFC, so its offsets may not hold")
            number, begins = len(articles), 0
            articles.append(Article(f"invented-{number:03d}", group["title"], text))
            for paragraph in group["paragraphs"]:
                questions |= {qa["id"]: _question(qa, number, begins) for qa in paragraph["qas"]}
                begins += len(paragraph["context"]) + 2
    return articles, questions


def _question(qa: dict[str, Any], article: int, begins: int) -> InventedQuestion:
    """A question of a data file; the offsets of its answers count from `begins` in its article."""
    starts = [(begins + answer["answer_start"], answer["text"]) for answer in qa["answers"]]
    return InventedQuestion(
        qa["question"], article, tuple(Span(start, start + len(words)) for start, words in starts), qa["kind"]
    )


def remove_answers(article: Article, answers: Sequence[Span]) -> Article | None:
    """The article without the sentences that overlap the answers or repeat their words; None where nothing is left."""
    words = [article.text[answer.start : answer.end] for answer in answers if answer.end - answer.start > 5]
    pieces = []
    for sentence in split_sentences(article.text):
        piece = article.text[sentence.start : sentence.end]
        touched = any(sentence.start < answer.end and answer.start < sentence.end for answer in answers)
        if not touched and not any(one in piece for one in words):
            pieces.append(piece)
    text = "".join(pieces)
    return replace(article, text=text) if text.strip() else None


def libraries_with_gaps(
    articles: Sequence[Article], questions: Sequence[InventedQuestion]
) -> Iterator[tuple[list[Article], list[InventedQuestion]]]:
    """Libraries in which each article lost the answer to one of its questions, and those questions.

    Over all libraries every answerable question is asked once.
    """
    waiting = [
        [asked for asked in questions if asked.article == number and asked.answers] for number in range(len(articles))
    ]
    while any(waiting):
        library, asked_now = list(articles), []
        for number, queue in enumerate(waiting):
            if not queue:
                continue
            asked = queue.pop(0)
            gap = remove_answers(articles[number], asked.answers)
            if gap is not None:
                library[number] = gap
                asked_now.append(asked)
        yield library, asked_now


def libraries_without_articles(
    articles: Sequence[Article], questions: Sequence[InventedQuestion], parts: int = 4
) -> Iterator[tuple[list[Article], list[InventedQuestion]]]:
    """Libraries without every `parts`-th article, and the answerable questions about those left out."""
    for part in range(parts):
        gone = set(range(part, len(articles), parts))
        yield (
            [article for number, article in enumerate(articles) if number not in gone],
            [asked for asked in questions if asked.article in gone and asked.answers],
        )


def single_article_libraries(
    articles: Sequence[Article], questions: Sequence[InventedQuestion], strangers: int
) -> Iterator[tuple[Article, list[InventedQuestion], list[InventedQuestion]]]:
    """Each article, its own questions and `strangers` about others, as in a library of its own, at position 0."""
    drawn = random.Random(2)
    for number, article in enumerate(articles):
        own = [replace(asked, article=0) for asked in questions if asked.article == number]
        others = drawn.sample([asked for asked in questions if asked.article != number and asked.answers], strangers)
        yield article, own, [replace(asked, article=0) for asked in others]
