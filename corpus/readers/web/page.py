"""Reads an article from a web page.

trafilatura finds the main text. Before that the page is prepared, so that no words inside a sentence are lost (links in
prose stay, hidden pop-ups go). After it, paragraphs that clearly belong to the same text are added, and the lines that
a page puts between them are removed. Each rule was measured on 40 news pages with the text a person would copy from
each (tests/bench/pages.py): F1 over 4-word shingles is .972 for trafilatura alone and .995 with all rules.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from corpus.article import Article
from corpus.errors import SourceError
from corpus.readers.text import make_article
from corpus.readers.web.decoding import decode_page, parse_page
from corpus.readers.web.extraction import FEW_WORDS, article_body, count_words
from corpus.readers.web.metadata import PageMetadata, read_metadata
from corpus.text.language import detect_language

if TYPE_CHECKING:
    from lxml.html import HtmlElement

# Fewer words are not an article; fewer than FEW_WORDS are none if the page says that it withholds some.
_MIN_WORDS = 20
# The largest of the 40 pages has 1.1 MB.
_PAGE_LIMIT = 8 << 20
_BOT_CHECK = re.compile(
    r"(?:enable|turn on|requires?|without)\s+java\s?script"
    r"|java\s?script\s+(?:is\s+)?(?:disabled|required|not\s+enabled)"
    r"|(?:are you|not) a robot|verify (?:that )?you are (?:a )?human|checking your browser|access denied"
    r"|unusual traffic",
    re.IGNORECASE,
)
_PAYWALL = re.compile(
    r"(?:subscribe|log\ in|sign\ in|register)\ (?:now\ )?to\ (?:continue|keep)\ reading|for\ subscribers\ only"
    r"|(?:article|story|content)\ is\ (?:exclusive\ to|for|only\ available\ to)\ (?:our\ )?(?:subscribers|members)"
    r"|to\ (?:read|continue\ reading)\ (?:the\ (?:full|rest\ of)|this)\b.{0,40}\bsubscri",
    re.IGNORECASE,
)


def read_page(data: bytes, *, url: str | None = None, charset: str | None = None) -> Article:
    """The article on a page, with the page's metadata.

    `url` is where the page was found; its canonical address takes precedence if that is on the same site. `charset` is
    the one that the server named.

    Raises:
        SourceError: there is no article, only boilerplate, a paywall, or a page that needs JavaScript.
    """
    if len(data) > _PAGE_LIMIT:
        raise SourceError(f"the page is larger than {_PAGE_LIMIT >> 20} MiB")
    tree = parse_page(decode_page(data, charset))
    about = read_metadata(tree, url)
    body = article_body(tree, about)
    words = count_words(body)
    if words < _MIN_WORDS or (
        words < FEW_WORDS and (not about.free or _BOT_CHECK.search(body) or _PAYWALL.search(body))
    ):
        raise SourceError(_explain_missing_article(about, tree))
    return make_article(
        about.title or body.split("\n", 1)[0],
        body,
        url=about.url,
        source=about.site,
        author=about.author,
        published=about.published,
        language=detect_language(body) or about.language,
    )


def _explain_missing_article(about: PageMetadata, tree: HtmlElement) -> str:
    """Why a page gave no article, as far as one can tell."""
    text = tree.text_content()
    if _BOT_CHECK.search(text):
        return "the page shows no article but a check that the reader is a person, or that a script runs"
    if not about.free or _PAYWALL.search(text):
        return "the page shows its article to subscribers only"
    return "no article was found on the page"
