"""An article or a passage that breaks the rules cannot be made."""

from __future__ import annotations

import pytest

from corpus import Article, ArticleError, Passage, Span, content_id


def test_equal_articles_may_differ_in_their_text_alone_and_do_not_print_it() -> None:
    assert Article("a", "T", "one") == Article("a", "T", "two")
    assert "secret" not in repr(Article("a", "T", "secret"))


def test_the_content_id_is_sixteen_hexadecimal_digits_of_title_and_text() -> None:
    assert content_id("T", "x") == "962ecd0e7ad22231"
    assert content_id("Tx", "") != content_id("T", "x")


@pytest.mark.parametrize(
    ("article_id", "title", "text", "published", "reason"),
    [
        (" ", "T", "x", None, "the id is blank"),
        ("a", " ", "x", None, "the title is blank"),
        ("a", "T", "\n", None, "the text is blank"),
        ("a", "T", "x\0", None, "the text holds a NUL or a lone surrogate"),
        ("a", "\ud800", "x", None, "the title holds a NUL or a lone surrogate"),
        ("a", "T", "e\u0301", None, "the text is not in Unicode NFC"),
        ("a", "T", "x", "May 3", "published is 'May 3', not a date such as 2026-11-24"),
    ],
)
def test_an_article_that_breaks_a_rule_is_refused(
    article_id: str, title: str, text: str, published: str | None, reason: str
) -> None:
    with pytest.raises(ArticleError) as caught:
        Article(article_id, title, text, published=published)
    assert str(caught.value) == reason


@pytest.mark.parametrize("published", ["2026-11-24", "2026-11-24T10:00:00+03:00"])
def test_a_date_or_a_date_and_time_is_taken(published: str) -> None:
    assert Article("a", "T", "x", published=published).published == published


def test_a_passage_is_a_slice_of_its_article() -> None:
    article = Article("a", "T", "One. Two. Three.")
    assert Passage(article, Span(5, 16), (Span(5, 10), Span(10, 16))).text == "Two. Three."


@pytest.mark.parametrize(
    ("span", "sentences"),
    [
        (Span(0, 0), ()),
        (Span(0, 17), (Span(0, 17),)),
        (Span(-1, 5), (Span(-1, 5),)),
        (Span(0, 10), (Span(0, 5),)),
        (Span(0, 10), (Span(0, 5), Span(6, 10))),
        (Span(0, 10), (Span(1, 10),)),
        (Span(0, 10), ()),
    ],
)
def test_a_passage_whose_sentences_do_not_tile_it_is_refused(span: Span, sentences: tuple[Span, ...]) -> None:
    with pytest.raises(ArticleError):
        Passage(Article("a", "T", "One. Two. Three."), span, sentences)
