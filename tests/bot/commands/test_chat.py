from __future__ import annotations

import json
from pathlib import Path

from tests.bot.command_line import Run


def test_chat_answers_the_lines_of_standard_input(run: Run) -> None:
    found = run("chat", stdin=b"Who is the US ambassador to Kuwait?\n/quit\n")
    assert found.status == 0
    assert "H E Alina Romanowski" in found.out


def test_chat_speaks_json_where_it_is_asked_to(run: Run) -> None:
    found = run("chat", "--json", stdin=b"Who is the US ambassador to Kuwait?\nthanks\n")
    replies = [json.loads(line) for line in found.out.splitlines()]
    assert [reply["kind"] for reply in replies] == ["answer", "talk"]
    assert "H E Alina Romanowski" in replies[0]["text"]


def test_telegram_without_a_token_is_wrong_use(run: Run, home: Path) -> None:
    found = run("telegram")
    assert (found.status, found.out, found.err.count("\n")) == (2, "", 1)
    assert not (home / "library").exists()
