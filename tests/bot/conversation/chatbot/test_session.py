from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.conversation.chatbot.chatbot import Chatbot
from retrieval.index.contract import ArticleSummary
from retrieval.index.snapshot import Snapshot
from tests.bot.conversation.chatbot.people import HERE, card


async def test_a_log_line_says_how_long_an_answer_took_and_nothing_of_the_question(
    chatbot: Chatbot, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await card(chatbot, "What about the bridge?")
    [answered] = [record for record in caplog.records if record.name == "bot.conversation.chatbot.session"]
    facts = answered.__dict__["facts"]
    assert (answered.getMessage(), sorted(facts)) == ("answered", ["quotes", "snapshot", "took_ms"])


async def test_questions_are_answered_while_articles_are_put_in_order_once(
    chatbot: Chatbot, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered, listings, listed = threading.Event(), [], Snapshot.summaries

    def waiting(snapshot: Snapshot) -> Iterator[ArticleSummary]:
        listings.append(snapshot.name)
        assert answered.wait(30)
        return listed(snapshot)

    monkeypatch.setattr(Snapshot, "summaries", waiting)
    lists = asyncio.gather(*(card(chatbot, "/articles", replace(HERE, chat=chat)) for chat in (1, 2)))
    assert "pillars" in (await card(chatbot, "What about the bridge?")).rich.text
    answered.set()
    assert [listing.rich.text.split("\n")[0] for listing in await lists] == ["3 articles", "3 articles"]
    assert len(listings) == 1
