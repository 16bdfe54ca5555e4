from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from retrieval.models.manifest import DEFAULT_SOURCE
from tests.bot.command_line import Run
from tests.conftest import Tiny
from tests.retrieval.tiny_reader import build_reader


@pytest.mark.parametrize("arguments", [["ask", "Who?"], ["chat"], ["telegram"], ["eval"]], ids=lambda given: given[0])
def test_an_unknown_reranker_stops_every_answering_command_before_it_starts(
    run: Run, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.setenv("NEWSQUOTE_RERANK", "/none/such")
    monkeypatch.setenv("NEWSQUOTE_TELEGRAM_TOKEN", "123456:" + "A" * 35)
    questions = {"title": "a", "paragraphs": [{"context": "A ferry.", "qas": [{"question": "?", "answers": []}]}]}
    (tmp_path / "q.json").write_text(json.dumps({"data": [questions]}))
    found = run(*arguments, *([str(tmp_path / "q.json")] if arguments == ["eval"] else []))
    assert (found.status, found.out) == (2, "")
    assert found.err.splitlines() == [
        "Preparing the reranker /none/such: once.",
        "newsquote: rerank (environment): there is no folder /none/such",
    ]
    assert not (home / "library").exists()


def test_a_reranker_is_converted_once_and_its_score_is_in_the_evidence(
    run: Run, home: Path, models_dir: Path, tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "models").unlink()
    (home / "models").mkdir()
    (home / "models" / DEFAULT_SOURCE).symlink_to(models_dir / DEFAULT_SOURCE)
    source = tiny.folder / "exact" / "exact"
    (home / "config.toml").write_text(f'rerank = "{source}"')
    question = "Who is the US ambassador to Kuwait?"
    asked = run("ask", "--json", "--why", question)
    assert asked.err.splitlines()[0] == f"Preparing the reranker {source}: once."
    scores = [quote["evidence"]["reranker"] + quote["score"] for quote in asked.json["quotes"]]
    assert scores == sorted(scores, reverse=True)
    again = run("ask", "--json", "--why", question)
    assert (again.err, again.json["quotes"]) == ("", asked.json["quotes"])
    chatted = run("chat", stdin=f"{question}\n/why\n".encode())
    assert re.search(r"^reranker +-?\d", chatted.out, re.MULTILINE)
    assert [line.split()[:2] for line in run("model", "list").out.splitlines()] == [
        ["*", "exact"],
        ["*", DEFAULT_SOURCE],
    ]
    monkeypatch.setenv("NEWSQUOTE_RERANK", "exact")
    assert run("ask", "--json", "--why", question).json["quotes"] == asked.json["quotes"]


def test_an_unknown_reader_is_refused_before_anything_starts(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWSQUOTE_READER", "/none/such")
    found = run("ask", "Who?")
    assert (found.status, found.out) == (2, "")
    assert found.err.splitlines() == [
        "Preparing the reader /none/such: once.",
        "newsquote: reader (environment): there is no folder /none/such",
    ]
    assert not (home / "library").exists()


def test_the_words_that_answer_are_in_the_json_unless_the_reader_is_switched_off(run: Run, home: Path) -> None:
    asked = "ask", "--json", "Which tier is Kuwait in?"
    read = run(*asked).json
    assert read["quotes"][0]["answer"]["text"] == "second level"
    (home / "config.toml").write_text("reader = false")
    compared = run(*asked).json
    assert [quote["answer"] for quote in compared["quotes"]] == [None] * len(compared["quotes"])
    assert (read["answered"], compared["answered"]) == (True, True)


def test_the_words_of_another_reader_are_in_the_json(run: Run, home: Path, models_dir: Path) -> None:
    (home / "models").unlink()
    (home / "models").mkdir()
    (home / "models" / DEFAULT_SOURCE).symlink_to(models_dir / DEFAULT_SOURCE)
    build_reader(home / "models" / "levels", {"second": 30.0}, {"level": 30.0})
    (home / "config.toml").write_text('reader = "levels"')
    quote = run("ask", "--json", "Which tier is Kuwait in?").json["quotes"][0]
    start, end = quote["answer"]["start"], quote["answer"]["end"]
    assert quote["answer"]["text"] == "second level" == quote["text"][start - quote["start"] : end - quote["start"]]
    assert quote["highlights"][0][0] <= start < end <= quote["highlights"][0][1]
    stars = {line.split()[1]: line.split()[0] for line in run("model", "list").out.splitlines()}
    assert stars == {DEFAULT_SOURCE: "*", "levels": "*"}
    refused = run("model", "use", "levels")
    assert (refused.status, "is a reader; to use it" in refused.err) == (3, True)
