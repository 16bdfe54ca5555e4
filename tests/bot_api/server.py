"""The HTTP door of a `World`, on a free local port, a thread for each connection."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import urllib.parse
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from tests.bot_api.checks import ApiError, Json
from tests.bot_api.world import Fault, World


class Server:
    """Serves a world until closed; `proxy` is where webhook deliveries go in place of their https address' host."""

    def __init__(self, world: World | None = None, *, proxy: str | None = None, port: int = 0) -> None:
        self.world = world or World()
        self.proxy = proxy
        self._closing = threading.Event()
        handler = type("Handler", (_Handler,), {"world": self.world, "closing": self._closing})
        self._http = _Threads(("127.0.0.1", port), handler)
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        self._threads = [
            threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True),
            threading.Thread(target=self._deliver, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up on everybody."""
        if self._closing.is_set():
            return
        self._closing.set()
        with self.world.changed:
            self.world._poller += 1
            self.world.changed.notify_all()
        self._http.shutdown()
        self._http.hang_up()
        self._http.server_close()
        for thread in self._threads:
            thread.join(5)

    def _deliver(self) -> None:
        """Post updates to the webhook, one after the other, again until it takes them."""
        while not self._closing.is_set():
            with self.world.changed:
                self.world.changed.wait_for(lambda: self._closing.is_set() or self.world.due(), 1)
                update, webhook = self.world.due(), dict(self.world.webhook)
            if update is None or self._closing.is_set():
                continue
            address = urllib.parse.urlsplit(webhook["url"])
            local = urllib.parse.urlsplit(self.proxy or webhook["url"])
            connection = http.client.HTTPConnection(local.hostname or "", local.port or 80, timeout=10)
            headers = {"Content-Type": "application/json", "X-Telegram-Bot-Api-Secret-Token": webhook["secret_token"]}
            try:
                connection.request("POST", address.path or "/", json.dumps(update), headers)
                taken = connection.getresponse().status == 200
            except OSError:
                taken = False
            finally:
                connection.close()
            if taken:
                self.world.delivered(update)
            else:
                self._closing.wait(0.05)


class _Threads(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 512

    def __init__(self, *args: Any) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are everyday life here."""

    def hang_up(self) -> None:
        for request in list(self._open):
            try:
                request.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


class _Handler(BaseHTTPRequestHandler):
    world: World
    closing: threading.Event
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing: tests look at the world."""

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        url = urllib.parse.urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if url.path == "/control":
            return self._control(json.loads(body))
        parts = urllib.parse.unquote(url.path).split("/", 3)
        if parts[1] == "file" and len(parts) == 4:
            return self._file(parts[2], parts[3])
        if len(parts) != 3 or not parts[1].startswith("bot"):
            return self._refuse(ApiError(404, "Not Found"))
        if parts[1] != f"bot{self.world.token}":
            return self._refuse(ApiError(401, "Unauthorized"))
        method = _METHODS.get(parts[2].lower(), parts[2])
        try:
            params = _parameters(url.query, body, self.headers.get("Content-Type", ""))
        except (ValueError, UnicodeDecodeError):
            return self._refuse(ApiError(400, "Bad Request: can't parse request parameters"))
        fault = self.world.strike(method)
        if fault and not self._hit(fault, method, params):
            return None
        try:
            return self._answer(200, {"ok": True, "result": self.world.call(method, params)})
        except ApiError as exc:
            return self._refuse(exc)

    def _hit(self, fault: Fault, method: str, params: Json) -> bool:
        """Do what goes wrong; whether the request is handled after that."""
        match fault.kind:
            case "429":
                self._refuse(
                    ApiError(429, f"Too Many Requests: retry after {fault.seconds:.0f}", retry_after=int(fault.seconds))
                )
            case "500":
                self._refuse(ApiError(500, "Internal Server Error"))
            case "502":
                self._raw(502, b"<html><head><title>502 Bad Gateway</title></head></html>", "text/html")
            case "slow":
                self.closing.wait(fault.seconds)
                return True
            case "drop_after":
                with contextlib.suppress(ApiError):
                    self.world.call(method, params)
                self._drop()
            case _:
                self._drop()
        return False

    def _drop(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _control(self, order: Json) -> None:
        """What a test in another process asks: {"do": a method of World, "with": its arguments}."""
        try:
            result = getattr(self.world, order["do"])(**order.get("with", {}))
        except (AssertionError, AttributeError, KeyError, StopIteration, TypeError) as exc:
            return self._answer(500, {"error": repr(exc)})
        return self._answer(200, {"result": result})

    def _file(self, bot: str, path: str) -> None:
        raw = self.world.file(path) if bot == f"bot{self.world.token}" else None
        if raw is None:
            return self._refuse(ApiError(404, "Not Found"))
        return self._raw(200, raw, "application/octet-stream")

    def _refuse(self, exc: ApiError) -> None:
        about = {"parameters": exc.parameters} if exc.parameters else {}
        self._answer(exc.status, {"ok": False, "error_code": exc.status, "description": exc.description, **about})

    def _answer(self, status: int, body: Any) -> None:
        self._raw(status, json.dumps(body).encode(), "application/json")

    def _raw(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


_METHODS = {
    name.lower(): name
    for name in [
        "getMe",
        "getUpdates",
        "setWebhook",
        "deleteWebhook",
        "getWebhookInfo",
        "sendMessage",
        "editMessageText",
        "editMessageReplyMarkup",
        "deleteMessage",
        "sendChatAction",
        "answerCallbackQuery",
        "answerInlineQuery",
        "setMyCommands",
        "deleteMyCommands",
        "getMyCommands",
        "getFile",
        "getChat",
        "leaveChat",
    ]
}

_STRUCTURED = frozenset(
    [
        "entities",
        "reply_markup",
        "reply_parameters",
        "link_preview_options",
        "allowed_updates",
        "results",
        "commands",
        "scope",
        "button",
    ]
)
_NUMBERS = frozenset(["chat_id", "message_id", "message_thread_id", "offset", "limit", "timeout", "cache_time"])
_FLAGS = frozenset(["drop_pending_updates", "show_alert", "is_personal", "disable_notification", "protect_content"])


def _parameters(query: str, body: bytes, kind: str) -> Json:
    """A request's parameters in their types, whether they came in the URL, as a form, in parts or as JSON."""
    params: Json = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
    if kind.startswith("application/json") and body:
        params |= json.loads(body)
    elif kind.startswith("multipart/form-data"):
        message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
        for part in message.iter_parts():
            name = part.get_param("name", header="content-disposition")
            params[str(name)] = part.get_payload(decode=True)
    else:
        params |= dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True))
    return {name: _typed(name, value) for name, value in params.items()}


def _typed(name: str, value: Any) -> Any:
    if isinstance(value, bytes):
        value = value.decode()
    if not isinstance(value, str):
        return value
    if name in _STRUCTURED:
        return json.loads(value)
    if name in _NUMBERS and value.lstrip("-").isdigit():
        return int(value)
    if name in _FLAGS:
        return value.lower() == "true"
    return value
