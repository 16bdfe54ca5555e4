"""Finds duplicate articles: the same address, the same text, or nearly the same text under another headline.

The only module that imports rensa. Candidates share a value of their MinHash sketches (Broder 1997). Each pair is then
verified: by containment, since a shortened reprint is part of the longer text however small a part, and by facts, since
two stories written from one template share their sentences and differ in their names and numbers.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

_TRACKING = re.compile(
    r"utm_\w+|mc_[ce]id|mkt_tok|_hs\w+|hss_channel|[a-z]*clid|igshid|igsh|spm|xtor|ncid|cmpid|cmp|ocid|smid|smtyp|s_cid"
    r"|at_\w+|trk|guccounter|guce_\w+|fb_\w+|__twitter_impression|amp|ref|ref_src|ref_url|cid|sref|taid|via|share",
    re.IGNORECASE,
)
_WORD = re.compile(r"\w+")
_FACT = re.compile(r"(?<![.!?…:;\n\"“”'‘(]\s)(?<![\"“'‘(\n])(?<!^)\b(?:[A-Z][\w’'-]+|[A-Z]{2,})|\d[\d.,:]*\d|\d")
_SHINGLE_WORDS = 5
# Values per sketch. Of pairs with a fifth of their shingles in common 97 % share a value, with two fifths 99.9 %.
SKETCH_SIZE = 16
_SEED = 1997
# The share of the shorter text's shingles that the longer one has to contain.
_MIN_CONTAINMENT = 0.6
# The same for scripts without capitals, where names cannot be told from other words: two appointments written from
# one template in Arabic share 0.58 of their shingles.
_MIN_CONTAINMENT_CASELESS = 0.75
# The share of distinct words that near-duplicates have in common: less than the 0.6 of their shingles, since repeated
# words count once. Passages on different subjects share about a quarter.
_MIN_SHARED_WORDS = 0.4
# The share of the facts of the text with fewer that the other one has too. Reprints keep nearly all of them, a
# correction changes one or two, stories from one template share the names of places and little more.
_MIN_SHARED_FACTS = 0.7
_FEW_FACTS = 4


def canonical_url(url: str) -> str:
    """The address without tracking parameters and fragment; one that is not http or https is only stripped."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        return url.strip()
    if parts.scheme.lower() not in ("http", "https"):
        return url.strip()
    host = (parts.hostname or "").lower()
    if port and port != {"http": 80, "https": 443}.get(parts.scheme.lower()):
        host = f"{host}:{port}"
    query = [(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if not _TRACKING.fullmatch(k)]
    return urlunsplit((parts.scheme.lower(), host, parts.path or "/", urlencode(query), ""))


def url_key(url: str) -> str:
    """A key that is equal for addresses of one page: without scheme, "www." and final slash, parameters sorted."""
    parts = urlsplit(canonical_url(url))
    host = re.sub(r"^(?:www|m|mobile|amp)\.", "", parts.netloc)
    path = re.sub(r"/(?:amp|index\.\w{3,5})?/?$", "", parts.path)
    return f"{host}{path}?{urlencode(sorted(parse_qsl(parts.query)))}"


def minhash_sketch(text: str) -> list[int]:
    """The MinHash sketch: SKETCH_SIZE numbers below 2**32. Nearly equal texts have some in the same positions."""
    from rensa import RMinHash

    hashed = RMinHash(num_perm=SKETCH_SIZE, seed=_SEED)
    hashed.update(sorted(map(" ".join, shingles(text))))
    return [int(value) for value in hashed.digest()]


def shingles(text: str) -> set[tuple[str, ...]]:
    """All runs of five words, in lower case; all words if there are fewer, the text itself if it has none."""
    words = _WORD.findall(text.casefold())
    if len(words) < _SHINGLE_WORDS:
        return {tuple(words) or (text.strip(),)}
    return set(zip(*(words[at:] for at in range(_SHINGLE_WORDS)), strict=False))


def containment(first: set[tuple[str, ...]], second: set[tuple[str, ...]]) -> float:
    """The share of the smaller set that the larger one contains."""
    return len(first & second) / min(len(first), len(second))


def may_be_near_duplicates(first: set[str], second: set[str]) -> bool:
    """Whether texts with these white-space separated words could be near-duplicates; cheaper than their shingles."""
    return len(first & second) >= _MIN_SHARED_WORDS * min(len(first), len(second))


def are_near_duplicates(first: set[tuple[str, ...]], second: set[tuple[str, ...]]) -> bool:
    """Whether two texts share so many shingles that one may have been made from the other."""
    return containment(first, second) >= _MIN_CONTAINMENT


def same_story(first: str, second: str) -> bool:
    """Whether two texts are the same story, reprinted, shortened or corrected, and not two from one template."""
    least = _MIN_CONTAINMENT if _has_case(first) and _has_case(second) else _MIN_CONTAINMENT_CASELESS
    return containment(shingles(first), shingles(second)) >= least and _same_facts(first, second)


def _has_case(text: str) -> bool:
    letters = [ch for ch in text if ch.isalpha()]
    return 2 * sum(ch.islower() or ch.isupper() for ch in letters) >= len(letters)


def _same_facts(first: str, second: str) -> bool:
    """Whether nearly all names and numbers of the text that has fewer are in the other one too."""
    counts = len(_facts(first)), len(_facts(second))
    return (counts[0] > counts[1] or _shares_facts(first, second)) and (
        counts[1] > counts[0] or _shares_facts(second, first)
    )


def _shares_facts(first: str, second: str) -> bool:
    """Whether the second text has most of the first one's facts."""
    facts = _facts(first)
    words = set(_WORD.findall(second.casefold()))
    return len(facts) < _FEW_FACTS or len(facts & words) >= _MIN_SHARED_FACTS * len(facts)


def _facts(text: str) -> set[str]:
    return {word for fact in _FACT.findall(text) for word in _WORD.findall(fact.casefold())}
