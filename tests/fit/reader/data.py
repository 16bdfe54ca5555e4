"""The data sets outside the repository to examples: what is drawn of each, windows, harder negatives, other wordings.

    python -m tests.fit.reader.data FOLDER OUT

FOLDER holds the .jsonl.gz files (default: NEWSQUOTE_READER_DATA). The README names each set, its licence and authors.
"""

from __future__ import annotations

import argparse
import collections
import gzip
import json
import math
import os
import pickle
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from corpus.text.sentences import split_sentences
from tests.fit.reader.examples import Example, Pair, Place, headed, tokenized, tokenizer
from tests.fit.reader.wording import STOP, named, reworded, swapped

Row = dict[str, Any]
SEED = 20261130

ANSWERED = {
    "squad_train": 9000,
    "squad_sentences": 1200,
    "squadshifts_newwiki": 5500,
    "squadshifts_reddit": 1500,
    "nq_qed": 4500,
    "nq_open_oracle": 1200,
    "nq_swap": 600,
    "tydiqa_en": 3500,
    "onestopqa": 1446,
    "qamr_passages": 5500,
    "qadiscourse_passages": 1200,
    "selqa": 1500,
    "clapnq": 600,
    "tweetqa": 3500,
    "fairytaleqa": 1000,
    "fairytaleqa_sentence": 300,
    "quoref_contrast": 700,
    "multispanqa": 300,
    "bioasq": 200,
}
"""How many questions of each set are drawn with the passage that belongs to them."""

BESIDE = {
    "squad_train": 4500,
    "squadshifts_newwiki": 4000,
    "selqa": 800,
}
"""How many are asked of the closest other passage of the same title that has none of the answers' words.

Not of sets whose passages of one title tell the same again: OneStopQA has each paragraph at three levels of reading,
and Natural Questions one page often.
"""

NEAR_MISSES = 7000
"""How many of nearmiss_auto."""

RENAMED = 4000
"""How many ask about a name or a year that the passage does not have."""

WHOLE = frozenset({"onestopqa", "selqa", "clapnq", "fairytaleqa_sentence"})
"""Sets that mark sentences and not the words that answer."""

NO_TITLE = frozenset({"squadshifts_reddit", "policyqa"})
"""Sets whose titles say nothing."""

TITLED = 0.75
"""How often a title is read that is known."""

SHORTEST, MIDDLE, LARGEST = 35, 80, 140
"""A window has about so many words, drawn from a triangle."""


