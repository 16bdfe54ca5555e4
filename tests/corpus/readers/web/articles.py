"""The text of an article read from a test page."""

from __future__ import annotations

from corpus.readers.web.page import read_page
from tests.corpus.readers.documents import page


def article_text(**parts: str) -> str:
    return read_page(page(head="<title>Coastal road to be widened</title>", **parts)).text
