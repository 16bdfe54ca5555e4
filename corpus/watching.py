"""A library that follows its folder and its feeds: what changed, when it is time to look, and what came in.

The only door to watchfiles.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from corpus.errors import LibraryError, SourceError
from corpus.library import Kind, Library, Outcome
from corpus.readers.item import Item, Refused
from corpus.readers.source import read_answer

if TYPE_CHECKING:
    from corpus.fetch import Fetcher

log = logging.getLogger(__name__)

# A feed that fails is asked after twice its interval, then four times, up to a day.
_LONGEST_S = 86_400.0
_QUIET_MS = 1_000
_LOOK_MS = 5_000


class Stop(Protocol):
    """Something that can say that it is time to end, such as a threading.Event."""

    def is_set(self) -> bool:
        """Whether to end."""
        ...


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed or sitemap, and how often it is asked."""

    url: str
    interval_s: float = 900.0


@dataclass(frozen=True, slots=True)
class _State:
    """What is remembered of a feed between two runs. `due` is in seconds since 1970."""

    due: float = 0.0
    etag: str | None = None
    modified: str | None = None
    failures: int = 0


class Feeds:
    """Asks each feed when it is due, with the conditions of its last answer, and remembers that in a file.

    `state` is the file, written whole at each change; one that cannot be read is begun anew. `clock` gives seconds
    since 1970.
    """

    def __init__(
        self, feeds: Sequence[Feed], fetcher: Fetcher, state: Path, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._feeds = feeds
        self._fetcher = fetcher
        self._path = state
        self._clock = clock
        self._states = self._load()

    def wait_s(self) -> float | None:
        """The seconds until the next feed is due, 0 where one is; None without feeds."""
        due = [self._states.get(feed.url, _State()).due for feed in self._feeds]
        return max(0.0, min(due) - self._clock()) if due else None

    def items(self, known: Callable[[str], bool]) -> Iterator[Item]:
        """What the feeds that are due list, pages that are `known` by their address left out.

        A feed that cannot be read is a refusal, and waits the longer the more often it failed in a row.
        """
        for feed in self._feeds:
            state = self._states.get(feed.url, _State())
            if state.due > self._clock():
                continue
            try:
                page = self._fetcher.get(feed.url, robots=True, etag=state.etag, modified=state.modified)
            except SourceError as exc:
                failures = state.failures + 1
                wait = min(feed.interval_s * 2**failures, max(_LONGEST_S, feed.interval_s))
                self._remember(feed, replace(state, due=self._clock() + wait, failures=failures))
                yield Refused(feed.url, str(exc))
                continue
            if not page.unchanged:
                yield from read_answer(page, name=feed.url, fetcher=self._fetcher, known=known)
            self._remember(feed, _State(self._clock() + feed.interval_s, page.etag, page.modified))

    def _remember(self, feed: Feed, state: _State) -> None:
        self._states[feed.url] = state
        kept = {feed.url: asdict(self._states[feed.url]) for feed in self._feeds if feed.url in self._states}
        temporary = self._path.with_name(f".{self._path.name}.new")
        self._path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(kept, indent=1), "utf-8")
        temporary.replace(self._path)

    def _load(self) -> dict[str, _State]:
        try:
            return {url: _State(**state) for url, state in json.loads(self._path.read_text("utf-8")).items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, AttributeError) as exc:
            log.warning("%s cannot be read, every feed is asked anew: %s", self._path, exc)
            return {}


def watch(library: Library, feeds: Feeds, stop: Stop) -> Iterator[list[Outcome]]:
    """Yields each time the library has changed, by a feed or by hand, until `stop` is set.

    What is yielded says what the feeds brought, nothing where files were changed by hand. Changes that follow each
    other within a second come as one. The first is yielded at once, so that what changed before is not missed.

    Raises:
        LibraryError: the folder cannot be read or written.
    """
    library.folder.mkdir(parents=True, exist_ok=True)
    seen = library.digest()
    yield []
    for _ in _changes(library.folder, feeds, stop):
        outcomes = _poll(library, feeds)
        digest = library.digest()
        if digest != seen:
            seen = digest
            yield outcomes


def _poll(library: Library, feeds: Feeds) -> list[Outcome]:
    """What the feeds that are due brought; waits for another writer no longer than the library does."""
    if feeds.wait_s() != 0.0:
        return []
    try:
        outcomes = library.add(feeds.items(library.has_url))
    except LibraryError as exc:
        log.warning("what the feeds bring waits: %s", exc)
        return []
    for outcome in outcomes:
        if outcome.kind is Kind.REFUSED:
            log.warning("%s: %s", outcome.source, outcome.reason)
    changed = sum(outcome.kind in (Kind.ADDED, Kind.REPLACED) for outcome in outcomes)
    log.info("feeds: %s articles new or changed of %s listed", changed, len(outcomes))
    return outcomes


def _changes(folder: Path, feeds: Feeds, stop: Stop) -> Iterator[None]:
    """Yields when a file that counts has changed, and when a feed may be due."""
    from watchfiles import Change, DefaultFilter
    from watchfiles import watch as watch_files

    class Visible(DefaultFilter):
        """Not what the library hides from itself: locks and files being written."""

        def __call__(self, change: Change, path: str) -> bool:
            return super().__call__(change, path) and not any(
                part.startswith(".") for part in Path(os.path.relpath(path, folder)).parts
            )

    if feeds.wait_s() == 0.0:
        yield
    for _ in watch_files(
        folder,
        watch_filter=Visible(),
        debounce=_QUIET_MS,
        rust_timeout=_LOOK_MS,
        yield_on_timeout=True,
        stop_event=stop,
        raise_interrupt=True,
    ):
        if stop.is_set():
            return
        yield
