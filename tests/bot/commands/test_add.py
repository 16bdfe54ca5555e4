from __future__ import annotations

import gzip
import json
from pathlib import Path

from tests.bot.command_line import BRIDGE, HARBOUR, KUWAIT, Run, process, records


def test_adding_reports_an_outcome_for_each_source(run: Run, tmp_path: Path) -> None:
    good = records(tmp_path / "good.jsonl", HARBOUR, "{not json", BRIDGE, HARBOUR)
    (tmp_path / "empty.txt").write_bytes(b"")
    (tmp_path / "binary.txt").write_bytes(bytes(range(256)) * 8)
    found = run("add", str(good), str(tmp_path / "empty.txt"), str(tmp_path / "binary.txt"), str(tmp_path / "none.txt"))
    assert found.status == 3
    kinds = [line.split(":")[0] for line in found.out.splitlines()]
    assert kinds == ["added", "refused", "added", "refused", "refused", "refused", "refused"]
    assert f"{good}, line 2" in found.out
    assert run("ask", "How long did the strike last?", "--json").json["quotes"][0]["article"]["id"] == "harbour"


def test_adding_the_same_article_again_changes_nothing(run: Run, tmp_path: Path) -> None:
    path = str(records(tmp_path / "a.jsonl", HARBOUR))
    assert run("add", path).out.startswith("added: ")
    before = run("index", "list").out
    again = run("add", "--json", path)
    assert (again.status, [outcome["outcome"] for outcome in again.json]) == (0, ["skipped"])
    assert run("index", "list").out == before


def test_articles_come_from_standard_input_and_from_folders(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with gzip.open(folder / "a.jsonl.gz", "wt") as file:
        file.write(json.dumps(HARBOUR))
    (folder / "b.txt").write_text("Market opens on Friday\n\nThe old market hall opens its doors on Friday morning.\n")
    found = run(
        "add", "-", str(folder), stdin=b"Ferry is late\n\nThe ferry to the island is late because of the fog.\n"
    )
    assert found.status == 0
    assert sorted(a["title"] for a in run("articles", "list", "--json").json) == [
        "Ferry is late",
        "Harbour strike ends",
        "Market opens on Friday",
    ]


def test_a_reprint_is_reported_and_named_with_the_quote(run: Run, tmp_path: Path) -> None:
    reprint = {"id": "reprint", "title": "Dockers back", "text": HARBOUR["text"], "source": "The Bay Times"}
    added = run("add", "--json", str(records(tmp_path / "a.jsonl", HARBOUR, reprint))).json
    assert [outcome["reason"] for outcome in added] == [None, "the same text as harbour, kept as a further source"]
    quotes = run("ask", "--json", "How long did the strike last?").json["quotes"]
    assert [{q["article"]["id"], *(a["id"] for a in q["also_in"])} for q in quotes] == [{"harbour", "reprint"}]
    assert run("articles", "list").out.count("\n") == 2


def test_two_processes_adding_at_once_lose_nothing(home: Path, run: Run, tmp_path: Path) -> None:
    run("ask", "Who?")
    one = process(home, "add", str(records(tmp_path / "a.jsonl", HARBOUR)))
    two = process(home, "add", str(records(tmp_path / "b.jsonl", BRIDGE)))
    assert [p.communicate(timeout=120)[1] for p in (one, two)] == [b"", b""]
    assert {a["id"] for a in run("articles", "list", "--json").json} == {KUWAIT, "harbour", "bridge"}
    assert run("ask", "--json", "How long did the strike last?").json["quotes"][0]["article"]["id"] == "harbour"


def test_watch_publishes_a_new_file_and_ends_on_sigterm(home: Path, run: Run) -> None:
    run("ask", "Who?")
    watching = process(home, "watch")
    assert watching.stderr is not None
    assert watching.stderr.readline().startswith(b"newsquote: watching ")
    (home / "library" / "ferry.txt").write_text("Ferry is late\n\nThe ferry to the island is late because of fog.\n")
    line = watching.stderr.readline()
    assert line.startswith(b"newsquote: now serving ")
    assert line.endswith(b": 2 articles, 1 passages newly encoded\n")
    watching.terminate()
    assert watching.wait(30) == 0
    watching.communicate()
    assert run("ask", "--json", "Why is the ferry late?").json["quotes"][0]["article"]["title"] == "Ferry is late"
