from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.conversation.admin import LibraryAdmin
from bot.conversation.cards import CallbackData, Card
from bot.conversation.chatbot import Chatbot, LongTask, MessageOrigin
from bot.service.state import StateDatabase
from bot.settings import Settings
from retrieval.index.contract import ArticleSummary
from retrieval.index.snapshot import Snapshot
from tests.bot.conversation.test_admin import ADDED, Editor
from tests.bot.phone import open_engine
from tests.fakes import Clock
from tests.library_of import BRIDGE, HARBOUR, built

HERE = MessageOrigin(chat=1, thread=0, message=1, person=1, client="en", private=True)
IN_A_GROUP = replace(HERE, chat=-100, private=False)
ADMIN = replace(HERE, chat=42, person=42)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def host(tmp_path: Path, clock: Clock) -> AsyncIterator[Chatbot]:
    settings = Settings(home=tmp_path, threshold=0.0)
    built(settings.snapshots)
    with StateDatabase(tmp_path / "state.db") as state:
        async with open_engine(settings) as engine:
            desk = LibraryAdmin(Editor(ADDED), state)
            yield Chatbot(engine, state, desk=desk, admins=[42], burst=3, every_s=10.0, keystroke_s=0.0, clock=clock)


async def card(host: Chatbot, words: str, visit: MessageOrigin = HERE) -> Card:
    reply = await host.reply(visit, words)
    assert isinstance(reply, Card)
    return reply


async def test_a_question_becomes_a_card_whose_buttons_turn_to_the_others(host: Chatbot) -> None:
    first = await card(host, "The strike had lasted how many days?")
    assert first.rich.text.startswith(HARBOUR.text[: HARBOUR.text.index("\n")])
    more = CallbackData.of(first.rows[0][0].data or "")
    second = await host.press(more, HERE)
    assert isinstance(second, Card)
    assert second.rich.text != first.rich.text


async def test_an_edited_question_is_asked_as_if_the_first_had_not_been(host: Chatbot) -> None:
    await card(host, "What about the bridge?")
    asked = replace(HERE, message=2)
    await card(host, "And how much will it cost?", asked)
    again = await host.again(asked, "And when will it close?")
    assert isinstance(again, Card)
    assert again.rich.text.startswith("The old bridge over the Ostra will close in May for repairs.")


async def test_commands_that_only_another_bot_knows_are_left_to_it_in_groups(host: Chatbot) -> None:
    assert await host.reply(IN_A_GROUP, "/weather") is None
    assert (await card(host, "/weather")).rich.text.startswith("I don't know /weather.")


async def test_a_group_is_offered_fewer_commands_and_an_admin_alone_all(host: Chatbot) -> None:
    assert "privacy" not in host.offered(IN_A_GROUP)
    assert "rebuild" not in host.offered(HERE)
    assert "rebuild" in host.offered(ADMIN)


async def test_only_admins_can_have_something_added(host: Chatbot) -> None:
    with pytest.raises(PermissionError):
        host.adding(HERE, ["x"], "x")
    job = await host.reply(ADMIN, "/add https://example.org/eels")
    assert isinstance(job, LongTask)
    told: list[str] = []

    async def tell(card: Card) -> None:
        told.append(card.rich.text)

    outcome = await job.work(tell)
    assert [job.begun.rich.text, *told, outcome.rich.text] == [
        "Reading https://example.org/eels …",
        "Building the index …",
        "Added: Eels",
    ]


async def test_a_budget_is_spent_refilled_and_complained_about_once(host: Chatbot, clock: Clock) -> None:
    assert [host.wait_s(HERE) for _ in range(4)] == [0.0, 0.0, 0.0, 10.0]
    said = host.slow_down(HERE, 10.0)
    assert said is not None
    assert said.rich.text == "Let me catch up, please: I can answer again in 10 s."
    assert host.slow_down(HERE, 10.0) is None
    clock.now += 10
    assert host.wait_s(HERE) == 0.0
    assert host.slow_down(HERE, 10.0) is not None
    assert host.metrics["throttled"] == 1


async def test_inline_pages_are_cut_from_one_answer(host: Chatbot) -> None:
    inline = await host.inline(1, "en", "1", "the strike had lasted eleven days", "")
    assert inline is not None
    assert inline.results[0].title == HARBOUR.title
    again = await host.inline(1, "en", "2", "the strike had lasted eleven days", "1")
    assert again is not None
    assert again.results == inline.results[1:]
    assert host.metrics["answered"] == 1


async def test_a_log_line_says_how_long_an_answer_took_and_nothing_of_the_question(
    host: Chatbot, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await card(host, "What about the bridge?")
    [answered] = [record for record in caplog.records if record.name == "bot.conversation.chatbot"]
    facts = answered.__dict__["facts"]
    assert (answered.getMessage(), sorted(facts)) == ("answered", ["quotes", "snapshot", "took_ms"])


async def test_the_news_is_for_those_who_subscribed_and_not_for_the_first_articles(
    host: Chatbot, tmp_path: Path
) -> None:
    await card(host, "/subscribe")
    assert await host.news() == []
    built(tmp_path / "snapshots", [BRIDGE, HARBOUR, replace(BRIDGE, id="second", title="A second bridge")])
    [(subscriber, news)] = await host.news()
    assert news is not None
    assert (subscriber.chat, news.rich.text.split("\n")[0]) == (1, "1 new article")
    host.store.mark_notified(subscriber)
    assert await host.news() == []


async def test_questions_are_answered_while_articles_are_put_in_order_once(
    host: Chatbot, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered, listings, listed = threading.Event(), [], Snapshot.summaries

    def waiting(snapshot: Snapshot) -> Iterator[ArticleSummary]:
        listings.append(snapshot.name)
        assert answered.wait(30)
        return listed(snapshot)

    monkeypatch.setattr(Snapshot, "summaries", waiting)
    lists = asyncio.gather(*(card(host, "/articles", replace(HERE, chat=chat)) for chat in (1, 2)))
    assert "pillars" in (await card(host, "What about the bridge?")).rich.text
    answered.set()
    assert [listing.rich.text.split("\n")[0] for listing in await lists] == ["3 articles", "3 articles"]
    assert len(listings) == 1
