"""Bytes become text, and plain text an article."""

from __future__ import annotations

import codecs
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus import SourceError, shipped_articles
from corpus.readers.text import article_from_text, decode, make_article

RAW_PAGE = """Site icon TimesKuwait

{title}

{text}

Exit mobile version"""


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252", "iso8859-1"], ids=lambda encoding: encoding
)
def test_text_is_decoded(encoding: str) -> None:
    text = "Le café où l'été a été très agréable, déjà vu à Genève. " * 5
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "Le café où l'été a été très agréable, déjà vu."),
        ("cp1252", "Die Straße zwischen Köln und Düsseldorf wird gesperrt."),
        ("cp1252", "El Gobierno aprobó la ampliación; la señora dijo más."),
        ("cp1252", "The minister’s plan – “a road for all” – costs £42 million."),
        ("cp1250", "Rząd zatwierdził w poniedziałek plan poszerzenia drogi."),
        ("cp1250", "Vláda v pondělí schválila plán na rozšíření silnice."),
        ("cp1254", "Bakanlar Kurulu pazartesi günü yolun genişletilmesi planını onayladı."),
        ("cp1257", "Vyriausybė pirmadienį patvirtino pakrantės kelio plėtimą šiaurėje."),
        ("cp1251", "Дорога между Сальмией и Финтасом откроется в понедельник."),
        ("cp1256", "وافق مجلس الوزراء يوم الاثنين على خطة توسيع الطريق."),
        ("iso8859-6", "وافق مجلس الوزراء يوم الاثنين على خطة توسيع الطريق."),
        ("gb18030", "科威特内阁周一批准了拓宽沿海公路的计划，部长说。"),
        ("utf-16-le", "وافق مجلس الوزراء يوم الاثنين على خطة توسيع الطريق."),
        ("utf-16-be", "The road opens on Monday."),
    ],
)
def test_the_encoding_of_a_single_sentence_is_detected(encoding: str, text: str) -> None:
    assert decode(text.encode(encoding)) == text


def test_arabic_in_its_windows_encoding_is_decoded() -> None:
    text = "بحسب التقرير لا تزال الكويت في المستوى الثاني وتواصل جهودها لإحراز تقدم في هذا الصدد. " * 5
    assert decode(text.encode("cp1256")) == text


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "it is empty"),
        (b" \n\t", "it is empty"),
        (b"abc\0def", "it is binary, not text"),
        (bytes(range(1, 9)) * 10, "it is binary, not text"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "it is binary, not text"),
        (codecs.BOM_UTF8 + b"\xff\xfe\xfd", "it starts as utf-8 but is not: invalid start byte"),
        (codecs.BOM_UTF16_LE + b"a", "it starts as utf-16 but is not: truncated data"),
    ],
)
def test_bytes_that_are_not_text_are_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(SourceError) as caught:
        decode(data)
    assert str(caught.value) == reason


def test_an_encoding_that_fails_after_the_sample_is_refused() -> None:
    with pytest.raises(SourceError, match=r"it seems to be .* but is not throughout; save it as UTF-8"):
        decode("Grüße aus Köln, schöne Straßen. ".encode("cp1252") * 4000 + b"\x81\x8d\x8f\x90\x9d")


@given(st.binary())
def test_decoding_gives_text_or_a_reason(data: bytes) -> None:
    with contextlib.suppress(SourceError):
        assert isinstance(decode(data), str)


def test_the_raw_page_of_the_shipped_article_gives_the_article() -> None:
    (shipped,) = shipped_articles()
    page = RAW_PAGE.format(title=shipped.title, text=shipped.text)
    article = article_from_text(page, name="000_f221a55d6af88efb")
    assert (article, article.text) == (shipped, shipped.text)


@pytest.mark.parametrize(
    ("text", "title", "body"),
    [
        pytest.param("A title\n\nThe body.", "A title", "The body.", id="first line"),
        pytest.param("# A title\nThe body.", "A title", "The body.", id="heading"),
        pytest.param("## A title\n\nThe body.", "A title", "The body.", id="lower heading"),
        pytest.param("Title\nA body that is far longer.", "Title", "A body that is far longer.", id="no blank line"),
        pytest.param("A sentence.\n\nThe body.", "my file", "A sentence.\n\nThe body.", id="a sentence"),
        pytest.param("Only one line", "my file", "Only one line", id="one line"),
        pytest.param("A line of words\nA line of words", "my file", "A line of words\nA line of words", id="wrapped"),
        pytest.param("x" * 251 + "\n\nThe body.", "my file", "x" * 251 + "\n\nThe body.", id="too long"),
        pytest.param("A title\n\nShare this", "my file", "A title", id="title alone"),
        pytest.param("Share this\n\nA title\n\nAdvertisement\n\nThe body.", "A title", "The body.", id="furniture"),
        pytest.param("🙂", "my file", "🙂", id="emoji"),
    ],
)
def test_a_title_is_a_short_first_line_or_else_the_name(text: str, title: str, body: str) -> None:
    article = article_from_text(text, name="my_file")
    assert (article.title, article.text) == (title, body)


def test_a_name_without_letters_gives_an_untitled_article() -> None:
    assert article_from_text("Only one line.", name="_-").title == "Untitled"


@pytest.mark.parametrize("text", ["", " \n", "Share this\n\nExit mobile version"])
def test_boilerplate_alone_is_refused(text: str) -> None:
    with pytest.raises(SourceError, match="it holds no text"):
        article_from_text(text, name="my_file")


def test_a_language_that_is_given_is_kept() -> None:
    assert make_article(" A\ntitle ", "The body.", language="fr").language == "fr"
    assert make_article(" A\ntitle ", "The body.").title == "A title"
