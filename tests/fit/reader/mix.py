"""What one training reads: invented news and hard examples of the general sets, few enough for two shared cores.

python -m tests.fit.reader.mix NEWS.pkl... LOSSES.pkl OUT.pkl

With the options `--without 7000 --general 11500 --longest 208` and two drawings of the news it is the second mixture.
"""

from __future__ import annotations

import argparse
import pickle
import random
from collections.abc import Sequence
from pathlib import Path

from tests.fit.reader.data import counts
from tests.fit.reader.examples import Example

NEWS_WITHOUT = 2300
"""How many news examples without an answer; of those with one, all that are short enough."""

GENERAL, EASY = 2500, 0.2
"""How many examples of the general sets, and which share of them is easy."""

HARD, DOUBTFUL, ABSURD = 1.0, 5.0, 8.0
"""Hard is a loss above the first; one above the others, without and with an answer, is rather a wrong label."""

LONGEST_NEWS, LONGEST_GENERAL = 165, 140
"""Longer examples cost more than they teach."""

LEFT_OUT = frozenset(
    ("tweetqa", "qadiscourse_passages", "bioasq", "multispanqa", "fairytaleqa", "fairytaleqa_sentence")
)  # fmt: skip
"""Sets that are far from news or odd, where there is time for few examples."""


def mixed(
    news: Sequence[Example], general: Sequence[Example], lost: Sequence[float], *,
    few_without: int = NEWS_WITHOUT, many: int = GENERAL, longest: int | None = None, seed: int = 12,
) -> list[Example]:  # fmt: skip
    """The examples to train on, in random order; `longest` takes the place of both limits."""
    rng = random.Random(seed)
    short = [one for one in news if len(one.ids) <= (longest or LONGEST_NEWS)]
    answered = [one for one in short if not _nowhere(one)]
    without = [one for one in short if _nowhere(one)]
    hard: list[Example] = []
    easy: list[Example] = []
    for one, loss in zip(general, lost, strict=True):
        most = DOUBTFUL if _nowhere(one) and one.source != "renamed" else ABSURD
        if one.source not in LEFT_OUT and len(one.ids) <= (longest or LONGEST_GENERAL) and loss < most:
            (hard if loss > HARD else easy).append(one)
    few = round(EASY * many)
    found = answered + _some(without, few_without, rng) + _some(hard, many - few, rng) + _some(easy, few, rng)
    rng.shuffle(found)
    return found


def _nowhere(one: Example) -> bool:
    return one.starts == ((0, 0),)


def _some(examples: list[Example], count: int, rng: random.Random) -> list[Example]:
    return rng.sample(examples, min(count, len(examples)))


def main() -> None:
    """Mix and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("news", type=Path, nargs="+")
    parser.add_argument("losses", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--without", type=int, default=NEWS_WITHOUT)
    parser.add_argument("--general", type=int, default=GENERAL)
    parser.add_argument("--longest", type=int)
    asked = parser.parse_args()
    general, lost = pickle.loads(asked.losses.read_bytes())
    news = [one for path in asked.news for one in pickle.loads(path.read_bytes())]
    found = mixed(news, general, lost, few_without=asked.without, many=asked.general, longest=asked.longest)
    asked.out.write_bytes(pickle.dumps(found))
    print(f"{len(found)} examples: {counts(found)}")


if __name__ == "__main__":
    main()
