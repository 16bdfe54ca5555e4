from __future__ import annotations

import re
from pathlib import Path

import pytest

from retrieval.index import snapshot_folder
from retrieval.index.snapshot import Snapshot
from tests.bot.command_line import BRIDGE, HARBOUR, Run, records


def test_snapshots_are_built_listed_checked_and_switched(run: Run, home: Path, tmp_path: Path) -> None:
    run("add", str(records(tmp_path / "a.jsonl", HARBOUR)))
    first = snapshot_folder.current_name(home / "snapshots")
    run("add", str(records(tmp_path / "b.jsonl", BRIDGE)))
    second = snapshot_folder.current_name(home / "snapshots")
    assert run("index", "list").out.splitlines() == [
        f"  {first}  1 articles, 1 passages",
        f"* {second}  2 articles, 2 passages",
    ]
    assert run("index", "use", str(first)).out == f"now serving {first}\n"
    assert run("ask", "--json", "bridge").json["snapshot"] == first
    assert run("index", "check").out.startswith(f"{first} is intact: 1 articles")
    assert run("index", "use", "20000101T000000Z-00000000").status == 3
    built = run("index", "build", "--full").out
    assert re.fullmatch(r"now serving \S+: 2 articles, 2 passages, 2 newly encoded\.\n", built)


def test_a_damaged_file_is_refused_with_the_command_that_repairs_it(run: Run, home: Path, tmp_path: Path) -> None:
    run("add", str(records(tmp_path / "a.jsonl", HARBOUR)))
    path = Snapshot.open(home / "snapshots").segments[0].folder / "passages.bin"
    path.write_bytes(b"\x01" + path.read_bytes()[1:])
    for arguments in (["ask", "strike"], ["index", "check"]):
        found = run(*arguments)
        assert found.status == 3
        assert "passages.bin is missing or damaged; run: newsquote index build --full" in found.err
    assert run("index", "build", "--full").status == 0
    assert run("ask", "--json", "How long did the strike last?").json["quotes"]


def test_an_index_copied_to_a_server_and_back_answers_alike(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("add", str(records(tmp_path / "a.jsonl", HARBOUR)))
    server = str(tmp_path / "milvus.db")
    moved = run("index", "migrate", server)
    assert moved.out.endswith("holds the same: 1 articles, 1 passages, 0 encoded.\n")
    assert f'To answer from it: index_url = "{server}" in ' in moved.err
    here = run("ask", "--json", "How long did the strike last?").json
    monkeypatch.setenv("NEWSQUOTE_INDEX_URL", server)
    there = run("ask", "--json", "How long did the strike last?").json
    assert there["quotes"][0]["text"] == here["quotes"][0]["text"]
    assert (there["answered"], there["snapshot"] != here["snapshot"]) == (here["answered"], True)
    assert run("index", "list").out == f"* {there['snapshot']}  1 articles, 1 passages\n"
    run("add", str(records(tmp_path / "b.jsonl", BRIDGE)))
    assert "is intact: 2 articles, 2 passages" in run("index", "check").out
    back = run("index", "migrate", server, "--back")
    assert back.out.endswith("holds the same: 2 articles, 2 passages, 0 encoded.\n")
    assert run("index", "migrate", "localhost:19530").status == 2


def test_the_index_of_a_small_library_has_nothing_to_merge(run: Run) -> None:
    run("ask", "Who?")
    done = run("index", "merge")
    assert (done.status, done.out, done.err) == (0, "", "There is nothing to merge.\n")
