from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import hypothesis
import pytest
from hypothesis import strategies as st

from bot.cli import main
from bot.service.editing import Editor, external_editor
from bot.settings import Settings, SettingsError
from bot.terminal.answer_records import answer_record
from corpus import Article, CorpusError, Library, LibraryError, LibraryLocked, OutcomeKind, SourceError, read
from retrieval.answering import Answerer
from retrieval.errors import ModelError
from retrieval.index import snapshot_folder
from retrieval.index.snapshot import Snapshot
from retrieval.index.writing import current_snapshot
from retrieval.index.writing import publishing as publishing
from retrieval.results import Query
from tests.fakes import HashingEncoder
from tests.sample_library import articles_in


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.load(tmp_path / "home", {})


@pytest.fixture
def ferry(tmp_path: Path) -> str:
    path = tmp_path / "ferry.jsonl"
    path.write_text(json.dumps({"id": "ferry", "title": "Ferry is late", "text": "The ferry is late because of fog."}))
    return str(path)


def titles(settings: Settings) -> list[str]:
    return [article.title for article in articles_in(Snapshot.open(settings.snapshots))]


def test_an_empty_home_gets_the_shipped_article_and_an_index(settings: Settings) -> None:
    said: list[str] = []
    Editor(settings, HashingEncoder).prepare(said.append)
    assert titles(settings) == ["US cooperates with Kuwait to ensure well-being of human trafficking victims"]
    assert said == [
        "The library is empty: adding the article newsquote comes with.",
        "Building the index: a few seconds, once.",
    ]


def test_a_home_stays_empty_after_a_change_without_effect(settings: Settings) -> None:
    editor = Editor(settings, HashingEncoder)
    assert editor.remove(["nope"]) == []
    editor.prepare(lambda _: None)
    assert titles(settings) == ["US cooperates with Kuwait to ensure well-being of human trafficking victims"]


def test_a_missing_library_is_not_mistaken_for_an_empty_one(settings: Settings, ferry: str) -> None:
    editor = Editor(settings, HashingEncoder)
    editor.add([ferry])
    settings.library.rename(settings.home / "moved")
    with pytest.raises(LibraryError, match=r"the library .* is gone; put it back, then build"):
        editor.build(full=False)
    assert titles(settings) == ["Ferry is late"]


def test_a_library_with_articles_gets_no_shipped_ones(settings: Settings, ferry: str) -> None:
    editor = Editor(settings, HashingEncoder)
    editor.library.add(read(ferry))
    editor.prepare(lambda _: None)
    assert titles(settings) == ["Ferry is late"]


def test_preparing_a_home_with_an_index_changes_nothing(settings: Settings) -> None:
    editor = Editor(settings, HashingEncoder)
    editor.prepare(lambda _: None)
    before = snapshot_folder.current_name(settings.snapshots)
    editor.prepare(lambda _: None)
    assert snapshot_folder.current_name(settings.snapshots) == before


def test_added_articles_are_published_and_the_rest_is_not_built_again(settings: Settings, ferry: str) -> None:
    editor = Editor(settings, HashingEncoder)
    assert [outcome.kind for outcome in editor.add([ferry])] == [OutcomeKind.ADDED]
    assert titles(settings) == ["Ferry is late"]
    before = snapshot_folder.snapshot_names(settings.snapshots)
    assert [outcome.kind for outcome in editor.add([ferry])] == [OutcomeKind.SKIPPED]
    assert snapshot_folder.snapshot_names(settings.snapshots) == before


def test_an_addition_is_undone(settings: Settings, ferry: str, tmp_path: Path) -> None:
    editor = Editor(settings, HashingEncoder)
    editor.add([ferry])
    newer = tmp_path / "newer.jsonl"
    records = [
        {"id": "ferry", "title": "Ferry sank", "text": "The ferry sank in the fog.", "author": "Ada Lund"},
        {"id": "bus", "title": "Bus is late", "text": "The bus is late, too."},
    ]
    newer.write_text("\n".join(map(json.dumps, records)))
    was: list[Article] = []
    editor.add([str(newer)], on_replaced=was.append)
    assert titles(settings) == ["Bus is late", "Ferry sank"]
    assert editor.undo(["bus", "nobody"], was) == ["bus", "ferry"]
    assert titles(settings) == ["Ferry is late"]
    [article] = editor.library.articles()
    assert (article, article.text) == (was[0], "The ferry is late because of fog.")


def test_a_removal_is_published(settings: Settings, ferry: str) -> None:
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


def test_a_locked_library_says_which_process_holds_the_lock(settings: Settings, ferry: str) -> None:
    first, second = Editor(settings, HashingEncoder), Editor(settings, HashingEncoder)
    second.library = Library(settings.library, lock_timeout_s=0.05)
    with first.library.lock(), pytest.raises(LibraryLocked, match=f"process {os.getpid()} "):
        second.add([ferry])


