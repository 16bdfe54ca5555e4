"""The Telegram bot as a process: starts, hands updates on, announces new articles, stops without losing anything."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from telegram import (
    Bot,
    Update,
)
from telegram.error import BadRequest, InvalidToken, TelegramError
from telegram.ext import Application

from bot import logs
from bot.conversation.admin import Editor, LibraryAdmin
from bot.conversation.chatbot.chatbot import Chatbot
from bot.service.engine import AnswerTimeout, Engine
from bot.service.state import StateDatabase, StateError
from bot.settings import Settings
from bot.telegram_bot import webhook
from bot.telegram_bot.command_menu import set_menus
from bot.telegram_bot.errors import DONE, WRONG_USE, Stopped
from bot.telegram_bot.handlers import Handlers
from bot.telegram_bot.inbox import Inbox
from bot.telegram_bot.polling import ALLOWED_UPDATES, POLL_S, Poller, brief, pause
from bot.telegram_bot.retrying import READ_S, build_application
from retrieval.errors import RetrievalError

log = logging.getLogger(__name__)

START_S = 12.0  # how long the server may be away at the start
STOP_S = 20.0  # how long pending answers may take when the bot stops
ANNOUNCE_S = 15.0


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


class TelegramBot:
    """Runs the bot. `tell` shows a line to the person who started it."""

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
        self._stop = asyncio.Event()
        self._poller = Poller(self._stop, self._server)

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
        """Answer what is pending and end `serve`."""
        self._stop.set()

    async def serve(self, open_engine: Callable[[], Engine]) -> None:
        """Serve until told to stop.

        Raises:
            Stopped: it cannot go on.
            OSError: state.db cannot be used.
        """
        if self._settings.telegram_webhook_url and not self._settings.telegram_webhook_secret:
            raise Stopped("a webhook needs a secret: set NEWSQUOTE_TELEGRAM_WEBHOOK_SECRET", WRONG_USE)
        application = build_application(self._token, self._settings.telegram_api_url, rate=self._rate)
        with StateDatabase(self._settings.home / "state.db") as state:
            async with open_engine() as engine:
                chatbot = Chatbot(
                    engine,
                    state,
                    library=LibraryAdmin(self._editor, state) if self._editor else None,
                    admins=self._settings.telegram_admins,
                    keep_questions=self._settings.telegram_keep_questions,
                )
                handlers = Handlers(chatbot)
                handlers.register(application)
                try:
                    await self._begin(application)
                    await self._until_stopped(application, chatbot, handlers)
                finally:
                    await application.shutdown()
                    await application.bot.request.shutdown()  # shutdown() leaves it open where nothing was begun

    async def _begin(self, application: Application[Any, Any, Any, Any, Any, Any]) -> None:
        """Log in, and remove any webhook where the bot polls."""
        began, wait_s, bot = time.monotonic(), 0.5, application.bot
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
                    raise Stopped(f"{self._server} cannot be reached ({brief(exc)}); is the address right?") from exc
            await pause(self._stop, wait_s)
            wait_s = min(2 * wait_s, 4.0)
        self._tell(f"@{bot.username} is running; Ctrl-C stops it.")
        if bot.supports_inline_queries is False:
            self._tell("inline mode is off; /setinline at @BotFather lets people share quotes and ask in any chat.")

    async def _until_stopped(
        self, application: Application[Any, Any, Any, Any, Any, Any], chatbot: Chatbot, handlers: Handlers
    ) -> None:
        bot = application.bot

        async def handle(update: dict[str, Any]) -> None:
            await application.process_update(Update.de_json(update, bot))
            chatbot.metrics.count("updates")

        inbox = Inbox(chatbot.store, handle)
        servers = self._listen(inbox, chatbot)
        left = await inbox.replay()
        if left:
            log.warning("answering %d updates that an earlier run left", left)
        receive = self._wait_for_updates if self._settings.telegram_webhook_url else self._poller.run
        receiving = asyncio.create_task(receive(bot, inbox))
        stopping = asyncio.create_task(self._stop.wait())
        menu = asyncio.create_task(set_menus(bot, self._settings.telegram_admins))
        announcing = asyncio.create_task(self._announce(bot, chatbot.store, handlers))
        await asyncio.wait({receiving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        for server in servers:
            server.stop()
        self._stop.set()
        for task in (receiving, menu):
            task.cancel()
        results: list[object] = [*await asyncio.gather(receiving, menu, return_exceptions=True)]
        if not await inbox.drain(STOP_S):
            log.warning("%d updates are left for the next run", inbox.waiting)
        await asyncio.wait({announcing}, timeout=STOP_S)  # an announcement cut short would be sent again
        announcing.cancel()
        results += await asyncio.gather(announcing, stopping, return_exceptions=True)
        for server in servers:
            await server.close_all_connections()
        for result in results:
            if isinstance(result, Exception):
                raise result
        await self._poller.confirm(bot, chatbot.store)

    def _listen(self, inbox: Inbox, chatbot: Chatbot) -> list[webhook.Server]:
        """Start the webhook and metrics servers that are configured."""
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
                    return chatbot.metrics.text({"waiting": inbox.waiting, "engine_waiting": chatbot.engine.waiting})

                servers.append(webhook.watchers(settings.telegram_metrics, health=self._ailment, metrics=metrics))
        except OSError as exc:
            raise Stopped(f"cannot listen: {exc.strerror or exc}") from exc
        return servers

    def _ailment(self) -> str | None:
        """What /health reports as wrong; None where all is well."""
        silent_s = time.monotonic() - self._poller.heard_at
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
                allowed_updates=ALLOWED_UPDATES,
                secret_token=settings.telegram_webhook_secret,
            )
        except TelegramError as exc:
            raise Stopped(f"the webhook could not be set: {brief(exc)}") from exc
        await asyncio.Event().wait()

    async def _announce(self, bot: Bot, store: StateDatabase, handlers: Handlers) -> None:
        """Regularly delete old state and announce new articles to subscribers."""
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
            await pause(self._stop, ANNOUNCE_S)

    @property
    def _server(self) -> str:
        return self._settings.telegram_api_url or "api.telegram.org"


async def _leave_webhook(bot: Bot) -> None:
    try:
        await bot.delete_webhook()
    except (BadRequest, InvalidToken) as exc:  # a server that knows no webhooks: the token was good a moment ago
        log.info("the webhook could not be removed: %s", exc.message)


def _to_stderr(line: str) -> None:
    print(f"newsquote: {line}", file=sys.stderr, flush=True)  # noqa: T201
