"""The main text of a page: the only door to trafilatura."""

from __future__ import annotations

import copy
import logging
import re
from typing import TYPE_CHECKING

from corpus.readers.web.blocks import Block, html_to_text, iter_blocks, join_blocks
from corpus.readers.web.boilerplate import remove_boilerplate
from corpus.readers.web.metadata import PageMetadata
from corpus.readers.web.missed_paragraphs import add_missed_paragraphs
from corpus.readers.web.preparation import SENTENCE_END, prepare_tree

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_MIN_SENTENCES = 2
# Fewer words are hardly an article.
FEW_WORDS = 60
# Scripts that put no spaces between words; a word of theirs has about two letters.
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]{2}")
# None of the 40 pages has more than 4 tables; trafilatura's time grows as their square.
_MAX_TABLES = 200


def article_body(tree: HtmlElement, about: PageMetadata) -> str:
    """The article's paragraphs with blank lines between."""
    for table in tree.xpath("//table")[_MAX_TABLES:]:
        if table.getparent() is not None:
            table.drop_tree()
    whole = copy.deepcopy(tree)
    linked = prepare_tree(tree)
    found = join_blocks(
        remove_boilerplate(add_missed_paragraphs(tree, _extract_blocks(tree, precise=True)), about, linked)
    )
    # Where that leaves hardly anything, too much was taken out before, or too much was asked.
    for page, precise in ((whole, True), (tree, False)):
        if count_words(found) >= FEW_WORDS:
            break
        other = join_blocks(remove_boilerplate(_extract_blocks(page, precise=precise), about, linked))
        if len(SENTENCE_END.findall(f"{other} ")) >= _MIN_SENTENCES:
            found = max(found, other, key=count_words)
    if count_words(found) < FEW_WORDS and about.free:
        # A page that a script fills may hold its text for machines.
        found = max(found, html_to_text(about.body), key=count_words)
    return found


def _extract_blocks(tree: HtmlElement, *, precise: bool) -> list[Block]:
    """The blocks that trafilatura takes for the article's."""
    import trafilatura

    # It warns of each page that it finds nothing on; that is said to the person as a refusal.
    logging.getLogger("trafilatura").setLevel(logging.ERROR)
    document = trafilatura.bare_extraction(
        copy.deepcopy(tree),
        favor_precision=precise,
        include_comments=False,
        include_links=False,
        include_formatting=False,
    )
    body = getattr(document, "body", None)
    return [] if body is None else list(iter_blocks(body))


def count_words(text: str) -> int:
    """The number of words, also where no spaces stand between them."""
    return len(_UNSPACED.sub(" x ", text).split())
