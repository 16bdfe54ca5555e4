"""A small local web server with canned responses, good or bad."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Site:
    """The response for each path, byte for byte, and the requests received. `release` ends stalled responses."""

    responses: dict[str, bytes | Callable[[str], bytes]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)
    address: str = ""

    def paths(self) -> list[str]:
        """The requested paths, in order."""
        return [request.split()[1] for request in self.requests]


def response(body: bytes = b"", *, status: str = "200 OK", length: int | None = None, **headers: str) -> bytes:
    """An HTTP response with these headers; underscores in their names stand for hyphens."""
    listed = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    size = len(body) if length is None else length
    return f"HTTP/1.1 {status}\r\nContent-Length: {size}\r\nConnection: close\r\n{listed}\r\n".encode() + body


STALL = b"(stall)"


@contextmanager
def serve_site() -> Iterator[Site]:
    """Serves a site on a free port until the block ends."""
    site = Site()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            request = b""
            while not request.endswith(b"\r\n\r\n") and (line := self.rfile.readline()):
                request += line
            if not request:
                return
            text = request.decode()
            site.requests.append(text)
            reply = site.responses.get(text.split()[1], response(b"no", status="404 Not Found"))
            data = reply(text) if callable(reply) else reply
            self.wfile.write(data.removesuffix(STALL))
            self.wfile.flush()
            if data.endswith(STALL):
                site.release.wait(30)

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """Ignores clients that hang up; tests do that on purpose."""

    with Server(("127.0.0.1", 0), Handler) as server:
        site.address = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield site
        finally:
            site.release.set()
            server.shutdown()
            thread.join()
