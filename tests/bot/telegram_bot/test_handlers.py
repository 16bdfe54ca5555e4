from __future__ import annotations

import threading
from functools import partial

import pytest

from bot.conversation.chatbot.chatbot import Chatbot
from bot.service.state import StateDatabase as Store
from bot.settings import Settings
from bot.telegram_bot import application
from corpus.article import Article
from retrieval.answering import Answerer
from retrieval.errors import SnapshotCorrupt
from tests.bot.phone import Phone, labels, running, settings_for, words
from tests.bot_api import Server, World
from tests.fakes import Clock
from tests.sample_library import BEES, BRIDGE, HARBOUR, LIBRARY, built


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
    assert message["text"].startswith("I didn't find an answer to that in the articles. Closest passage:")
    assert words(message, "blockquote")[0] in BRIDGE.text


async def test_start_greets_and_names_the_commands(phone: Phone) -> None:
    message = await phone.ask("/start")
    assert message["text"].startswith(
        "Hi! I've read a collection of news articles. Ask me something, and I'll answer with exact quotes, or tell you "
        "if they don't say.\n\nYou can also use:\n/ask – ask a question (only needed in groups)\n"
    )
    assert "/articles – browse all articles" in message["text"]


async def test_help_lists_commands_in_the_language_of_the_person(phone: Phone) -> None:
    phone.world.user(7, "ar")
    assert "تصفّح كل المقالات" in (await phone.ask("/help", user=7))["text"]
    assert "browse all articles" in (await phone.ask("/help", user=8))["text"]


async def test_more_passages_turn_the_same_message_and_back(phone: Phone) -> None:
    first = await phone.ask("What about the bridge?")
    second, answer = await phone.press(first, "Next passage")
    assert (answer.get("text"), second["message_id"]) == (None, first["message_id"])
    assert second["text"] != first["text"]
    back, _ = await phone.press(second, "◂")
    assert (back["text"], back["entities"]) == (first["text"], first["entities"])
    assert len(phone.world.from_bot()) == 1


async def test_wider_context_shows_the_text_around_and_goes_back(phone: Phone, settings: Settings) -> None:
    paragraphs = [f"On day {n} the council of Dorn counted {n * 7} boats on the river." for n in range(1, 60)]
    built(settings.snapshots, [Article(id="dorn", title="Boats of Dorn", text="\n\n".join(paragraphs))])
    narrow = await phone.ask("How many boats were counted on day 30?")
    wide, _ = await phone.press(narrow, "More context")
    assert len(wide["text"]) > len(narrow["text"])
    assert words(narrow, "bold") == words(wide, "bold")
    back, _ = await phone.press(wide, "Less context")
    assert back["text"] == narrow["text"]


async def test_buttons_live_through_a_restart(world: World, settings: Settings) -> None:
    phone = Phone(world)
    async with running(settings):
        first = await phone.ask("What about the bridge?")
    async with running(settings):
        second, answer = await phone.press(first, "Next passage")
    assert (second["text"] != first["text"], answer.get("text")) == (True, None)


async def test_buttons_live_through_a_new_snapshot_while_the_article_stays_as_it_was(
    phone: Phone, settings: Settings
) -> None:
    first = await phone.ask("What about the bridge?")
    built(settings.snapshots, [BRIDGE, HARBOUR, BEES, Article(id="new", title="New", text="Something new.")])
    second, answer = await phone.press(first, "Next passage")
    assert (second["text"] != first["text"], answer.get("text")) == (True, None)


async def test_a_quote_whose_article_changed_is_politely_outdated(phone: Phone, settings: Settings) -> None:
    first = await phone.ask("What about the bridge?")
    built(settings.snapshots, [Article(id="other", title="Other", text="Another text altogether.")])
    second, answer = await phone.press(first, "Next passage")
    assert (second["text"], answer["text"]) == (first["text"], "That article was changed or removed. Please ask again.")


@pytest.mark.parametrize("data", ["q:999:0", "nonsense", "q:1:999", "x:1:1", "i:0123456789abcdef:0"])
async def test_a_forged_or_foreign_button_is_answered_and_changes_nothing(phone: Phone, data: str) -> None:
    first = await phone.ask("What about the bridge?")
    query = phone.world.callback(first["message_id"], data)
    answer = await phone.until(lambda: phone.world.answer_to(query))
    assert answer["text"] == "That article was changed or removed. Please ask again."
    assert phone.world.from_bot()[0]["text"] == first["text"]


async def test_a_button_that_is_too_old_to_be_answered_still_works(phone: Phone) -> None:
    first = await phone.ask("What about the bridge?")
    data = first["reply_markup"]["inline_keyboard"][0][0]["callback_data"]
    phone.world.callback(first["message_id"], data, age_s=60)
    await phone.until(lambda: phone.world.from_bot()[0]["text"] != first["text"])


async def test_who_taps_too_much_is_told_so_and_nothing_turns(
    world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application, "Chatbot", partial(Chatbot, burst=2, every_s=50.0, clock=Clock()))
    phone = Phone(world)
    async with running(settings):
        first = await phone.ask("What about the bridge?")
        second, _ = await phone.press(first, "Next passage")
        third, answer = await phone.press(second, "◂")
    assert (third["text"], answer["text"]) == (second["text"], "Too many requests at once. Try again in 50 seconds.")


