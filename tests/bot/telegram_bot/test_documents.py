from __future__ import annotations

import base64
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.service.browsing import article_key
from bot.service.editing import Editor
from bot.settings import Settings
from bot.telegram_bot import handlers
from corpus import Found, Library, LibraryLocked, Outcome
from corpus.article import Article
from retrieval.errors import PublishError
from retrieval.index.contract import Published
from tests.bot.phone import Phone, running, settings_for, words
from tests.bot_api import Server, World
from tests.fakes import HashingEncoder
from tests.sample_library import BEES, LIBRARY, built

Json = dict[str, Any]


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
        assert (await self.worked(phone, "Reading"))["text"] == "Not added: empty.txt (it is empty)"
        phone.world.document("film.txt", "", ADMIN, size=30_000_000)
        assert (await phone.next(1, ADMIN))["text"] == "That file is too big. I can fetch up to 20 MB."

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
        assert (await phone.next(0, ADMIN))["text"].startswith("That didn't work: ")

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
        kept, _ = await phone.press(asked, "Cancel", ADMIN)
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
            assert answer["text"] == "That article was changed or removed. Please ask again."
        assert (await phone.ask("/articles", 7))["text"].startswith("3 articles")

    async def test_a_tap_is_answered_in_time_however_long_its_work_takes(
        self, phone: Phone, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        about, _ = await phone.press(await phone.ask("/articles", ADMIN), "3", ADMIN)
        asked, _ = await phone.press(about, "Remove", ADMIN)
        monkeypatch.setattr(handlers, "TAP_S", 0.01)
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
            assert (await phone.ask(text, ADMIN))["text"] == "Send me a link, a file or a forwarded post."

    async def test_an_article_is_removed_by_its_id(self, phone: Phone) -> None:
        assert (await phone.ask("/remove bees nothing", ADMIN))["text"] == (
            "Removed: City bees 🐝 thrive\nI don't have that article. See /articles."
        )
        assert (await phone.ask("/articles", ADMIN))["text"].startswith("2 articles")

    async def test_rebuild_status_and_feedback(self, phone: Phone) -> None:
        await phone.ask("/rebuild", ADMIN)
        assert (await self.worked(phone, "Building"))["text"] == "Index rebuilt: 3 articles, 3 passages."
        message = await phone.ask("What about the bridge?", ADMIN)
        await phone.press(message, "👍", ADMIN)
        assert (await phone.ask("/feedback", ADMIN))["text"] == (
            "👍 1 · 👎 0\n(On the server: newsquote feedback export)"
        )
        status = (await phone.ask("/status", ADMIN))["text"]
        assert status.partition("\n")[2] == (
            "Articles: 3\nSince the start: 1 answered, 0 not found\nQueue: 0\nSubscribers: 0\nRunning for 0 min"
        )

    async def test_admins_are_offered_their_commands_and_others_are_not(self, phone: Phone) -> None:
        assert "/rebuild" in (await phone.ask("/start", ADMIN))["text"]
        await phone.until(lambda: f"chat:{ADMIN}:ar" in phone.world.commands)
        assert "/rebuild" not in (await phone.ask("/start", 7))["text"]
        assert {c["command"] for c in phone.world.commands[f"chat:{ADMIN}"]} >= {"add", "rebuild", "ask"}

    @pytest.mark.parametrize("name", ["add https://example.org", "remove bees", "rebuild", "status", "feedback"])
    async def test_others_cannot_run_them(self, phone: Phone, name: str) -> None:
        assert (await phone.ask(f"/{name}", 7))["text"].startswith("I don't know /")
        phone.world.document("eels.md", base64.b64encode(b"Some eels.").decode(), 7)
        assert (await phone.next(1, 7))["text"] == "Only admins of this bot can add files."
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
        await phone.until(lambda: all("didn't work" in m["text"] for m in server.world.from_bot(ADMIN)))
    assert [m["text"] for m in server.world.from_bot(ADMIN)] == [
        "That didn't work: another process adds to the library: ['https://example.org/news']",
        "That didn't work: another process adds to the library: ['https://a.org/1', 'https://b.org/2']",
        "That didn't work: the disk is full",
    ]
