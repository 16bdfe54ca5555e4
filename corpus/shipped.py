"""The articles that ship with the project, so that a first question can be asked at once."""

from __future__ import annotations

from corpus.article import Article
from corpus.readers.markdown import parse_markdown


def shipped_articles() -> list[Article]:
    """The shipped articles, sorted by file name. Their rights stay with their publishers; see articles/NOTICE.md."""
    from importlib import resources

    folder = resources.files("corpus") / "articles"
    files = sorted(
        (f for f in folder.iterdir() if f.name.endswith(".md") and f.name != "NOTICE.md"), key=lambda f: f.name
    )
    return [parse_markdown(f.read_text(encoding="utf-8"), name=f.name.removesuffix(".md")) for f in files]
