"""Fetches web pages within limits, and only from public addresses.

An address may come from a stranger: from a chat, a feed, a page that redirects. So only http and https are allowed,
every host is resolved here and refused if it leads into a private network, the connection goes to the very IP address
that was checked (a second look-up could give another), and size and time are limited.
"""

from __future__ import annotations

import datetime as dt
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit
from urllib.robotparser import RobotFileParser

from corpus.errors import SourceBusy, SourceError
from corpus.fetching.addresses import Resolve, check_address, follow_redirect, resolve_host
from corpus.fetching.transport import guarded_transport

if TYPE_CHECKING:
    import httpx

USER_AGENT = "newsquote/0.1 (quotes news articles with their source)"
_REDIRECT_STATUSES = (301, 302, 303, 307, 308)
# Worth trying again later: RFC 9110, 15.5 and 15.6, and RFC 6585, 4.
_BUSY_STATUSES = (429, 500, 502, 503, 504)
# robots.txt is fetched again after a day (RFC 9309, 2.4), and no more than 500 KiB of it are read (2.5).
_ROBOTS_LIFETIME_S = 86_400.0
_ROBOTS_SIZE_LIMIT = 500 << 10
# The longest pause between two requests to one host, whatever its robots.txt asks for.
_MAX_DELAY_S = 30.0


@dataclass(frozen=True, slots=True)
class Page:
    """A response. `url` is the address after redirects; `data` is empty if the page is `unchanged`."""

    url: str
    data: bytes = field(repr=False)
    charset: str | None = None
    etag: str | None = None
    modified: str | None = None
    unchanged: bool = False