async def test_votes_are_counted_once_for_each_person(phone: Phone, settings: Settings) -> None:
    message = await phone.ask("What about the bridge?")
    answers = [(await phone.press(message, label))[1]["text"] for label in ("👍", "👍", "👎")]
    assert answers == ["Thanks, noted."] * 3
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
        assert (await phone.ask("/language ar"))["text"] == "سأستخدم العربية من الآن."
    async with running(settings):
        assert (await phone.ask("/start"))["text"].startswith("أهلًا بك!")


async def test_a_link_into_the_bot_opens_a_shared_quote(phone: Phone) -> None:
    first = await phone.ask("What about the bridge?")
    share = next(b["switch_inline_query"] for b in first["reply_markup"]["inline_keyboard"][-1] if "Share" in b["text"])
    result = (await phone.inline(share))["results"][0]
    link = result["reply_markup"]["inline_keyboard"][0][0]["url"]
    opened = await phone.ask(f"/start {link.partition('start=')[2]}", user=2)
    assert opened["text"] == first["text"] == result["input_message_content"]["message_text"]
    assert (await phone.ask("/start q-999-0"))["text"] == "That article was changed or removed. Please ask again."
    assert (await phone.ask("/start a-0123456789abcdef"))["text"] == "I don't have that article. See /articles."


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
    for text in ("/since yesterday what", "/since 2026-13-01"):
        assert (await phone.ask(text))["text"] == (
            "From which day? For example: /since 2026-11-01 (you can add a question after it)"
        )


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
    assert kept["text"] == (
        "I store: your language, subscribed chats, your votes (under a scrambled id), and for 90 days which quotes I "
        "showed. I don't store your questions. To delete your data: /privacy forget"
    )
    forgotten, _ = await phone.press(kept, "Delete my data")
    assert forgotten["text"] == "Done. Your data is deleted and your subscription ended."
    with Store(settings.home / "state.db") as store:
        assert store.language(1) is None
    assert (await phone.ask("/privacy forget"))["text"] == forgotten["text"]


async def test_the_language_is_chosen_with_a_tap(phone: Phone) -> None:
    which = await phone.ask("/language")
    assert labels(which) == [["English", "العربية"]]
    chosen, _ = await phone.press(which, "العربية")
    assert chosen["text"] == "سأستخدم العربية من الآن."
    assert (await phone.ask("/articles"))["text"].startswith("٣ مقالات")
    assert labels(await phone.ask("/language klingon")) == [["English", "العربية"]]


async def test_more_and_context_show_one_quote_with_its_buttons(phone: Phone) -> None:
    await phone.ask("What about the bridge?")
    more = await phone.ask("/more")
    assert labels(more)[0] == ["◂", "2/3", "▸"]
    assert len(words(more, "blockquote")) == 1
    third = await phone.ask("/more")
    assert labels(third)[0] == ["◂", "3/3"]
    assert words(await phone.ask("/context"), "text_link") == words(third, "text_link")
    assert (await phone.ask("/more"))["text"] == "That's all I found."


async def test_what_is_not_text_is_politely_declined(phone: Phone) -> None:
    phone.world._arrives({"voice": {"file_id": "v", "file_unique_id": "v", "duration": 3}}, 1, None)
    assert (await phone.next(0))["text"] == "I can only read text. Please type your question."


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
    assert (await phone.ask("What about the bridge?"))["text"] == "I couldn't look that up: the index is damaged"
    answer = await phone.inline("What about the bridge?")
    assert (answer["results"], "button" in answer) == ([], True)


async def test_who_asks_too_much_is_told_once_and_others_are_not_held_up(
    world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application, "Chatbot", partial(Chatbot, burst=2, every_s=50.0, clock=Clock()))
    phone = Phone(world)
    async with running(settings):
        for _ in range(5):
            world.say("What about the bridge?")
        await phone.settled()
        await phone.ask("What about the bridge?", 2)
        await phone.until(lambda: len(world.from_bot(1)) == 3)
    assert [m["text"] for m in world.from_bot(1)][2] == "Too many requests at once. Try again in 50 seconds."


async def test_a_conversation_is_forgotten_after_a_while(
    world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(application, "Chatbot", partial(Chatbot, clock=clock))
    phone = Phone(world)
    async with running(settings):
        await phone.ask("What about the bridge?")
        clock.now += 29 * 60
        assert words(await phone.ask("/context"), "blockquote")
        clock.now += 31 * 60
        assert (await phone.ask("/context"))["text"] == "Ask me a question first."


async def test_a_long_conversation_with_faults_leaves_every_button_answered_once(phone: Phone) -> None:
    message = await phone.ask("What about the bridge?")
    phone.world.fault("slow", share=0.3, times=1000, seconds=0.02)
    for label in ("Next passage", "▸", "◂", "👍", "👎", "◂"):
        message, _ = await phone.press(message, label)
    assert phone.world.refusals == []


class TestInline:
    async def test_before_a_question_is_typed_nothing_is_said_to_be_missing(self, phone: Phone) -> None:
        answer = await phone.inline("")
        assert (answer["results"], answer["button"]["text"]) == ([], "Type a question to find a quote")

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
