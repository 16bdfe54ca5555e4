"""Votes on quotes as questions in SQuAD 2.0 form, for `newsquote eval`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.service.state import Vote
from corpus.article import Article, content_id


def votes_to_squad(votes: Sequence[Vote], articles: Mapping[str, Article]) -> dict[str, Any]:
    """Questions with the quotes that people voted good as answers, grouped by article, in the order of the votes.

    `articles` holds the articles voted on, by id. Left out are votes without a question (questions are stored only if
    the settings say so), votes on articles that are gone or have changed, and bad votes: they say what does not answer
    a question, not what does.
    """
    groups: dict[str, dict[str, Any]] = {}
    for number, vote in enumerate(votes):
        article = articles.get(vote.article)
        if article is None or not vote.good or vote.question is None:
            continue
        if content_id(article.title, article.text) != vote.content:
            continue
        group = groups.setdefault(
            article.id, {"title": article.title, "paragraphs": [{"context": article.text, "qas": []}]}
        )
        answer = {"text": article.text[vote.start : vote.stop], "answer_start": vote.start}
        question = {"id": f"vote-{number}", "question": vote.question, "answers": [answer], "is_impossible": False}
        if not any(other["question"] == vote.question for other in group["paragraphs"][0]["qas"]):
            group["paragraphs"][0]["qas"].append(question)
    return {"version": "newsquote feedback", "data": list(groups.values())}
