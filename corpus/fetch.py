"""Addresses to bytes, with limits and an address guard: the only door to httpx.

An address may come from a stranger: from a chat, a feed, a page that redirects. So only http and https are spoken,
every host is resolved here and refused where it leads into a private network, the connection goes to the very address
that was checked (a second look-up could answer otherwise), and nothing is read without bounds.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit
from urllib.robotparser import RobotFileParser

from corpus.errors import SourceError

if TYPE_CHECKING:
    import httpx

USER_AGENT = "newsquote/0.1 (quotes news articles with their source)"
_REDIRECTS = (301, 302, 303, 307, 308)
_MISSING = "the host name cannot be found"
# Networks that the ipaddress module calls global, though what answers there may be inside: NAT64, 6to4, Teredo.
_TUNNELS = tuple(ipaddress.ip_network(n) for n in ("64:ff9b::/96", "2002::/16", "2001::/32", "100.64.0.0/10"))

Resolve = Callable[[str, int], list[str]]


@dataclass(frozen=True, slots=True)
class Page:
    """What an address answered. `url` is where it lay after redirects; `data` is empty where it is unchanged."""

    url: str
    data: bytes = field(repr=False)
    charset: str | None = None
    content_type: str = ""
    etag: str | None = None
    modified: str | None = None
    unchanged: bool = False


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host, in the order to try them.

    Raises:
        SourceError: it has none.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        raise SourceError(_MISSING) from exc
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: str) -> bool:
    """Whether the address is on the open internet, and no way into a network behind it."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    tunnelled = any(ip.version == network.version and ip in network for network in _TUNNELS)
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and not tunnelled


