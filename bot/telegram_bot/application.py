"""The Telegram bot as a process: polls, hands updates on, retries what fails, stops without losing anything.

How it errs: a message that Telegram took while its reply was lost on the way is sent again. The Bot API has no
idempotency key, so one must choose between an answer that comes twice and one that never comes.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any
from urllib.parse import urlsplit

from telegram import (
    Bot,
    BotCommandScope,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
    BotCommandScopeDefault,
    Update,
)
from telegram.error import BadRequest, Conflict, InvalidToken, NetworkError, RetryAfter, TelegramError
from telegram.ext import AIORateLimiter, Application, ApplicationBuilder
from telegram.request import HTTPXRequest

from bot import logs
from bot.conversation.admin import Editor, LibraryAdmin
from bot.conversation.chatbot import ADMIN, GROUP, PRIVATE, Chatbot
from bot.service.engine import AnswerTimeout, Engine
from bot.service.state import StateDatabase, StateError
from bot.settings import Settings
from bot.telegram_bot import webhook
from bot.telegram_bot.handlers import Handlers, offer
from bot.telegram_bot.inbox import Inbox
from retrieval.errors import RetrievalError

os.environ.setdefault("PTB_TIMEDELTA", "true")  # retry_after as a timedelta, as the library's next version has it

log = logging.getLogger(__name__)

DONE, WRONG_USE, FAILED = 0, 2, 3

ALLOWED = ["message", "edited_message", "callback_query", "inline_query", "my_chat_member"]
POLL_S = 25
READ_S = 20.0  # an answer to a request that takes longer counts as lost, and the request is made again
START_S = 12.0  # how long the server may be away at the start
PATIENCE_S = 600.0  # how long a message is tried again
STOP_S = 20.0  # how long what was asked may take to be answered when the bot stops
LONGEST_PAUSE_S = 15.0
UNKEPT_S = 2.0
CONFIRM_S = 3.0
MANY = 8
ANNOUNCE_S = 15.0
BRIEF_S = 0.25  # between two requests to a server that does not hold one until there is something to tell

_INSISTENT = frozenset({"sendMessage", "editMessageText"})


class Understood(HTTPXRequest):
    """Fetches updates, and reduces those the library cannot read to their numbers.

    One of them would otherwise stop all that come after it, and be printed with everything it says.
    """

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """The answer to a request."""
        answer = HTTPXRequest.parse_json_payload(payload)
        if isinstance(answer.get("result"), list):
            answer["result"] = [_understood(update) for update in answer["result"] if _numbered(update)]
        return answer


def _numbered(update: object) -> bool:
    return isinstance(update, dict) and isinstance(update.get("update_id"), int)


def _understood(update: dict[str, Any]) -> dict[str, Any]:
    try:
        Update.de_json(dict(update), None)
    except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, OSError) as exc:
        log.warning("an update was left out that cannot be read (%s)", type(exc).__name__)
        return {"update_id": update["update_id"]}
    return update


class _Later(Exception):
    """Telegram asks to come back after some seconds."""

    def __init__(self, refusal: RetryAfter) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal
        after = refusal.retry_after
        self.seconds = after.total_seconds() if isinstance(after, dt.timedelta) else float(after)


class Patient(AIORateLimiter):
    """Keeps to Telegram's limits, comes back when told to, and repeats requests that the network or server lost.

    Messages are repeated for `PATIENCE_S`, everything else three times. Being told to come back later holds up that
    chat alone, and everybody once `MANY` chats were told so: then it is the bot that is too fast.
    """

    def __init__(
        self, *, first_pause_s: float = 0.5, rate: float = 30, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(overall_max_rate=rate)
        self._first_pause_s = first_pause_s
        self._clock = clock
        self._until: dict[object, float] = {}

    async def process_request(
        self,
        callback: Callable[..., Coroutine[Any, Any, Any]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: int | None,
    ) -> Any:
        """Make a request, again where it was lost or came too early."""

        async def once(*args: Any, **kwargs: Any) -> Any:
            try:
                return await callback(*args, **kwargs)
            except RetryAfter as exc:  # as another error, or AIORateLimiter would hold up everybody
                raise _Later(exc) from exc

        began, pause, tries, chat = self._clock(), self._first_pause_s, 0, data.get("chat_id")
        while True:
            await self._calm(chat)
            try:
                return await super().process_request(once, args, kwargs, endpoint, data, rate_limit_args)
            except BadRequest:
                raise
            except (NetworkError, _Later) as exc:
                tries += 1
                insistent = endpoint in _INSISTENT and self._clock() - began < PATIENCE_S
                if not (insistent or tries < 3):
                    if isinstance(exc, _Later):
                        raise exc.refusal from None
                    raise
                if isinstance(exc, _Later):
                    log.info("%s came too early, trying again in %.1f s", endpoint, exc.seconds)
                    self._until[chat] = self._clock() + exc.seconds + 0.1
                    continue
                log.info("%s was lost, trying again in %.1f s", endpoint, pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)

    async def _calm(self, chat: object) -> None:
        """Wait until Telegram hears of a chat again."""
        now = self._clock()
        self._until = {held: until for held, until in self._until.items() if until > now}
        until = max(self._until.values()) if len(self._until) >= MANY else self._until.get(chat, now)
        if until > now:
            await asyncio.sleep(until - now)


class Stopped(Exception):
    """The bot cannot go on; one line for a person, and the exit status."""

    def __init__(self, why: str, status: int = FAILED) -> None:
        super().__init__(why)
        self.status = status


def run(
    settings: Settings,
    engine: Callable[[], Engine],
    *,
    editor: Editor | None = None,
    tell: Callable[[str], None] | None = None,
    rate: float = 30,
) -> int:
    """Run the bot until SIGTERM or SIGINT; its exit status: 0 stopped, 2 a wrong setting, 3 it failed.

    `engine` is called once, inside the event loop. Admins change the library with `editor`. `tell` shows a line to the
    person who started the bot. `rate` is how many messages Telegram takes in a second.

    Raises:
        OSError: state.db cannot be used.
    """
    tell = tell or _to_stderr
    token = settings.telegram_token
    if token is None:
        tell("no token: get one from @BotFather and set NEWSQUOTE_TELEGRAM_TOKEN")
        return WRONG_USE
    mask = logs.SecretFilter(token)
    for handler in logging.getLogger().handlers:
        handler.addFilter(mask)
    logs.quiet_leaky_loggers()
    try:
        asyncio.run(TelegramBot(settings, token, tell, editor, rate=rate).main(engine))
    except Stopped as stopped:
        tell(str(stopped).replace(token, "<token>"))
        return stopped.status
    finally:
        for handler in logging.getLogger().handlers:
            handler.removeFilter(mask)
    return DONE


def build(
    token: str, api_url: str | None, *, rate: float = 30, first_pause_s: float = 0.5
) -> Application[Any, Any, Any, Any, Any, Any]:
    """An application for a bot, with the Bot API server at `api_url` or Telegram's own."""
    builder = (
        ApplicationBuilder()
        .token(token)
        .updater(None)
        .rate_limiter(Patient(rate=rate, first_pause_s=first_pause_s))
        .request(HTTPXRequest(connection_pool_size=128, read_timeout=READ_S, pool_timeout=READ_S))
        .get_updates_request(Understood(connection_pool_size=2, read_timeout=READ_S))
    )
    if api_url is not None:
        builder = builder.base_url(f"{api_url}/bot").base_file_url(f"{api_url}/file/bot")
    return builder.build()


