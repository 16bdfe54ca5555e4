from __future__ import annotations

from bot.conversation.cards import CallbackData, Card
from bot.conversation.chatbot.chatbot import Chatbot
from tests.bot.conversation.chatbot.people import HERE, IN_A_GROUP, card
from tests.sample_library import HARBOUR


async def test_a_question_becomes_a_card_whose_buttons_turn_to_the_others(chatbot: Chatbot) -> None:
    first = await card(chatbot, "The strike had lasted how many days?")
    assert first.rich.text.startswith(HARBOUR.text[: HARBOUR.text.index("\n")])
    more = CallbackData.of(first.rows[0][0].data or "")
    second = await chatbot.press(more, HERE)
    assert isinstance(second, Card)
    assert second.rich.text != first.rich.text


async def test_commands_that_only_another_bot_knows_are_left_to_it_in_groups(chatbot: Chatbot) -> None:
    assert await chatbot.reply(IN_A_GROUP, "/weather") is None
    assert (await card(chatbot, "/weather")).rich.text.startswith("I don't know /weather.")
