from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from bot.editing import Editor
from bot.settings import Settings
from corpus import Kind, Library, LibraryLocked, read
from retrieval import snapshot
from retrieval.errors import ModelError
from retrieval.snapshot import Snapshot
from tests.fakes import HashingEncoder


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.load(tmp_path / "home", {})


@pytest.fixture
def ferry(tmp_path: Path) -> str:
    path = tmp_path / "ferry.jsonl"
    path.write_text(json.dumps({"id": "ferry", "title": "Ferry is late", "text": "The ferry is late because of fog."}))
    return str(path)


def titles(settings: Settings) -> list[str]:
    return [article.title for article in Snapshot.open(settings.snapshots).articles()]


def test_an_empty_home_gets_the_shipped_article_and_an_index(settings: Settings) -> None:
    said: list[str] = []
    Editor(settings, HashingEncoder).prepare(said.append)
    assert titles(settings) == ["US cooperates with Kuwait to ensure well-being of human trafficking victims"]
    assert said == [
        "The library is empty: adding the article newsquote comes with.",
        "Building the index: a few seconds, once.",
    ]


def test_a_library_that_has_articles_gets_an_index_of_those_alone(settings: Settings, ferry: str) -> None:
    editor = Editor(settings, HashingEncoder)
    editor.library.add(read(ferry))
    editor.prepare(lambda _: None)
    assert titles(settings) == ["Ferry is late"]


def test_preparing_a_home_that_serves_changes_nothing(settings: Settings) -> None:
    editor = Editor(settings, HashingEncoder)
    editor.prepare(lambda _: None)
    before = snapshot.current(settings.snapshots)
    editor.prepare(lambda _: None)
    assert snapshot.current(settings.snapshots) == before


def test_what_was_added_is_published_and_what_was_there_is_not_built_again(settings: Settings, ferry: str) -> None:
    editor = Editor(settings, HashingEncoder)
    assert [outcome.kind for outcome in editor.add([ferry])] == [Kind.ADDED]
    assert titles(settings) == ["Ferry is late"]
    before = snapshot.names(settings.snapshots)
    assert [outcome.kind for outcome in editor.add([ferry])] == [Kind.SKIPPED]
    assert snapshot.names(settings.snapshots) == before


def test_what_was_removed_is_published_without_it(settings: Settings, ferry: str) -> None:
    editor = Editor(settings, HashingEncoder)
    editor.add([ferry])
    assert editor.remove(["ferry", "nobody"]) == ["ferry"]
    assert titles(settings) == []


def test_articles_stay_in_the_library_when_the_index_cannot_be_built(settings: Settings, ferry: str) -> None:
    def broken() -> HashingEncoder:
        raise ModelError("no model")

    with pytest.raises(ModelError):
        Editor(settings, broken).add([ferry])
    assert Editor(settings, HashingEncoder).build(full=False).articles == 1


def test_while_another_writes_it_says_who(settings: Settings, ferry: str) -> None:
    first, second = Editor(settings, HashingEncoder), Editor(settings, HashingEncoder)
    second.library = Library(settings.library, lock_timeout_s=0.05)
    with first.library.lock(), pytest.raises(LibraryLocked, match=f"process {os.getpid()} "):
        second.add([ferry])
