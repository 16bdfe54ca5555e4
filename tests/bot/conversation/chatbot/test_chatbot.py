from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bot.conversation.cards import Card
from bot.conversation.chatbot.chatbot import Chatbot
from tests.bot.conversation.chatbot.people import ADMIN, HERE, IN_A_GROUP, card
from tests.fakes import Clock
from tests.sample_library import BRIDGE, HARBOUR, built


async def test_an_edited_question_is_asked_as_if_the_first_had_not_been(chatbot: Chatbot) -> None:
    await card(chatbot, "What about the bridge?")
    asked = replace(HERE, message=2)
    await card(chatbot, "And how much will it cost?", asked)
    again = await chatbot.reply_to_edit(asked, "And when will it close?")
    assert isinstance(again, Card)
    assert again.rich.text.startswith("The old bridge over the Ostra will close in May for repairs.")


async def test_a_group_is_offered_fewer_commands_and_an_admin_alone_all(chatbot: Chatbot) -> None:
    assert "privacy" not in chatbot.commands_for(IN_A_GROUP)
    assert "rebuild" not in chatbot.commands_for(HERE)
    assert "rebuild" in chatbot.commands_for(ADMIN)


async def test_a_budget_is_spent_refilled_and_complained_about_once(chatbot: Chatbot, clock: Clock) -> None:
    assert [chatbot.wait_s(HERE) for _ in range(4)] == [0.0, 0.0, 0.0, 10.0]
    said = chatbot.slow_down(HERE, 10.0)
    assert said is not None
    assert said.rich.text == "Too many requests at once. Try again in 10 seconds."
    assert chatbot.slow_down(HERE, 10.0) is None
    clock.now += 10
    assert chatbot.wait_s(HERE) == 0.0
    assert chatbot.slow_down(HERE, 10.0) is not None
    assert chatbot.metrics["throttled"] == 1


async def test_the_news_is_for_those_who_subscribed_and_not_for_the_first_articles(
    chatbot: Chatbot, tmp_path: Path
) -> None:
    await card(chatbot, "/subscribe")
    assert await chatbot.news() == []
    built(tmp_path / "snapshots", [BRIDGE, HARBOUR, replace(BRIDGE, id="second", title="A second bridge")])
    [(subscriber, news)] = await chatbot.news()
    assert news is not None
    assert (subscriber.chat, news.rich.text.split("\n")[0]) == (1, "1 new article")
    chatbot.store.mark_notified(subscriber)
    assert await chatbot.news() == []
