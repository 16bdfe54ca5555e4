"""Corrects misspelt words of a question to words that the library has.

A word counts as misspelt only if the library lacks it and the encoder's vocabulary does not have it as one token. Only
one letter changed, left out, added or swapped with its neighbour is corrected, which Damerau (1964) found to be four in
five misspellings.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable, Iterator

from corpus.article import Span
from retrieval.text.analysis import Word, stem

_MIN_LENGTH = 4
_ARABIC_LETTERS = "ابتثجحخدذرزسشصضطظعغفقكلمنهويء"

Lookup = Callable[[Iterable[str]], set[str]]
"""Returns those of the given folded words that occur in the library."""


def corrected(
    text: str,
    words: Iterable[Word],
    *,
    known: Callable[[Word], bool],
    found: Lookup,
    frequency: Callable[[str], int],
) -> tuple[str, int]:
    """The question with its misspelt words replaced, and how many were replaced.

    Args:
        text: The question.
        words: Its words.
        known: Whether a word needs no correction.
        found: Looks words up in the library.
        frequency: In how many passages an index term occurs.
    """
    pieces, end, replaced = [], 0, 0
    for word in words:
        if len(word.folded) < _MIN_LENGTH or not word.folded.isalpha() or word.stop or known(word):
            continue
        best = closest_word(word.folded, found, frequency)
        if best is None:
            continue
        capital = text[word.span.start].isupper()
        pieces += [text[end : word.span.start], best.capitalize() if capital else best]
        end, replaced = word.span.end, replaced + 1
    return "".join([*pieces, text[end:]]), replaced


def closest_word(word: str, found: Lookup, frequency: Callable[[str], int]) -> str | None:
    """The library's word one edit from `word`; None if there is none.

    Of several, those with the same first letter come first, then the most frequent, then alphabetical order.
    """
    candidates = found(set(edits(word)))
    return min(
        candidates,
        key=lambda candidate: (candidate[0] != word[0], -frequency(stem(candidate)), candidate),
        default=None,
    )


def edits(word: str) -> Iterator[str]:
    """Every string one edit from a word, with repetitions and the word itself; letters are of the word's own script."""
    letters = string.ascii_lowercase if word.isascii() else _ARABIC_LETTERS
    for position in range(len(word) + 1):
        head, tail = word[:position], word[position:]
        for letter in letters:
            yield head + letter + tail
            if tail:
                yield head + letter + tail[1:]
        if len(tail) > 1:
            yield head + tail[1] + tail[0] + tail[2:]
        if tail and len(word) > 1:
            yield head + tail[1:]


def split_by_encoder(span: Span, offsets: list[int]) -> bool:
    """Whether the encoder has no single token for a word; `offsets` are where the text's tokens start."""
    return sum(span.start <= start < span.end for start in offsets) != 1
