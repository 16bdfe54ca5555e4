"""Paragraphs of an article that trafilatura left out."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from corpus.readers.web.metadata import key_of

if TYPE_CHECKING:
    from lxml.html import HtmlElement
from corpus.readers.web.blocks import Block, text_of
from corpus.readers.web.preparation import LEAST_MISSED, linked_share

_EDGE = 40
_SENTENCE = re.compile(r"\w[.!?…]+[\"'”’»)]*$")
_MOST_LINKED = 0.3


def with_missed(tree: HtmlElement, blocks: list[Block]) -> list[Block]:
    """The blocks and, in their places, the paragraphs of the page that lie as theirs do and were left out."""
    places: dict[str, int] = {}
    for row, block in enumerate(blocks):
        key = key_of(block.text)
        places |= {key: row, key[:_EDGE]: row, key[-_EDGE:]: row}
    paragraphs: list[tuple[HtmlElement, str]] = [(p, text_of(p)) for p in tree.iter("p")]
    homes = Counter(
        _home(p) for p, text in paragraphs if len(text) >= LEAST_MISSED and _place(text, places) is not None
    )
    rows = [_place(text, places) for _, text in paragraphs]
    beside = [homes[_home(p)] > 1 and linked_share(p) < _MOST_LINKED for p, _ in paragraphs]
    sure = [
        row is not None or (near and len(text) >= LEAST_MISSED)
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


def _place(text: str, places: dict[str, int]) -> int | None:
    """The row of the block that is this paragraph, or begins or ends as it does."""
    key = key_of(text)
    return next((places[k] for k in (key, key[:_EDGE], key[-_EDGE:]) if k in places), None)


def _home(p: HtmlElement) -> tuple[str, ...]:
    """Where a paragraph lies, as its page's style sheet would say."""
    parent = p.getparent()
    grand = parent.getparent() if parent is not None else None
    return tuple(f"{e.tag}.{e.get('class', '')}" if e is not None else "" for e in (p, parent, grand))
