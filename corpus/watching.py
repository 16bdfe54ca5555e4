"""A library that follows its folder and its feeds: what changed, when it is time to look, and what came in.

The only door to watchfiles.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from corpus.errors import LibraryError
from corpus.feed_polling import FeedPoller
from corpus.storage.library import Library
from corpus.storage.outcome import Outcome, OutcomeKind

if TYPE_CHECKING:
    pass

log = logging.getLogger(__name__)
# Changes come as one until nothing changes for so long, or for that long something does.
_SETTLE_MS = 1_000
_MAX_SETTLE_MS = 5_000
_POLL_MS = 5_000
# A look at 200,000 files takes half a second, so not every wake-up is one.
_IDLE_POLLS_PER_CHECK = 12


class StopEvent(Protocol):
    """Something that can say that it is time to end, such as a threading.Event."""

    def is_set(self) -> bool:
        """Whether to end."""
        ...


def watch(library: Library, feeds: FeedPoller, stop: StopEvent) -> Iterator[list[Outcome]]:
    """Yields each time the library has changed, by a feed or by hand, until `stop` is set.

    What is yielded says what the feeds brought, nothing where files were changed by hand. Changes that follow each
    other within a second come as one. The first is yielded at once, so that what changed before is not missed.

    Raises:
        LibraryError: the folder cannot be read or written.
    """
    library.folder.mkdir(parents=True, exist_ok=True)
    seen = library.fingerprint()
    yield []
    quiet = 0
    for touched in _changes(library.folder, feeds, stop):
        outcomes = _poll(library, feeds)
        quiet = 0 if touched or outcomes else quiet + 1
        # The first look finds what changed before the system was asked to tell; later ones what it did not tell.
        if quiet > 1 and quiet % _IDLE_POLLS_PER_CHECK:
            continue
        digest = library.fingerprint()
        if digest != seen:
            seen = digest
            yield outcomes


def _poll(library: Library, feeds: FeedPoller) -> list[Outcome]:
    """What the feeds that are due brought; waits for another writer no longer than the library does."""
    if feeds.seconds_until_due() != 0.0:
        return []
    try:
        outcomes = library.add(feeds.items(library.has_url))
    except LibraryError as exc:
        log.warning("what the feeds bring waits: %s", exc)
        return []
    for outcome in outcomes:
        if outcome.kind is OutcomeKind.REFUSED:
            log.warning("%s: %s", outcome.source, outcome.reason)
    changed = sum(outcome.kind in (OutcomeKind.ADDED, OutcomeKind.REPLACED) for outcome in outcomes)
    log.info("feeds: %s articles new or changed of %s listed", changed, len(outcomes))
    return outcomes


def _changes(folder: Path, feeds: FeedPoller, stop: StopEvent) -> Iterator[bool]:
    """Yields when a file that counts has changed, true, and when a feed may be due, false."""
    from watchfiles import Change, DefaultFilter
    from watchfiles import watch as watch_files

    class Visible(DefaultFilter):
        """Not what the library hides from itself: locks and files being written."""

        def __call__(self, change: Change, path: str) -> bool:
            return super().__call__(change, path) and not any(
                part.startswith(".") for part in Path(os.path.relpath(path, folder)).parts
            )

    if feeds.seconds_until_due() == 0.0:
        yield False
    for changes in watch_files(
        folder,
        watch_filter=Visible(),
        step=_SETTLE_MS,
        debounce=_MAX_SETTLE_MS,
        rust_timeout=_POLL_MS,
        yield_on_timeout=True,
        stop_event=stop,
        raise_interrupt=True,
    ):
        if stop.is_set():
            return
        yield bool(changes)
