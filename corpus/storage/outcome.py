"""The outcome of adding an article or source to a library."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class OutcomeKind(StrEnum):
    """Whether an article was added, replaced one, was skipped, or was refused."""

    ADDED = "added"
    REPLACED = "replaced"
    SKIPPED = "skipped"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome for one article or source, to be shown to the user.

    `title` and `id` are None for what was refused, `reason` is None for what was added.
    """

    kind: OutcomeKind
    source: str
    title: str | None = None
    id: str | None = None
    reason: str | None = None