def replacing(old: str, new: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")

    return change


def drafts(settings: Settings) -> list[Path]:
    return sorted((settings.home / "drafts").iterdir())


@pytest.mark.parametrize("form", ["record", "file"])
def test_an_edited_article_is_published_as_written(settings: Settings, tmp_path: Path, form: str) -> None:
    editor = Editor(settings, HashingEncoder)
    article = Article("ferry", "Ferry is late", "It is late because of fog.", author="Ann Lee", language="en")
    if form == "record":
        path = tmp_path / "a.jsonl"
        path.write_text(json.dumps({"id": "ferry", "title": article.title, "text": article.text, "author": "Ann Lee"}))
        editor.add([str(path)])
    else:
        editor.library.add([article])
    edited = editor.edit("ferry", replacing("author: Ann Lee\n", "author: ''\n"))
    edited = editor.edit("ferry", replacing("because of fog", "because of ice"))
    assert edited == Article("ferry", "Ferry is late", "It is late because of ice.", language="en")
    kept = editor.library.get("ferry")
    assert kept is not None
    assert (kept, kept.text) == (edited, edited.text)
    assert [article.text for article in articles_in(Snapshot.open(settings.snapshots))] == [edited.text]
    assert drafts(settings) == []


def test_an_edit_without_changes_publishes_nothing(settings: Settings, ferry: str) -> None:
    editor = Editor(settings, HashingEncoder)
    editor.add([ferry])
    before = snapshot_folder.current_name(settings.snapshots)
    assert editor.edit("ferry", lambda _: None) is None
    assert (snapshot_folder.current_name(settings.snapshots), drafts(settings)) == (before, [])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (replacing("title: Ferry", "title: [Ferry"), "its front matter is not YAML"),
        (replacing("id: ferry", "id: boat"), "its front matter must keep the line id: ferry"),
        (replacing("The ferry is late because of fog.", ""), "it holds no text"),
    ],
)
def test_a_draft_that_cannot_be_used_is_kept(
    settings: Settings, ferry: str, change: Callable[[Path], None], reason: str
) -> None:
    editor = Editor(settings, HashingEncoder)
    editor.add([ferry])
    with pytest.raises(SourceError) as caught:
        editor.edit("ferry", change)
    (draft,) = drafts(settings)
    assert str(caught.value).startswith(
        f"what was written is kept in {draft}, newsquote articles edit ferry goes on from there: {reason}"
    )
    assert titles(settings) == ["Ferry is late"]

    def finish(path: Path) -> None:
        path.write_text("---\nid: ferry\ntitle: Ferry is on time\n---\n\nThe fog is gone.\n")

    assert editor.edit("ferry", finish) == Article("ferry", "Ferry is on time", "The fog is gone.")
    assert (titles(settings), drafts(settings)) == (["Ferry is on time"], [])


def test_an_edit_does_not_overwrite_a_change_made_meanwhile(settings: Settings, ferry: str) -> None:
    editor = Editor(settings, HashingEncoder)
    editor.add([ferry])

    def change(path: Path) -> None:
        Editor(settings, HashingEncoder).edit("ferry", replacing("fog", "ice"))
        path.write_text(Path(path).read_text() if path.exists() else "---\nid: ferry\ntitle: X\n---\n\nY\n")

    with pytest.raises(SourceError, match="the article ferry was changed or removed meanwhile"):
        editor.edit("ferry", change)
    assert [article.text for article in editor.library.articles()] == ["The ferry is late because of ice."]


def test_a_missing_article_cannot_be_edited(settings: Settings) -> None:
    with pytest.raises(CorpusError, match="there is no article nobody"):
        Editor(settings, HashingEncoder).edit("nobody", lambda _: None)


@pytest.mark.parametrize(
    ("environ", "reason"),
    [
        ({"EDITOR": "no-such-editor -w"}, "the editor no-such-editor is not there; set EDITOR to the command of one"),
        ({"VISUAL": "'"}, '$EDITOR is "\'", which is no command: No closing quotation'),
    ],
)
def test_an_unknown_editor_is_refused(environ: dict[str, str], reason: str) -> None:
    with pytest.raises(SettingsError) as caught:
        external_editor(environ)
    assert str(caught.value) == reason


def test_the_editor_is_run_on_the_draft_and_its_failure_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "draft file.md"
    path.write_text("fog")
    external_editor({"EDITOR": "no-such", "VISUAL": "sed -i s/fog/ice/"})(path)
    assert path.read_text() == "ice"
    with pytest.raises(SourceError, match="the editor ended with status 1; nothing was taken over from "):
        external_editor({"EDITOR": "false"})(path)


def test_the_next_process_publishes_what_a_killed_one_did_not(settings: Settings, ferry: str) -> None:
    Editor(settings, HashingEncoder).prepare(lambda _: None)
    editor = Editor(settings, HashingEncoder)
    editor.library.add(read(ferry))
    assert len(titles(settings)) == 1
    assert [outcome.kind for outcome in editor.add([ferry])] == [OutcomeKind.SKIPPED]
    assert len(titles(settings)) == 2


