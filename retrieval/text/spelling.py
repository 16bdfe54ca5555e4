"""Misspelt words of a question, put right by the library's own. Pure.

Only a word that the library lacks and the encoder's vocabulary does not know as a whole is taken for misspelt, and only
for one letter changed, left out, added or swapped with its neighbour (Damerau 1964: four in five misspellings).
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable, Iterator

from corpus.article import Span
from retrieval.text.analysis import Word, stem

_LEAST = 4
_ARABIC = "ابتثجحخدذرزسشصضطظعغفقكلمنهويء"

Found = Callable[[Iterable[str]], set[str]]
"""Those of some folded words that the library has."""


def corrected(
    text: str,
    words: Iterable[Word],
    *,
    known: Callable[[Word], bool],
    found: Found,
    frequency: Callable[[str], int],
) -> tuple[str, int]:
    """The question with its misspelt words replaced, and how many were.

    Args:
        text: The question.
        words: Its words.
        known: Whether a word needs no correction.
        found: The library's words.
        frequency: In how many passages an index term occurs; the commonest candidate is taken, then by first letter
            kept, then by alphabet.
    """
    pieces, end, replaced = [], 0, 0
    for word in words:
        if len(word.folded) < _LEAST or not word.folded.isalpha() or word.stop or known(word):
            continue
        best = closest_word(word.folded, found, frequency)
        if best is None:
            continue
        capital = text[word.span.start].isupper()
        pieces += [text[end : word.span.start], best.capitalize() if capital else best]
        end, replaced = word.span.end, replaced + 1
    return "".join([*pieces, text[end:]]), replaced


def closest_word(word: str, found: Found, frequency: Callable[[str], int]) -> str | None:
    """The library's word that is one edit from `word`, the likeliest of several; None where there is none."""
    near = found(set(edits(word)))
    return min(near, key=lambda other: (other[0] != word[0], -frequency(stem(other)), other), default=None)


def edits(word: str) -> Iterator[str]:
    """Every string one edit from a word, itself among them, with repetitions; letters are of the word's own script."""
    letters = string.ascii_lowercase if word.isascii() else _ARABIC
    for at in range(len(word) + 1):
        head, tail = word[:at], word[at:]
        for letter in letters:
            yield head + letter + tail
            if tail:
                yield head + letter + tail[1:]
        if len(tail) > 1:
            yield head + tail[1] + tail[0] + tail[2:]
        if tail and len(word) > 1:
            yield head + tail[1:]


def split_by_encoder(span: Span, offsets: list[int]) -> bool:
    """Whether a word takes the encoder more than one token, so that its vocabulary does not know it as a whole."""
    return sum(span.start <= start < span.end for start in offsets) != 1
