"""A Word document gives its paragraphs and tables in order."""

from __future__ import annotations

import pytest

from corpus import SourceError
from corpus.readers import docx as module
from corpus.readers.docx import read_docx
from tests.corpus.readers.documents import docx, zipped


def test_a_styled_first_line_is_the_title() -> None:
    article = read_docx(docx("Road opens", "One.", "Two.", style="Title", author="Ann Lee", table=True), name="file")
    assert (article.title, article.text, article.author) == ("Road opens", "One.\n\nTwo.\n\n00\t01\n10\t11", "Ann Lee")
    assert article.published is None


def test_otherwise_the_title_in_the_properties_is() -> None:
    article = read_docx(docx("One.", "Two.", title="Road opens"), name="file")
    assert (article.title, article.text, article.author) == ("Road opens", "One.\n\nTwo.", None)


def test_otherwise_a_short_first_line_is() -> None:
    assert read_docx(docx("Road opens", "", "One.", author="python-docx"), name="file").title == "Road opens"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (docx(""), "it holds no text"),
        (b"PK\x03\x04rubbish", "the document is damaged: File is not a zip file"),
        (zipped({"word/document.xml": b"<w"}), "the document is damaged: "),
        (docx("One.")[:-600], "the document is damaged: "),
    ],
    ids=["no text", "rubbish", "no parts", "cut"],
)
def test_a_document_that_gives_no_article_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(SourceError) as caught:
        read_docx(data, name="file")
    assert str(caught.value).startswith(reason)


def test_a_document_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_UNPACKED_LIMIT", 1 << 20)
    with pytest.raises(SourceError, match="the document unpacks to more than 1 MiB"):
        read_docx(zipped({"word/document.xml": b"x" * (2 << 20)}), name="file")