def rows_of(folder: Path, name: str) -> list[Row]:
    """The rows of a set."""
    with gzip.open(folder / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def places_of(row: Row) -> list[Place]:
    """Where a row's passage answers: its answers' words, or its labelled sentences."""
    if not row["answerable"]:
        return []
    if "answers" in row:
        return [(one["start"], one["start"] + len(one["text"])) for one in row["answers"]]
    found, at = [], 0
    for sentence, label in zip(row["sentences"], row["labels"], strict=True):
        start = row["passage"].find(sentence, at)
        if start < 0:
            continue
        at = start + len(sentence)
        if label:
            found.append((start, at))
    return found


def words(text: str) -> list[str]:
    """The words that count, roughly stemmed."""
    return [re.sub(r"(ies|es|s|ed|ing)$", "", word) for word in re.findall(r"\w+", text.lower()) if word not in STOP]


def window(passage: str, middle: Sequence[Place], rng: random.Random) -> Place:
    """Whole sentences of the passage around one of the stretches, about as many as the product reads."""
    size = rng.triangular(SHORTEST, LARGEST, MIDDLE)
    sentences = split_sentences(passage)
    if not sentences or len(passage.split()) <= size:
        return 0, len(passage)
    start, end = rng.choice(list(middle))
    inside = [at for at, one in enumerate(sentences) if one.start < end and start < one.end] or [0]
    first, last = inside[0], inside[-1]
    counts = [len(passage[one.start : one.end].split()) for one in sentences]
    total = sum(counts[first : last + 1])
    ahead = rng.random()
    while True:
        ways = [at for at in (first - 1, last + 1) if 0 <= at < len(sentences) and total + counts[at] <= size]
        if not ways:
            break
        at = ways[0] if len(ways) == 1 or rng.random() < ahead else ways[1]
        total += counts[at]
        first, last = min(first, at), max(last, at)
    return sentences[first].start, sentences[last].end


def closest(passage: str, asked: set[str], rarity: dict[str, float]) -> list[Place]:
    """The sentence that has most of the question's words."""
    sentences = split_sentences(passage)
    scored = [(sum(rarity.get(w, 8.0) for w in asked & set(words(passage[s.start : s.end]))), s) for s in sentences]
    best = max(scored, key=lambda one: one[0])[1] if scored else None
    return [(best.start, best.end)] if best else [(0, len(passage))]


def pair_of(
    question: str, title: str | None, passage: str, places: Sequence[Place], around: Sequence[Place],
    rng: random.Random, *, whole: bool, source: str,
) -> Pair:  # fmt: skip
    """One pair, on a window of the passage; stretches that it cuts off are left out."""
    start, end = window(passage, around, rng)
    text, shift = headed(title if rng.random() < TITLED else None, passage[start:end].rstrip())
    kept = [(a - start + shift, b - start + shift) for a, b in places if start <= a and b <= end]
    return Pair(question, text, tuple(kept), whole, source)


class Sets:
    """The rows of all sets with their titles, the passages of each title, and how rare words are."""

    def __init__(self, folder: Path) -> None:
        self.rows = {name: rows_of(folder, name) for name in ANSWERED}
        self.near = rows_of(folder, "nearmiss_auto")
        self.titles: dict[str, str] = {}
        self.passages: dict[str, dict[str, None]] = collections.defaultdict(dict)
        seen: collections.Counter[str] = collections.Counter()
        every: dict[str, None] = {}
        for name, rows in self.rows.items():
            for row in rows:
                title = None if name in NO_TITLE else row.get("title")
                row["title"] = unquote(title).replace("_", " ") if title else None
                every[row["passage"]] = None
                if title:
                    self.titles[row["passage"]] = row["title"]
                    self.passages[row["title"]][row["passage"]] = None
        self.bags = {passage: set(words(passage)) for passage in every}
        for bag in self.bags.values():
            seen.update(bag)
        self.rarity = {word: math.log(len(every) / count) for word, count in seen.items()}

    def beside(self, row: Row, rng: random.Random) -> str | None:
        """One of the two closest other passages of the same title that hold none of the answers' words."""
        texts = [row["passage"][start:end].lower() for start, end in places_of(row)]
        asked = set(words(row["question"]))
        scored = []
        for other in self.passages[row["title"]]:
            low = other.lower()
            if other == row["passage"] or any(text in low for text in texts):
                continue
            shared = asked & self.bags[other]
            scored.append((sum(self.rarity[w] for w in shared) / (1 + len(self.bags[other]) / 200), other))
        scored.sort(reverse=True)
        best = [other for score, other in scored[:2] if score > 0]
        return rng.choice(best) if best else None


def answered(sets: Sets, rng: random.Random) -> Iterator[Pair]:
    """Questions with the passages that belong to them."""
    for name, count in ANSWERED.items():
        rows = [row for row in sets.rows[name] if row["question"].strip()]
        if name == "qamr_passages":
            rows = [row for row in rows if len(set(words(row["question"]))) >= 2]
        for row in rng.sample(rows, min(count, len(rows))):
            places = places_of(row)
            if row["answerable"] and not places:
                continue
            around = places or closest(row["passage"], set(words(row["question"])), sets.rarity)
            yield pair_of(
                reworded(row["question"], rng), row["title"], row["passage"], places, around, rng,
                whole=name in WHOLE, source=name,
            )  # fmt: skip


def unanswered(sets: Sets, rng: random.Random) -> Iterator[Pair]:
    """Questions with passages that are close and do not answer."""

    def made(question: str, title: str | None, passage: str, source: str) -> Pair:
        around = closest(passage, set(words(question)), sets.rarity)
        return pair_of(reworded(question, rng), title, passage, (), around, rng, whole=False, source=source)

    for name, count in BESIDE.items():
        rows = [row for row in sets.rows[name] if row["answerable"] and row["title"]]
        for row in rng.sample(rows, min(count, len(rows))):
            other = sets.beside(row, rng)
            if other:
                yield made(row["question"], row["title"], other, f"beside {name}")
    for row in rng.sample(sets.near, NEAR_MISSES):
        yield made(row["question"], sets.titles.get(row["passage"]), row["passage"], "nearmiss_auto")
    yield from renamed(sets, rng)


def renamed(sets: Sets, rng: random.Random) -> Iterator[Pair]:
    """Questions about another name or year than the passage's."""
    chosen = ("squad_train", "squadshifts_newwiki", "tydiqa_en", "qamr_passages", "onestopqa", "selqa")
    rows = [row for name in chosen for row in sets.rows[name] if row["answerable"]]
    names = sorted({m.group() for row in rows for m in named(row["question"]) if not m.group().isdigit()})
    count = 0
    for row in rng.sample(rows, len(rows)):
        text = f"{row['title'] or ''} {row['passage']}"
        other = swapped(row["question"], text, names, rng)
        if other:
            count += 1
            places = places_of(row)
            yield pair_of(
                reworded(other, rng, 0.2), row["title"], row["passage"], (), places, rng, whole=False, source="renamed"
            )
        if count == RENAMED:
            return


def general(folder: Path, seed: int = SEED) -> list[Pair]:
    """Every pair of the first stage, before `mine` chooses; the same seed gives the same pairs."""
    rng = random.Random(seed)
    sets = Sets(folder)
    return [*answered(sets, rng), *unanswered(sets, rng)]


def counts(examples: Iterable[Example]) -> str:
    """How many there are of each source."""
    return ", ".join(f"{name} {n}" for name, n in collections.Counter(one.source for one in examples).most_common())


def main() -> None:
    """Write the examples of the general sets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=os.environ.get("NEWSQUOTE_READER_DATA"))
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=SEED)
    asked = parser.parse_args()
    examples = tokenized(general(Path(asked.folder), asked.seed), tokenizer())
    with asked.out.open("wb") as file:
        pickle.dump(examples, file)
    lengths = sorted(len(one.ids) for one in examples)
    print(f"{len(examples)} examples, tokens: mean {sum(lengths) / len(lengths):.0f}, most {lengths[-1]}")
    print(counts(examples))


if __name__ == "__main__":
    main()
