"""A small Telegram for tests: the Bot API over HTTP, with the checks of the real one, driven by injected updates.

`World` is what Telegram knows: chats, messages, updates, files. `Server` is its door: the Bot API at
URL/bot<token>/<method>, files at URL/file/bot<token>/<path>, and the tests' own controls at URL/control.
Run it alone with `python -m tests.bot_api --token TOKEN`; it prints its URL.

Faithful to https://core.telegram.org/bots/api as far as a quoting bot can tell, and stricter in two places: entities
that the real server would quietly drop or mend (empty, crossing, nested block quotations, a link to nowhere) are
refused, and a callback may be answered once only. Not there: media, markup (`parse_mode` is checked, then refused),
payments, rights.
"""

from tests.bot_api.checks import ApiError
from tests.bot_api.server import Server
from tests.bot_api.world import TOKEN, Fault, World

__all__ = ["TOKEN", "ApiError", "Fault", "Server", "World"]
