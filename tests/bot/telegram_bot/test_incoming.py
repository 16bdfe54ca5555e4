from __future__ import annotations

from typing import Any

import pytest

from bot.service.state import StateDatabase as Store
from bot.settings import Settings
from bot.telegram_bot import application
from corpus.article import Article
from tests.bot.phone import Phone, running, settings_for, words
from tests.bot_api import Server, World
from tests.sample_library import LIBRARY, built

Json = dict[str, Any]


BOT = "@newsquote_test_bot"


async def test_the_caption_of_a_picture_can_be_a_question(phone: Phone) -> None:
    photo = [{"file_id": "p", "file_unique_id": "p", "width": 9, "height": 9}]
    phone.world._arrives({"photo": photo, "caption": "The strike had lasted how many days?"}, 1, None)
    assert words(await phone.next(0), "bold") == ["The strike had lasted eleven days."]


async def test_a_message_with_no_more_than_telegram_must_say_is_answered(phone: Phone) -> None:
    sparse = {"message_id": 7, "date": 0, "chat": {"id": 9, "type": "private"}}
    phone.world.user(9)
    phone.world._chats[9] = {"id": 9, "type": "private"}
    somebody = {"id": 9, "is_bot": False, "first_name": "B"}
    phone.world.raw(message={**sparse, "from": somebody, "text": f"/articles{BOT}"})
    assert (await phone.next(0, 9))["text"].startswith("3 articles")
    phone.world.raw(message={**sparse, "from": somebody, "text": "The strike had lasted how many days?"})
    assert words(await phone.next(1, 9), "bold") == ["The strike had lasted eleven days."]


@pytest.mark.parametrize("text", ["/\ud83d", "\ud83d\ud83d", "who \udc00 strikes?"])
async def test_half_a_character_does_no_harm(phone: Phone, text: str) -> None:
    phone.world._arrives({"text": text}, 1, None)
    await phone.next(0)
    assert phone.world.refusals == []


async def test_unknown_commands_and_those_for_other_bots(phone: Phone) -> None:
    assert (await phone.ask("/dance"))["text"].startswith("I don't know /dance.")
    phone.world.say("/ask@another_bot Who?")
    assert (await phone.ask(f"/articles{BOT}"))["text"].startswith("3 articles")
    assert len(phone.world.from_bot()) == 2


