"""The menu of commands that Telegram offers, for each language and kind of chat."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from telegram import (
    Bot,
    BotCommand,
    BotCommandScope,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
    BotCommandScopeDefault,
)
from telegram.error import TelegramError

from bot.conversation.chatbot.chatbot import ADMIN, GROUP, PRIVATE
from bot.conversation.languages import Language
from bot.conversation.phrases import Phrase, say

log = logging.getLogger(__name__)


async def set_menus(bot: Bot, admins: Sequence[int]) -> None:
    """Tell Telegram the commands to offer, per language and scope."""
    scopes: list[tuple[BotCommandScope, Sequence[str]]] = [
        (BotCommandScopeDefault(), GROUP),
        (BotCommandScopeAllPrivateChats(), PRIVATE),
        (BotCommandScopeAllGroupChats(), GROUP),
        *((BotCommandScopeChat(admin), (*PRIVATE, *ADMIN)) for admin in admins),
    ]
    for scope, names in scopes:
        await set_menu(bot, scope, names)


async def set_menu(bot: Bot, scope: BotCommandScope, names: Sequence[str]) -> None:
    """Tell Telegram which commands to offer in a scope, in each language; English where it is none of them."""
    for code, language in ((None, Language.EN), *((language.value, language) for language in Language)):
        commands = [BotCommand(name, say(Phrase(f"command_{name}"), language)) for name in names]
        try:
            await bot.set_my_commands(commands, scope, code)
        except TelegramError as exc:
            log.info("the menu of commands could not be set: %s", exc.message)
            return
