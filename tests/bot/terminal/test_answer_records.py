from __future__ import annotations

from dataclasses import replace

import pytest

from bot.conversation.dialogue import Help, Leave, Reply, Say, Show
from bot.conversation.languages import Language
from bot.terminal.answer_records import answer_record, turn_record
from tests.bot.answers import FIRST, LAST, SECOND, TEXT, answer, article, quote, span

EN = Language.EN


def test_an_answers_record_has_its_quotes_with_offsets_into_the_article() -> None:
    kuwait = article(url="https://news.example/kuwait")
    read = replace(quote(kuwait, f"{FIRST} {SECOND}", SECOND, link="https://news.example/kuwait#x"), answer=None)
    start, end = span(kuwait, SECOND)
    assert answer_record(answer(read, confidence=0.75, question="Who?")) == {
        "question": "Who?",
        "answered": True,
        "certain": False,
        "confidence": 0.75,
        "quotes": [
            {
                "article": {
                    "id": kuwait.id,
                    "title": kuwait.title,
                    "url": "https://news.example/kuwait",
                    "source": "Times Kuwait",
                    "author": None,
                    "published": None,
                    "language": None,
                },
                "text": f"{FIRST} {SECOND}",
                "start": read.span.start,
                "end": read.span.end,
                "highlights": [[start, end]],
                "answer": None,
                "score": 0.5,
                "link": "https://news.example/kuwait#x",
            }
        ],
        "snapshot": "20261124T001500Z-1a2b3c4d",
        "took_ms": 1.0,
    }


def test_the_words_that_answer_are_sliced_from_the_article() -> None:
    words = span(article(), SECOND.split()[0])
    read = replace(quote(article(), SECOND, SECOND), answer=words)
    record = answer_record(answer(read))["quotes"][0]["answer"]
    assert record == {"text": TEXT[words.start : words.end], "start": words.start, "end": words.end}


ANSWER, DECLINED = answer(quote(article(), FIRST), quote(article(), LAST)), answer(answered=False, confidence=0.1)


@pytest.mark.parametrize(
    ("turn", "kind"),
    [
        (Show(ANSWER, 0, 1, EN), "answer"),
        (Show(DECLINED, 0, 1, EN), "declined"),
        (Show(ANSWER, 1, 1, EN), "talk"),
        (Say("Hello!", EN), "talk"),
        (Help(EN), "talk"),
        (Leave("Bye.", EN), "talk"),
        (None, "talk"),
    ],
)
def test_a_turn_is_an_answer_declined_or_talk(turn: Reply | None, kind: str) -> None:
    record = turn_record(turn, "what is shown")
    assert (record["kind"], record["text"]) == (kind, "what is shown")
    assert ("quotes" in record) is (kind != "talk")
