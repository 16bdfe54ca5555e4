"""Removes blocks that are not part of a page's article: teasers, bylines, calls to subscribe."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from corpus.readers.web.blocks import Block
from corpus.readers.web.metadata import PageMetadata
from corpus.text.clean import comparison_key, is_boilerplate

if TYPE_CHECKING:
    pass

_TEASER = re.compile(
    r"""
    \[?(?:read\ (?:more|also|next)|also\ read|see\ also|related(?:\ \w+)?|more\ on\ this|watch|recommended)
    \s?(?:[:|»–—-]|on\ [A-Z]).{0,200}\]?$
    | \[(?P<code>[a-z_]+)(?:\s[^\]]*)?\] .{0,200} \[/(?P=code)\]$ | \[[a-z_]+\s[a-z_]+=[^\]]*\]$
    | \d*\s?comments?$ | (?:all|view|show)\ comments$ | (?:you\ may|you\ might)\ also\ like\b.{0,60}$
    | (?:filed\ under|posted\ in|tagged(?:\ with)?|tags|topics|categories)\s?:.{0,200}$
    """,
    re.VERBOSE | re.IGNORECASE,
)
_BYLINE = re.compile(
    r"""
    (?:by|from)\ [A-Z][^.!?]{2,80}$
    | (?:published|updated|posted|last\ updated)\b[^.!?]{0,80}$
    | \d+\ min(?:ute)?s?\ read$
    | (?:reading\ time|tempo\ de\ leitura|lesezeit|temps\ de\ lecture|tiempo\ de\ lectura)\b.{0,40}$
    | (?:[^.!?]{0,60}\b(?:19|20)\d\d\b[^.!?]{0,12}\d\d?[:.h]\d\d){1,2}[^.!?]{0,12}$
    | [^.!?]{1,30}(?:\s[>›»]\s[^.!?]{1,40}){1,5}$
    """,
    re.VERBOSE | re.IGNORECASE,
)
_CALL_TO_ACTION = re.compile(
    r"""
    (?:sign\ up|subscribe|get|join|inbox)\b.{0,100}\bnewsletters?\b.{0,160}$
    | \bnewsletters?\b.{0,100}\b(?:sign\ up|inbox)\b
    | ^(?:follow|like|find|join)\ .{0,60}\bon\ (?:facebook|twitter|instagram|telegram|whatsapp)\b
    | ^["“]?(?:questions|comments)\?.{0,80}\be-?mail\b.{0,80}$
    | ^(?:click|tap)\ here\b.{0,120}$ | \bclick\ here\ (?:for|to)\b.{0,60}$ | ^tell\ us\ what\ you\ think
    | ^(?:subscribe|sign\ up|support\ us|donate|download\ (?:our|the)\ .{0,30}app)\b.{0,200}$
    | ^copyright\b.{0,200}$ | ^©.{0,200}$
    | \bwe['’]d\ (?:like|love)\ to\ hear\b | ^\[…\].{0,200}\[…\]$
    """,
    re.VERBOSE | re.IGNORECASE,
)
_BLOCKS_ABOVE_TITLE = 4


def remove_boilerplate(blocks: list[Block], about: PageMetadata, linked: set[str]) -> list[Block]:
    """Drops teasers anywhere, and title, byline and calls to action at the two ends.

    `linked` holds the comparison keys of paragraphs that are nothing but links.
    """
    kept = [b for b in blocks if not _TEASER.match(b.text) and not is_boilerplate(b.text)]
    keys = [comparison_key(block.text) for block in kept]
    title = comparison_key(about.title or "")
    # A section's or a person's name above the headline is not part of the article.
    start = next((at + 1 for at, key in enumerate(keys[:_BLOCKS_ABOVE_TITLE]) if title and key == title), 0)
    end = len(kept)
    while start < end and (kept[start].kind == "head" or keys[start] == title or _BYLINE.match(kept[start].text)):
        start += 1
    while end > start and (
        kept[end - 1].kind == "head" or _CALL_TO_ACTION.search(kept[end - 1].text) or keys[end - 1] in linked
    ):
        end -= 1
    return kept[start:end]
