"""Whatever a server does, a fetch ends in time with a page or a reason."""

from __future__ import annotations

import gzip
import socket

import pytest

from corpus.errors import SourceBusy
from corpus.fetching.fetcher import Fetcher, Page
from tests.corpus.clocks import Clock
from tests.corpus.fetching.refusals import refusal
from tests.corpus.servers import STALL, Site, response


def test_a_page_has_its_charset_and_validators(site: Site, fetcher: Fetcher) -> None:
    site.responses["/a?b=c"] = response(
        b"text", Content_Type="text/HTML; charset=cp1256", ETag='"1"', Last_Modified="then"
    )
    page = fetcher.get(f"{site.address}/a?b=c")
    assert page == Page(f"{site.address}/a?b=c", b"text", "cp1256", '"1"', "then")
    assert "user-agent: newsquote/0.1" in site.requests[0].lower()


def test_a_compressed_response_is_decompressed(site: Site, fetcher: Fetcher) -> None:
    site.responses["/"] = response(gzip.compress(b"text"), Content_Encoding="gzip")
    assert fetcher.get(site.address).data == b"text"


def test_redirects_are_followed(site: Site, fetcher: Fetcher) -> None:
    site.responses["/a"] = response(status="301 Moved", Location="/b")
    site.responses["/b"] = response(status="302 Found", Location=f"{site.address}/c")
    site.responses["/c"] = response(b"text")
    assert (fetcher.get(f"{site.address}/a").url, site.paths()) == (f"{site.address}/c", ["/a", "/b", "/c"])


def test_an_unchanged_page_is_not_sent_again(site: Site, fetcher: Fetcher) -> None:
    site.responses["/"] = response(status="304 Not Modified", ETag='"1"')
    page = fetcher.get(f"{site.address}/", etag='"1"', modified="then")
    assert page == Page(f"{site.address}/", b"", etag='"1"', unchanged=True)
    assert 'if-none-match: "1"' in site.requests[0].lower()
    assert "if-modified-since: then" in site.requests[0].lower()


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        pytest.param(response(status="404 Not Found"), "the server answers 404 Not Found", id="missing"),
        pytest.param(response(status="500 Oh"), "the server answers 500 Oh", id="error"),
        pytest.param(response(status="204 No Content"), "the server answers 204 No Content", id="no content"),
        pytest.param(response(status="301 Moved"), "the server answers 301 Moved", id="redirect to nowhere"),
        pytest.param(response(status="301 Moved", Location="/"), "it redirects more than 3 times", id="redirect loop"),
        pytest.param(
            response(status="302 F", Location="file:///etc/passwd"),
            "only http and https are fetched, not file",
            id="file",
        ),
        pytest.param(
            response(status="302 F", Location="http://[x"), "it redirects to no web address: ", id="redirect to rubbish"
        ),
        pytest.param(response(b"x" * (2 << 20)), "it is larger than 1 MiB", id="large"),
        pytest.param(
            response(gzip.compress(b"\0" * (64 << 20)), Content_Encoding="gzip"), "it is larger than 1 MiB", id="bomb"
        ),
        pytest.param(
            response(b"rubbish", Content_Encoding="gzip"), "what the server sends cannot be unpacked", id="no gzip"
        ),
        pytest.param(response(b"cut", length=100), "the server's answer cannot be read: ", id="cut short"),
        pytest.param(b"rubbish\r\n\r\n", "the server's answer cannot be read: ", id="no HTTP"),
        pytest.param(b"", "the server's answer cannot be read: ", id="nothing"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 50_000, "the server's answer cannot be read: ", id="endless header"
        ),
    ],
)
def test_a_server_that_misbehaves_is_refused_with_the_reason(
    site: Site, fetcher: Fetcher, reply: bytes, reason: str
) -> None:
    site.responses["/"] = reply
    assert refusal(fetcher, f"{site.address}/").startswith(reason)


@pytest.mark.parametrize("reply", [STALL, response(b"begun", length=100) + STALL], ids=["at once", "in the body"])
def test_a_server_that_stalls_times_out(site: Site, reply: bytes) -> None:
    site.responses["/"] = reply
    with Fetcher(allow_private=True, timeout_s=0.2) as fetcher:
        assert refusal(fetcher, site.address) == "the server does not answer in time"


