"""Telegram: the only part of the project that imports python-telegram-bot."""
