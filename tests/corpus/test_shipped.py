"""What the project ships."""

from __future__ import annotations

from corpus import content_id, shipped_articles


def test_the_shipped_article_states_its_source_and_invents_nothing() -> None:
    (article,) = shipped_articles()
    assert (article.title, article.source, article.language) == (
        "US cooperates with Kuwait to ensure well-being of human trafficking victims",
        "Times Kuwait",
        "en",
    )
    assert (article.url, article.author, article.published) == (None, None, None)


def test_the_shipped_article_has_its_eight_paragraphs_and_no_boilerplate() -> None:
    (article,) = shipped_articles()
    paragraphs = article.text.split("\n\n")
    assert [len(paragraph.split()) for paragraph in paragraphs] == [41, 64, 78, 65, 68, 12, 40, 35]
    assert paragraphs[0].startswith("US Ambassador to Kuwait, H E Alina Romanowski, affirmed")
    assert paragraphs[-1].endswith("investigating these cases as crimes of human trafficking.")


def test_the_shipped_id_is_that_of_its_content_so_that_adding_the_page_again_changes_nothing() -> None:
    (article,) = shipped_articles()
    assert article.id == content_id(article.title, article.text)
