from __future__ import annotations

from bot.conversation.chatbot.chatbot import Chatbot
from tests.sample_library import HARBOUR


async def test_inline_pages_are_cut_from_one_answer(chatbot: Chatbot) -> None:
    inline = await chatbot.inline(1, "en", "1", "the strike had lasted eleven days", "")
    assert inline is not None
    assert inline.results[0].title == HARBOUR.title
    again = await chatbot.inline(1, "en", "2", "the strike had lasted eleven days", "1")
    assert again is not None
    assert again.results == inline.results[1:]
    assert chatbot.metrics["answered"] == 1
