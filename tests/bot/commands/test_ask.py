from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.bot.command_line import BRIDGE, HARBOUR, KUWAIT, TITLE, Run, records


def test_an_empty_home_answers_from_the_shipped_article(run: Run) -> None:
    answer = run("ask", "Who is the US ambassador to Kuwait?", "--json")
    assert answer.status == 0
    assert answer.err.splitlines() == [
        "The library is empty: adding the article newsquote comes with.",
        "Building the index: a few seconds, once.",
    ]
    quote = answer.json["quotes"][0]
    assert "H E Alina Romanowski" in quote["text"]
    assert quote["article"] == {
        "id": KUWAIT,
        "title": TITLE,
        "url": None,
        "source": "Times Kuwait",
        "author": None,
        "published": None,
        "language": "en",
    }


def test_a_quote_is_a_slice_of_its_article(run: Run) -> None:
    answer = run("ask", "--json", "Which law set the criteria of the report?").json
    text = run("articles", "show", KUWAIT, "--json").json["text"]
    assert answer["quotes"]
    for quote in answer["quotes"]:
        assert quote["text"] == text[quote["start"] : quote["end"]]
        assert all(quote["start"] <= start < end <= quote["end"] for start, end in quote["highlights"])


def test_an_unanswered_question_is_status_1_with_the_nearest_quotes(run: Run) -> None:
    found = run("ask", "--json", "Who won the football match in Lisbon?")
    assert (found.status, found.json["answered"]) == (1, False)
    assert found.json["quotes"]
    assert run("ask", "Who won the football match in Lisbon?").out.startswith(
        "I didn't find an answer to that in the articles."
    )


def test_a_question_in_arabic_is_explained_in_arabic(run: Run) -> None:
    declined = run("ask", "--why", "من فاز بمباراة Lisbon Sporting Club؟").out
    assert declined.startswith("لم أجد في المقالات جوابًا عن ذلك.")
    assert "ولذلك لم أقل إنه الجواب" in declined


def test_an_answer_for_people_is_the_quote_and_its_source(run: Run) -> None:
    found = run("ask", "--limit", "1", "What do officials use to resolve grievances of domestic workers?")
    assert found.status == 0
    assert found.out.startswith('"')
    assert found.out.endswith(f"\n{TITLE} · Times Kuwait\n")


def test_questions_on_standard_input_get_one_object_each_in_order(run: Run) -> None:
    questions = (
        "Which tier is Kuwait in?\n\nمن هو السفير؟\n".encode() + b"caf\xe9 \xff?\n" + "🐝\n".encode() + b"x" * 3000
    )
    found = run("ask", "--json", "-", stdin=questions)
    answers = [json.loads(line) for line in found.out.splitlines()]
    assert [answer["question"] for answer in answers] == [
        "Which tier is Kuwait in?",
        "",
        "من هو السفير؟",
        "caf\ufffd \ufffd?",
        "🐝",
        "x" * 3000,
    ]
    assert ["error" in answer for answer in answers] == [False, True, False, False, False, True]
    assert found.status == 2


def test_limit_counts_quotes(run: Run) -> None:
    assert len(run("ask", "--json", "--limit", "2", "trafficking victims in Kuwait").json["quotes"]) == 2


def test_dates_and_outlets_limit_what_may_answer(run: Run, tmp_path: Path) -> None:
    run("add", str(records(tmp_path / "a.jsonl", HARBOUR, BRIDGE)))

    def found(*limits: str) -> list[str]:
        return [quote["article"]["id"] for quote in run("ask", "--json", *limits, "bridge strike").json["quotes"]]

    assert sorted(found()) == ["bridge", "harbour"]
    assert found("--since", "2026-11-01") == ["bridge"]
    assert found("--since", "2026-11-02") == []
    assert found("--until", "2026-11-01") == ["bridge"]
    assert found("--source", "ostra post") == ["bridge"]
    assert found("--source", "nobody") == []


def test_a_quote_links_to_its_sentence(run: Run, tmp_path: Path) -> None:
    run("add", str(records(tmp_path / "a.jsonl", BRIDGE)))
    quote = run("ask", "--json", "How much do the repairs of the Ostra bridge cost?").json["quotes"][0]
    assert quote["link"] == "https://example.org/bridge#:~:text=Repairs%20cost%203.2%20million%20crowns."


def test_an_emoji_alone_finds_nothing(run: Run) -> None:
    assert run("ask", "🐝🐝").status == 1


def test_answering_loads_neither_torch_nor_telegram(home: Path, run: Run) -> None:
    run("ask", "Who?")
    code = (
        "import sys; from bot.cli import main; main(sys.argv[1:]);"
        "print([m for m in ('torch', 'transformers', 'sentence_transformers', 'telegram', 'rich') if m in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code, "--home", str(home), "ask", "Who is the ambassador?"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.splitlines()[-1] == "[]"
