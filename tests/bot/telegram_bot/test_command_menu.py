from __future__ import annotations

from bot.settings import Settings
from tests.bot.phone import Phone, running
from tests.bot_api import World


async def test_the_menu_of_commands_is_set_for_each_language_and_kind_of_chat(settings: Settings, world: World) -> None:
    phone = Phone(world)
    async with running(settings):
        await phone.until(lambda: len(world.commands) == 9)
    assert {"all_private_chats", "all_private_chats:ar", "all_group_chats:en", "default"} <= set(world.commands)
    assert {"command": "articles", "description": "browse all articles"} in world.commands["all_private_chats"]
    assert "privacy" not in [c["command"] for c in world.commands["all_group_chats"]]
