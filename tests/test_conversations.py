"""Whole conversations over libraries of English and of Arabic articles, with the shipped model."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from bot.conversation.dialogue import Ask, DialogueState, resolve, step
from corpus import shipped_articles
from corpus.article import Article, content_id
from retrieval.answering import Answerer
from retrieval.models.encoder import OnnxEncoder
from retrieval.results import Answer
from tests.bot.conversation.test_followups import DIALOGUES, Dialogue
from tests.sample_library import built

FIT = Path(__file__).parent / "fit" / "data"


def told(pattern: str) -> Iterator[Article]:
    for path in sorted(FIT.glob(pattern)):
        for one in json.loads(path.read_text("utf-8"))["data"]:
            text = "\n\n".join(paragraph["context"] for paragraph in one["paragraphs"])
            yield Article(content_id(one["title"], text), one["title"], text)


def first_article(answer: Answer) -> str | None:
    return answer.quotes[0].article.id if answer.quotes else None


def in_their_thread(answerer: Answerer, dialogues: Iterable[Dialogue]) -> tuple[int, int]:
    """How many follow-ups are asked, and how many are answered from the article of their thread."""
    asked = in_context = 0
    for dialogue in dialogues:
        state, thread = DialogueState(), None
        for turn in dialogue["turns"]:
            state, ask = step(state, turn["say"])
            if not isinstance(ask, Ask):
                continue
            answer = answerer.answer(ask.query)
            if turn["kind"] == "fresh":
                thread = first_article(answer)
            else:
                asked += 1
                in_context += first_article(answer) == thread
            state, _ = resolve(state, ask, answer)
    return asked, in_context


def test_a_follow_up_is_answered_from_the_article_of_its_thread(minilm: OnnxEncoder, tmp_path: Path) -> None:
    library = built(tmp_path, [*shipped_articles(), *told("news-[1-3].json")], minilm)
    english = [dialogue for dialogue in DIALOGUES if all(turn["say"].isascii() for turn in dialogue["turns"])]
    asked, in_context = in_their_thread(Answerer(library, minilm), english)
    # measured: 124 of 140
    assert asked >= 100
    assert in_context / asked >= 0.87


@pytest.mark.parametrize("last", ["Who is the emir?", "and the emir?", "what about its embassy?"])
def test_a_follow_up_about_what_no_article_mentions_is_declined(last: str, minilm: OnnxEncoder, tmp_path: Path) -> None:
    answerer = Answerer(built(tmp_path, list(shipped_articles()), minilm), minilm)
    state, decided = DialogueState(), []
    for question in ("Which tier is Kuwait in?", "what did the government do about victims?", last):
        state, ask = step(state, question)
        assert isinstance(ask, Ask)
        answer = answerer.answer(ask.query)
        state, _ = resolve(state, ask, answer)
        decided.append(answer.answered)
    assert decided == [True, True, False]


def test_an_arabic_follow_up_is_answered_from_the_article_of_its_thread(minilm: OnnxEncoder, tmp_path: Path) -> None:
    library = built(tmp_path, list(told("arabic-[0-9]*.json")), minilm)
    arabic = [dialogue for dialogue in DIALOGUES if dialogue.get("library") == "arabic"]
    asked, in_context = in_their_thread(Answerer(library, minilm), arabic)
    # measured: 24 of 26
    assert asked >= 25
    assert in_context / asked >= 0.9
