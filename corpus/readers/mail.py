"""Reads an article from an e-mail message."""

from __future__ import annotations

import email
import email.policy
import re
from email.message import EmailMessage
from email.utils import parseaddr

from corpus.article import Article
from corpus.errors import SourceError
from corpus.readers.text import article_from_text, decode, make_article
from corpus.readers.web.blocks import html_to_text
from corpus.readers.web.decoding import decode_page
from corpus.readers.web.page import read_page
from corpus.text.clean import clean_text, one_line, strip_boilerplate
from corpus.text.dates import iso_date

_HEADER = re.compile(rb"(?:[A-Za-z][A-Za-z0-9-]*:[^\n]*\n(?:[ \t][^\n]*\n)*){2,}")
_MAIL_HEADERS = re.compile(rb"^(?:from|subject|message-id|received|mime-version):", re.IGNORECASE | re.MULTILINE)
_FORWARDED = re.compile(r"^(?:(?:fwd?|re|aw|wg):\s*)+", re.IGNORECASE)
# "-- " alone on a line begins the signature in every mail program.
_SIGNATURE = re.compile(r"^-- \n.*", re.DOTALL | re.MULTILINE)


def is_mail(head: bytes) -> bool:
    """Whether the bytes start like a message: with header lines, at least two of which are typical of e-mail."""
    header = _HEADER.match(head)
    return header is not None and len(set(_MAIL_HEADERS.findall(header[0]))) > 1


def read_mail(data: bytes, *, name: str) -> Article:
    """The article in a message: its subject, its plain text or else its HTML, its sender's name and its date.

    A page that a browser saved as a message (.mht) is read as a page.

    Raises:
        SourceError: it holds no text that can be read.
    """
    try:
        message = email.message_from_bytes(data, policy=email.policy.default)
        subject = _FORWARDED.sub("", one_line(str(message.get("subject") or "")))
        sender = one_line(parseaddr(str(message.get("from") or ""))[0])
        sent = str(message.get("date") or "")
        text, page = _part(message, "plain"), _part(message, "html")
    except (ValueError, LookupError, AttributeError, IndexError, TypeError, OverflowError, RecursionError) as exc:
        raise SourceError(f"the message is damaged: {one_line(str(exc))[:120]}") from exc
    saved_from = str(message.get("snapshot-content-location") or "")
    if page and saved_from:
        # A page saved by a browser: the header is about the saving, not the article.
        return read_page(page, url=one_line(saved_from))
    body = strip_boilerplate(clean_text(_SIGNATURE.sub("", decode(text)))) if text else ""
    if not body and page:
        try:
            found = read_page(page)
            subject, body = subject or found.title, found.text
        except SourceError:
            # Too short for a page, but a message may be just a few lines.
            body = strip_boilerplate(html_to_text(decode_page(page)))
    if not subject:
        found = article_from_text(body, name=name)
        subject, body = found.title, found.text
    return make_article(subject, body, author=sender or None, published=iso_date(sent))


def _part(message: EmailMessage, kind: str) -> bytes | None:
    """The message's first text part of this kind, as UTF-8; None if there is none."""
    part = message.get_body(preferencelist=(kind,))
    if not isinstance(part, EmailMessage):
        return None
    content = part.get_content()
    return content.encode("utf-8", "replace") if isinstance(content, str) and content.strip() else None
