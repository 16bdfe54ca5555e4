"""Watches a library's folder and polls its feeds. The only module that imports watchfiles."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from corpus.errors import LibraryError
from corpus.feed_polling import FeedPoller
from corpus.storage.library import Library
from corpus.storage.outcome import Outcome, OutcomeKind

log = logging.getLogger(__name__)

# Changes are reported once nothing has changed for the first of these times, at the latest after the second.
_SETTLE_MS = 1_000
_MAX_SETTLE_MS = 5_000
_POLL_MS = 5_000
# Checking 200,000 files takes half a second, so it is not done at every wake-up.
_IDLE_POLLS_PER_CHECK = 12


class StopEvent(Protocol):
    """Tells when to stop, such as a threading.Event."""

    def is_set(self) -> bool:
        """Whether to stop."""
        ...


def watch(library: Library, feeds: FeedPoller, stop: StopEvent) -> Iterator[list[Outcome]]:
    """Yields each time the library has changed, through a feed or by hand, until `stop` is set.

    The list holds the outcomes of polling the feeds; it is empty where files were changed by hand. Changes less than a
    second apart are reported together. An empty list is yielded at once, so that earlier changes are not missed.

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
        # The first check finds changes from before the watch began; later ones find changes the system did not report.
        if quiet > 1 and quiet % _IDLE_POLLS_PER_CHECK:
            continue
        fingerprint = library.fingerprint()
        if fingerprint != seen:
            seen = fingerprint
            yield outcomes


def _poll(library: Library, feeds: FeedPoller) -> list[Outcome]:
    """Adds the articles from the feeds that are due; nothing if the library stays locked by another process."""
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
    """Yields true when a visible file has changed, and false when a feed may be due."""
    from watchfiles import Change, DefaultFilter
    from watchfiles import watch as watch_files

    class Visible(DefaultFilter):
        """Leaves out hidden files and folders: locks and files being written."""

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
