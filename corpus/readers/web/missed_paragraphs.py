"""Adds paragraphs of an article that trafilatura left out."""

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
    """The blocks and, in their places, those left-out paragraphs of the page that have the same surroundings."""
    rows_by_key: dict[str, int] = {}
    for row, block in enumerate(blocks):
        key = comparison_key(block.text)
        rows_by_key |= {key: row, key[:_EDGE_LENGTH]: row, key[-_EDGE_LENGTH:]: row}
    paragraphs: list[tuple[HtmlElement, str]] = [(p, element_text(p)) for p in tree.iter("p")]
    matched = Counter(
        _surroundings(p)
        for p, text in paragraphs
        if len(text) >= MIN_PARAGRAPH_LENGTH and _matching_row(text, rows_by_key) is not None
    )
    rows = [_matching_row(text, rows_by_key) for _, text in paragraphs]
    beside = [matched[_surroundings(p)] > 1 and link_share(p) < _MAX_LINK_SHARE for p, _ in paragraphs]
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


def _matching_row(text: str, rows_by_key: dict[str, int]) -> int | None:
    """The row of the block that is this paragraph, or starts or ends like it."""
    key = comparison_key(text)
    return next((rows_by_key[k] for k in (key, key[:_EDGE_LENGTH], key[-_EDGE_LENGTH:]) if k in rows_by_key), None)


def _surroundings(p: HtmlElement) -> tuple[str, ...]:
    """The tags and classes of a paragraph and the two elements around it."""
    parent = p.getparent()
    grand = parent.getparent() if parent is not None else None
    return tuple(f"{e.tag}.{e.get('class', '')}" if e is not None else "" for e in (p, parent, grand))
