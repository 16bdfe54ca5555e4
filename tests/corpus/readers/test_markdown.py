"""A library's file reads back as the article it was written from; other Markdown is cleaned."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus import Article, SourceError
from corpus.readers.markdown import format_markdown, parse_markdown
from tests.corpus.articles import articles


@given(articles())
def test_save_then_load_is_the_same_article(article: Article) -> None:
    loaded = parse_markdown(format_markdown(article), name="any")
    assert (loaded, loaded.text) == (article, article.text)


@given(articles())
def test_save_then_load_survives_the_bytes_of_a_file(article: Article) -> None:
    loaded = parse_markdown(format_markdown(article).encode().decode(), name="any")
    assert (loaded, loaded.text) == (article, article.text)


def test_the_file_can_be_read_by_a_person() -> None:
    article = Article("ab12", 'He said: "No" – 🙂', "One.\n\n---\n\nTwo.", "https://x.kw/1", published="2026-11-24")
    assert format_markdown(article) == (
        '---\nid: ab12\ntitle: "He said: \\"No\\" – 🙂"\nurl: https://x.kw/1\npublished: "2026-11-24"\n---\n\n'
        "One.\n\n---\n\nTwo.\n"
    )


def test_an_editor_that_writes_crlf_changes_nothing() -> None:
    article = Article("ab12", "Title", "One.\n\nTwo.", source="Times")
    loaded = parse_markdown(format_markdown(article).replace("\n", "\r\n"), name="any")
    assert (loaded, loaded.text) == (article, article.text)


def test_an_editor_that_writes_a_byte_order_mark_changes_nothing() -> None:
    article = Article("ab12", "Title", "One.")
    assert parse_markdown("\ufeff" + format_markdown(article), name="any") == article


def test_a_person_may_omit_quotes_and_decompose_letters() -> None:
    text = "---\nid: ab12\ntitle: 42\npublished: 2026-11-24\nsource:\n---\n\ncafe\u0301\n"
    loaded = parse_markdown(text, name="any")
    assert loaded == Article("ab12", "42", "caf\u00e9", published="2026-11-24")
    assert loaded.text == "caf\u00e9"


def test_a_title_a_person_deleted_is_found_in_the_text() -> None:
    assert parse_markdown("---\nid: a\n---\n\nA title\n\nThe body.\n", name="x").title == "A title"


@pytest.mark.parametrize(
    ("text", "title", "body"),
    [
        pytest.param("A title\n\nThe body.", "A title", "The body.", id="no front matter"),
        pytest.param("---\n---\nA title\n\nThe body.", "A title", "The body.", id="empty front matter"),
        pytest.param("---\ntitle: T\n---\n\n  The body. \n\nShare this\n", "T", "The body.", id="cleaned"),
        pytest.param("---\nTitle: T\n---\nThe body.", "T", "The body.", id="capitals"),
        pytest.param("---\nauthor: Me\n---\n# Head\n\nThe body.", "Head", "The body.", id="heading"),
        pytest.param("---\nnever closed\n\nThe body.", "my file", "---\nnever closed\n\nThe body.", id="a rule"),
    ],
)
def test_other_markdown_is_cleaned_and_titled(text: str, title: str, body: str) -> None:
    article = parse_markdown(text, name="my_file")
    assert (article.title, article.text) == (title, body)


@pytest.mark.parametrize(
    ("markup", "words"),
    [
        ('a [link](https://x.kw/a_(b) "T") here', "a link here"),
        ("![chart](c.png)One **bold** and *thin* and ***both*** word", "One bold and thin and both word"),
        (
            "__bold__ and _thin_, snake_case_name, 2*3*4 and a * b * c",
            "bold and thin, snake_case_name, 2*3*4 and a * b * c",
        ),
        ("One.\n\n## Part\n\nTwo.", "One.\n\nPart\n\nTwo."),
        ("One.<!-- not\nthis --> Two.", "One. Two."),
        ("- one\n- two [x] (y)", "- one\n- two [x] (y)"),
        ("costs #1 and [brackets] stay", "costs #1 and [brackets] stay"),
    ],
)
def test_other_markdown_loses_its_markup(markup: str, words: str) -> None:
    assert parse_markdown(f"---\ntitle: T\n---\n{markup}", name="x").text == words


def test_the_librarys_own_markdown_is_taken_exactly() -> None:
    text = "**One** [link](https://x.kw) <!-- c -->\n## Two"
    assert parse_markdown(format_markdown(Article("a", "T", text)), name="x").text == text


def test_other_markdown_keeps_its_front_matter() -> None:
    front = "title: T\ndate: Nov 3, 2019\nauthor: [Ann, Bo]\nurl: https://x.kw/1\nlanguage: fr\ntags: {a: b}"
    text = f"---\n{front}\n---\nBody."
    article = parse_markdown(text, name="x")
    assert (article.published, article.author, article.url) == ("2019-11-03", "Ann, Bo", "https://x.kw/1")
    assert article.language == "fr"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("---\ntitle: [T\n---\nBody.", "its front matter is not YAML in line 3: did not find expected ',' or ']'"),
        ("---\n- a\n- b\n---\nBody.", "its front matter is not a list of fields such as 'title: ...'"),
        ("---\ntitle: a\x01b\n---\nBody.", "its front matter is not YAML: control characters are not allowed"),
        ("---\nid: a\ntitle: T\n---\n\n\n", "it holds no text"),
        ("---\ntitle: T\n---\n\n\n", "it holds no text"),
        ("---\ntitle: T\ndate: soon\n---\nBody.", "published is 'soon', not a date such as 2026-11-24"),
        ("---\nid: a\ntitle: T\npublished: soon\n---\nBody.", "published is 'soon', not a date such as 2026-11-24"),
        ("---\nid: a\ntitle: T\n---\nBo\0dy.", "the text holds a NUL or a lone surrogate"),
    ],
)
def test_markdown_that_cannot_be_used_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(SourceError) as caught:
        parse_markdown(text, name="x")
    assert str(caught.value) == reason


@given(st.text(st.sampled_from("-\n:ab [](){}&*!|>'\"%@`#?,\t\r ")))
def test_any_front_matter_gives_an_article_or_a_reason(text: str) -> None:
    with contextlib.suppress(SourceError):
        assert parse_markdown(f"---\n{text}\n---\nBody.", name="x").text
