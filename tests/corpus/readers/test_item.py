"""Items are plain values."""

from __future__ import annotations

from corpus import Article, Found, Refused


def test_an_item_has_its_source() -> None:
    assert Found(Article("a", "T", "x"), "a.txt").source == "a.txt"
    assert not Found(Article("a", "T", "x"), "a.txt").record
    assert Refused("a.txt", "it is empty") == Refused("a.txt", "it is empty")
