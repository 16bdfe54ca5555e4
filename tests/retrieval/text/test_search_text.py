from __future__ import annotations

from corpus.article import Article, Passage, Span
from retrieval.text.search_text import search_text


def test_a_passage_is_encoded_after_its_articles_title() -> None:
    article = Article("a", "Bridge closed", "It rained. The bridge is closed. Trams stop.")
    sentence = Span(11, 32)
    assert search_text(Passage(article, sentence, (sentence,))) == "Bridge closed\nThe bridge is closed."
