"""Catalogs for tests."""

from __future__ import annotations

from pathlib import Path

from corpus import Article
from corpus.storage.catalog import Catalog

ONE = Article("one", "First title", "The first text.", url="https://www.x.kw/1/", language="en")
TWO = Article("two", "Second title", "The second text.", language="en")


def refreshed_catalog(folder: Path) -> Catalog:
    made = Catalog(folder)
    made.refresh()
    return made
