from __future__ import annotations

import asyncio
import base64
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot.conversation.chatbot import Chatbot
from bot.service.browsing import article_key
from bot.service.editing import Editor
from bot.service.state import StateDatabase as Store
from bot.settings import Settings
from bot.telegram_bot import application, handlers
from corpus import Found, Library, LibraryLocked, Outcome
from corpus.article import Article
from retrieval.answering import Answerer
from retrieval.errors import PublishError, SnapshotCorrupt
from retrieval.index.writing.publishing import Published
from retrieval.results import Answer, Query
from tests.bot.phone import Phone, labels, running, settings_for, words
from tests.bot_api import Server, World
from tests.fakes import Clock, HashingEncoder
from tests.library_of import BEES, BRIDGE, HARBOUR, LIBRARY, built

Json = dict[str, Any]
BOT = "@newsquote_test_bot"


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture
def world(server: Server) -> World:
    return server.world


@pytest.fixture
def settings(server: Server, tmp_path: Path) -> Settings:
    settings = settings_for(tmp_path, server)
    built(settings.snapshots)
    return settings


@pytest.fixture
async def phone(world: World, settings: Settings) -> AsyncIterator[Phone]:
    async with running(settings):
        yield Phone(world)


async def test_a_question_is_answered_in_one_message_with_the_best_sentence_bold_and_the_source_linked(
    phone: Phone,
) -> None:
    message = await phone.ask("The strike had lasted how many days?")
    assert words(message, "blockquote")[0] in HARBOUR.text
    assert words(message, "bold") == ["The strike had lasted eleven days."]
    assert words(message, "text_link") == [HARBOUR.title]
    link = next(e["url"] for e in message["entities"] if e["type"] == "text_link")
    assert link.startswith("https://example.org/harbour#:~:text=")
    assert message["text"].endswith("· The Vell Courier · 5 October 2026")
    assert message["link_preview_options"] == {"is_disabled": True}
    assert len(phone.world.from_bot()) == 1


async def test_a_question_the_articles_do_not_answer_is_declined_with_the_nearest_passage(
    server: Server, settings: Settings
) -> None:
    async with running(settings_for(settings.home, server, threshold=1.0)):
        message = await Phone(server.world).ask("What about the bridge?")
    assert message["text"].startswith("The articles don't answer that, as far as I can find. The nearest they come:")
    assert words(message, "blockquote")[0] in BRIDGE.text


async def test_start_greets_and_names_the_commands(phone: Phone) -> None:
    message = await phone.ask("/start")
    assert message["text"].startswith("Hello! Ask me anything about the articles")
    assert "/articles – the articles I have read" in message["text"]


async def test_help_lists_commands_in_the_language_of_the_person(phone: Phone) -> None:
    phone.world.user(7, "ar")
    assert "المقالات التي قرأتها" in (await phone.ask("/help", user=7))["text"]
    assert "the articles I have read" in (await phone.ask("/help", user=8))["text"]


async def test_more_passages_turn_the_same_message_and_back(phone: Phone) -> None:
    first = await phone.ask("What about the bridge?")
    second, answer = await phone.press(first, "More passages")
    assert (answer.get("text"), second["message_id"]) == (None, first["message_id"])
    assert second["text"] != first["text"]
    back, _ = await phone.press(second, "◂")
    assert (back["text"], back["entities"]) == (first["text"], first["entities"])
    assert len(phone.world.from_bot()) == 1


async def test_wider_context_shows_the_text_around_and_goes_back(phone: Phone, settings: Settings) -> None:
    paragraphs = [f"On day {n} the council of Dorn counted {n * 7} boats on the river." for n in range(1, 60)]
    built(settings.snapshots, [Article(id="dorn", title="Boats of Dorn", text="\n\n".join(paragraphs))])
    narrow = await phone.ask("How many boats were counted on day 30?")
    wide, _ = await phone.press(narrow, "Wider context")
    assert len(wide["text"]) > len(narrow["text"])
    assert words(narrow, "bold") == words(wide, "bold")
    back, _ = await phone.press(wide, "Back to the quote")
    assert back["text"] == narrow["text"]


async def test_buttons_live_through_a_restart(world: World, settings: Settings) -> None:
    phone = Phone(world)
    async with running(settings):
        first = await phone.ask("What about the bridge?")
    async with running(settings):
        second, answer = await phone.press(first, "More passages")
    assert (second["text"] != first["text"], answer.get("text")) == (True, None)


