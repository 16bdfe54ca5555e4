"""Invented news to pairs of question and passage, cut as the product reads them, with near misses of the same story.

    python -m tests.fit.reader.news OUT.pkl FILE.json...

The files are in SQuAD 2.0 form, as `../data` has them; the questions of readers.json and readers-2.json go with the
articles of the files given. news-4 to news-6 and news-10 to news-13 are held out: weights are chosen on them.
"""

from __future__ import annotations

import argparse
import json
import math
import pickle
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from corpus.article import Article
from corpus.text.sentences import split_sentences
from corpus.text.split import split_article
from tests.fit.invented import DATA, InventedQuestion, read_files
from tests.fit.reader.data import SEED, closest, counts, window, words
from tests.fit.reader.examples import Pair, Place, headed, tokenized, tokenizer
from tests.fit.reader.wording import named, reworded, swapped

TITLED = 0.3
"""How often the title is read: seldom, since it does not help where the product reads."""

REGIONS = 0.5
"""How often a whole passage with a sentence on either side is read, and not a window."""


def stories(files: Sequence[Path]) -> tuple[list[Article], list[InventedQuestion]]:
    """The articles of the files, and every question about them, readers' too."""
    with tempfile.TemporaryDirectory() as work:
        for number, file in enumerate(files):
            shutil.copy(file, Path(work) / f"{number:02d}-{file.name}")
        articles, questions = read_files(Path(work), "*.json")
    numbers = {article.title: number for number, article in enumerate(articles)}
    readers = json.loads((DATA / "readers.json").read_text(encoding="utf-8"))
    again = [replace(questions[name], text=text) for name, text in readers["again"].items() if name in questions]
    missing = [
        InventedQuestion(text, numbers[title], (), "plain")
        for title, texts in readers["missing"].items()
        if title in numbers
        for text in texts
    ]
    more = []
    for group in json.loads((DATA / "readers-2.json").read_text(encoding="utf-8"))["data"]:
        if group["title"] in numbers:
            with tempfile.TemporaryDirectory() as work:
                article = articles[numbers[group["title"]]]
                alone = {"title": article.title, "paragraphs": [{"context": article.text, "qas": group["qas"]}]}
                (Path(work) / "one.json").write_text(json.dumps({"data": [alone]}), encoding="utf-8")
                _, own = read_files(Path(work), "one.json")
            more += [replace(asked, article=numbers[group["title"]]) for asked in own.values()]
    return articles, [*questions.values(), *again, *missing, *more]


@dataclass(frozen=True, slots=True)
class Part:
    """A passage, the stretch that is read for it, and its words."""

    article: int
    span: Place
    region: Place
    bag: frozenset[str]


def region_of(article: Article, span: Place) -> Place:
    """A span with a sentence of context on either side."""
    sentences = split_sentences(article.text)
    start = max((one.start for one in sentences if one.end <= span[0]), default=span[0])
    end = min((one.end for one in sentences if one.start >= span[1]), default=span[1])
    return start, end


def parts_of(articles: Sequence[Article]) -> list[Part]:
    """The passages of all articles."""
    found = []
    for number, article in enumerate(articles):
        for passage in split_article(article):
            span = (passage.span.start, passage.span.end)
            bag = frozenset(words(f"{article.title} {article.text[span[0] : span[1]]}"))
            found.append(Part(number, span, region_of(article, span), bag))
    return found


def pairs(articles: Sequence[Article], questions: Sequence[InventedQuestion], rng: random.Random) -> Iterator[Pair]:
    """For each question: where it is answered, and the closest passages that do not answer it."""
    parts = parts_of(articles)
    seen = Counter(word for part in parts for word in part.bag)
    rarity = {word: math.log(len(parts) / count) for word, count in seen.items()}
    names = sorted({match.group() for asked in questions for match in named(asked.text) if not match.group().isdigit()})

    def made(question: str, part: Part, answers: Sequence[Place], source: str, centre: Sequence[Place]) -> Pair:
        article = articles[part.article]
        start, end = part.region
        if rng.random() >= REGIONS:
            start, end = window(article.text, centre, rng)
        text, shift = headed(article.title if rng.random() < TITLED else None, article.text[start:end].rstrip())
        kept = [(a - start + shift, b - start + shift) for a, b in answers if start <= a and b <= end]
        return Pair(question, text, tuple(kept), False, source)

    def near(question: str, part: Part) -> list[Place]:
        text = articles[part.article].text
        start, end = part.span
        return [(a + start, b + start) for a, b in closest(text[start:end], set(words(question)), rarity)]

    for asked in questions:
        own = articles[asked.article].text
        answers = [(one.start, one.end) for one in asked.answers]
        said = [own[start:end].lower() for start, end in answers]
        bag = set(words(asked.text))

        def weight(part: Part, bag: set[str] = bag) -> float:
            return sum(rarity[word] for word in bag & part.bag)

        for part in parts:
            if part.article == asked.article and any(part.span[0] <= a and b <= part.span[1] for a, b in answers):
                yield made(reworded(asked.text, rng), part, answers, "news", answers)
                if rng.random() < 0.5:
                    yield made(reworded(asked.text, rng, 0.8), part, answers, "news", answers)
                other = swapped(asked.text, f"{articles[part.article].title} {own}", names, rng)
                if other and rng.random() < 0.4:
                    yield made(other, part, (), "news renamed", answers)
        clear = [
            part
            for part in parts
            if not any(text in articles[part.article].text[part.region[0] : part.region[1]].lower() for text in said)
        ]
        clear.sort(key=weight, reverse=True)
        same = [part for part in clear if part.article == asked.article][: 2 if answers else 3]
        others = [part for part in clear if part.article != asked.article][:1]
        kind = "news beside" if answers else "news near miss"
        for part in same + (others if rng.random() < 0.6 else []):
            pair = made(reworded(asked.text, rng), part, answers, kind, near(asked.text, part))
            if not pair.answers and not any(text in pair.text.lower() for text in said):
                yield pair


def main() -> None:
    """Write the examples of some files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--seed", type=int, default=SEED)
    asked = parser.parse_args()
    articles, questions = stories(asked.files)
    examples = tokenized(list(pairs(articles, questions, random.Random(asked.seed))), tokenizer())
    with asked.out.open("wb") as file:
        pickle.dump(examples, file)
    lengths = sorted(len(one.ids) for one in examples)
    print(f"{len(articles)} articles, {len(questions)} questions, {len(examples)} examples: {counts(examples)}")
    print(f"tokens: half {lengths[len(lengths) // 2]}, mean {sum(lengths) / len(lengths):.0f}")


if __name__ == "__main__":
    main()
