"""A question and a passage to token ids, and where among them the answer may start and end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tokenizers import Encoding, Tokenizer

from tests.fit.reader.model import FOLDER

LONGEST, LONGEST_QUESTION = 208, 48
CLS, SEP = 101, 102
Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Pair:
    """A question, a text to read it on, and the stretches of the text that answer; none says "not here".

    `whole` says that the stretches are sentences: the answer is somewhere in them. `source` names the data set.
    """

    question: str
    text: str
    answers: tuple[Place, ...]
    whole: bool
    source: str


@dataclass(frozen=True, slots=True)
class Example:
    """Token ids, how many of them are the question's with [CLS] and [SEP], and where the answer may start and end.

    `starts` and `ends` are stretches of positions, first and last; ((0, 0),) is "not here".
    """

    ids: tuple[int, ...]
    asked: int
    starts: tuple[Place, ...]
    ends: tuple[Place, ...]
    source: str


def tokenizer() -> Tokenizer:
    """The encoder's own, which cuts nothing off and fills nothing up."""
    made = Tokenizer.from_file(str(FOLDER / "tokenizer.json"))
    made.no_truncation()
    made.no_padding()
    return made


def headed(title: str | None, passage: str) -> tuple[str, int]:
    """The passage behind its title, and how far that moves its characters."""
    if not title:
        return passage, 0
    front = title.strip() + (" " if title.strip()[-1:] in ".?!" else ". ")
    return front + passage, len(front)


def tokenized(pairs: Sequence[Pair], using: Tokenizer) -> list[Example]:
    """The examples of pairs; those whose answer lies behind the last token that is read are left out."""
    asked = using.encode_batch_fast([pair.question for pair in pairs], add_special_tokens=False)
    read = using.encode_batch([pair.text for pair in pairs], add_special_tokens=False)
    found = (_example(*three) for three in zip(pairs, asked, read, strict=True))
    return [example for example in found if example is not None]


def _example(pair: Pair, asked: Encoding, read: Encoding) -> Example | None:
    question = asked.ids[:LONGEST_QUESTION]
    first = len(question) + 2
    kept = read.ids[: LONGEST - first - 1]
    starts, ends = [], []
    for start, end in pair.answers:
        inside = [at for at, (a, b) in enumerate(read.offsets[: len(kept)]) if a < end and start < b]
        if inside and read.offsets[inside[-1]][1] >= end:
            places = (first + inside[0], first + inside[-1])
            starts.append(places if pair.whole else (places[0], places[0]))
            ends.append(places if pair.whole else (places[1], places[1]))
    if pair.answers and not starts:
        return None
    nowhere = ((0, 0),)
    ids = (CLS, *question, SEP, *kept, SEP)
    return Example(ids, first, tuple(starts) or nowhere, tuple(ends) or nowhere, pair.source)