async def test_buttons_live_through_a_new_snapshot_while_the_article_stays_as_it_was(
    phone: Phone, settings: Settings
) -> None:
    first = await phone.ask("What about the bridge?")
    built(settings.snapshots, [BRIDGE, HARBOUR, BEES, Article(id="new", title="New", text="Something new.")])
    second, answer = await phone.press(first, "More passages")
    assert (second["text"] != first["text"], answer.get("text")) == (True, None)


async def test_a_quote_whose_article_changed_is_politely_outdated(phone: Phone, settings: Settings) -> None:
    first = await phone.ask("What about the bridge?")
    built(settings.snapshots, [Article(id="other", title="Other", text="Another text altogether.")])
    second, answer = await phone.press(first, "More passages")
    assert (second["text"], answer["text"]) == (first["text"], "The articles have changed since. Please ask again.")


@pytest.mark.parametrize("data", ["q:999:0", "nonsense", "q:1:999", "x:1:1", "i:0123456789abcdef:0"])
async def test_a_forged_or_foreign_button_is_answered_and_changes_nothing(phone: Phone, data: str) -> None:
    first = await phone.ask("What about the bridge?")
    query = phone.world.callback(first["message_id"], data)
    answer = await phone.until(lambda: phone.world.answer_to(query))
    assert answer["text"] == "The articles have changed since. Please ask again."
    assert phone.world.from_bot()[0]["text"] == first["text"]


async def test_a_button_that_is_too_old_to_be_answered_still_works(phone: Phone) -> None:
    first = await phone.ask("What about the bridge?")
    data = first["reply_markup"]["inline_keyboard"][0][0]["callback_data"]
    phone.world.callback(first["message_id"], data, age_s=60)
    await phone.until(lambda: phone.world.from_bot()[0]["text"] != first["text"])


async def test_a_double_tap_edits_once_and_is_answered_twice(phone: Phone) -> None:
    first = await phone.ask("What about the bridge?")
    queries = [phone.world.press(first["message_id"], "More passages") for _ in range(2)]
    await phone.until(lambda: all(phone.world.answer_to(query) for query in queries))
    assert len(phone.world.called("editMessageText")) == 1
    assert phone.world.refusals == []


async def test_who_taps_too_much_is_told_so_and_nothing_turns(
    world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application, "Host", partial(Chatbot, burst=2, every_s=50.0, clock=Clock()))
    phone = Phone(world)
    async with running(settings):
        first = await phone.ask("What about the bridge?")
        second, _ = await phone.press(first, "More passages")
        third, answer = await phone.press(second, "◂")
    assert (third["text"], answer["text"]) == (second["text"], "Let me catch up, please: I can answer again in 50 s.")


async def test_votes_are_counted_once_for_each_person(phone: Phone, settings: Settings) -> None:
    message = await phone.ask("What about the bridge?")
    answers = [(await phone.press(message, label))[1]["text"] for label in ("👍", "👍", "👎")]
    assert answers == ["Thank you, I have noted that."] * 3
    with Store(settings.home / "state.db") as state:
        assert [(vote.good, vote.article, vote.question) for vote in state.votes()] == [(False, "bridge", None)]


async def test_articles_are_listed_newest_first_and_can_be_read_about(phone: Phone) -> None:
    listed = await phone.ask("/articles")
    assert [listed["text"].index(a.title) for a in (BRIDGE, HARBOUR, BEES)] == sorted(
        listed["text"].index(a.title) for a in LIBRARY
    )
    about, _ = await phone.press(listed, "2")
    assert words(about, "text_link") == [HARBOUR.title]
    assert words(about, "blockquote")[0].startswith("Dock workers in Port Vell")
    again, _ = await phone.press(about, "All articles")
    assert again["text"] == listed["text"]


async def test_many_articles_come_in_pages(phone: Phone, settings: Settings) -> None:
    many = [Article(id=f"n{n}", title=f"Title {n:02}", text=f"Text {n}.") for n in range(20)]
    built(settings.snapshots, many)
    listed = await phone.ask("/articles")
    assert labels(listed) == [["1", "2", "3", "4"], ["5", "6", "7", "8"], ["▸"]]
    last, _ = await phone.press((await phone.press(listed, "▸"))[0], "▸")
    assert labels(last) == [["17", "18", "19", "20"], ["◂"]]


async def test_a_newly_published_article_is_found_without_a_restart(phone: Phone, settings: Settings) -> None:
    await phone.ask("What about the bridge?")
    built(settings.snapshots, [Article(id="eel", title="Eels", text="The eels of Lake Torn glow at night.")])
    assert words(await phone.ask("Where do the eels glow?"), "bold") == ["The eels of Lake Torn glow at night."]