class TestGroups:
    CHAT = -1001

    @pytest.fixture(autouse=True)
    def group(self, world: World) -> None:
        world.group(self.CHAT, threads=[5])

    async def ask(self, phone: Phone, text: str, **more: Any) -> Json:
        return await phone.ask(text, chat=self.CHAT, **more)

    async def test_a_command_is_answered_as_a_reply_to_it(self, phone: Phone) -> None:
        message = await self.ask(phone, "/ask The strike had lasted how many days?")
        assert words(message, "bold") == ["The strike had lasted eleven days."]
        assert message["reply_to_message"]["text"] == "/ask The strike had lasted how many days?"
        assert len(words(message, "blockquote")) == 1

    async def test_a_mention_is_a_question_wherever_it_stands(self, phone: Phone) -> None:
        message = await self.ask(phone, f"😀 {BOT} the strike had lasted how many days?")
        assert words(message, "bold") == ["The strike had lasted eleven days."]

    async def test_a_reply_to_the_bot_is_a_question(self, phone: Phone) -> None:
        first = await self.ask(phone, "/ask What about the bridge?")
        message = await self.ask(phone, "The strike had lasted how many days?", reply_to=first["message_id"])
        assert words(message, "bold") == ["The strike had lasted eleven days."]

    async def test_ask_in_reply_to_somebody_takes_up_their_question(self, phone: Phone) -> None:
        asked = phone.world.say("The strike had lasted how many days?", user=2, chat=self.CHAT)
        message = await self.ask(phone, "/ask", reply_to=asked)
        assert words(message, "bold") == ["The strike had lasted eleven days."]

    async def test_talk_among_people_and_other_bots_commands_are_left_alone(self, settings: Settings) -> None:
        with Server(World(privacy=False)) as server:
            server.world.group(self.CHAT)
            phone = Phone(server.world)
            async with running(settings_for(settings.home, server)):
                for text in ("What a strike!", "/ask@another_bot Who?", "/weather", "@somebody what about the bridge?"):
                    server.world.say(text, chat=self.CHAT)
                server.world.say("A shared quote", chat=self.CHAT, via_bot=True)
                await self.ask(phone, f"/help{BOT}")
            assert len(server.world.from_bot(self.CHAT)) == 1

    async def test_the_name_alone_in_reply_to_somebody_takes_up_their_question(self, phone: Phone) -> None:
        asked = phone.world.say("The strike had lasted how many days?", user=2, chat=self.CHAT)
        message = await self.ask(phone, BOT, reply_to=asked)
        assert words(message, "bold") == ["The strike had lasted eleven days."]

    async def test_more_passages_come_one_at_a_time(self, phone: Phone) -> None:
        await self.ask(phone, "/ask What about the bridge?")
        message = await self.ask(phone, f"/more{BOT}")
        assert len(words(message, "blockquote")) == 1

    async def test_a_topic_is_answered_in_the_topic(self, phone: Phone) -> None:
        message = await self.ask(phone, "/ask The strike had lasted how many days?", thread=5)
        assert message["message_thread_id"] == 5

    async def test_each_person_in_a_group_has_a_conversation_of_their_own(self, phone: Phone) -> None:
        await self.ask(phone, "/ask What about the bridge?", user=1)
        message = await self.ask(phone, f"/more{BOT}", user=2)
        assert message["text"] == "Ask me a question first."

    async def test_a_chat_that_cannot_be_written_to_does_no_harm(
        self, phone: Phone, caplog: pytest.LogCaptureFixture
    ) -> None:
        for why in ("restricted", "kicked"):
            phone.world.shut(self.CHAT, why)
            phone.world.say("/ask What about the bridge?", chat=self.CHAT)
            await phone.ask("What about the bridge?")
        assert [r for r in caplog.records if r.levelname == "ERROR"] == []

    async def test_a_group_that_became_a_supergroup_is_answered_there(self, phone: Phone) -> None:
        phone.world.group(-5)
        asked = phone.world.say("/ask What about the bridge?", chat=-5)
        await phone.next(0, -5)
        phone.world.migrate(-5, -1005)
        phone.world.edit(asked, "/ask The strike had lasted how many days?", chat=-5)
        message = await phone.ask(f"/ask{BOT} The strike had lasted how many days?", chat=-1005)
        assert words(message, "bold") == ["The strike had lasted eleven days."]

    @pytest.mark.parametrize("told", ["migrate_to_chat_id", "migrate_from_chat_id"])
    async def test_a_subscription_moves_with_its_group_whichever_chat_tells(
        self, phone: Phone, settings: Settings, told: str
    ) -> None:
        phone.world.group(-5)
        phone.world.group(-1005)
        await phone.ask("/subscribe", chat=-5)
        here, there = (-5, -1005) if told == "migrate_to_chat_id" else (-1005, -5)
        phone.world._arrives({told: there}, 1, here)
        await phone.settled()
        await phone.ask("/help", chat=-1005)
        with Store(settings.home / "state.db") as store:
            assert store.unsubscribe(-1005, 0)

    async def test_a_subscription_ends_with_its_topic(
        self, world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(application, "ANNOUNCE_S", 0.02)
        phone = Phone(world)
        async with running(settings):
            await self.ask(phone, "/subscribe", thread=5)
            await phone.ask("/subscribe", 1)
            world.group(self.CHAT, threads=[])
            built(settings.snapshots, [*LIBRARY, Article(id="eel", title="Eels", text="Eels glow.")])
            await phone.next(1, 1)
        with Store(settings.home / "state.db") as store:
            assert store.count_subscribers() == 1
