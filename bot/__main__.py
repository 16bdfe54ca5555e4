"""python -m bot is the newsquote command."""

from bot.cli import entry

entry()
