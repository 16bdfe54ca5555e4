"""Names and numbers of a question that the library never mentions: a sign that it holds no answer. Pure."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from retrieval.ranking.question import Question

SAME_WORD = 0.8
"""A word is another form of one in the library when their vectors are this near (Kuwait, Kuwaiti; not Bahrain)."""

_DEFINITE = frozenset({"the", "its", "his", "her", "their"})


def count_unknown_names(question: Question, best_match: NDArray[np.float32], frequency: Callable[[str], int]) -> int:
    """How many names and numbers of the question the library mentions in no form.

    A word is taken for a name by its capital; the first word, short abbreviations and questions that are all capitals
    tell nothing. In a question that follows earlier ones, what it speaks of as known ("the emir") counts as well: the
    words of the earlier questions match, whatever it asks.

    Args:
        question: What was asked.
        best_match: (t,) how well each content word is matched by any candidate passage.
        frequency: The number of passages that have an index term.
    """
    text = question.text
    shown = [text[word.span.start : word.span.end] for word in question.content]
    capital = [word[0].isupper() and not (word.isupper() and len(word) < 5) for word in shown]
    opening = len(text) - len(text.lstrip(" \"'“‘«(["))
    definite = {
        word.term
        for before, word in pairwise(question.words[question.context_words :])
        if question.context_words and before.folded in _DEFINITE
    }
    return sum(
        (
            shown[at][0].isdigit()
            or (capital[at] and not all(capital) and word.span.start > opening)
            or word.term in definite
        )
        and frequency(word.term) == 0
        and float(best_match[at]) < SAME_WORD
        for at, word in enumerate(question.content)
    )