class Fetcher:
    """Fetches pages one at a time, politely: a pause between two requests to one host, and robots.txt where asked.

    `timeout_s` bounds each step, `deadline_s` a whole answer with its redirects, `size_limit` its unpacked bytes.
    `allow_private` lets addresses of the local network through. `clock` and `sleep` are parameters for tests.
    """

    def __init__(
        self,
        *,
        timeout_s: float = 15.0,
        deadline_s: float = 60.0,
        size_limit: int = 32 << 20,
        redirect_limit: int = 5,
        delay_s: float = 1.0,
        allow_private: bool = False,
        user_agent: str = USER_AGENT,
        resolve: Resolve = resolve,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._timeout_s = timeout_s
        self._deadline_s = deadline_s
        self._size_limit = size_limit
        self._redirect_limit = redirect_limit
        self._delay_s = delay_s
        self._allow_private = allow_private
        self._user_agent = user_agent
        self._resolve = resolve
        self._clock = clock
        self._sleep = sleep
        self._asked: dict[str, float] = {}
        self._robots: dict[str, RobotFileParser] = {}
        self._client: httpx.Client | None = None

    def __enter__(self) -> Fetcher:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections; the next fetch opens new ones."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def get(self, url: str, *, robots: bool = False, etag: str | None = None, modified: str | None = None) -> Page:
        """What the address answers. With `etag` or `modified` of an earlier answer, `unchanged` where it is the same.

        Raises:
            SourceError: the address is not allowed (with `robots`, by the host's robots.txt too), cannot be reached,
                or answers with an error, too slowly or too much.
        """
        import httpx

        deadline = self._clock() + self._deadline_s
        conditions = {"If-None-Match": etag, "If-Modified-Since": modified}
        headers = {key: value for key, value in conditions.items() if value}
        for _ in range(self._redirect_limit + 1):
            url = _checked(url)
            if robots and not self._robots_allow(url):
                raise SourceError("the host's robots.txt does not allow it")
            self._pause(url)
            try:
                answer = self._answer(url, headers, deadline)
            except httpx.HTTPError as exc:
                raise SourceError(_reason(exc)) from exc
            except (httpx.InvalidURL, UnicodeError) as exc:
                raise SourceError(f"it is not a web address: {exc}") from exc
            if isinstance(answer, Page):
                return answer
            url = _joined(url, answer)
        raise SourceError(f"it redirects more than {self._redirect_limit} times")

    def _answer(self, url: str, headers: dict[str, str], deadline: float) -> Page | str:
        """The page, or the address it redirects to."""
        with self._opened().stream("GET", url, headers=headers) as response:
            if response.status_code in _REDIRECTS and "location" in response.headers:
                return str(response.headers["location"])
            etag, modified = response.headers.get("etag"), response.headers.get("last-modified")
            if response.status_code == 304:
                return Page(url, b"", etag=etag, modified=modified, unchanged=True)
            if response.status_code != 200:
                raise SourceError(f"the server answers {response.status_code} {response.reason_phrase}".rstrip())
            data = bytearray()
            for chunk in response.iter_bytes():
                data += chunk
                if len(data) > self._size_limit:
                    raise SourceError(f"it is larger than {self._size_limit >> 20} MiB")
                if self._clock() > deadline:
                    raise SourceError(f"it took longer than {self._deadline_s:g} s")
            kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
            return Page(url, bytes(data), response.charset_encoding, kind, etag, modified)

    def _opened(self) -> httpx.Client:
        if self._client is None:
            import httpx

            # Only what httpx unpacks by itself, piece by piece, so that a bomb meets the limit on its size.
            headers = {"User-Agent": self._user_agent, "Accept-Encoding": "gzip, deflate", "Accept": "*/*"}
            transport = _transport(self._resolve, allow_private=self._allow_private)
            self._client = httpx.Client(transport=transport, headers=headers, timeout=self._timeout_s)
        return self._client

    def _pause(self, url: str) -> None:
        host = urlsplit(url).netloc
        if host in self._asked:
            wait = self._asked[host] + self._delay_s - self._clock()
            if wait > 0:
                self._sleep(wait)
        self._asked[host] = self._clock()

    def _robots_allow(self, url: str) -> bool:
        base = urljoin(url, "/robots.txt")
        if base not in self._robots:
            rules = RobotFileParser(base)
            try:
                rules.parse(self.get(base).data.decode("utf-8", "replace").splitlines())
            except SourceError:
                # A host without rules forbids nothing.
                rules.parse([])
            self._robots[base] = rules
        return self._robots[base].can_fetch(self._user_agent, url)


def _checked(url: str) -> str:
    """The address, its host in the form DNS knows.

    Raises:
        SourceError: it is none that is fetched.
    """
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError as exc:
        raise SourceError(f"it is not a web address: {exc}") from exc
    if parts.scheme.lower() not in ("http", "https"):
        raise SourceError(f"only http and https are fetched, not {parts.scheme or 'an address without scheme'}")
    if not host:
        raise SourceError("it is not a web address: it names no host")
    if parts.username or parts.password:
        raise SourceError("an address with a user name or password is not fetched")
    return parts.geturl()


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError as exc:
        raise SourceError(f"it redirects to no web address: {exc}") from exc


def _reason(exc: httpx.HTTPError) -> str:
    import httpx

    match exc:
        case httpx.TimeoutException():
            return "the server does not answer in time"
        case httpx.DecodingError():
            return "what the server sends cannot be unpacked"
        case httpx.ConnectError() if isinstance(exc.__cause__, ssl.SSLError) or "SSL" in str(exc):
            return f"the server's certificate is not valid: {exc}"
        case httpx.NetworkError():
            return f"the server cannot be reached: {str(exc) or type(exc).__name__}"
        case _:
            return f"the server's answer cannot be read: {str(exc) or type(exc).__name__}"


def _transport(resolve: Resolve, *, allow_private: bool) -> httpx.BaseTransport:
    """A transport of httpx whose connections pass the guard; httpx itself has no place to put one."""
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

    class Guard(httpcore.SyncBackend):
        """Connects to addresses that were checked, never to a name."""

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
                    return super().connect_tcp(address, port, timeout, local_address, socket_options)
                except (httpcore.ConnectError, httpcore.ConnectTimeout) as exc:
                    failure = exc
            raise failure or SourceError(_MISSING)

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
