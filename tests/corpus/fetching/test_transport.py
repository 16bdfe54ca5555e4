"""A connection goes to an address that was checked, and ends at the deadline."""

from __future__ import annotations

import contextlib
import socketserver
import threading

import pytest

from corpus.fetching import transport
from corpus.fetching.fetcher import Fetcher
from tests.corpus.fetching.refusals import refusal
from tests.corpus.servers import Site, response


class Dripping(socketserver.StreamRequestHandler):
    """Answers with a byte every twentieth of a second and never comes to an end of its header."""

    def handle(self) -> None:
        self.rfile.readline()
        with contextlib.suppress(OSError):
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
            while not self.server.stopped.wait(0.05):  # type: ignore[attr-defined]
                self.wfile.write(b"x")


def test_a_header_sent_byte_by_byte_stops_at_the_deadline() -> None:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Dripping) as server:
        server.stopped = threading.Event()  # type: ignore[attr-defined]
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            with Fetcher(allow_private=True, timeout_s=5, deadline_s=0.4) as fetcher:
                reason = refusal(fetcher, f"http://127.0.0.1:{server.server_address[1]}/")
        finally:
            server.stopped.set()  # type: ignore[attr-defined]
            server.shutdown()
            thread.join()
    assert reason == "it took longer than 0.4 s"


def test_a_server_without_tls_is_refused_over_https(site: Site) -> None:
    site.responses["/"] = response(b"text")
    with Fetcher(allow_private=True, timeout_s=0.3) as fetcher:
        assert refusal(fetcher, site.address.replace("http", "https")).startswith("the server")


def test_a_redirect_into_a_private_network_is_refused(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "is_public", lambda address: address == "127.0.0.1")
    site.responses["/"] = response(status="302 Found", Location="http://169.254.169.254/latest/meta-data")
    with Fetcher(delay_s=0) as fetcher:
        assert refusal(fetcher, site.address) == "169.254.169.254 is in a private network, which is not fetched from"


def test_the_connection_goes_to_the_address_that_was_checked(site: Site) -> None:
    port = int(site.address.rpartition(":")[2])
    site.responses["/"] = response(b"text")
    looked_up: list[str] = []

    def resolve_once(host: str, _: int) -> list[str]:
        looked_up.append(host)
        return ["127.0.0.1"]

    with Fetcher(resolve=resolve_once, allow_private=True) as fetcher:
        assert fetcher.get(f"http://no-such-host.invalid:{port}/").data == b"text"
    assert looked_up == ["no-such-host.invalid"]
    assert f"host: no-such-host.invalid:{port}" in site.requests[0].lower()


def test_the_next_address_is_tried_where_one_does_not_answer(site: Site) -> None:
    port = int(site.address.rpartition(":")[2])
    site.responses["/"] = response(b"text")
    with Fetcher(resolve=lambda *_: ["127.0.0.2", "127.0.0.1"], allow_private=True, timeout_s=2) as fetcher:
        assert fetcher.get(f"http://x.kw:{port}/").data == b"text"
