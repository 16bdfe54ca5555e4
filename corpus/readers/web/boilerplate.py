"""The blocks of a page that are not its article's: teasers, bylines, calls to subscribe."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from corpus.readers.web.metadata import PageMetadata, key_of
from corpus.text.clean import is_boilerplate

if TYPE_CHECKING:
    pass
from corpus.readers.web.blocks import Block

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
_CALL = re.compile(
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
_OVER_TITLE = 4


def without_furniture(blocks: list[Block], about: PageMetadata, linked: set[str]) -> list[Block]:
    """The blocks without teasers anywhere, and without title, byline and call to act at the two ends."""
    kept = [b for b in blocks if not _TEASER.match(b.text) and not is_boilerplate(b.text)]
    title = key_of(about.title or "")
    # What stands over the headline, a section or a name, is not the article's.
    start = next((at + 1 for at, b in enumerate(kept[:_OVER_TITLE]) if title and key_of(b.text) == title), 0)
    end = len(kept)
    while start < end and (
        kept[start].kind == "head" or key_of(kept[start].text) == title or _BYLINE.match(kept[start].text)
    ):
        start += 1
    while end > start and (
        kept[end - 1].kind == "head" or _CALL.search(kept[end - 1].text) or key_of(kept[end - 1].text) in linked
    ):
        end -= 1
    return kept[start:end]
