"""Small libraries for tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from corpus import (
    Article,
    Found,
    Library,
)

ONE = Article("one", "First title", "The first text.", url="https://x.kw/1", language="en")
LONG = "The council of Jahra said on Monday that the road to the coast is closed from May until the end of the year."
TWO = Article("two", "Second title", "The second text.", language="en")


def make_library(tmp_path: Path, *given: Article) -> Library:
    made = Library(tmp_path / "library", lock_timeout_s=0.05)
    made.add(given)
    return made


def as_records(*given: Article) -> Iterator[Found]:
    return (Found(article, f"r.jsonl, line {n}", record=True) for n, article in enumerate(given, start=1))


def texts(of: Library) -> dict[str, str]:
    return {article.id: article.text for article in of.articles()}


def files(of: Library) -> list[str]:
    return sorted(path.name for path in of.folder.iterdir() if not path.name.startswith("."))