class Aside:
    """A process that runs on; notes what those that are begun are told to do."""

    pid = os.getpid()
    begun: ClassVar[list[list[str]]] = []

    def __init__(self, command: list[str], **_: object) -> None:
        self.begun.append(command)

    def poll(self) -> None:
        return None


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What processes that are begun aside are told to do, where every addition leaves something to merge."""
    monkeypatch.setattr(publishing, "SMALL_SEGMENT", 0)
    monkeypatch.setattr(Aside, "begun", [])
    monkeypatch.setattr("os.setpriority", lambda *_: None)
    monkeypatch.setattr("subprocess.Popen", Aside)
    return Aside.begun


def test_segments_left_by_additions_are_merged_by_another_process(
    settings: Settings, tmp_path: Path, begun: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    editor = Editor(settings, HashingEncoder)
    for name in ("ferry", "bridge", "bees"):
        path = tmp_path / f"{name}.jsonl"
        path.write_text(json.dumps({"id": name, "title": name, "text": f"The {name} is late."}))
        editor.add([str(path)])
    assert len(Snapshot.open(settings.snapshots).segments) == 3
    [command] = begun
    assert command[:4] == [sys.executable, "-P", "-m", "bot"]
    assert main(command[4:]) == 0
    serving = Snapshot.open(settings.snapshots)
    assert capsys.readouterr().out == f"now serving {serving.name}: the same articles, in fewer segments.\n"
    assert (len(serving.segments), sorted(titles(settings))) == (1, ["bees", "bridge", "ferry"])


def test_a_rebuild_merges_in_the_background_too(settings: Settings, ferry: str, begun: list[list[str]]) -> None:
    editor = Editor(settings, HashingEncoder)
    editor.add([ferry])
    assert not begun
    (settings.library / "bees.txt").write_text("Bees are late\n\nThe bees are late.\n")
    assert editor.rebuild().articles == 2
    assert [command[-2:] for command in begun] == [["index", "merge"]]


def test_a_merge_stopped_by_another_writer_is_finished_by_the_next(
    settings: Settings, ferry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "SMALL_SEGMENT", 0)
    monkeypatch.setattr(Editor, "merge_in_background", lambda _: None)
    editor = Editor(settings, HashingEncoder)
    editor.add([ferry])
    (tmp_path / "bees.jsonl").write_text(json.dumps({"id": "bees", "title": "Bees", "text": "The bees are late."}))
    editor.add([str(tmp_path / "bees.jsonl")])
    before = snapshot_folder.current_name(settings.snapshots)
    editor.library = Library(settings.library, lock_timeout_s=0.01)
    with Library(settings.library).lock():
        assert editor.merge() is None
    assert snapshot_folder.current_name(settings.snapshots) == before
    assert editor.merge() == snapshot_folder.current_name(settings.snapshots) != before
    assert sorted(titles(settings)) == ["Bees", "Ferry is late"]


def test_a_chosen_older_snapshot_stays_current_while_nothing_changes(settings: Settings, ferry: str) -> None:
    editor = Editor(settings, HashingEncoder)
    editor.prepare(lambda _: None)
    old = snapshot_folder.current_name(settings.snapshots)
    editor.add([ferry])
    assert old is not None
    current_snapshot.switch_to(settings.snapshots, old)
    editor.add([ferry])
    assert snapshot_folder.current_name(settings.snapshots) == old


WORDS = st.sampled_from(
    ["The ferry is late.", "Fog lies over the bay.", "The bridge closes in May.", "Bees swarm in June."]
)
TEXTS = st.lists(WORDS, min_size=1, max_size=6).map(" ".join)
STEPS = st.lists(
    st.tuples(st.sampled_from(["add", "edit", "remove", "by hand"]), st.sampled_from("abcd"), TEXTS),
    min_size=1,
    max_size=6,
)
ASKED = ("Is the ferry late?", "When does the bridge close?", "What lies over the bay?", "Who swims?")


def answers(settings: Settings) -> list[object]:
    """What is answered, all but the time it took and the name of the snapshot."""
    answerer = Answerer(Snapshot.open(settings.snapshots), HashingEncoder())
    given = [answer_record(answerer.answer(Query(text, limit=5)), why=True) for text in ASKED]
    return [{key: value for key, value in one.items() if key not in ("took_ms", "snapshot")} for one in given]


@hypothesis.settings(max_examples=12, deadline=None)
@hypothesis.given(STEPS)
def test_an_index_built_in_steps_answers_like_one_built_at_once(steps: list[tuple[str, str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.load(Path(folder, "home"), {})
        editor = Editor(settings, HashingEncoder)
        for number, (step, name, text) in enumerate(steps):
            if step == "remove":
                editor.remove([name])
            elif step == "edit" and name in editor.library.ids():
                editor.edit(
                    name,
                    lambda path, name=name, text=text: path.write_text(f"---\nid: {name}\n---\n\n{text}\n"),  # type: ignore[misc]
                )
            elif step == "by hand":
                settings.library.mkdir(parents=True, exist_ok=True)
                (settings.library / f"{name}.txt").write_text(f"By hand {name}\n\n{text}\n")
            else:
                path = Path(folder, f"{number}.jsonl")
                path.write_text(json.dumps({"id": name, "title": f"Story {name}", "text": text}))
                editor.add([str(path)])
        editor.build(full=False)
        gradual = answers(settings)
        editor.build(full=True)
        assert answers(settings) == gradual
