"""Extracts the main text of a page. The only module that imports trafilatura."""

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
# With fewer words than this, other ways to find the article are tried.
FEW_WORDS = 60
# Scripts without spaces between words; a word has about two letters.
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]{2}")
# Tables after these are dropped: trafilatura's time grows with their square, and no page measured has more than 4.
_MAX_TABLES = 200


def article_body(tree: HtmlElement, about: PageMetadata) -> str:
    """The article's text, with blank lines between paragraphs. Changes the tree."""
    for table in tree.xpath("//table")[_MAX_TABLES:]:
        if table.getparent() is not None:
            table.drop_tree()
    whole = copy.deepcopy(tree)
    linked = prepare_tree(tree)
    found = join_blocks(
        remove_boilerplate(add_missed_paragraphs(tree, _extract_blocks(tree, precise=True)), about, linked)
    )
    # If hardly anything is left, the preparation removed too much, or the extraction was too strict.
    for page, precise in ((whole, True), (tree, False)):
        if count_words(found) >= FEW_WORDS:
            break
        other = join_blocks(remove_boilerplate(_extract_blocks(page, precise=precise), about, linked))
        if len(SENTENCE_END.findall(f"{other} ")) >= _MIN_SENTENCES:
            found = max(found, other, key=count_words)
    if count_words(found) < FEW_WORDS and about.free:
        # A page that a script fills may have its text in JSON-LD.
        found = max(found, html_to_text(about.body), key=count_words)
    return found


def _extract_blocks(tree: HtmlElement, *, precise: bool) -> list[Block]:
    """The blocks that trafilatura considers the article; with `precise` it prefers less text."""
    import trafilatura

    # It warns about each page without text; the user learns that from the refusal.
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
    """The number of words, estimated for scripts without spaces."""
    return len(_UNSPACED.sub(" x ", text).split())
