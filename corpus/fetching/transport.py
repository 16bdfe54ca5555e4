"""An httpx transport that connects to checked IP addresses only, and keeps to a deadline."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from corpus.errors import SourceError
from corpus.fetching.addresses import HOST_NOT_FOUND, Resolve, is_public

if TYPE_CHECKING:
    import httpx


def guarded_transport(
    resolve: Resolve, seconds_left: Callable[[], float], *, allow_private: bool
) -> httpx.BaseTransport:
    """A transport that checks each IP address before it connects; httpx itself has no hook for that.

    `seconds_left` returns how long the response may still take. Timeouts alone do not limit that: a server that sends a
    byte now and then never exceeds one.
    """
    import httpcore
    import httpx

    @contextmanager
    def translated() -> Iterator[None]:
        try:
            yield
        except httpcore.TimeoutException as exc:
            raise httpx.TimeoutException(str(exc)) from exc
        except httpcore.ConnectError as exc:
            raise httpx.ConnectError(str(exc)) from exc
        except httpcore.NetworkError as exc:
            raise httpx.NetworkError(str(exc)) from exc
        except (httpcore.ProtocolError, httpcore.UnsupportedProtocol) as exc:
            raise httpx.RemoteProtocolError(str(exc)) from exc

    class Timed(httpcore.NetworkStream):
        """A connection whose every step is limited to the time left."""

        def __init__(self, inner: httpcore.NetworkStream) -> None:
            self._inner = inner

        def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
            return self._inner.read(max_bytes, within(timeout))

        def write(self, buffer: bytes, timeout: float | None = None) -> None:
            self._inner.write(buffer, within(timeout))

        def close(self) -> None:
            self._inner.close()

        def start_tls(
            self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
        ) -> httpcore.NetworkStream:
            return Timed(self._inner.start_tls(ssl_context, server_hostname, within(timeout)))

        def get_extra_info(self, info: str) -> object:
            return self._inner.get_extra_info(info)

    def within(timeout: float | None) -> float:
        left = seconds_left()
        if left <= 0:
            raise httpcore.ReadTimeout("the deadline has passed")
        return left if timeout is None else min(timeout, left)

    class Guard(httpcore.SyncBackend):
        """Connects to IP addresses that were checked, never to a host name."""

        def connect_tcp(
            self,
            host: str,
            port: int,
            timeout: float | None = None,
            local_address: str | None = None,
            socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
        ) -> httpcore.NetworkStream:
            addresses = resolve(host, port)
            if not allow_private and not all(map(is_public, addresses)):
                raise SourceError(f"{host} is in a private network, which is not fetched from")
            failure: Exception | None = None
            for address in addresses:
                try:
                    stream = super().connect_tcp(address, port, within(timeout), local_address, socket_options)
                    return Timed(stream)
                except (httpcore.ConnectError, httpcore.ConnectTimeout) as exc:
                    failure = exc
            raise failure or SourceError(HOST_NOT_FOUND)

    class Transport(httpx.BaseTransport):
        def __init__(self) -> None:
            self._pool = httpcore.ConnectionPool(
                ssl_context=ssl.create_default_context(), network_backend=Guard(), max_connections=8
            )

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            raw = request.url
            with translated():
                answer = self._pool.handle_request(
                    httpcore.Request(
                        method=request.method,
                        url=httpcore.URL(scheme=raw.raw_scheme, host=raw.raw_host, port=raw.port, target=raw.raw_path),
                        headers=request.headers.raw,
                        extensions=request.extensions,
                    )
                )
            return httpx.Response(
                answer.status, headers=answer.headers, stream=Body(answer), extensions=answer.extensions
            )

        def close(self) -> None:
            self._pool.close()

    class Body(httpx.SyncByteStream):
        def __init__(self, answer: httpcore.Response) -> None:
            self._answer = answer

        def __iter__(self) -> Iterator[bytes]:
            with translated():
                yield from self._answer.iter_stream()

        def close(self) -> None:
            self._answer.close()

    return Transport()
