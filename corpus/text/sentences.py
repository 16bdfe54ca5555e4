"""Splits text into sentence spans that tile it. Passages and quotes both use these spans.

Rules, not a model: a terminator followed by white space is a candidate, and the text on both sides of it decides. If a
full stop may belong to an abbreviation, the next word decides; if there is still doubt, the text is not split, since a
quote that is a little too long misleads nobody and half a name does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from corpus.article import Span

_OPENERS = "\"'“‘«‹„‚([{¿¡*_"
_CLOSERS = "\"'”’“»›)]}*_"
# The full stop of Urdu and the danda end sentences; the Arabic comma and semicolon do not.
_CANDIDATE = re.compile(
    rf"""
    (?P<blank> \n[^\S\n]*\n\s*)                                              # a blank line ends what stands before it
    | (?P<line> \n[^\S\n]*)                                                 # one line end: a wrap, or an item of a list
    | (?P<wide> [。！？｡][{re.escape(_CLOSERS)}」』）]*\s*)                      # no space is written after these
    | (?P<stop> (?<![.!?…؟۔।॥‽])[.!?…؟۔।॥‽]++)
      (?P<close> [{re.escape(_CLOSERS)}]*[.!?]?(?:\[\w{{1,3}}\])*) (?P<gap> \s+)
    """,
    re.VERBOSE,
)
_BULLET = re.compile(r"[•‣◦▪●*–—-]\s+\S|\(?(?:\d{1,3}|[A-Za-z])[.)]\s+\S")
_NUMBERING = re.compile(r"\(?(?:\d{1,3}|[A-Za-z]|[ivxIVX]{1,5})\.")
_WORD = re.compile(r"[^\W_][\w'’\-]*")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Never the end of a sentence: a name follows.
_TITLES = _words(
    """
    adm amb atty brig capt cdr cmdr col cpl dr drs fr gen gov hon insp lt maj messrs mlle mme mr mrs ms mt mx pres
    prof pvt rep reps rev sen sens sgt st supt vs v cf e.g i.e eg ie viz esp incl resp
    """
)
# Not the end of a sentence if a number follows: "No. 5", "p. 12", "Jan. 3".
_NUMBERED = _words(
    """
    app art arts cap ch cl div eq ex ext fig figs fl lot no nos nr op p para paras pg pp pt ref sec secs sect tab
    tel vol vols jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs fri sat sun c ca
    approx rs us hk
    """
)
# The end of a sentence only if a word follows that typically starts one.
_MAYBE = _words(
    """
    al assn ave bancorp bldg blvd bros co corp cos dept dist est esq ft govt inc jr llc ltd mfg natl plc pty rd sq
    sr univ ph.d phd m.d b.a m.a b.sc m.sc d.c u.s u.k u.n e.u u.a.e u.s.a u.s.s.r l.a n.y
    """
)
_CLOCK = frozenset(("a.m", "p.m"))
_ZONES = _words(
    """
    EST EDT CST CDT MST MDT PST PDT GMT UTC BST CET CEST AST ET CT MT PT IST JST Eastern Central Mountain Pacific
    London Greenwich Monday Tuesday Wednesday Thursday Friday Saturday Sunday
    """
)
# Words that start a sentence far more often than they continue a name, capitalised as they are there.
_STARTERS = _words(
    """
    A About According After All Also Although Among An And Another Any As At Because Before Between Both But By
    During Each Even Every Experts Few Finally First For From Further Furthermore Given Had Has Have He Her Here His
    How However I If In Indeed Instead Is It Its Just Last Later Like Many Meanwhile More Moreover Most Much My
    Neither Nevertheless New Next No Nobody None Nor Not Nothing Now Of Officials On Once One Only Or Other Others
    Our Over Perhaps Police Prices Recently Reports Researchers Scientists Several Shares She Since So Some Sources
    Still Such Than That The Their Then There Therefore These They This Those Though Three Through Throughout Thus
    To Today Together Tomorrow Too Two Under Unlike Until Up Upon We Well Were What Whatever When Where Whether
    Which While Who Whose Why Will With Within Without Would Yes Yesterday Yet You Your
    """
)
_SPEECH_VERBS = _words(
    """
    added admitted announced answered argued asked began begged called claimed commented complained continued cried
    declared demanded exclaimed explained insisted joked laughed noted recalled remarked replied responded said says
    screamed shouted snapped states tells told tweeted urged warned whispered wondered wrote yelled
    """
)
_NAMES_WITH_MARKS = frozenset(("Yahoo!", "Jeopardy!", "Yum!", "E!", "Oklahoma!", "Guess?"))
# After more words than this before a time of day, the clause has a statement of its own.
_MIN_CLAUSE_WORDS = 3
# Names of Latin letters in Arabic: an initial, unless there are several in a row ("BBC").
_SPELLED_LETTERS = _words(
    """
    إيه بي سي دي إي إف جي إتش آي جاي جيه كي كيه إل إم إن أو كيو آر إس تي يو في دبليو إكس واي زد
    """
)
# The longest line of hard-wrapped text has a length between these; in other text a line end is the author's own.
_MIN_WRAP_WIDTH, _MAX_WRAP_WIDTH = 60, 200


def split_sentences(text: str) -> list[Span]:
    """Sentence spans in order that tile `text`; none for the empty text.

    White space after a sentence is part of it, white space before the first sentence part of that. A blank line always
    ends a sentence. A single line end does if a list item follows or the line was not hard-wrapped. Takes time linear
    in the length of the text.
    """
    if not text:
        return []
    edges = [0, *_edges(text), len(text)]
    return [Span(start, end) for start, end in pairwise(edges)]


def trim(text: str, span: Span) -> Span:
    """The span without white space at its ends; an empty span at its start if it is all white space."""
    start, end = span
    while end > start and text[end - 1].isspace():
        end -= 1
    while start < end and text[start].isspace():
        start += 1
    return Span(start, end)


def _edges(text: str) -> Iterator[int]:
    """Yields where each sentence but the first starts, in ascending order."""
    start = len(text) - len(text.lstrip())
    block_end, width = -1, 0
    for match in _CANDIDATE.finditer(text, start):
        edge = match.end()
        if edge >= len(text):
            return
        if match["line"] is not None:
            if match.start() >= block_end:
                block_end, width = _block(text, match.start())
            ends = _line_ends(text, match.start(), edge, width)
        elif match["stop"] is not None:
            gap = match["gap"]
            ends = gap.count("\n") > 1 or _stop_ends(text, match, start)
            if not ends and "\n" in gap:
                ends = bool(_BULLET.match(text, edge))
        else:
            ends = True
        if ends and edge > start:
            yield edge
            start = edge


def _block(text: str, at: int) -> tuple[int, int]:
    """The end of the block of lines around `at`, up to the next blank line, and the length of its longest line."""
    first = text.rfind("\n\n", 0, at) + 2 if "\n\n" in text[max(0, at - 4096) : at] else max(0, at - 4096)
    last = text.find("\n\n", at)
    last = len(text) if last < 0 else last
    window = text[first : min(last, at + 4096)]
    return min(last, at + 4096), max(len(line) for line in window.split("\n"))


def _line_ends(text: str, at: int, edge: int, width: int) -> bool:
    """Whether the line end at `at` ends a sentence without a terminator: a heading, a list item, an unwrapped line."""
    if _BULLET.match(text, edge):
        return True
    if text[edge].islower():
        return False
    if not _MIN_WRAP_WIDTH <= width <= _MAX_WRAP_WIDTH:
        return True
    line = at - (text.rfind("\n", 0, at) + 1)
    following = _WORD.match(text, edge)
    return line + 1 + (following.end() - edge if following else 1) <= width


def _stop_ends(text: str, match: re.Match[str], start: int) -> bool:
    """Whether a terminator and white space at `match` end the sentence that began at `start`."""
    stop, close, edge = match["stop"], match["close"], match.end()
    at = edge
    while at < len(text) and text[at] in _OPENERS:
        at += 1
    if at == len(text):
        return True
    head = text[at]
    if head.islower():
        # "iPhone" can start a sentence, "the" continues one.
        return text[at + 1 : at + 2].isupper()
    if not head.isalnum():
        return head in "•‣◦▪●#@$£€¥₹§"
    following = _WORD.match(text, at)
    word = following[0] if following else head
    # "J. A. Smith": here a word that could start a sentence is the next initial.
    starter = word in _STARTERS and not (len(word) == 1 and text[at + 1 : at + 2] == ".")
    if stop[0] != ".":
        return _mark_ends(text, match, at, starter=starter)
    if len(stop) > 1:
        return word.split("'")[0].split("’")[0] != "I" or "\n" in match["gap"]
    return _full_stop_ends(
        text, match.start("stop"), start, word, closed=bool(close), quoted=at > edge, starter=starter
    )


def _mark_ends(text: str, match: re.Match[str], at: int, *, starter: bool) -> bool:
    """The rule after a question or exclamation mark: not before "Smith asked", not inside a name."""
    if match["close"] and not starter:
        words = text[at : at + 60].split()[1:4]
        return not any(w.strip(".,;:") in _SPEECH_VERBS for w in words[:2])
    token = text[text.rfind(" ", 0, match.start()) + 1 : match.end("stop")]
    return token.lstrip(_OPENERS) not in _NAMES_WITH_MARKS or starter


def _full_stop_ends(text: str, stop: int, start: int, word: str, *, closed: bool, quoted: bool, starter: bool) -> bool:
    """The rule after one full stop at `stop`, before the capitalised or uncased `word`."""
    begin = stop
    while begin > start and not text[begin - 1].isspace() and stop - begin < 24:
        begin -= 1
    token = text[begin:stop].lstrip(_OPENERS)
    if not token or closed:
        return bool(token) or closed
    if begin == start and _NUMBERING.fullmatch(token + ".") and not word.isupper():
        return False
    # "prize-giving Mr" and "editor/Dr" end with the abbreviation.
    tail = re.split(r"[-–—/(\[“\"]", token)[-1] or token
    key = tail.casefold()
    if key in _TITLES:
        return False
    if len(tail) == 1 and tail.isalpha():
        # A capital is an initial, a small letter a unit ("5 m. The"), a letter without case an Arabic abbreviation.
        return (tail.isupper() or tail.islower()) and starter
    if tail in _SPELLED_LETTERS:
        return not {*text[max(start, begin - 8) : begin].split()[-1:]}.isdisjoint(_SPELLED_LETTERS)
    if key in _NUMBERED:
        number = word[0].isdigit() or (key in ("no", "nos", "vol", "p", "pp") and word.isupper() and len(word) < 5)
        return not number
    if key in _CLOCK:
        # In "At 6 a.m. Smith left" there is no statement before the time.
        return word not in _ZONES and (starter or len(text[start:begin].split()) > _MIN_CLAUSE_WORDS)
    if key in _MAYBE or re.fullmatch(r"(?:[^\W\d_]\.)+[^\W\d_]", tail):
        return starter or quoted
    return True
