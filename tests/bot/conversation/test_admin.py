from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from bot.conversation.admin import LibraryAdmin
from bot.conversation.cards import CallbackData, Card
from bot.conversation.languages import Language
from bot.service.state import StateDatabase
from corpus.article import Article
from corpus.errors import SourceError
from corpus.storage.outcome import Outcome, OutcomeKind
from retrieval.index.contract import Published
from tests.sample_library import BEES


class Editor:
    """Says what it is told to, and notes what it was asked."""

    def __init__(self, *outcomes: Outcome) -> None:
        self.outcomes = list(outcomes)
        self.asked: list[tuple[str, ...]] = []
        self.together = threading.Semaphore(1)

    def add(
        self, sources: Sequence[str], *, on_replaced: Callable[[Article], None], indexing: Callable[[], None]
    ) -> list[Outcome]:
        for outcome in self.outcomes:
            if outcome.kind is OutcomeKind.REPLACED:
                on_replaced(BEES)
        indexing()
        assert self.together.acquire(blocking=False), "two at once"
        self.asked.append(("add", *sources))
        self.together.release()
        return self.outcomes

    def undo(self, added: Sequence[str], replaced: Sequence[Article]) -> list[str]:
        self.asked.append(("undo", *added, *(article.text for article in replaced)))
        return [*added, *(article.id for article in replaced)]

    def remove(self, ids: Sequence[str]) -> list[str]:
        self.asked.append(("remove", *ids))
        return [each for each in ids if each != "unknown"]

    def rebuild(self) -> Published:
        raise SourceError("nothing to build")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[StateDatabase]:
    with StateDatabase(tmp_path / "state.db") as store:
        yield store


async def nobody(_: Card) -> None:
    """Somebody who does not look how far it is."""


ADDED = Outcome(OutcomeKind.ADDED, "/tmp/x/eels.md", "Eels", "eels")
SKIPPED = Outcome(OutcomeKind.SKIPPED, "/tmp/x/eels.md", "Bees", "bees", "it is there already")
REFUSED = Outcome(OutcomeKind.REFUSED, "/tmp/x/empty.txt", reason="it is empty")


async def test_each_outcome_is_a_line_and_what_was_added_can_be_undone_once(store: StateDatabase) -> None:
    editor = Editor(ADDED, SKIPPED, REFUSED)
    library = LibraryAdmin(editor, store)
    card = await library.add(["/tmp/x"], Language.EN, nobody)
    assert card.rich.text == ("Added: Eels\nAlready in the library: Bees\nNot added: empty.txt (it is empty)")
    press = CallbackData.of(card.rows[0][0].data or "")
    assert press is not None
    undone = await library.undo(press.number, Language.EN)
    assert undone is not None
    assert undone.rich.text == "Removed: Eels"
    assert await library.undo(press.number, Language.EN) is None
    assert editor.asked == [("add", "/tmp/x"), ("undo", "eels")]


async def test_what_could_not_be_undone_can_be_undone_later(store: StateDatabase) -> None:
    class Stubborn(Editor):
        def undo(self, added: Sequence[str], replaced: Sequence[Article]) -> list[str]:
            if not self.asked[1:]:
                self.asked.append(("refused", *added))
                raise SourceError("somebody else writes to the library")
            return super().undo(added, replaced)

    library = LibraryAdmin(Stubborn(ADDED), store)
    card = await library.add(["x"], Language.EN, nobody)
    failed = await library.undo(1, Language.EN)
    assert failed is not None
    assert (failed.rich.text, failed.rows) == ("That didn't work: somebody else writes to the library", card.rows)
    undone = await library.undo(1, Language.EN)
    assert undone is not None
    assert undone.rich.text == "Removed: Eels"


async def test_how_far_it_is_is_told_before_the_outcome(store: StateDatabase) -> None:
    told: list[str] = []

    async def tell(card: Card) -> None:
        await asyncio.sleep(0)
        told.append(card.rich.text)

    card = await LibraryAdmin(Editor(ADDED), store).add(["x"], Language.EN, tell)
    assert [*told, card.rich.text] == ["Building the index …", "Added: Eels"]


async def test_what_was_replaced_is_put_back_as_it_was(store: StateDatabase) -> None:
    editor = Editor(Outcome(OutcomeKind.REPLACED, "x", "New bees", "bees", "its text changed"))
    library = LibraryAdmin(editor, store)
    card = await library.add(["x"], Language.EN, nobody)
    assert (card.rich.text, len(card.rows)) == ("Replaced: New bees", 1)
    undone = await library.undo(1, Language.EN)
    assert undone is not None
    assert undone.rich.text == "Restored: City bees 🐝 thrive"
    assert editor.asked[1:] == [("undo", BEES.text)]


async def test_what_was_left_out_needs_no_undoing(store: StateDatabase) -> None:
    card = await LibraryAdmin(Editor(SKIPPED, REFUSED), store).add(["x"], Language.EN, nobody)
    assert card.rows == ()


async def test_an_endless_title_is_told_in_part(store: StateDatabase) -> None:
    endless = Outcome(OutcomeKind.REFUSED, "x", "Eel " * 3000, "eels", "it is\ntoo long")
    card = await LibraryAdmin(Editor(endless), store).add(["x"], Language.EN, nobody)
    assert card.rich.text == "Not added: " + ("Eel " * 50)[:-1] + "… (it is too long)"


async def test_what_fails_is_one_line(store: StateDatabase) -> None:
    card = await LibraryAdmin(Editor(), store).rebuild(Language.EN)
    assert card.rich.text == "That didn't work: nothing to build"


async def test_one_thing_is_done_after_the_other(store: StateDatabase) -> None:
    editor = Editor(ADDED)
    library = LibraryAdmin(editor, store)
    await asyncio.gather(*(library.add([str(n)], Language.EN, nobody) for n in range(5)))
    assert editor.asked == [("add", str(n)) for n in range(5)]
