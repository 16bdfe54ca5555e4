"""A message gives its text, its subject, its sender's name and its date."""

from __future__ import annotations

from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus import SourceError
from corpus.readers.mail import is_mail, read_mail
from tests.corpus.readers.documents import BODY, page


def message(text: str | None = None, *, html: bytes | None = None, subject: str = "Road opens", **head: str) -> bytes:
    made = EmailMessage()
    made["From"] = head.get("sender", "Ann Lee <ann@x.kw>")
    made["Subject"] = subject
    made["Date"] = head.get("date", "Tue, 24 Nov 2026 10:00:00 +0300")
    if text is not None:
        made.set_content(text)
    if html is not None:
        if text is None:
            made.set_content(html.decode(), subtype="html")
        else:
            made.add_alternative(html.decode(), subtype="html")
    return made.as_bytes()


def test_a_message_gives_its_plain_text_without_the_signature() -> None:
    article = read_mail(message("One.\n\nTwö.\n\n-- \nAnn\n", html=page(), subject="Fwd: RE: Road opens"), name="m")
    assert (article.title, article.text, article.author) == ("Road opens", "One.\n\nTwö.", "Ann Lee")
    assert article.published == "2026-11-24T10:00:00+03:00"


def test_a_message_without_plain_text_gives_its_html() -> None:
    article = read_mail(message(html=page(), sender="ann@x.kw", date=""), name="m")
    assert (article.title, article.text, article.author, article.published) == ("Road opens", BODY, None, None)


def test_a_message_may_be_a_few_lines_of_html() -> None:
    html = b"<html><style>p {}</style><body><p>The ferry is <b>late</b>.</p><p>Because of fog.</p></body></html>"
    assert read_mail(message(html=html), name="m").text == "The ferry is late.\n\nBecause of fog."


def test_a_message_without_subject_is_titled_by_its_text() -> None:
    assert read_mail(message("Road opens\n\nOne.", subject=""), name="m").title == "Road opens"
    assert read_mail(message(html=page(head="<title>Road opens</title>"), subject=""), name="m").title == "Road opens"


def test_a_page_saved_as_a_message_is_read_as_the_page() -> None:
    data = message(html=page(head="<title>Bridge opens</title>"), subject="Saved")
    article = read_mail(b"Snapshot-Content-Location: https://x.kw/bridge\n" + data, name="m")
    assert (article.title, article.url, article.author, article.published) == (
        "Bridge opens",
        "https://x.kw/bridge",
        None,
        None,
    )


@pytest.mark.parametrize("data", [message(), message("\n"), b"", b"Subject: x\nFrom: y\n\n"])
def test_a_message_without_text_is_refused(data: bytes) -> None:
    with pytest.raises(SourceError, match=r"it holds no text|it is empty"):
        read_mail(data, name="m")


@pytest.mark.parametrize(
    ("head", "mail"),
    [
        (message("x"), True),
        (b"From: a\nSubject: b\n\nx", True),
        (b"Subject: b\n\nx", False),
        (b"Note: a\nTo do: b\n", False),
        (b"From: Kuwait, with love\n\nSubject: none", False),
        (b"", False),
    ],
)
def test_a_message_is_recognised_by_its_header(head: bytes, *, mail: bool) -> None:
    assert is_mail(head) is mail


@given(st.binary(max_size=300), st.sampled_from([b"", b"Content-Type: multipart/mixed; boundary=x\n", b"Date: \xff\n"]))
def test_any_bytes_give_an_article_or_a_reason(data: bytes, header: bytes) -> None:
    try:
        assert read_mail(b"From: a\nSubject: b\n" + header + b"\n" + data, name="m").text
    except SourceError as exc:
        assert "\n" not in str(exc)  # noqa: PT017 - either way is right
