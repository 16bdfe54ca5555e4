"""python -m tests.bot_api: a Telegram of one's own, until interrupted."""

from __future__ import annotations

import argparse
import contextlib
import threading

from tests.bot_api.server import Server
from tests.bot_api.world import TOKEN, World

parser = argparse.ArgumentParser(prog="python -m tests.bot_api", description=__doc__)
parser.add_argument("--token", default=TOKEN)
parser.add_argument("--port", type=int, default=0)
parser.add_argument("--no-privacy", action="store_true", help="let the bot see every message in groups")
options = parser.parse_args()
with Server(World(options.token, privacy=not options.no_privacy), port=options.port) as server:
    print(server.url, flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()
