"""Polls feeds and sitemaps for new articles. The only module that imports tenacity."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpus.errors import SourceBusy, SourceError
from corpus.readers.item import Item, Refused
from corpus.readers.source import entry_source, read_response

if TYPE_CHECKING:
    from corpus.fetching.fetcher import Fetcher, Page
    from corpus.readers.feed import FeedEntry

log = logging.getLogger(__name__)

# After a failure the wait is twice the feed's interval, then four times, and so on up to a day.
_MAX_BACKOFF_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed or sitemap, and how often to poll it."""

    url: str
    interval_s: float = 900.0


@dataclass(frozen=True, slots=True)
class _PageFailure:
    """How often in a row a page could not be fetched, and when to try again, in seconds since 1970."""

    times: int
    due: float


@dataclass(frozen=True, slots=True)
class _FeedState:
    """What is stored about a feed between two runs; the field names are the keys in the file.

    `due` is in seconds since 1970. `done` holds the listed addresses that were read, `failed` those that could not be.
    """

    due: float = 0.0
    etag: str | None = None
    modified: str | None = None
    failures: int = 0
    done: tuple[str, ...] = ()
    failed: dict[str, _PageFailure] = field(default_factory=dict)


class FeedPoller:
    """Polls each feed when it is due, with conditional requests, and keeps its state in a file.

    `state` is that file. It is replaced as a whole at each change; one that cannot be read is started afresh. `clock`
    returns seconds since 1970.
    """

    def __init__(
        self, feeds: Sequence[Feed], fetcher: Fetcher, state: Path, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._feeds = feeds
        self._fetcher = fetcher
        self._path = state
        self._clock = clock
        self._states = self._load()

    def seconds_until_due(self) -> float | None:
        """Seconds until the next feed is due: 0 if one is due now, None if there are no feeds."""
        due = [self._states.get(feed.url, _FeedState()).due for feed in self._feeds]
        return max(0.0, min(due) - self._clock()) if due else None

    def items(self, known: Callable[[str], bool]) -> Iterator[Item]:
        """The articles and refusals from the feeds that are due; `known` tells whether the library has an address.

        A page is fetched once, and again only if that failed. An article that a feed contains in full is yielded at
        every poll, unless it was yielded before and is no longer known, which means that somebody removed it. A feed or
        page that cannot be read is a refusal; the wait before the next try grows with each failure in a row.
        """
        for feed in self._feeds:
            state = self._states.get(feed.url, _FeedState())
            if state.due > self._clock():
                continue
            again = any(failed.due <= self._clock() for failed in state.failed.values())
            etag, modified = (None, None) if again else (state.etag, state.modified)
            try:
                page = self._fetcher.get(feed.url, robots=True, etag=etag, modified=modified)
            except SourceError as exc:
                failures = state.failures + 1
                wait = max(_backoff_s(feed, failures), exc.retry_after_s if isinstance(exc, SourceBusy) else 0.0)
                self._save(feed, replace(state, due=self._clock() + wait, failures=failures))
                yield Refused(feed.url, str(exc))
                continue
            if page.unchanged:
                state = replace(state, due=self._clock() + feed.interval_s, failures=0)
            else:
                state = yield from self._read_listed(feed, page, state, known)
            self._save(feed, state)

    def _read_listed(
        self, feed: Feed, page: Page, state: _FeedState, known: Callable[[str], bool]
    ) -> Generator[Item, None, _FeedState]:
        """Yields what a feed lists that was not read before, and returns the feed's new state."""
        listed: dict[str, str] = {}
        asked = set()

        def wanted(entry: FeedEntry) -> bool:
            if entry.url is None:
                return True
            listed[entry_source(feed.url, entry)] = entry.url
            came, has = entry.url in state.done, known(entry.url)
            if entry.article is not None:
                return has or not came
            failed = state.failed.get(entry.url)
            due = not (came or has) and (failed is None or failed.due <= self._clock())
            if due:
                asked.add(entry.url)
            return due

        refused = set()
        for item in read_response(page, name=feed.url, fetcher=self._fetcher, wanted=wanted):
            if isinstance(item, Refused) and item.source in listed:
                refused.add(listed[item.source])
            yield item
        now = self._clock()
        waiting = set(listed.values()) - asked
        failed = {url: found for url, found in state.failed.items() if url in waiting}
        for url in refused:
            times = state.failed[url].times + 1 if url in state.failed else 1
            failed[url] = _PageFailure(times, now + _backoff_s(feed, times))
        done = tuple(url for url in dict.fromkeys(listed.values()) if url not in failed)
        return _FeedState(now + feed.interval_s, page.etag, page.modified, 0, done, failed)

    def _save(self, feed: Feed, state: _FeedState) -> None:
        self._states[feed.url] = state
        stored = {feed.url: asdict(self._states[feed.url]) for feed in self._feeds if feed.url in self._states}
        temporary = self._path.with_name(f".{self._path.name}.new")
        self._path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(stored, indent=1), "utf-8")
        temporary.replace(self._path)

    def _load(self) -> dict[str, _FeedState]:
        try:
            loaded = json.loads(self._path.read_text("utf-8"))
            return {url: _parse_state(stored) for url, stored in loaded.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, AttributeError) as exc:
            log.warning("%s cannot be read, every feed is asked anew: %s", self._path, exc)
            return {}


def _parse_state(stored: dict[str, Any]) -> _FeedState:
    failed = {url: _PageFailure(**failed) for url, failed in stored.pop("failed", {}).items()}
    return _FeedState(done=tuple(stored.pop("done", ())), failed=failed, **stored)


def _backoff_s(feed: Feed, failures: int) -> float:
    """Seconds to wait after this many failures in a row."""
    from tenacity import RetryCallState, Retrying, wait_exponential

    state = RetryCallState(Retrying(), None, (), {})
    state.attempt_number = failures
    return wait_exponential(multiplier=2 * feed.interval_s, max=max(_MAX_BACKOFF_S, feed.interval_s))(state)
