"""The articles that benches build libraries of."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any


def squad_record(number: int, article: dict[str, Any]) -> dict[str, str] | None:
    """An article of a SQuAD file as a record that `newsquote add` reads; None where it has no text."""
    text = "\n\n".join(paragraph["context"] for paragraph in article["paragraphs"] if paragraph["context"])
    return {"id": f"b{number:04d}", "title": article["title"], "text": text} if text else None


def squad_articles(squad: Sequence[dict[str, Any]]) -> Iterator[Any]:
    from corpus.article import Article

    for number, article in enumerate(squad):
        record = squad_record(number, article)
        if record:
            yield Article(**record)


def passage_texts(home: Path) -> list[str]:
    """The passages of a home's library as encoders read them."""
    from corpus import Library
    from corpus.text.split import split_article
    from retrieval.text.search_text import search_text

    articles = Library(home / "library").articles()
    return [search_text(passage) for article in articles for passage in split_article(article)]


def large_library(articles: Sequence[dict[str, str]], passages: int) -> list[dict[str, str]]:
    """Articles of about ten passages each, made of the given articles' sentences, about `passages` passages in all."""
    shuffle = random.Random(7)
    sentences = [part + ". " for article in articles for part in article["text"].replace("\n", " ").split(". ") if part]
    made = []
    for number in range(max(1, passages // 10)):
        chosen = "".join(shuffle.choices(sentences, k=10 * 100 // 22))
        made.append({"id": f"large{number:06d}", "title": f"Report {number}", "text": chosen})
    return made
