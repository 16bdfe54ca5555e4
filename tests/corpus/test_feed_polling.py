"""Feeds are polled when they are due, and no page more often than needed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from corpus import Found, Item, Refused
from corpus.feed_polling import Feed, FeedPoller
from corpus.fetching.fetcher import Fetcher
from tests.corpus.clocks import Clock
from tests.corpus.feeds import listing
from tests.corpus.readers.documents import BODY, page, rss
from tests.corpus.servers import Site, response


def nothing(_: str) -> bool:
    return False


def titles(items: Iterator[Item]) -> list[str]:
    return [item.article.title if isinstance(item, Found) else item.reason for item in items]


def test_a_feed_is_polled_when_it_is_due_and_not_before(
    tmp_path: Path, site: Site, fetcher: Fetcher, clock: Clock
) -> None:
    site.responses["/feed"] = response(listing(site, "road"))
    site.responses["/road"] = response(page(head="<title>Road opens</title>"))
    feeds = FeedPoller([Feed(f"{site.address}/feed", 60)], fetcher, tmp_path / "feeds.json", clock=clock)
    assert feeds.seconds_until_due() == 0
    assert titles(feeds.items(nothing)) == ["Road opens"]
    assert (feeds.seconds_until_due(), titles(feeds.items(nothing))) == (60, [])
    clock.now += 61
    site.responses["/feed"] = response(listing(site, "bridge", "road"))
    site.responses["/bridge"] = response(page(head="<title>Bridge opens</title>"))
    assert (feeds.seconds_until_due(), titles(feeds.items(nothing))) == (0, ["Bridge opens"])
    assert site.paths() == ["/robots.txt", "/feed", "/road", "/feed", "/bridge"]


def test_known_pages_are_not_fetched_again(tmp_path: Path, site: Site, fetcher: Fetcher, clock: Clock) -> None:
    site.responses["/feed"] = response(listing(site, "road", "bridge"))
    site.responses["/bridge"] = response(page(head="<title>Bridge opens</title>"))
    feeds = FeedPoller([Feed(f"{site.address}/feed")], fetcher, tmp_path / "feeds.json", clock=clock)
    assert titles(feeds.items(lambda url: url.endswith("/road"))) == ["Bridge opens"]
    assert site.paths() == ["/robots.txt", "/feed", "/bridge"]


def test_polls_are_conditional_also_in_the_next_process(
    tmp_path: Path, site: Site, fetcher: Fetcher, clock: Clock
) -> None:
    def reply(request: str) -> bytes:
        if 'if-none-match: "1"' in request.lower():
            return response(status="304 Not Modified", ETag='"1"')
        return response(listing(site), ETag='"1"', Last_Modified="then")

    site.responses["/feed"] = reply
    for expected in (["the feed lists no articles"], []):
        feeds = FeedPoller([Feed(f"{site.address}/feed", 60)], fetcher, tmp_path / "state" / "feeds.json", clock=clock)
        assert titles(feeds.items(nothing)) == expected
        clock.now += 61
    assert "if-modified-since: then" in site.requests[-1].lower()


def test_a_failing_feed_is_polled_less_and_less_often(
    tmp_path: Path, site: Site, fetcher: Fetcher, clock: Clock
) -> None:
    feeds = FeedPoller([Feed(f"{site.address}/feed", 60)], fetcher, tmp_path / "feeds.json", clock=clock)
    waits = []
    for _ in range(12):
        assert list(feeds.items(nothing)) == [Refused(f"{site.address}/feed", "the server answers 404 Not Found")]
        waits.append(feeds.seconds_until_due() or 0)
        clock.now += waits[-1]
    assert waits[:4] == [120, 240, 480, 960]
    assert waits[-1] == 86_400
    site.responses["/feed"] = response(listing(site))
    list(feeds.items(nothing))
    assert feeds.seconds_until_due() == 60


@pytest.mark.parametrize("state", ["not json", "[]", '{"u": {"no": 1}}', '{"u": {"failed": {"a": 1}}}', '{"u": 1}'])
def test_an_unreadable_state_is_started_afresh(
    tmp_path: Path, fetcher: Fetcher, clock: Clock, state: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "feeds.json").write_text(state)
    assert (
        FeedPoller([Feed("https://x.kw/feed")], fetcher, tmp_path / "feeds.json", clock=clock).seconds_until_due() == 0
    )
    assert "every feed is asked anew" in caplog.text


def test_a_failing_page_is_tried_again_less_and_less_often(
    tmp_path: Path, site: Site, fetcher: Fetcher, clock: Clock
) -> None:
    site.responses["/feed"] = lambda request: (
        response(status="304 Not Modified")
        if "if-none-match" in request.lower()
        else response(listing(site, "a", "b"), ETag="1")
    )
    site.responses["/b"] = response(page(head="<title>B opens</title>"))
    asked = []
    for _ in range(9):
        feeds = FeedPoller([Feed(f"{site.address}/feed", 60)], fetcher, tmp_path / "feeds.json", clock=clock)
        site.requests.clear()
        list(feeds.items(nothing))
        asked.append("".join(path[1] for path in site.paths() if path in ("/a", "/b")))
        clock.now += 60
    assert asked == ["ab", "", "a", "", "", "", "a", "", ""]
    site.responses["/a"] = response(page(head="<title>A opens</title>"))
    clock.now += 600
    assert titles(feeds.items(nothing)) == ["A opens"]
    clock.now += 600
    assert titles(feeds.items(nothing)) == []


def test_an_article_in_a_feed_is_yielded_again_unless_it_was_removed(
    tmp_path: Path, site: Site, fetcher: Fetcher, clock: Clock
) -> None:
    text = f"<title>Road</title><link>{site.address}/road</link><description>{BODY} {BODY}</description>"
    site.responses["/feed"] = response(rss(text))
    feeds = FeedPoller([Feed(f"{site.address}/feed", 60)], fetcher, tmp_path / "feeds.json", clock=clock)
    came = []
    for known in (False, True, False):
        came.append(titles(feeds.items(lambda _, known=known: known)))  # type: ignore[misc]
        clock.now += 61
    assert came == [["Road"], ["Road"], []]


def test_a_retry_after_header_is_respected(tmp_path: Path, site: Site, fetcher: Fetcher, clock: Clock) -> None:
    site.responses["/feed"] = response(status="503 Busy", Retry_After="7200")
    feeds = FeedPoller([Feed(f"{site.address}/feed", 60)], fetcher, tmp_path / "feeds.json", clock=clock)
    assert titles(feeds.items(nothing)) == ["the server answers 503 Busy"]
    assert feeds.seconds_until_due() == 7200


def test_each_feed_has_its_own_interval(tmp_path: Path, site: Site, fetcher: Fetcher, clock: Clock) -> None:
    site.responses["/slow"] = site.responses["/fast"] = response(listing(site))
    slow, fast = Feed(f"{site.address}/slow", 600), Feed(f"{site.address}/fast", 60)
    feeds = FeedPoller([slow, fast], fetcher, tmp_path / "feeds.json", clock=clock)
    for _ in range(11):
        list(feeds.items(nothing))
        clock.now += 60
    assert (site.paths().count("/slow"), site.paths().count("/fast")) == (2, 11)


def test_a_feed_that_is_no_longer_configured_is_forgotten(
    tmp_path: Path, site: Site, fetcher: Fetcher, clock: Clock
) -> None:
    state = tmp_path / "feeds.json"
    for name in ("old", "new"):
        list(FeedPoller([Feed(f"{site.address}/{name}")], fetcher, state, clock=clock).items(nothing))
    assert list(json.loads(state.read_text())) == [f"{site.address}/new"]


def test_without_feeds_nothing_is_due(tmp_path: Path, fetcher: Fetcher) -> None:
    assert FeedPoller([], fetcher, tmp_path / "feeds.json").seconds_until_due() is None
