"""python -m tests.bot.bot_process HOME URL [RATE]: the bot as a process, with an encoder that needs no model."""

from __future__ import annotations

import sys
from pathlib import Path

from bot import logs
from bot.settings import Settings
from bot.telegram_bot.application import run
from tests.bot.phone import open_engine
from tests.bot_api import TOKEN

logs.configure("DEBUG")
home, url, *rate = sys.argv[1:]
settings = Settings(home=Path(home), telegram_token=TOKEN, telegram_api_url=url, threshold=0.0)
sys.exit(run(settings, lambda: open_engine(settings), rate=float(rate[0]) if rate else 30))
