from __future__ import annotations

from bot.conversation.cards import CallbackData, Card
from bot.conversation.chatbot.chatbot import Chatbot
from bot.conversation.languages import Language
from bot.conversation.phrases import Phrase, say
from bot.service.browsing import article_key
from tests.bot.conversation.chatbot.people import ADMIN, HERE


async def test_a_button_whose_answer_is_unknown_is_outdated(chatbot: Chatbot) -> None:
    assert await chatbot.press(CallbackData("q", "999"), HERE) == say(Phrase.OUTDATED, Language.EN)
    assert await chatbot.press(None, HERE) == say(Phrase.OUTDATED, Language.EN)


async def test_the_button_that_shows_the_page_number_does_nothing(chatbot: Chatbot) -> None:
    assert await chatbot.press(CallbackData("n", "1", 1), HERE) is None


async def test_an_admins_button_does_nothing_for_others(chatbot: Chatbot) -> None:
    remove = CallbackData("r", article_key("bridge"))
    assert await chatbot.press(remove, HERE) == say(Phrase.OUTDATED, Language.EN)
    asked = await chatbot.press(remove, ADMIN)
    assert isinstance(asked, Card)
    assert asked.rich.text.startswith("Remove this article?")