async def test_an_edited_question_is_answered_anew_in_the_same_message(phone: Phone) -> None:
    asked = phone.world.say("What about the bridge?")
    first = await phone.next(0)
    phone.world.edit(asked, "The strike had lasted how many days?")
    await phone.until(lambda: phone.world.from_bot()[0]["text"] != first["text"])
    assert words(phone.world.from_bot()[0], "bold") == ["The strike had lasted eleven days."]
    assert len(phone.world.from_bot()) == 1


async def test_a_chosen_language_is_remembered_over_a_restart(world: World, settings: Settings) -> None:
    phone = Phone(world)
    async with running(settings):
        assert (await phone.ask("/language ar"))["text"] == "سأتحدث العربية من الآن."
    async with running(settings):
        assert (await phone.ask("/start"))["text"].startswith("أهلًا بك!")


async def test_a_link_into_the_bot_opens_a_shared_quote(phone: Phone) -> None:
    first = await phone.ask("What about the bridge?")
    share = next(b["switch_inline_query"] for b in first["reply_markup"]["inline_keyboard"][-1] if "Share" in b["text"])
    result = (await phone.inline(share))["results"][0]
    link = result["reply_markup"]["inline_keyboard"][0][0]["url"]
    opened = await phone.ask(f"/start {link.partition('start=')[2]}", user=2)
    assert opened["text"] == first["text"] == result["input_message_content"]["message_text"]
    assert (await phone.ask("/start q-999-0"))["text"] == "The articles have changed since. Please ask again."
    assert (await phone.ask("/start a-0123456789abcdef"))["text"].startswith("I have no such article.")


async def test_a_link_into_the_bot_opens_a_shared_article(phone: Phone) -> None:
    about, _ = await phone.press(await phone.ask("/articles"), "2")
    share = next(b["switch_inline_query"] for row in about["reply_markup"]["inline_keyboard"] for b in row[1:])
    result = (await phone.inline(share))["results"][0]
    assert (result["title"], result["description"]) == (HARBOUR.title, "5 October 2026")
    link = result["reply_markup"]["inline_keyboard"][0][0]["url"]
    opened = await phone.ask(f"/start {link.partition('start=')[2]}", user=2)
    assert opened["text"] == about["text"] == result["input_message_content"]["message_text"]


async def test_since_limits_the_answer_to_newer_articles(phone: Phone) -> None:
    message = await phone.ask("/since 2026-10-20 What will close for repairs?")
    assert words(message, "bold") == ["The old bridge over the Ostra will close in May for repairs."]
    assert (await phone.ask("/since yesterday what"))["text"].startswith("Write the day, and a question if you like")
    assert (await phone.ask("/since 2026-13-01"))["text"].startswith("Write the day, and a question if you like")


async def test_since_alone_lists_the_newer_articles_in_whatever_digits_the_day_is_written(phone: Phone) -> None:
    listed = await phone.ask("/since ٢٠٢٦-١٠-٢٠")
    assert listed["text"] == (
        "1 article since 20 October 2026\n1. Bridge over the Ostra to close for repairs · Ostra Post · 1 November 2026"
    )
    about, _ = await phone.press(listed, "1")
    assert about["text"].startswith(BRIDGE.title)
    assert (await phone.ask("/since 2027-01-01"))["text"] == "There are no articles since 1 January 2027."


async def test_an_edited_since_is_answered_anew(phone: Phone) -> None:
    asked = phone.world.say("/since tomorrow What will close?")
    await phone.next(0)
    phone.world.edit(asked, "/since 2026-10-20 What will close for repairs?")
    await phone.until(lambda: words(phone.world.from_bot()[0], "bold"))
    assert words(phone.world.from_bot()[0], "bold") == ["The old bridge over the Ostra will close in May for repairs."]
    assert len(phone.world.from_bot()) == 1


async def test_latest_shows_the_newest_articles_with_their_first_words(phone: Phone) -> None:
    message = await phone.ask("/latest")
    assert words(message, "blockquote")[0] == BRIDGE.text
    assert message["text"].startswith(
        f"{BRIDGE.title} · Ostra Post · 1 November 2026\n{BRIDGE.text}\n\n{HARBOUR.title}"
    )
    assert labels(message) == [["1", "2", "3"], ["All articles"]]
    about, _ = await phone.press(message, "2")
    assert words(about, "text_link") == [HARBOUR.title]


