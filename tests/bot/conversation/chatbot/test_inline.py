from __future__ import annotations

from pathlib import Path

from bot.conversation.chatbot.chatbot import Chatbot
from bot.service.state import StateDatabase
from bot.settings import Settings
from retrieval.models.reader import OnnxReader
from tests.bot.phone import open_engine
from tests.retrieval.tiny_reader import build_reader
from tests.sample_library import HARBOUR, built


async def test_inline_pages_are_cut_from_one_answer(chatbot: Chatbot) -> None:
    inline = await chatbot.inline(1, "en", "1", "the strike had lasted eleven days", "")
    assert inline is not None
    assert inline.results[0].title == HARBOUR.title
    again = await chatbot.inline(1, "en", "2", "the strike had lasted eleven days", "1")
    assert again is not None
    assert again.results == inline.results[1:]
    assert chatbot.metrics["answered"] == 1


async def test_a_result_is_titled_by_the_words_that_answer(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, threshold=0.0)
    built(settings.snapshots)
    reader = OnnxReader.open(build_reader(tmp_path / "days", {"eleven": 30.0}, {"days": 30.0}))
    with StateDatabase(tmp_path / "state.db") as state:
        async with open_engine(settings, reader) as engine:
            inline = await Chatbot(engine, state, keystroke_s=0.0).inline(1, "en", "1", "how long was the strike", "")
    assert inline is not None
    assert (inline.results[0].title, inline.results[0].about) == ("eleven days", "The strike had lasted eleven days.")
