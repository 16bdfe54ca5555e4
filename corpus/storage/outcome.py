"""What became of each article or source that was to be added to a library."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class OutcomeKind(StrEnum):
    """What became of one article or source that was to be added."""

    ADDED = "added"
    REPLACED = "replaced"
    SKIPPED = "skipped"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one article or source, for a person to read.

    `title` and `id` are None for what was refused, `reason` is None for what was added.
    """

    kind: OutcomeKind
    source: str
    title: str | None = None
    id: str | None = None
    reason: str | None = None
