"""python -m tests.bot.bot_process HOME URL: the bot in a process of its own, with an encoder that needs no model."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from bot.app import run
from bot.settings import Settings
from tests.bot.phone import open_engine
from tests.bot_api import TOKEN

logging.basicConfig(level=logging.INFO)
home, url = sys.argv[1:3]
settings = Settings(home=Path(home), telegram_token=TOKEN, telegram_api_url=url, threshold=0.0)
sys.exit(run(settings, lambda: open_engine(settings)))
