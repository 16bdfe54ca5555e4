"""HTTP servers: the webhook for Telegram's updates, and /health and /metrics. The only module that imports tornado."""

from __future__ import annotations

import hmac
import json
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler

log = logging.getLogger(__name__)

Server = HTTPServer
Take = Callable[[Sequence[Mapping[str, Any]]], Awaitable[None]]

BODY_LIMIT = 1 << 20  # bytes; an update is a few thousand


class _Quiet(Application):
    def log_request(self, handler: RequestHandler) -> None:
        """Log nothing: a request line may hold what nobody should read."""


class _Updates(RequestHandler):
    def initialize(self, secret: str, take: Take) -> None:
        self._secret = secret.encode()
        self._take = take

    async def post(self) -> None:
        shown = self.request.headers.get("X-Telegram-Bot-Api-Secret-Token", "").encode()
        if not hmac.compare_digest(shown, self._secret):
            log.warning("somebody without the secret sent an update")
            self.set_status(403)
            return
        try:
            update = json.loads(self.request.body)
            int(update["update_id"])
        except (ValueError, TypeError, KeyError):
            self.set_status(400)
            return
        await self._take([update])  # before the 200: what Telegram believes to be delivered must be stored


class _Text(RequestHandler):
    def initialize(self, text: Callable[[], tuple[int, str]]) -> None:
        self._text = text

    def get(self) -> None:
        status, text = self._text()
        self.set_status(status)
        self.set_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.finish(text)


def updates(
    address: str, path: str, *, secret: str, take: Take, certificate: tuple[Path, Path] | None = None
) -> Server:
    """Listen for updates at a path, with TLS where there is a certificate and its key.

    `take` returns once an update is stored; only then is it confirmed to Telegram.

    Raises:
        OSError: the address cannot be listened on, or the certificate cannot be used.
    """
    tls = None
    if certificate is not None:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(*certificate)
    application = _Quiet([(path or "/", _Updates, {"secret": secret, "take": take})])
    return _listening(HTTPServer(application, ssl_options=tls, max_body_size=BODY_LIMIT), address)


def watchers(address: str, *, health: Callable[[], str | None], metrics: Callable[[], str]) -> Server:
    """Serve /health, which says 503 and why where `health` gives a reason, and /metrics.

    Raises:
        OSError: the address cannot be listened on.
    """

    def state() -> tuple[int, str]:
        wrong = health()
        return (200, "ok\n") if wrong is None else (503, f"{wrong}\n")

    application = _Quiet([("/health", _Text, {"text": state}), ("/metrics", _Text, {"text": lambda: (200, metrics())})])
    return _listening(HTTPServer(application), address)


def _listening(server: Server, address: str) -> Server:
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.create_server((host.strip("[]"), int(port)), family=family)
    bound.setblocking(False)
    server.add_socket(bound)
    return server