class Fetcher:
    """Fetches pages one at a time, with a pause between two requests to the same host.

    `timeout_s` limits each network operation, `deadline_s` a whole response, `size_limit` its decompressed bytes.
    `allow_private` permits addresses in private networks. `clock` and `sleep` are parameters for tests.
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
        resolve: Resolve = resolve_host,
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
        self._last_request: dict[str, float] = {}
        self._robots: dict[str, tuple[float, RobotFileParser]] = {}
        self._deadline = 0.0
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
        """The page at an address; given the `etag` or `modified` of an earlier response, `unchanged` if it still holds.

        `robots` says to obey the host's robots.txt.

        Raises:
            SourceBusy: the server cannot be reached, is too slow, or says that it cannot answer now.
            SourceError: the address is not allowed, or the response is an error or too large.
        """
        import httpx

        conditions = {"If-None-Match": etag, "If-Modified-Since": modified}
        headers = {key: value for key, value in conditions.items() if value}
        for _ in range(self._redirect_limit + 1):
            url = check_address(url)
            if robots and not self.allowed_by_robots(url):
                raise SourceError("the host's robots.txt does not allow it")
            self._pause(url)
            self._deadline = self._clock() + self._deadline_s
            try:
                response = self._request(url, headers)
            except httpx.DecodingError as exc:
                raise SourceError("what the server sends cannot be unpacked") from exc
            except httpx.HTTPError as exc:
                raise self._translate(exc) from exc
            except (httpx.InvalidURL, UnicodeError) as exc:
                raise SourceError(f"it is not a web address: {exc}") from exc
            if isinstance(response, Page):
                return response
            url = follow_redirect(url, response)
        raise SourceError(f"it redirects more than {self._redirect_limit} times")

    def allowed_by_robots(self, url: str) -> bool:
        """Whether the host's robots.txt allows fetching the address; a host without one allows everything.

        Raises:
            SourceBusy: robots.txt cannot be fetched now, so nothing else may be (RFC 9309, 2.3.1.4).
        """
        return self._load_robots(url).can_fetch(self._user_agent, url)

    def _request(self, url: str, headers: dict[str, str]) -> Page | str:
        """The page, or the address that the server redirects to."""
        with self._open_client().stream("GET", url, headers=headers) as response:
            if response.status_code in _REDIRECT_STATUSES and "location" in response.headers:
                return str(response.headers["location"])
            etag, modified = response.headers.get("etag"), response.headers.get("last-modified")
            if response.status_code == 304:
                return Page(url, b"", etag=etag, modified=modified, unchanged=True)
            if response.status_code != 200:
                message = f"the server answers {response.status_code} {response.reason_phrase}".rstrip()
                if response.status_code in _BUSY_STATUSES:
                    raise SourceBusy(message, _retry_after_s(response.headers.get("retry-after", "")))
                raise SourceError(message)
            data = bytearray()
            for chunk in response.iter_bytes():
                data += chunk
                if len(data) > self._size_limit:
                    raise SourceError(f"it is larger than {self._size_limit >> 20} MiB")
                if self._seconds_left() <= 0:
                    raise SourceBusy(f"it took longer than {self._deadline_s:g} s")
            return Page(url, bytes(data), response.charset_encoding, etag, modified)

    def _open_client(self) -> httpx.Client:
        if self._client is None:
            import httpx

            # Only what httpx decompresses itself, chunk by chunk, so that the size limit stops a decompression bomb.
            headers = {"User-Agent": self._user_agent, "Accept-Encoding": "gzip, deflate", "Accept": "*/*"}
            transport = guarded_transport(self._resolve, self._seconds_left, allow_private=self._allow_private)
            self._client = httpx.Client(transport=transport, headers=headers, timeout=self._timeout_s)
        return self._client

    def _seconds_left(self) -> float:
        """Seconds left for the current response."""
        return self._deadline - self._clock()

    def _translate(self, exc: httpx.HTTPError) -> SourceError:
        import httpx

        match exc:
            case httpx.TimeoutException() if self._seconds_left() <= 0:
                return SourceBusy(f"it took longer than {self._deadline_s:g} s")
            case httpx.TimeoutException():
                return SourceBusy("the server does not answer in time")
            case httpx.ConnectError() if isinstance(exc.__cause__, ssl.SSLError) or "SSL" in str(exc):
                return SourceError(f"the server's certificate is not valid: {exc}")
            case httpx.NetworkError():
                return SourceBusy(f"the server cannot be reached: {str(exc) or type(exc).__name__}")
            case _:
                return SourceBusy(f"the server's answer cannot be read: {str(exc) or type(exc).__name__}")

    def _pause(self, url: str) -> None:
        """Waits until the host may be sent another request."""
        host = urlsplit(url).netloc
        if host in self._last_request:
            wait = self._last_request[host] + self._delay_s_for(url) - self._clock()
            if wait > 0:
                self._sleep(wait)
        self._last_request[host] = self._clock()

    def _delay_s_for(self, url: str) -> float:
        known = self._robots.get(urljoin(url, "/robots.txt"))
        wanted = known[1].crawl_delay(self._user_agent) if known else None
        return max(self._delay_s, min(float(wanted or 0), _MAX_DELAY_S))

    def _load_robots(self, url: str) -> RobotFileParser:
        base = urljoin(url, "/robots.txt")
        asked, rules = self._robots.get(base, (0.0, None))
        if rules is None or self._clock() - asked > _ROBOTS_LIFETIME_S:
            rules = RobotFileParser(base)
            try:
                text = self.get(base).data[:_ROBOTS_SIZE_LIMIT].decode("utf-8", "replace")
            except SourceBusy as exc:
                raise SourceBusy(f"the host's robots.txt cannot be read: {exc}", exc.retry_after_s) from exc
            except SourceError:
                text = ""
            rules.parse(text.splitlines())
            self._robots[base] = (self._clock(), rules)
        return rules


def _retry_after_s(header: str) -> float:
    """The seconds that a Retry-After header asks to wait, given as a number or a date; 0 if it is neither."""
    if header.strip().isdecimal():
        return float(header)
    try:
        until = parsedate_to_datetime(header)
    except (ValueError, TypeError):
        return 0.0
    if until.tzinfo is None:
        until = until.replace(tzinfo=dt.UTC)
    return max(0.0, (until - dt.datetime.now(dt.UTC)).total_seconds())
