"""Items are plain values."""

from __future__ import annotations

from corpus import Article, Found, Refused


def test_an_item_says_where_it_is_from() -> None:
    assert Found(Article("a", "T", "x"), "a.txt").source == "a.txt"
    assert not Found(Article("a", "T", "x"), "a.txt").record
    assert Refused("a.txt", "it is empty") == Refused("a.txt", "it is empty")
