"""The README says what is true: its transcript is what chat prints, its commands and settings are those there are."""

from __future__ import annotations

import dataclasses
import io
import re
import shlex
from pathlib import Path

import pytest

from bot.cli import main
from bot.service.hot_reload import ReloadingAnswerer
from bot.settings import Settings
from bot.terminal.chat import run_chat
from corpus import shipped_articles
from retrieval.answering import Answerer
from retrieval.index import snapshot_folder
from retrieval.index.snapshot import Snapshot
from retrieval.index.writing.publishing import publish
from retrieval.models.encoder import OnnxEncoder
from retrieval.models.reader import OnnxReader

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
RUNBOOK = (ROOT / "deploy" / "README.md").read_text(encoding="utf-8")
TRANSCRIPTS = re.findall(r"```console\n\$ make chat\n(.*?)```", README, re.DOTALL)
COMMANDS = re.findall(r"^\.venv/bin/newsquote (.+)$", README, re.MULTILINE)
TABLE = re.findall(r"^\| (`.*?) \|", README.split("| command | does |")[1].split("\n\n")[0], re.MULTILINE)
TARGETS = re.findall(r"(?:^|`|\$ )make ([a-z-]+)", README, re.MULTILINE)


@pytest.mark.parametrize("transcript", TRANSCRIPTS)
def test_the_transcript_is_what_chat_prints(
    transcript: str, minilm: OnnxEncoder, english_reader: OnnxReader, tmp_path: Path
) -> None:
    publish(shipped_articles(), minilm, tmp_path)
    answerer = ReloadingAnswerer(
        lambda: Answerer(Snapshot.open(tmp_path), minilm, reader=english_reader),
        lambda: snapshot_folder.current_name(tmp_path),
    )
    asked = [line.removeprefix("> ") for line in transcript.splitlines() if line.startswith("> ")]
    printed = io.StringIO()
    run_chat(lambda: answerer, stdin=io.StringIO("".join(f"{line}\n" for line in asked)), stdout=printed)
    shown = [line for line in transcript.splitlines() if line and not line.startswith("> ")]
    assert [line for line in printed.getvalue().splitlines() if line] == shown


def test_there_is_a_transcript() -> None:
    assert TRANSCRIPTS


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_are_understood(command: str) -> None:
    words = shlex.split(command)
    known = words[:2] if words[0] in {"articles", "index", "model"} else words[:1]
    assert main([*known, "--help"]) == 0


def test_the_table_names_every_command_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    def offered(*words: str) -> list[str]:
        assert main([*words, "--help"]) == 0
        return re.findall(r"^    ([a-z]+) ", capsys.readouterr().out, re.MULTILINE)

    there = [(command, action) for command in offered() for action in offered(command) or [""]]
    rows = [re.findall(r"(?<!\S)[a-z]+(?!\S)", row)[:2] for cell in TABLE for row in re.findall(r"`([^`]+)`", cell)]
    named = {" ".join(words) for words in rows if words}
    assert named == {" ".join(words).strip() for words in there}


@pytest.mark.parametrize("target", sorted(set(TARGETS)))
def test_the_make_targets_are_there(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def test_the_settings_table_names_every_setting_and_its_default() -> None:
    section = RUNBOOK.split("## Settings")[1].split("\n## ")[0]
    lines = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| ([^|]*)\|", section, re.MULTILINE)
    rows = {name.strip("`"): default for names, default in lines for name in names.split(", ")}
    settings = {field.name: field.default for field in dataclasses.fields(Settings) if field.metadata}
    assert rows.keys() == settings.keys()
    for name, default in settings.items():
        if default not in (None, ()) and name != "models":
            assert rows[name].strip() == str(default).removesuffix(".0").replace("False", "false").replace(
                "True", "true"
            )
