"""Cleans raw text, before any offsets into it exist. Pure, and idempotent."""

from __future__ import annotations

import re
import unicodedata

_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u200b\u2060\ufeff\ufffe\uffff]")
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_LINE_ENDS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_TRAILING = re.compile(r"[^\S\n]+(?=\n|\Z)")
_BLANKS = re.compile(r"\n{3,}")
_SITE_ICON = re.compile(r"Site icon (?P<site>\S.{0,80})")
# Whole lines that a page puts around its article. Each must be something no reporter would write on a line of its own.
_BOILERPLATE = re.compile(
    r"""
    site\ icon\ .{1,80}
    | exit\ mobile\ version
    | (?:share|tweet|pin|print|e-?mail|save|copy\ link|facebook|twitter|whatsapp|linkedin|telegram|reddit|pinterest|x)
    | share\ (?:this|on|via|to)\b.{0,60} | share\ (?:article|story|post|now):?
    | (?=.*\w)(?:share|tweet|print|email|e-mail|facebook|twitter|whatsapp|linkedin|telegram|pinterest|reddit|\W)+
    | click\ to\ (?:share|email|print)\b.{0,80}
    | (?:like|follow)\ (?:us|this)(?:\ on\b.{0,60}|:?(?:\ loading\W*)?)
    | like\ loading\W*
    | advert(?:isement|ising)?s?:? | sponsored(?:\ (?:content|links?))? | ad
    | (?:story|article)\ continues\ (?:below|after)\b.{0,40} | continue\ reading\W* | read\ more\W* | load\ more\W*
    | skip\ to\ (?:main\ )?content | (?:main\ )?menu | search | home | back\ to\ top | scroll\ to\ top
    | (?:log|sign)\ ?in | sign\ up | subscribe(?:\ now)? | register
    | (?:leave\ a|post\ a|add\ a|no)\ (?:comments?|reply)\b.{0,40} | comments?(?:\ \(\d+\))?
    | you\ (?:may|might)\ also\ like\b.{0,40}
    | related(?:\ (?:articles?|stories|posts|topics|news|content|links)):?
    | recommended(?:\ for\ you)? | more\ from\b.{0,60} | trending(?:\ now)? | most\ read
    | previous\ (?:article|post)\b.{0,120} | next\ (?:article|post)\b.{0,120}
    | accept\ (?:all\ )?cookies | powered\ by\ .{1,40}
    """,
    re.VERBOSE | re.IGNORECASE,
)
# The same, in the form of sentences. Any other line that ends like a sentence was written by the author.
_NOTICE = re.compile(
    r"""
    (?:we\ use|this\ (?:web)?site\ uses)\ cookies\b.{0,300}
    | (?:©|\(c\)\ |copyright\ (?:©|\d{4})).{0,120} | all\ rights\ reserved\.?
    | the\ post\ .{1,250}\ (?:appeared\ first|first\ appeared)\ on\ .{1,80}
    | (?:like|follow|find|join)\ us\ on
      \ (?:facebook|twitter|instagram|telegram|whatsapp|linkedin|youtube|google|tiktok|x\b).{0,60}
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SENTENCE = re.compile(r"\s\S+\s.*\w[.?]['\"’”)]*$")
_NEWS_WORDS = "Times|News|Today|Daily|Herald|Tribune|Gazette|Telegraph|Guardian|Chronicle|Observer|Mirror|Journal"
_GLUED_AFTER = re.compile(rf"([a-z])((?:{_NEWS_WORDS})\b)")
_GLUED_BEFORE = re.compile(rf"\b({_NEWS_WORDS})([A-Z])")
# Longer than any line of boilerplate; saves matching the pattern on whole paragraphs.
_BOILERPLATE_LIMIT = 400


def normalize(text: str) -> str:
    """The text in Unicode NFC with line feeds for line ends, otherwise unchanged."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))


def clean_text(text: str) -> str:
    """The text without control characters, spaces before line ends, and more than one blank line in a row.

    Lone surrogates become U+FFFD, so that the loss is visible. Words, their order and paragraph breaks are kept.
    """
    text = _SURROGATES.sub("\ufffd", _LINE_ENDS.sub("\n", text))
    text = unicodedata.normalize("NFC", _CONTROLS.sub("", text))
    return _BLANKS.sub("\n\n", _TRAILING.sub("", text)).strip()


def is_boilerplate(line: str) -> bool:
    """Whether a page puts such a line around its article ("Share this", "Exit mobile version")."""
    line = line.strip()
    if len(line) > _BOILERPLATE_LIMIT:
        return False
    if _NOTICE.fullmatch(line):
        return True
    return _BOILERPLATE.fullmatch(line) is not None and _SENTENCE.search(line) is None


def strip_boilerplate(text: str) -> str:
    """Clean text without the lines of boilerplate at its two ends; nothing inside is changed."""
    lines = text.split("\n")
    start, end = 0, len(lines)
    while start < end and (not lines[start].strip() or is_boilerplate(lines[start])):
        start += 1
    while end > start and (not lines[end - 1].strip() or is_boilerplate(lines[end - 1])):
        end -= 1
    return "\n".join(lines[start:end]).strip()


def site_name(text: str) -> str | None:
    """The outlet in a page's "Site icon" line, or None. "TimesKuwait" becomes "Times Kuwait"."""
    for line in text.split("\n"):
        if found := _SITE_ICON.fullmatch(line.strip()):
            return _GLUED_BEFORE.sub(r"\1 \2", _GLUED_AFTER.sub(r"\1 \2", found["site"]))
    return None


def one_line(text: str) -> str:
    """Clean text with single spaces for all white space, for titles and names."""
    return " ".join(clean_text(text).split())


def comparison_key(text: str) -> str:
    """The letters and digits of a text in lower case: equal for copies that differ in case, spaces or punctuation."""
    return re.sub(r"\W+", "", text).lower()