def test_an_endless_response_stops_at_the_deadline(site: Site) -> None:
    site.responses["/"] = response(b"x" * 500_000)
    with Fetcher(allow_private=True, deadline_s=60, clock=Clock(step=50.0)) as fetcher:
        assert refusal(fetcher, site.address) == "it took longer than 60 s"


def test_an_unreachable_server_is_refused(fetcher: Fetcher) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    assert refusal(fetcher, f"http://127.0.0.1:{port}/").startswith("the server cannot be reached: ")


def test_two_requests_to_one_host_have_a_pause_between(site: Site) -> None:
    site.responses["/"] = response(b"text")
    clock = Clock()
    with Fetcher(allow_private=True, delay_s=1.5, clock=clock, sleep=clock.sleep) as fetcher:
        for _ in range(3):
            fetcher.get(f"{site.address}/")
        clock.now += 5
        fetcher.get(f"{site.address}/")
    assert clock.slept == [1.5, 1.5]


def test_robots_txt_is_fetched_once_and_obeyed_if_asked_for(site: Site, fetcher: Fetcher) -> None:
    site.responses["/robots.txt"] = response(b"User-agent: *\nDisallow: /private/\n")
    site.responses["/a"] = site.responses["/private/a"] = response(b"text")
    assert fetcher.get(f"{site.address}/a", robots=True).data == b"text"
    assert refusal(fetcher, f"{site.address}/private/a", robots=True) == "the host's robots.txt does not allow it"
    assert fetcher.get(f"{site.address}/private/a").data == b"text"
    assert site.paths() == ["/robots.txt", "/a", "/private/a"]


def test_nothing_is_fetched_while_robots_txt_cannot_be_and_it_is_tried_again(site: Site, fetcher: Fetcher) -> None:
    site.responses["/robots.txt"] = response(status="503 Busy", Retry_After="60")
    site.responses["/a"] = response(b"text")
    with pytest.raises(SourceBusy) as caught:
        fetcher.get(f"{site.address}/a", robots=True)
    assert str(caught.value) == "the host's robots.txt cannot be read: the server answers 503 Busy"
    assert caught.value.retry_after_s == 60
    site.responses["/robots.txt"] = response(b"User-agent: *\nDisallow: /b")
    assert fetcher.get(f"{site.address}/a", robots=True).data == b"text"
    assert site.paths() == ["/robots.txt", "/robots.txt", "/a"]


def test_robots_txt_is_fetched_again_after_a_day_and_its_crawl_delay_is_kept(site: Site) -> None:
    site.responses["/robots.txt"] = response(
        b"User-agent: newsquote\nCrawl-delay: 7\nUser-agent: *\nCrawl-delay: 900\n"
    )
    site.responses["/a"] = response(b"text")
    clock = Clock()
    with Fetcher(allow_private=True, delay_s=1, clock=clock, sleep=clock.sleep) as fetcher:
        for _ in range(2):
            fetcher.get(f"{site.address}/a", robots=True)
        assert clock.slept == [7, 7]
        clock.now += 86_400
        site.responses["/robots.txt"] = response(b"User-agent: *\nCrawl-delay: 900\n")
        fetcher.get(f"{site.address}/a", robots=True)
    assert clock.slept == [7, 7, 30]
    assert site.paths() == ["/robots.txt", "/a", "/a", "/robots.txt", "/a"]


@pytest.mark.parametrize(
    ("stated", "wait_s"), [("120", 120), ("", 0), ("soon", 0), ("-5", 0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0)]
)
def test_a_busy_server_may_say_how_long_to_wait(site: Site, fetcher: Fetcher, stated: str, wait_s: float) -> None:
    site.responses["/"] = response(status="429 Too Many Requests", Retry_After=stated)
    with pytest.raises(SourceBusy, match="the server answers 429 Too Many Requests") as caught:
        fetcher.get(f"{site.address}/")
    assert caught.value.retry_after_s == wait_s


def test_a_host_without_robots_txt_allows_everything(site: Site, fetcher: Fetcher) -> None:
    site.responses["/a"] = response(b"text")
    assert fetcher.get(f"{site.address}/a", robots=True).data == b"text"


def test_a_fetcher_can_be_used_again_after_it_was_closed(site: Site, fetcher: Fetcher) -> None:
    site.responses["/"] = response(b"text")
    fetcher.close()
    fetcher.get(f"{site.address}/")
    fetcher.close()
    assert fetcher.get(f"{site.address}/").data == b"text"
