"""Paragraphs of an article that trafilatura left out."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from corpus.readers.web.blocks import Block, element_text
from corpus.readers.web.preparation import MIN_PARAGRAPH_LENGTH, link_share
from corpus.text.clean import comparison_key

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_EDGE_LENGTH = 40
_SENTENCE = re.compile(r"\w[.!?…]+[\"'”’»)]*$")
_MAX_LINK_SHARE = 0.3


def add_missed_paragraphs(tree: HtmlElement, blocks: list[Block]) -> list[Block]:
    """The blocks and, in their places, the paragraphs of the page that lie as theirs do and were left out."""
    places: dict[str, int] = {}
    for row, block in enumerate(blocks):
        key = comparison_key(block.text)
        places |= {key: row, key[:_EDGE_LENGTH]: row, key[-_EDGE_LENGTH:]: row}
    paragraphs: list[tuple[HtmlElement, str]] = [(p, element_text(p)) for p in tree.iter("p")]
    homes = Counter(
        _surroundings(p)
        for p, text in paragraphs
        if len(text) >= MIN_PARAGRAPH_LENGTH and _matching_row(text, places) is not None
    )
    rows = [_matching_row(text, places) for _, text in paragraphs]
    beside = [homes[_surroundings(p)] > 1 and link_share(p) < _MAX_LINK_SHARE for p, _ in paragraphs]
    sure = [
        row is not None or (near and len(text) >= MIN_PARAGRAPH_LENGTH)
        for row, near, (_, text) in zip(rows, beside, paragraphs, strict=True)
    ]
    last = max((at for at, known in enumerate(sure) if known), default=-1)
    missed: dict[int, list[Block]] = {}
    current = None
    for at, (_, text) in enumerate(paragraphs):
        if rows[at] is not None:
            current = rows[at]
        elif current is not None and (sure[at] or (beside[at] and at < last and _SENTENCE.search(text))):
            missed.setdefault(current, []).append(Block("p", text))
    return [b for row, block in enumerate(blocks) for b in (block, *missed.get(row, []))]


def _matching_row(text: str, places: dict[str, int]) -> int | None:
    """The row of the block that is this paragraph, or begins or ends as it does."""
    key = comparison_key(text)
    return next((places[k] for k in (key, key[:_EDGE_LENGTH], key[-_EDGE_LENGTH:]) if k in places), None)


def _surroundings(p: HtmlElement) -> tuple[str, ...]:
    """Where a paragraph lies, as its page's style sheet would say."""
    parent = p.getparent()
    grand = parent.getparent() if parent is not None else None
    return tuple(f"{e.tag}.{e.get('class', '')}" if e is not None else "" for e in (p, parent, grand))
