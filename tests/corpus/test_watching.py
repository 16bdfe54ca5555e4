"""A watched library follows its folder and its feeds."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from corpus import Article, Library, Outcome, OutcomeKind, watching
from corpus.feed_polling import Feed, FeedPoller
from corpus.fetching.fetcher import Fetcher
from corpus.watching import watch
from tests.corpus.clocks import Clock
from tests.corpus.feeds import listing
from tests.corpus.readers.documents import BODY, page, rss
from tests.corpus.servers import Site, response


def test_a_library_is_watched(
    tmp_path: Path, site: Site, fetcher: Fetcher, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "_SETTLE_MS", 50)
    monkeypatch.setattr(watching, "_POLL_MS", 50)
    site.responses["/feed"] = response(listing(site, "road", "no"))
    site.responses["/road"] = response(page(head="<title>Road opens</title>"))
    library = Library(tmp_path / "library")
    stop = threading.Event()
    feeds = FeedPoller([Feed(f"{site.address}/feed", 60)], fetcher, tmp_path / "feeds.json", clock=clock)
    seen = watch(library, feeds, stop)
    assert next(seen) == []
    added, refused = next(seen)
    assert (added.kind, added.title) == (OutcomeKind.ADDED, "Road opens")
    assert refused == Outcome(
        OutcomeKind.REFUSED, f"{site.address}/feed: {site.address}/no", reason="the server answers 404 Not Found"
    )
    (library.folder / "note.txt").write_text("A note\n\nIts text.")
    assert next(seen) == []
    assert {article.title for article in library.articles()} == {"Road opens", "A note"}
    stop.set()
    assert list(seen) == []


def test_feeds_wait_while_the_library_is_locked(
    tmp_path: Path,
    site: Site,
    fetcher: Fetcher,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(watching, "_SETTLE_MS", 50)
    monkeypatch.setattr(watching, "_POLL_MS", 50)
    full = f"<title>Road opens</title><link>/road</link><description><![CDATA[{BODY} {BODY}]]></description>"
    site.responses["/feed"] = response(rss(full))
    library = Library(tmp_path / "library", lock_timeout_s=0.05)
    feeds = FeedPoller([Feed(f"{site.address}/feed", 60)], fetcher, tmp_path / "feeds.json", clock=clock)
    other = Library(library.folder)
    seen = watch(library, feeds, threading.Event())
    next(seen)
    with other.lock():
        other.add([Article("a", "A", "Text.", language="en")])
        assert next(seen) == []
    assert "what the feeds bring waits: process" in caplog.text
    assert [outcome.title for outcome in next(seen)] == ["Road opens"]
