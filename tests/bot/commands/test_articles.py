from __future__ import annotations

from pathlib import Path

import pytest

from tests.bot.command_line import BRIDGE, HARBOUR, Run, records


def test_a_library_is_paged_edited_and_exported(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("articles", "list").err == "There is no article yet; newsquote add FILE adds one\n"
    run("add", str(records(tmp_path / "a.jsonl", HARBOUR, BRIDGE)))
    page = run("articles", "list", "--sort", "title", "--limit", "1", "--page", "2")
    assert (page.out, page.err) == ("harbour · Harbour strike ends\n", "2 to 2 of 2 articles\n")
    assert [a["id"] for a in run("articles", "list", "--json", "--since", "2026-11-01").json] == ["bridge"]
    assert run("articles", "list", "--source", "nobody").err.startswith("There is no such article")
    monkeypatch.setenv("EDITOR", "sed -i s/eleven/twelve/")
    assert run("articles", "edit", "harbour").out == "replaced: Harbour strike ends (harbour)\n"
    assert run("articles", "edit", "harbour").out == "nothing was changed\n"
    assert run("articles", "edit", "nobody").status == 3
    assert "twelve" in run("ask", "--json", "How long did the strike last?").json["quotes"][0]["text"]
    kept = tmp_path / "kept.zip"
    assert run("articles", "export", str(kept)).out == f"exported 2 articles to {kept}\n"
    again = run("articles", "export", str(kept))
    assert (again.status, again.err.count("\n")) == (3, 1)
    run("articles", "remove", "bridge", "harbour")
    assert [outcome["outcome"] for outcome in run("add", str(kept), "--json").json] == ["added", "added"]


def test_a_removed_article_is_no_longer_quoted(run: Run, tmp_path: Path) -> None:
    run("add", str(records(tmp_path / "a.jsonl", HARBOUR, BRIDGE)))
    assert run("articles", "remove", "harbour").out == "removed: harbour\n"
    assert {q["article"]["id"] for q in run("ask", "--json", "strike").json["quotes"]} <= {"bridge"}
    assert run("articles", "remove", "harbour").status == 3
    assert run("articles", "remove", "bridge").status == 0
    assert run("ask", "--json", "strike").json["quotes"] == []


def test_the_library_is_listed_and_shown(run: Run, tmp_path: Path) -> None:
    run("add", str(records(tmp_path / "a.jsonl", HARBOUR, BRIDGE)))
    assert run("articles", "list").out.splitlines() == [
        "bridge · Bridge closes · Ostra Post · 2026-11-01",
        "harbour · Harbour strike ends",
    ]
    assert run("articles", "show", "bridge").out.splitlines() == [
        "Bridge closes",
        "Ostra Post · 2026-11-01 · https://example.org/bridge",
        "",
        BRIDGE["text"],
    ]
    assert "text" not in run("articles", "list", "--json").json[0]
    assert run("articles", "show", "nobody").status == 3