async def test_more_context_and_why_speak_of_the_last_answer(phone: Phone) -> None:
    assert (await phone.ask("/more"))["text"] == "Ask me a question first."
    await phone.ask("What about the bridge?")
    assert words(await phone.ask("/more"), "blockquote") != []
    assert words(await phone.ask("/context"), "blockquote") != []
    assert words(await phone.ask("/why"), "pre")[0].startswith("quote")
    await phone.ask("/language ar")
    assert words(await phone.ask("/why"), "pre")[0].startswith("الاقتباس")


async def test_privacy_says_what_is_kept_and_a_tap_has_it_forgotten(phone: Phone, settings: Settings) -> None:
    await phone.ask("/language ar")
    await phone.ask("/language en")
    kept = await phone.ask("/privacy")
    assert kept["text"].startswith("I keep: the language you chose")
    forgotten, _ = await phone.press(kept, "Forget what is mine")
    assert forgotten["text"] == "Done: I have forgotten what I kept about you."
    with Store(settings.home / "state.db") as store:
        assert store.language(1) is None
    assert (await phone.ask("/privacy forget"))["text"] == forgotten["text"]


async def test_the_language_is_chosen_with_a_tap(phone: Phone) -> None:
    which = await phone.ask("/language")
    assert labels(which) == [["English", "العربية"]]
    chosen, _ = await phone.press(which, "العربية")
    assert chosen["text"] == "سأتحدث العربية من الآن."
    assert (await phone.ask("/articles"))["text"].startswith("٣ مقالات")
    assert labels(await phone.ask("/language klingon")) == [["English", "العربية"]]


async def test_the_caption_of_a_picture_can_be_a_question(phone: Phone) -> None:
    photo = [{"file_id": "p", "file_unique_id": "p", "width": 9, "height": 9}]
    phone.world._arrives({"photo": photo, "caption": "The strike had lasted how many days?"}, 1, None)
    assert words(await phone.next(0), "bold") == ["The strike had lasted eleven days."]


async def test_more_and_context_show_one_quote_with_its_buttons(phone: Phone) -> None:
    await phone.ask("What about the bridge?")
    more = await phone.ask("/more")
    assert labels(more)[0] == ["◂", "2/3", "▸"]
    assert len(words(more, "blockquote")) == 1
    third = await phone.ask("/more")
    assert labels(third)[0] == ["◂", "3/3"]
    assert words(await phone.ask("/context"), "text_link") == words(third, "text_link")
    assert (await phone.ask("/more"))["text"] == "That was all I found."


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


async def test_updates_that_nobody_can_read_stop_nothing_and_are_not_printed(
    phone: Phone, caplog: pytest.LogCaptureFixture
) -> None:
    phone.world.raw(message={"text": "a secret question", "chat": "nowhere"})
    phone.world.raw(message={"text": "a secret question", "message_id": 1, "date": 0, "chat": {"id": 1}})
    phone.world.raw(inline_query={"query": "a secret question"})
    phone.world.raw(brand_new_update={"text": "a secret question"})
    phone.world.raw()
    assert words(await phone.ask("What about the bridge?"), "blockquote")
    await phone.settled()
    assert "secret" not in caplog.text
    assert caplog.text.count("an update was left out that cannot be read") == 3


async def test_what_is_not_text_is_politely_declined(phone: Phone) -> None:
    phone.world._arrives({"voice": {"file_id": "v", "file_unique_id": "v", "duration": 3}}, 1, None)
    assert (await phone.next(0))["text"] == "I can read text only. Ask me a question in words."


async def test_unknown_commands_and_those_for_other_bots(phone: Phone) -> None:
    assert (await phone.ask("/dance"))["text"].startswith("I don't know /dance.")
    phone.world.say("/ask@another_bot Who?")
    assert (await phone.ask(f"/articles{BOT}"))["text"].startswith("3 articles")
    assert len(phone.world.from_bot()) == 2


async def test_a_slow_answer_shows_the_bot_typing(phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handlers, "TYPING_AFTER_S", 0.01)
    monkeypatch.setattr(handlers, "TYPING_LASTS_S", 0.01)
    typing = threading.Event()
    answer = Answerer.answer

    def slow(self: Answerer, query: Query) -> Answer:
        typing.wait(10)
        return answer(self, query)

    monkeypatch.setattr(Answerer, "answer", slow)
    asking = asyncio.create_task(phone.ask("What about the bridge?"))
    await phone.until(lambda: len(phone.world.called("sendChatAction")) > 1)
    typing.set()
    await asking
    assert phone.world.called("sendChatAction")[0] == {"chat_id": 1, "action": "typing"}


