"""A web page to an article: the only door to trafilatura and lxml.

trafilatura finds the main text. What it is given is prepared so that no words are lost inside a sentence (links in
prose stay in it, hidden pop-ups go), and what it returns is completed with paragraphs that are clearly of the same
text and freed of the lines a page puts between them. Each rule was measured on 40 news pages with the text a person
would copy from each (tests/bench/pages.py): F1 over 4-word shingles .972 by trafilatura alone, .995 with all of them.
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

# Fewer words are no article; fewer than the second none where the page says that it holds something back.
_MIN_WORDS = 20
# The largest of the 40 pages has 1.1 MB, none more than 4 tables. With tables trafilatura's time grows as their square.
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
    """The article on a page, with what the page states of itself.

    `url` is where the page was found; the address it calls its own wins where it is on the same site. `charset` is what
    the server said.

    Raises:
        SourceError: no article can be found: nothing but furniture, a paywall, or a page that needs JavaScript.
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
    """Why a page gave no article, as far as it can be told."""
    text = tree.text_content()
    if _BOT_CHECK.search(text):
        return "the page shows no article but a check that the reader is a person, or that a script runs"
    if not about.free or _PAYWALL.search(text):
        return "the page shows its article to subscribers only"
    return "no article was found on the page"
