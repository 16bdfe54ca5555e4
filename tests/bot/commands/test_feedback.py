from __future__ import annotations

import json
from pathlib import Path

from bot.service.state import StateDatabase
from corpus import Article, Found, Library, content_id
from tests.bot.command_line import Run


def test_good_votes_are_exported_as_questions_for_eval(run: Run, home: Path) -> None:
    text = "The strike had lasted eleven days. It ended."
    Library(home / "library").add([Found(Article(id="harbour", title="Strike", text=text), "x", record=True)])
    quote = {"article": "harbour", "content": content_id("Strike", text), "span": [0, 34]}
    with StateDatabase(home / "state.db") as state:
        state.vote(state.store_answer("s", [quote], answered=True, question="How long?"), 0, 1, good=True)
    found = run("feedback", "export")
    paragraph = json.loads(found.out)["data"][0]["paragraphs"][0]
    assert (found.status, paragraph["qas"][0]["question"]) == (0, "How long?")
    assert paragraph["qas"][0]["answers"] == [{"text": "The strike had lasted eleven days.", "answer_start": 0}]
