"""A question taken apart: its operators, its words, and the type of answer it asks for. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from retrieval.results import Query
from retrieval.text.analysis import Word, fold, folded_words, standardise_question_word, stem, words
from retrieval.text.answer_types import AnswerType, answer_type_of

ASKED_NOUN_WEIGHT = 0.3
"""The share of its rarity that the noun after "which" keeps: an answer need not repeat it ("Which newspaper ...").

With 1, .5 and .3 news answers and refusals are alike, and "Which tier is Kuwait in?" on an article that says "level"
rises from .40 over .48 to .62; recall@1 on XQuAD is .956, .956 and .951.
"""

_WHICH = re.compile(r"\b(?:[Ww]hich|[Ww]hat)\s+(?:[A-Z][\w'’.-]*\s+)*(?=[a-z])")
_QUESTION_WORD = re.compile(
    r"\s*(?:who|whose|whom|what|which|when|where|why|how|is|are|was|were|do|does|did|has|have|had|can|could|will|would)\b",
    re.I,
)
_QUOTED = re.compile(r'["“”«»]([^"“”«»]+)["“”«»]')
_EXCLUDED = re.compile(r"(?:^|\s)-(?=\w)([\w'’]+)")


@dataclass(frozen=True, slots=True)
class Question:
    """A question taken apart.

    `text` is what is encoded: the earlier questions and this one without its operators. `words` are all of its words;
    the first `context_words` of them are of earlier questions. `content` holds its content words in order, each term
    once. The folded words of each of `phrases` must occur one after the other; no word in `excluded` may occur.
    """

    text: str
    words: tuple[Word, ...]
    content: tuple[Word, ...]
    context_words: int
    answer_type: AnswerType
    phrases: tuple[tuple[str, ...], ...]
    excluded: frozenset[str]

    @property
    def terms(self) -> tuple[str, ...]:
        """The index terms of its content words."""
        return tuple(word.term for word in self.content)

    @property
    def has_unquoted_content(self) -> bool:
        """Whether it has content outside its quotation marks, which Arabic also puts around names, inflected or not."""
        quoted = {stem(word) for phrase in self.phrases for word in phrase}
        return any(term not in quoted for term in self.terms)

    @classmethod
    def parse(cls, query: Query) -> Question:
        """Read the operators out of a question and put the words of earlier questions before its own."""
        plain = standardise_question_word(_EXCLUDED.sub(" ", query.text))
        phrases = tuple(folded for match in _QUOTED.findall(plain) if (folded := tuple(folded_words(match))))
        text = " ".join(" ".join((*query.context, plain)).split())
        if _QUESTION_WORD.match(plain) and text[-1:].isalnum():
            text += "?"  # without its mark the encoder takes a question for another text
        found = tuple(words(text))
        return cls(
            text=text,
            words=found,
            content=content_words(found),
            context_words=len(words(" ".join(query.context))),
            answer_type=answer_type_of(plain),
            phrases=phrases,
            excluded=frozenset(fold(word) for word in _EXCLUDED.findall(query.text)),
        )

    def with_text(self, text: str) -> Question:
        """The same question in which some words were replaced, one for one, by their correct spelling."""
        found = tuple(words(text))
        return replace(self, text=text, words=found, content=content_words(found))

    def allows(self, text: str) -> bool:
        """Whether a passage's text has all phrases and no excluded word."""
        found = folded_words(text)
        return self.excluded.isdisjoint(found) and all(
            any(tuple(found[at : at + len(phrase)]) == phrase for at in range(len(found))) for phrase in self.phrases
        )

    def rarity_weights(self) -> NDArray[np.float32]:
        """The share of its rarity that each content word keeps, (t,): ASKED_NOUN_WEIGHT for the noun asked for, else 1.

        That noun is the common noun after "which" or "what"; capitalised words between them are skipped ("Which UN
        agreement").
        """
        kept = np.ones(len(self.content), np.float32)
        which = _WHICH.search(self.text)
        if which is not None and len(kept) > 1:
            for at, word in enumerate(self.content):
                if word.span.start == which.end():
                    kept[at] = ASKED_NOUN_WEIGHT
        return kept


def content_words(found: Sequence[Word]) -> tuple[Word, ...]:
    """The content words among those of a text, in order, each term once."""
    first: dict[str, Word] = {}
    for word in found:
        if not word.stop:
            first.setdefault(word.term, word)
    return tuple(first.values())