class TelegramBot:
    """The bot from its first request to its last. `tell` shows a line to the person who started it."""

    def __init__(
        self,
        settings: Settings,
        token: str,
        tell: Callable[[str], None],
        editor: Editor | None = None,
        *,
        rate: float = 30,
    ) -> None:
        self._settings = settings
        self._token = token
        self._tell = tell
        self._editor = editor
        self._rate = rate
        self._heard_at = time.monotonic()
        self._stop = asyncio.Event()
        self._offset: int | None = None  # of the first update that Telegram has not been asked for

    async def main(self, open_engine: Callable[[], Engine]) -> None:
        """Serve until SIGTERM or SIGINT.

        Raises:
            Stopped: it cannot go on.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        try:
            await self.serve(open_engine)
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)

    def stop(self) -> None:
        """Finish what was asked and end `serve`."""
        self._stop.set()

    async def serve(self, open_engine: Callable[[], Engine]) -> None:
        """Serve until told to stop.

        Raises:
            Stopped: it cannot go on.
            OSError: state.db cannot be used.
        """
        if self._settings.telegram_webhook_url and not self._settings.telegram_webhook_secret:
            raise Stopped("a webhook needs a secret: set NEWSQUOTE_TELEGRAM_WEBHOOK_SECRET", WRONG_USE)
        application = build(self._token, self._settings.telegram_api_url, rate=self._rate)
        with StateDatabase(self._settings.home / "state.db") as state:
            async with open_engine() as engine:
                host = Chatbot(
                    engine,
                    state,
                    desk=LibraryAdmin(self._editor, state) if self._editor else None,
                    admins=self._settings.telegram_admins,
                    keep_questions=self._settings.telegram_keep_questions,
                )
                handlers = Handlers(host)
                handlers.register(application)
                try:
                    await self._begin(application)
                    await self._until_stopped(application, host, handlers)
                finally:
                    await application.shutdown()
                    await application.bot.request.shutdown()  # shutdown() leaves it open where nothing was begun

    async def _begin(self, application: Application[Any, Any, Any, Any, Any, Any]) -> None:
        """Find out who the bot is, and take it off any webhook."""
        began, pause, bot = time.monotonic(), 0.5, application.bot
        while True:
            try:
                await application.initialize()
                if not self._settings.telegram_webhook_url:
                    await _leave_webhook(bot)
                break
            except InvalidToken as exc:
                raise Stopped(
                    "Telegram does not know this token: copy it again from @BotFather into NEWSQUOTE_TELEGRAM_TOKEN",
                    WRONG_USE,
                ) from exc
            except TelegramError as exc:
                if self._stop.is_set() or time.monotonic() - began > START_S:
                    raise Stopped(f"{self._server} cannot be reached ({_brief(exc)}); is the address right?") from exc
            await self._pause(pause)
            pause = min(2 * pause, 4.0)
        self._tell(f"@{bot.username} is running; Ctrl-C stops it.")
        if bot.supports_inline_queries is False:
            self._tell("inline mode is off; /setinline at @BotFather lets people share quotes and ask in any chat.")

    async def _until_stopped(
        self, application: Application[Any, Any, Any, Any, Any, Any], host: Chatbot, handlers: Handlers
    ) -> None:
        bot = application.bot

        async def handle(update: dict[str, Any]) -> None:
            await application.process_update(Update.de_json(update, bot))
            host.metrics.count("updates")

        inbox = Inbox(host.store, handle)
        servers = self._listen(inbox, host)
        left = await inbox.replay()
        if left:
            log.warning("answering %d updates that an earlier run left", left)
        receive = self._wait_for_updates if self._settings.telegram_webhook_url else self._poll
        receiving = asyncio.create_task(receive(bot, inbox))
        stopping = asyncio.create_task(self._stop.wait())
        menu = asyncio.create_task(_set_commands(bot, self._settings.telegram_admins))
        announcing = asyncio.create_task(self._announce(bot, host.store, handlers))
        await asyncio.wait({receiving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        for server in servers:
            server.stop()
        self._stop.set()
        for task in (receiving, menu):
            task.cancel()
        results: list[object] = [*await asyncio.gather(receiving, menu, return_exceptions=True)]
        if not await inbox.drain(STOP_S):
            log.warning("%d updates are left for the next run", inbox.waiting)
        await asyncio.wait({announcing}, timeout=STOP_S)  # or somebody would be told of the same articles again
        announcing.cancel()
        results += await asyncio.gather(announcing, stopping, return_exceptions=True)
        for server in servers:
            await server.close_all_connections()
        for result in results:
            if isinstance(result, Exception):
                raise result
        await self._confirm(bot, host.store)

    def _listen(self, inbox: Inbox, host: Chatbot) -> list[webhook.Server]:
        """Listen for updates and for those who watch, where the settings say so."""
        settings, servers = self._settings, []
        try:
            if settings.telegram_webhook_url and settings.telegram_webhook_secret:
                pair = settings.telegram_webhook_cert, settings.telegram_webhook_key
                servers.append(
                    webhook.updates(
                        settings.telegram_webhook_listen,
                        urlsplit(settings.telegram_webhook_url).path,
                        secret=settings.telegram_webhook_secret,
                        take=inbox.take,
                        certificate=(pair[0], pair[1]) if pair[0] and pair[1] else None,
                    )
                )
            if settings.telegram_metrics:

                def metrics() -> str:
                    return host.metrics.text({"waiting": inbox.waiting, "engine_waiting": host.engine.waiting})

                servers.append(webhook.watchers(settings.telegram_metrics, health=self._ailment, metrics=metrics))
        except OSError as exc:
            raise Stopped(f"cannot listen: {exc.strerror or exc}") from exc
        return servers

    def _ailment(self) -> str | None:
        """What is wrong, for those who watch."""
        silent_s = time.monotonic() - self._heard_at
        if self._settings.telegram_webhook_url or silent_s < 2 * (POLL_S + READ_S):
            return None
        return f"nothing heard from the Bot API server for {silent_s:.0f} s"

    async def _wait_for_updates(self, bot: Bot, inbox: Inbox) -> None:  # noqa: ARG002
        """Have updates sent to the webhook until cancelled."""
        settings = self._settings
        try:
            await bot.set_webhook(
                settings.telegram_webhook_url or "",
                certificate=settings.telegram_webhook_cert,
                allowed_updates=ALLOWED,
                secret_token=settings.telegram_webhook_secret,
            )
        except TelegramError as exc:
            raise Stopped(f"the webhook could not be set: {_brief(exc)}") from exc
        await asyncio.Event().wait()

    async def _poll(self, bot: Bot, inbox: Inbox) -> None:
        """Fetch updates until told to stop; each batch is kept before the next request confirms it."""
        pause, conflicts, away = 0.5, 0, False
        while not self._stop.is_set():
            asked = time.monotonic()
            try:
                updates = await bot.get_updates(self._offset, timeout=POLL_S, allowed_updates=ALLOWED)
            except InvalidToken as exc:
                raise Stopped("Telegram no longer accepts this token; @BotFather has the new one", WRONG_USE) from exc
            except Conflict as exc:
                # The older of two pollers is told so. One that is told twice in a row is not the one to stay.
                conflicts += 1
                if conflicts > 1:
                    raise Stopped(
                        "another program is receiving this bot's updates; only one can: stop the other, or this one"
                    ) from exc
                await self._pause(2 * pause)
            except RetryAfter as exc:
                await self._pause(_Later(exc).seconds)
            except TelegramError as exc:
                if not away and pause > 1:
                    log.warning("%s cannot be reached (%s); trying again", self._server, _brief(exc))
                    away = True
                await self._pause(pause)
                pause = min(2 * pause, LONGEST_PAUSE_S)
            else:
                if away:
                    log.warning("%s can be reached again", self._server)
                pause, conflicts, away, self._heard_at = 0.5, 0, False, time.monotonic()
                if updates and await self._taken(inbox, updates):
                    self._offset = max(update.update_id for update in updates) + 1
                elif time.monotonic() - asked < BRIEF_S:
                    await self._pause(BRIEF_S)

    async def _confirm(self, bot: Bot, store: StateDatabase) -> None:
        """Tell Telegram which updates we have, as the next request would have done."""
        if self._offset is None:
            return
        try:
            async with asyncio.timeout(CONFIRM_S):
                await bot.get_updates(self._offset, limit=1, timeout=0, allowed_updates=ALLOWED)
            store.confirm_updates(self._offset)
        except (TelegramError, StateError, TimeoutError) as exc:
            log.info("the last updates could not be confirmed: %s", _brief(exc))

    async def _taken(self, inbox: Inbox, updates: Sequence[Update]) -> bool:
        """Whether updates could be kept; where they could not, Telegram is not told that we have them."""
        try:
            await inbox.take([update.to_dict() for update in updates])
        except StateError as exc:
            log.error("state.db cannot be written (%s); trying again", exc)
            await self._pause(UNKEPT_S)
            return False
        return True

    async def _announce(self, bot: Bot, store: StateDatabase, handlers: Handlers) -> None:
        """Every so often forget what is old, look for new articles and tell those who want to hear of them."""
        said = ""
        while not self._stop.is_set():
            try:
                store.delete_expired()
                await handlers.announce(bot, self._stop)
                said = ""
            except (RetrievalError, AnswerTimeout, TelegramError, StateError, OSError) as exc:
                if str(exc) != said:
                    log.warning("new articles could not be announced: %s", exc)
                said = str(exc)
            await self._pause(ANNOUNCE_S)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):  # wait_for would swallow a cancellation where both come at once
                await self._stop.wait()

    @property
    def _server(self) -> str:
        return self._settings.telegram_api_url or "api.telegram.org"


async def _leave_webhook(bot: Bot) -> None:
    try:
        await bot.delete_webhook()
    except (BadRequest, InvalidToken) as exc:  # a server that knows no webhooks: the token was good a moment ago
        log.info("the webhook could not be removed: %s", exc.message)


async def _set_commands(bot: Bot, admins: Sequence[int]) -> None:
    """Tell Telegram the commands to offer, per language and scope."""
    scopes: list[tuple[BotCommandScope, Sequence[str]]] = [
        (BotCommandScopeDefault(), GROUP),
        (BotCommandScopeAllPrivateChats(), PRIVATE),
        (BotCommandScopeAllGroupChats(), GROUP),
        *((BotCommandScopeChat(admin), (*PRIVATE, *ADMIN)) for admin in admins),
    ]
    for scope, names in scopes:
        await offer(bot, scope, names)


def _brief(exc: Exception) -> str:
    return str(exc).strip() or type(exc).__name__


def _to_stderr(line: str) -> None:
    print(f"newsquote: {line}", file=sys.stderr, flush=True)  # noqa: T201


__all__ = ["DONE", "FAILED", "WRONG_USE", "Patient", "Stopped", "TelegramBot", "build", "run"]
