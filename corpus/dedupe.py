"""Which articles are one: the same address, the same text, or nearly the same text under another headline.

Candidates come from MinHash signatures (Broder 1997) in locality-sensitive bands. Each pair is then
verified: by containment, since a shortened reprint lies inside the longer one however little of that it is, and by
facts, since two stories written from one template share their sentences and differ in their names and numbers.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from corpus.article import Article

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_TRACKING = re.compile(
    r"utm_\w+|mc_[ce]id|mkt_tok|_hs\w+|hss_channel|[a-z]*clid|igshid|igsh|spm|xtor|ncid|cmpid|cmp|ocid|smid|smtyp|s_cid"
    r"|at_\w+|trk|guccounter|guce_\w+|fb_\w+|__twitter_impression|amp|ref|ref_src|ref_url|cid|sref|taid|via|share",
    re.IGNORECASE,
)
_WORD = re.compile(r"\w+")
_FACT = re.compile(r"(?<![.!?…:;\n\"“”'‘(]\s)(?<![\"“'‘(\n])(?<!^)\b(?:[A-Z][\w’'-]+|[A-Z]{2,})|\d[\d.,:]*\d|\d")
_SHINGLE = 5
_PERMUTATIONS = 128
# Two signature values a band: of pairs with a fifth of their shingles in common, 93 of 100 become candidates.
_BANDS = (64, 2)
# The share of the shorter text's shingles that the longer has.
_CONTAINED = 0.6
# The share of the facts of the text with fewer that the other states too. Reprints keep nearly all of them, a
# correction changes one or two, a template's stories share the names of places and little more.
_SHARED_FACTS = 0.7
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


def text_key(text: str) -> str:
    """Equal where two texts have the same words in the same order, whatever their case, spaces and punctuation."""
    return " ".join(_WORD.findall(text.casefold()))


@dataclass(frozen=True, slots=True)
class Match:
    """An earlier article that one repeats; `contained` is the share of the shorter's shingles in the longer."""

    id: str
    contained: float


class Duplicates:
    """Finds the earlier article that a new one repeats, nearly or to the word.

    Holds signatures, not texts; `text_of` loads the text of an article it was given before.
    """

    def __init__(self, text_of: Callable[[str], str]) -> None:
        self._text_of = text_of
        self._rows: dict[int, list[int]] = {}
        self._ids: list[str] = []

    def add(self, article_id: str, text: str) -> Match | None:
        """The best match among those added before, or None; the article is a candidate from now on.

        Of several that match, the one with most in common wins, then the earliest. Ids must not repeat.
        """
        shingles = _shingles(text)
        bands = _bands(shingles)
        best: Match | None = None
        for row in sorted({row for band in bands for row in self._rows.get(band, ())}):
            other = self._text_of(self._ids[row])
            contained = _containment(shingles, _shingles(other))
            if contained >= _CONTAINED and _same_facts(text, other):
                match = Match(self._ids[row], contained)
                if best is None or match.contained > best.contained:
                    best = match
        self._note(article_id, bands)
        return best

    def note(self, article_id: str, text: str) -> None:
        """Makes an article a candidate without looking for what it repeats."""
        self._note(article_id, _bands(_shingles(text)))

    def _note(self, article_id: str, bands: list[int]) -> None:
        for band in bands:
            self._rows.setdefault(band, []).append(len(self._ids))
        self._ids.append(article_id)


def duplicate_groups(articles: Iterable[Article], text_of: Callable[[str], str]) -> dict[str, list[str]]:
    """The articles that say the same, as the id of each group's first and the ids of the others, in the order given.

    Articles that repeat nothing are in no group.
    """
    found = Duplicates(text_of)
    leaders: dict[str, str] = {}
    groups: dict[str, list[str]] = {}
    for article in articles:
        if match := found.add(article.id, article.text):
            leader = leaders.get(match.id, match.id)
            leaders[article.id] = leader
            groups.setdefault(leader, []).append(article.id)
    return groups


def same_story(one: str, two: str) -> bool:
    """Whether two texts are one story, as `Duplicates` verifies its candidates."""
    contained = _containment(_shingles(one), _shingles(two))
    return contained >= _CONTAINED and _same_facts(one, two)


def _same_facts(one: str, two: str) -> bool:
    """Whether the names and numbers of the text that has fewer are in the other too, all but a few."""
    counts = len(_facts(one)), len(_facts(two))
    return (counts[0] > counts[1] or _shares(one, two)) and (counts[1] > counts[0] or _shares(two, one))


def _shares(one: str, two: str) -> bool:
    """Whether the second text says most of the first one's facts."""
    facts = _facts(one)
    words = set(_WORD.findall(two.casefold()))
    return len(facts) < _FEW_FACTS or len(facts & words) >= _SHARED_FACTS * len(facts)


def _facts(text: str) -> set[str]:
    return {word for fact in _FACT.findall(text) for word in _WORD.findall(fact.casefold())}


def _shingles(text: str) -> NDArray[np.uint32]:
    """The distinct hashes of every five words in a row, ascending; of all words where they are fewer."""
    import numpy as np

    words = np.array([zlib.crc32(word.encode()) for word in _WORD.findall(text.casefold())], np.uint64)
    count = max(1, len(words) - _SHINGLE + 1)
    hashes = np.zeros(count, np.uint64)
    for place in range(min(_SHINGLE, len(words))):
        # Any odd multiplier mixes; wrapping is meant.
        hashes = hashes * np.uint64(0x9E3779B97F4A7C15) + words[place : place + count]
    hashes ^= hashes >> np.uint64(29)
    return np.unique((hashes * np.uint64(0xBF58476D1CE4E5B9)) >> np.uint64(32)).astype(np.uint32)


def _containment(one: NDArray[np.uint32], two: NDArray[np.uint32]) -> float:
    import numpy as np

    return len(np.intersect1d(one, two, assume_unique=True)) / min(len(one), len(two))


def _bands(shingles: NDArray[np.uint32]) -> list[int]:
    """The bands of a MinHash signature, one number each: two texts that share one are candidates."""
    import numpy as np

    # Multiply-shift hashing (Dietzfelbinger et al. 1997); wrapping is meant.
    factors, shifts = _hash_functions()
    values = [int(((shingles * a + b) >> np.uint64(32)).min()) for a, b in zip(factors, shifts, strict=True)]
    count, size = _BANDS
    return [hash((band, *values[band * size : (band + 1) * size])) for band in range(count)]


@cache
def _hash_functions() -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    import numpy as np

    draw = np.random.default_rng(1997)
    factors, shifts = draw.integers(0, 2**64, (2, _PERMUTATIONS), np.uint64)
    return factors | np.uint64(1), shifts
