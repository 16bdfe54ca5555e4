"""Which articles are the same: the same address, the same text, or nearly the same text under another headline.

The only door to rensa. Candidates share a value of their MinHash sketches (Broder 1997). Each pair is then verified: by
containment, since a shortened reprint lies inside the longer one however little of that it is, and by facts, since two
stories written from one template share their sentences and differ in their names and numbers.
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
# Values of a sketch. Of pairs with a fifth of their shingles in common 97 of 100 share one, with two fifths 99.9.
SKETCH_SIZE = 16
_SEED = 1997
# The share of the shorter text's shingles that the longer has.
_MIN_CONTAINMENT = 0.6
# The same for scripts without capitals, where names are not told from other words: two appointments written from one
# template in Arabic share 0.58 of their shingles.
_MIN_CONTAINMENT_CASELESS = 0.75
# The share of the words that two texts have in common where one contains the other's shingles: at 0.6 of these, words
# that a text has twice count once. Passages on other matters share about a quarter.
_MIN_SHARED_WORDS = 0.4
# The share of the facts of the text with fewer that the other states too. Reprints keep nearly all of them, a
# correction changes one or two, a template's stories share the names of places and little more.
_MIN_SHARED_FACTS = 0.7
_FEW_FACTS = 4


def canonical_url(url: str) -> str:
    """The address without what only tells where its reader came from: tracking parameters and fragment."""
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
    """What two addresses of one page have in common: no scheme, "www.", closing slash or order of parameters."""
    parts = urlsplit(canonical_url(url))
    host = re.sub(r"^(?:www|m|mobile|amp)\.", "", parts.netloc)
    path = re.sub(r"/(?:amp|index\.\w{3,5})?/?$", "", parts.path)
    return f"{host}{path}?{urlencode(sorted(parse_qsl(parts.query)))}"


def minhash_sketch(text: str) -> list[int]:
    """The SKETCH numbers, each below 2**32, of which nearly equal texts have some in common, place by place."""
    from rensa import RMinHash

    hashed = RMinHash(num_perm=SKETCH_SIZE, seed=_SEED)
    hashed.update(sorted(map(" ".join, shingles(text))))
    return [int(value) for value in hashed.digest()]


def shingles(text: str) -> set[tuple[str, ...]]:
    """Every five words in a row, in lower case; all words where they are fewer, the text where it has none."""
    words = _WORD.findall(text.casefold())
    if len(words) < _SHINGLE_WORDS:
        return {tuple(words) or (text.strip(),)}
    return set(zip(*(words[at:] for at in range(_SHINGLE_WORDS)), strict=False))


def containment(first: set[tuple[str, ...]], second: set[tuple[str, ...]]) -> float:
    """The share of the smaller set's shingles that the larger has too."""
    return len(first & second) / min(len(first), len(second))


def may_be_near_duplicates(first: set[str], second: set[str]) -> bool:
    """Whether texts of these words, as they stand between blanks, are worth a look by `repeats`, which costs more."""
    return len(first & second) >= _MIN_SHARED_WORDS * min(len(first), len(second))


def are_near_duplicates(first: set[tuple[str, ...]], second: set[tuple[str, ...]]) -> bool:
    """Whether two texts of these shingles share so many that one may have been made from the other."""
    return containment(first, second) >= _MIN_CONTAINMENT


def same_story(first: str, second: str) -> bool:
    """Whether two texts are one story, reprinted, shortened or corrected, and not two written from one template."""
    least = _MIN_CONTAINMENT if _has_case(first) and _has_case(second) else _MIN_CONTAINMENT_CASELESS
    return containment(shingles(first), shingles(second)) >= least and _same_facts(first, second)


def _has_case(text: str) -> bool:
    letters = [ch for ch in text if ch.isalpha()]
    return 2 * sum(ch.islower() or ch.isupper() for ch in letters) >= len(letters)


def _same_facts(first: str, second: str) -> bool:
    """Whether the names and numbers of the text that has fewer are in the other too, all but a few."""
    counts = len(_facts(first)), len(_facts(second))
    return (counts[0] > counts[1] or _shares_facts(first, second)) and (
        counts[1] > counts[0] or _shares_facts(second, first)
    )


def _shares_facts(first: str, second: str) -> bool:
    """Whether the second text says most of the first one's facts."""
    facts = _facts(first)
    words = set(_WORD.findall(second.casefold()))
    return len(facts) < _FEW_FACTS or len(facts & words) >= _MIN_SHARED_FACTS * len(facts)


def _facts(text: str) -> set[str]:
    return {word for fact in _FACT.findall(text) for word in _WORD.findall(fact.casefold())}
