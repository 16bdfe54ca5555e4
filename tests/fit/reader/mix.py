"""What the reader is trained on: invented news and examples of the general sets, those it knows well seldom.

python -m tests.fit.reader.mix NEWS.pkl... LOSSES.pkl OUT.pkl
"""

from __future__ import annotations

import argparse
import pickle
import random
from collections.abc import Sequence
from pathlib import Path

from tests.fit.reader.data import counts
from tests.fit.reader.examples import Example

LONGEST_NEWS = 200
"""Longer examples cost more than they teach."""

NEWS_WITHOUT = 8000
"""How many news examples without an answer; of those with one, and with a name exchanged, all."""

SHARES = {
    "tweetqa": 0.3,
    "qadiscourse_passages": 0.4,
    "squadshifts_reddit": 0.4,
    "nq_swap": 0.5,
    "fairytaleqa": 0.3,
    "fairytaleqa_sentence": 0.3,
    "multispanqa": 0.3,
    "bioasq": 0.3,
    "nearmiss_auto": 0.7,
    "beside fairytaleqa": 0.0,
    "beside onestopqa": 0.0,
}
"""Which share is read of sets that are far from news, odd, or plentiful; of the others all.

Beside a text of OneStopQA or FairytaleQA stands the same text in other words, so that "not here" is wrong.
"""

EASY, EASY_SHARE = 0.1, 0.4
"""Of the examples on which the reader loses less than this, only a share is read again."""

DOUBTFUL, ABSURD = 5.0, 8.0
"""One on which it loses more is rather a wrong label: without and with an answer."""


def mixed(
    news: Sequence[Example], general: Sequence[Example], lost: Sequence[float], *, seed: int = 31
) -> list[Example]:
    """The examples to train on, in random order.

    Args:
        news: Examples of invented news.
        general: Those of the other sets.
        lost: The loss of the reader that is trained further on each of `general`.
        seed: What is drawn depends on it.
    """
    rng = random.Random(seed)
    short = [one for one in news if len(one.ids) <= LONGEST_NEWS]
    taken = [one for one in short if not _nowhere(one) or one.source == "news renamed"]
    without = [one for one in short if _nowhere(one) and one.source != "news renamed"]
    found = taken + rng.sample(without, min(NEWS_WITHOUT, len(without)))
    for one, loss in zip(general, lost, strict=True):
        most = DOUBTFUL if _nowhere(one) and one.source != "renamed" else ABSURD
        share = SHARES.get(one.source, 1.0) * (EASY_SHARE if loss < EASY else 1.0)
        if loss <= most and rng.random() < share:
            found.append(one)
    rng.shuffle(found)
    return found


def _nowhere(one: Example) -> bool:
    return one.starts == ((0, 0),)


def main() -> None:
    """Mix and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("news", type=Path, nargs="+")
    parser.add_argument("losses", type=Path)
    parser.add_argument("out", type=Path)
    asked = parser.parse_args()
    general, lost = pickle.loads(asked.losses.read_bytes())
    found = mixed([one for path in asked.news for one in pickle.loads(path.read_bytes())], general, lost)
    asked.out.write_bytes(pickle.dumps(found))
    print(f"{len(found)} examples: {counts(found)}")


if __name__ == "__main__":
    main()
