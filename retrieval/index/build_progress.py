"""How far a build is, and about how long what follows takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Stage(StrEnum):
    """What a build does, one after the other; merging is in place of indexing. The values are for people."""

    ARTICLES = "Indexing articles"
    MERGED = "Merging articles"
    TERMS = "Indexing terms"
    GROUPS = "Grouping vectors"
    VECTORS = "Indexing vectors"
    RECALL = "Measuring recall"
    FILES = "Adding up megabytes"
    CHECK = "Checking files"


@dataclass(frozen=True, slots=True)
class BuildProgress:
    """How much of what is done is done, of how much in all, 0 where that is not known.

    `then_s` is about how many seconds what follows takes, with all of this where its total is not known.
    """

    what: str
    done: int
    total: int = 0
    then_s: float = 0.0


ProgressCallback = Callable[[BuildProgress], None]
"""Called with each step."""

_ORDER = list(Stage)


def estimated_seconds(what: Stage, passages: int, lists: int) -> float:
    """About how long a part of a build takes, once its articles are written, where vectors are grouped in `lists`.

    Measured with 601,287 passages and 4,096 lists on two quiet cores, 2026-11-27: terms 29 s, groups 23 s, vectors 7 s,
    recall 4 s, files 9 and 6 s. 1,092,432 took 125 s; this says 126 s.
    """
    each = {
        Stage.TERMS: 4.8e-5 * passages,
        Stage.GROUPS: 1.5e-6 * lists * lists,
        Stage.VECTORS: 3.0e-9 * passages * lists,
        Stage.RECALL: 7.0e-6 * passages if lists else 0.0,
        Stage.FILES: 1.5e-5 * passages,
        Stage.CHECK: 1.0e-5 * passages,
    }
    return each.get(what, 0.0)


def remaining_seconds(what: Stage, passages: int, lists: int, *, itself: bool = False) -> float:
    """About how many seconds what comes after a part takes, with `itself` that part too."""
    first = _ORDER.index(what) + (not itself)
    return sum(estimated_seconds(one, passages, lists) for one in _ORDER[first:])