async def test_an_answer_that_never_comes_is_given_up_politely(
    server: Server, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    monkeypatch.setattr(Answerer, "answer", lambda *_: gate.wait(10))
    monkeypatch.setattr("tests.bot.phone.TIMEOUT_S", 0.05)
    async with running(settings):
        message = await Phone(server.world).ask("What about the bridge?")
        gate.set()
    assert message["text"] == "That took me too long. Please ask again in a moment."


async def test_a_question_that_cannot_be_looked_up_says_why(phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    def corrupt(*_: object) -> None:
        raise SnapshotCorrupt("the index is damaged")

    monkeypatch.setattr(Answerer, "answer", corrupt)
    assert (await phone.ask("What about the bridge?"))["text"] == "I could not look that up: the index is damaged"
    answer = await phone.inline("What about the bridge?")
    assert (answer["results"], "button" in answer) == ([], True)


async def test_who_asks_too_much_is_told_once_and_others_are_not_held_up(
    world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application, "Host", partial(Chatbot, burst=2, every_s=50.0, clock=Clock()))
    phone = Phone(world)
    async with running(settings):
        for _ in range(5):
            world.say("What about the bridge?")
        await phone.settled()
        await phone.ask("What about the bridge?", 2)
        await phone.until(lambda: len(world.from_bot(1)) == 3)
    assert [m["text"] for m in world.from_bot(1)][2] == "Let me catch up, please: I can answer again in 50 s."


async def test_a_conversation_is_forgotten_after_a_while(
    world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(application, "Host", partial(Chatbot, clock=clock))
    phone = Phone(world)
    async with running(settings):
        await phone.ask("What about the bridge?")
        clock.now += 29 * 60
        assert words(await phone.ask("/context"), "blockquote")
        clock.now += 31 * 60
        assert (await phone.ask("/context"))["text"] == "Ask me a question first."


@pytest.mark.parametrize(
    "text",
    ["😀", "?!", "x" * 4000, "\u202e\u2066\u200f", "<b>bold</b> *md* _md_ [a](b)", "ﷺ" * 300, "-bridge", '"'],
)
async def test_whatever_is_written_is_answered_with_something_telegram_takes(phone: Phone, text: str) -> None:
    await phone.ask(text)
    assert phone.world.refusals == []


async def test_a_long_conversation_with_faults_leaves_every_button_answered_once(phone: Phone) -> None:
    message = await phone.ask("What about the bridge?")
    phone.world.fault("slow", share=0.3, times=1000, seconds=0.02)
    for label in ("More passages", "▸", "◂", "👍", "👎", "◂"):
        message, _ = await phone.press(message, label)
    assert phone.world.refusals == []


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


class TestInline:
    async def test_before_a_question_is_typed_nothing_is_said_to_be_missing(self, phone: Phone) -> None:
        answer = await phone.inline("")
        assert (answer["results"], answer["button"]["text"]) == ([], "Type a question, or ask me directly")

    async def test_a_question_gives_cards_that_send_the_quote_with_its_source(self, phone: Phone) -> None:
        answer = await phone.inline("The strike had lasted how many days?")
        card = answer["results"][0]
        assert (card["title"], card["description"]) == (HARBOUR.title, "The strike had lasted eleven days.")
        content = card["input_message_content"]
        assert content["message_text"].endswith("The Vell Courier · 5 October 2026")
        assert {e["type"] for e in content["entities"]} == {"blockquote", "bold", "text_link"}
        assert (answer["cache_time"], answer["is_personal"]) == (30, True)

    async def test_nothing_found_offers_a_private_talk(self, server: Server, settings: Settings) -> None:
        phone = Phone(server.world)
        async with running(settings_for(settings.home, server, threshold=1.0)):
            answer = await phone.inline("Who is the emir?")
        assert answer["results"] == []
        assert answer["button"]["start_parameter"] == "ask"

    async def test_a_burst_of_keystrokes_costs_one_search(self, phone: Phone) -> None:
        text = "the strike had lasted how many days"
        queries = [phone.world.inline(text[: n + 1]) for n in range(len(text))]
        await phone.until(lambda: phone.world.answer_to(queries[-1]))
        assert [query for query in queries if phone.world.answer_to(query)] == [queries[-1]]

    async def test_further_pages_come_from_the_same_answer(self, phone: Phone, settings: Settings) -> None:
        many = [Article(id=f"n{n}", title=f"Title {n:02}", text=f"The heron {n} stands.") for n in range(20)]
        built(settings.snapshots, many)
        first = await phone.inline("Where stands the heron?")
        second = await phone.inline("Where stands the heron?", offset=first["next_offset"])
        ids = [result["id"] for page in (first, second) for result in page["results"]]
        assert len(set(ids)) == len(ids) > 5
        assert len({number.partition(".")[0] for number in ids}) == 1


ADMIN = 42


class TestAdmins:
    @pytest.fixture
    def settings(self, server: Server, tmp_path: Path) -> Settings:
        settings = settings_for(tmp_path, server, telegram_admins=(ADMIN,))
        Library(settings.library).add(Found(article, article.id, record=True) for article in LIBRARY)
        built(settings.snapshots)
        return settings

    @pytest.fixture
    async def phone(self, world: World, settings: Settings) -> AsyncIterator[Phone]:
        async with running(settings, Editor(settings, HashingEncoder)):
            yield Phone(world)

    async def worked(self, phone: Phone, begun: str) -> Json:
        """The message that said what was begun, once it says what came of it."""
        number = len(phone.world.from_bot(ADMIN)) - 1
        stages = (begun, "Building the index …")
        await phone.until(lambda: not phone.world.from_bot(ADMIN)[number]["text"].startswith(stages))
        return phone.world.from_bot(ADMIN)[number]

    async def test_a_document_is_added_answers_at_once_and_can_be_taken_back(self, phone: Phone) -> None:
        text = "# Eels of Torn\n\nThe eels of Lake Torn glow at night, said Ada Lund on Monday."
        phone.world.document("../eels.md", base64.b64encode(text.encode()).decode(), ADMIN)
        await phone.next(0, ADMIN)
        added = await self.worked(phone, "Reading")
        assert phone.world.sent[0][2] == "Reading eels.md …"
        stages = [edit["text"] for edit in phone.world.called("editMessageText")]
        assert stages == ["Building the index …", "Added: Eels of Torn"]
        answer = await phone.ask("The eels of Lake Torn glow when?", ADMIN)
        assert words(answer, "bold") == ["The eels of Lake Torn glow at night, said Ada Lund on Monday."]
        undone, _ = await phone.press(added, "Undo", ADMIN)
        assert undone["text"] == "Removed: Eels of Torn"
        assert (await phone.ask("/articles", ADMIN))["text"].startswith("3 articles")

    async def test_undo_works_once_and_for_admins_only(self, phone: Phone) -> None:
        text = "# Eels of Torn\n\nThe eels of Lake Torn glow at night, said Ada Lund on Monday."
        phone.world.document("eels.md", base64.b64encode(text.encode()).decode(), ADMIN)
        await phone.next(0, ADMIN)
        added = await self.worked(phone, "Reading")
        data = added["reply_markup"]["inline_keyboard"][0][0]["callback_data"]
        await phone.ask("/start", 7)
        for user, chat, removed in ((7, 7, False), (ADMIN, ADMIN, True), (ADMIN, ADMIN, False)):
            query = phone.world.callback(added["message_id"] if chat == ADMIN else 2, data, user, chat)
            note = (await phone.until(lambda query=query: phone.world.answer_to(query))).get("text")  # type: ignore[misc]
            assert (note is None) == removed

    async def test_a_forwarded_post_is_added_with_its_channel_and_date(self, phone: Phone) -> None:
        channel = {"id": -1009, "type": "channel", "title": "Torn Today", "username": "torntoday"}
        origin = {"type": "channel", "date": 1_790_000_000, "chat": channel, "message_id": 12}
        text = "Eels seen again\nThe eels of Lake Torn were seen again this week, by many people."
        message = await phone.ask(text, ADMIN, forward=origin)
        message = await self.worked(phone, "Reading")
        assert message["text"] == "Added: Eels seen again"
        answer = await phone.ask("The eels of Lake Torn were seen again when?", ADMIN)
        assert answer["text"].endswith("Eels seen again · Torn Today · 21 September 2026")
        assert "https://t.me/torntoday/12" in next(e["url"] for e in answer["entities"] if e["type"] == "text_link")

    async def test_a_post_of_one_long_line_is_titled_with_its_first_whole_words(self, phone: Phone) -> None:
        origin = {"type": "hidden_user", "date": 1_790_000_000, "sender_user_name": "Somebody"}
        await phone.ask("Eels are seen in Torn again and again. " * 9, ADMIN, forward=origin)
        message = await self.worked(phone, "Reading")
        assert message["text"] == "Added: " + "Eels are seen in Torn again and again. " * 3 + "…"

    async def test_a_file_that_cannot_be_read_is_refused_with_the_reason(self, phone: Phone) -> None:
        phone.world.document("empty.txt", "", ADMIN)
        await phone.next(0, ADMIN)
        assert (await self.worked(phone, "Reading"))["text"] == "Refused: empty.txt (it is empty)"
        phone.world.document("film.txt", "", ADMIN, size=30_000_000)
        assert "20 MB" in (await phone.next(1, ADMIN))["text"]

    async def test_a_document_without_a_name_is_known_by_its_kind(self, phone: Phone) -> None:
        said = "".join(f"<p>On day {n} the eels of Lake Torn were seen to glow by many people.</p>" for n in range(9))
        page = f"<html><title>Eels of Torn</title><body><article><h1>Eels of Torn</h1>{said}</article></body></html>"
        phone.world._files["f"] = ("documents/f", page.encode())
        document = {"file_id": "f", "file_unique_id": "f", "mime_type": "text/html"}
        phone.world._arrives({"document": document}, ADMIN, None)
        await phone.next(0, ADMIN)
        assert phone.world.sent[0][2] == "Reading document.html …"
        assert (await self.worked(phone, "Reading"))["text"] == "Added: Eels of Torn"

    @pytest.mark.parametrize("kind", ["drop_before", "502"])
    async def test_a_file_that_cannot_be_fetched_is_a_line_for_the_admin(self, phone: Phone, kind: str) -> None:
        phone.world.fault(kind, "getFile", times=9)
        phone.world.document("eels.md", base64.b64encode(b"Some eels.").decode(), ADMIN)
        assert (await phone.next(0, ADMIN))["text"].startswith("That could not be done: ")

    async def test_what_an_admin_replies_to_is_added(self, phone: Phone) -> None:
        text = "Eels of Torn\nThe eels of Lake Torn glow at night, said Ada Lund on Monday."
        await phone.ask(text, ADMIN)
        asked = phone.world.messages(ADMIN)[0]["message_id"]
        await phone.ask("/add", ADMIN, reply_to=asked)
        assert (await self.worked(phone, "Reading"))["text"] == "Added: Eels of Torn"

    async def test_an_article_is_removed_from_its_card_once_it_was_meant(self, phone: Phone) -> None:
        about, _ = await phone.press(await phone.ask("/articles", ADMIN), "3", ADMIN)
        asked, _ = await phone.press(about, "Remove", ADMIN)
        assert asked["text"] == "Remove this article?\nCity bees 🐝 thrive"
        kept, _ = await phone.press(asked, "Keep it", ADMIN)
        assert kept["text"] == about["text"]
        gone, _ = await phone.press((await phone.press(kept, "Remove", ADMIN))[0], "Remove", ADMIN)
        assert gone["text"] == "Removed: City bees 🐝 thrive"
        assert (await phone.ask("/articles", ADMIN))["text"].startswith("2 articles")

    async def test_others_cannot_remove_with_a_forged_button(self, phone: Phone) -> None:
        message = await phone.ask("/articles", 7)
        assert "Remove" not in str((await phone.press(message, "3", 7))[0])
        for what in "rd":
            query = phone.world.callback(message["message_id"], f"{what}:{article_key('bees')}:0", 7)
            answer = await phone.until(lambda query=query: phone.world.answer_to(query))  # type: ignore[misc]
            assert answer["text"] == "The articles have changed since. Please ask again."
        assert (await phone.ask("/articles", 7))["text"].startswith("3 articles")

    async def test_a_tap_is_answered_in_time_however_long_its_work_takes(
        self, phone: Phone, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(handlers, "TAP_S", 0.01)
        about, _ = await phone.press(await phone.ask("/articles", ADMIN), "3", ADMIN)
        asked, _ = await phone.press(about, "Remove", ADMIN)
        gate, remove = threading.Event(), Editor.remove

        def slow(self: Editor, ids: Sequence[str]) -> list[str]:
            gate.wait(10)
            return remove(self, ids)

        monkeypatch.setattr(Editor, "remove", slow)
        waiting, _ = await phone.press(asked, "Remove", ADMIN)
        assert waiting["text"] == asked["text"]
        gate.set()
        await phone.until(lambda: phone.message(ADMIN, asked["message_id"])["text"].startswith("Removed: "))

    async def test_only_web_addresses_are_added_by_command(self, phone: Phone) -> None:
        for text in ("/add", "/add /etc/passwd"):
            assert (await phone.ask(text, ADMIN))["text"].startswith("Say /add and a web address")

    async def test_an_article_is_removed_by_its_id(self, phone: Phone) -> None:
        assert (await phone.ask("/remove bees nothing", ADMIN))["text"] == (
            "Removed: City bees 🐝 thrive\nI have no such article. See /articles for those I have."
        )
        assert (await phone.ask("/articles", ADMIN))["text"].startswith("2 articles")

    async def test_rebuild_status_and_feedback(self, phone: Phone) -> None:
        await phone.ask("/rebuild", ADMIN)
        assert "serves. Articles: 3," in (await self.worked(phone, "Building"))["text"]
        message = await phone.ask("What about the bridge?", ADMIN)
        await phone.press(message, "👍", ADMIN)
        assert (await phone.ask("/feedback", ADMIN))["text"].startswith("👍 1, 👎 0.")
        assert "Articles 3\nAnswered 1, declined 0\n" in (await phone.ask("/status", ADMIN))["text"]

    async def test_admins_are_offered_their_commands_and_others_are_not(self, phone: Phone) -> None:
        assert "/rebuild" in (await phone.ask("/start", ADMIN))["text"]
        await phone.until(lambda: f"chat:{ADMIN}:ar" in phone.world.commands)
        assert "/rebuild" not in (await phone.ask("/start", 7))["text"]
        assert {c["command"] for c in phone.world.commands[f"chat:{ADMIN}"]} >= {"add", "rebuild", "ask"}

    @pytest.mark.parametrize("name", ["add https://example.org", "remove bees", "rebuild", "status", "feedback"])
    async def test_others_cannot_run_them(self, phone: Phone, name: str) -> None:
        assert (await phone.ask(f"/{name}", 7))["text"].startswith("I don't know /")
        phone.world.document("eels.md", base64.b64encode(b"Some eels.").decode(), 7)
        assert (await phone.next(1, 7))["text"] == "I can read text only. Ask me a question in words."
        assert (await phone.ask("/articles", 7))["text"].startswith("3 articles")


async def test_a_failing_editor_is_a_line_for_the_admin(server: Server, settings: Settings) -> None:
    class Locked:
        def add(
            self, sources: Sequence[str], *, on_replaced: Callable[[Article], None], indexing: Callable[[], None]
        ) -> list[Outcome]:
            on_replaced(BEES)
            indexing()
            raise LibraryLocked(f"another process adds to the library: {sources}")

        def undo(self, added: Sequence[str], replaced: Sequence[Article]) -> list[str]:
            return [*added, *(article.id for article in replaced)]

        def remove(self, ids: Sequence[str]) -> list[str]:
            return [*ids]

        def rebuild(self) -> Published:
            raise PublishError("the disk is full")

    settings = replace(settings, telegram_admins=(ADMIN,))
    phone = Phone(server.world)
    told = ["A page\nhttps://example.org/news", "/add https://a.org/1 and https://b.org/2", "/rebuild"]
    async with running(settings, Locked()):
        for text in told:
            await phone.ask(text, ADMIN)
        await phone.until(lambda: all("could not be done" in m["text"] for m in server.world.from_bot(ADMIN)))
    assert [m["text"] for m in server.world.from_bot(ADMIN)] == [
        "That could not be done: another process adds to the library: ['https://example.org/news']",
        "That could not be done: another process adds to the library: ['https://a.org/1', 'https://b.org/2']",
        "That could not be done: the disk is full",
    ]


async def test_subscribers_hear_of_new_articles_once_and_those_who_blocked_the_bot_no_more(
    world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application, "ANNOUNCE_S", 0.02)
    phone = Phone(world)
    async with running(settings):
        await phone.ask("What about the bridge?", 3)
        assert (await phone.ask("/subscribe", 1))["text"].startswith("I will tell you here")
        await phone.ask("/subscribe", 2)
        await phone.ask("/subscribe", 3)
        await phone.ask("/unsubscribe", 3)
        world.shut(2, "blocked")
        await phone.settled()
        new = [Article(id=f"eel{n}", title=f"Eels {n}", text=f"Eels glow {n}.") for n in range(2)]
        built(settings.snapshots, [*LIBRARY, *new])
        await phone.next(1, 1)
    async with running(settings):
        await phone.ask("What about the bridge?", 3)
    assert [m["text"] for m in world.from_bot(1)][1:] == ["2 new articles\n• Eels 0\n• Eels 1"]
    with Store(settings.home / "state.db") as store:
        assert store.count_subscribers() == 1
    assert len(world.from_bot(3)) == 4
