"""What a reader found to scores of sentences and the words that answer; which text it is to read for a hit. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from corpus.article import Article, Span
from corpus.text.sentences import trim
from retrieval.models.reader import Reading

MAX_WORDS = 100
"""The words of an article read for one hit: with the question about 150 of a reader's tokens."""

MAX_ANSWER_TOKENS = 30
"""No answer is longer, as in the evaluation of SQuAD."""

MOST_OF_SENTENCE = 0.8
"""Words that make up more of their sentence than this do not stand out in it."""

UNREAD = -10.0
"""The score of the sentences of a text of which nothing was read: what surely does not answer scores -8 to -15."""

_SPACELESS = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uf900-\ufaff\uff66-\uff9f]")
_ABBREVIATION = re.compile(r"(?<!\w)(?:\w\.){2,}\Z")
_SIGN = re.compile(r"[+−-]?[$£€¥₹]?(?=\.?\d)|[$£€¥₹#@§](?=\w)")
_PAIRS = {"(": ")", "[": "]", "{": "}", "“": "”", "‘": "’", "«": "»", '"': '"'}
_UNITS = frozenset("%‰°′″+")


@dataclass(frozen=True, slots=True)
class ReadingText:
    """A text to be read: the part of an article that `span` gives, without white space at its end."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class SentenceSpans:
    """The best answer that starts in each sentence of a passage.

    `scores` (s,) float32: by how much its start and end logits together exceed the "not here" score. `spans` (s, 2)
    int64: its code points in the article. Of a sentence that was not read the span is (-1, -1) and the score the
    lowest of the passage, UNREAD where nothing of it was read.
    """

    scores: NDArray[np.float32]
    spans: NDArray[np.int64]

    def span(self, at: int) -> Span | None:
        """The best answer that starts in a sentence, None where the sentence was not read."""
        start, end = self.spans[at].tolist()
        return None if start < 0 else Span(start, end)


def reading_text(
    article: Article,
    sentences: Sequence[Span],
    best: int,
    *,
    before: Span | None = None,
    after: Span | None = None,
    most: int = MAX_WORDS,
) -> ReadingText:
    """The text to read for a hit: its sentences with one more on either side.

    Where these have more words than `most`, sentences are left out at the longer side of the best one, which stays.

    Args:
        article: The hit's article.
        sentences: The hit's sentences, in order, which tile its span.
        best: Which of them scores highest.
        before: The sentence of the article right before the hit, where there is one.
        after: The one right after.
        most: The most words (runs of non-white space) of the article.
    """
    spans = [*([] if before is None else [before]), *sentences, *([] if after is None else [after])]
    counts = [len(article.text[span.start : span.end].split()) for span in spans]
    first, last = 0, len(spans) - 1
    kept = best + (before is not None)
    while sum(counts[first : last + 1]) > most and first < last:
        if (sum(counts[first:kept]) >= sum(counts[kept + 1 : last + 1]) and first < kept) or kept == last:
            first += 1
        else:
            last -= 1
    span = Span(spans[first].start, spans[last].end)
    return ReadingText(article.text[span.start : span.end].rstrip(), span)


def best_spans(
    reading: Reading, read: ReadingText, sentences: Sequence[Span], *, longest: int = MAX_ANSWER_TOKENS
) -> SentenceSpans:
    """The best answer that starts in each sentence; it ends in the same sentence, at most `longest` tokens on.

    Args:
        reading: What the reader found in the text.
        read: The text.
        sentences: The sentences of the passage, in order.
        longest: The most tokens of an answer.
    """
    scores = np.full(len(sentences), np.nan, np.float32)
    spans = np.full((len(sentences), 2), -1, np.int64)
    edges = np.array(sentences, np.int64).reshape(-1, 2)
    offsets = reading.offsets.astype(np.int64) + read.span.start
    owner = np.searchsorted(edges[:, 0], offsets[:, 0], side="right") - 1
    inside = (owner >= 0) & (offsets[:, 0] >= read.span.start) & (offsets[:, 0] < edges[owner, 1])
    tokens = np.flatnonzero(inside)
    if len(tokens):
        owner = owner[tokens]
        begins = np.flatnonzero(np.diff(owner, prepend=-1))
        last = np.repeat(np.append(begins[1:], len(tokens)), np.diff(begins, append=len(tokens)))
        ends = np.concatenate([reading.ends[tokens], np.full(longest - 1, -np.inf, np.float32)])
        within = np.arange(len(tokens))[:, None] + np.arange(longest) < last[:, None]
        sums = np.where(within, sliding_window_view(ends, longest), np.float32(-np.inf))
        lengths = sums.argmax(axis=1)
        best = reading.starts[tokens] + sums[np.arange(len(tokens)), lengths]
        for begin, end in zip(begins.tolist(), [*begins[1:].tolist(), len(tokens)], strict=True):
            start = begin + int(best[begin:end].argmax())
            at = owner[start]
            scores[at] = best[start] - reading.absent
            spans[at] = offsets[tokens[start], 0], offsets[tokens[start + lengths[start]], 1]
    unread = np.isnan(scores)
    scores[unread] = UNREAD if unread.all() else scores[~unread].min()
    return SentenceSpans(scores, spans)


def answering_words(text: str, sentence: Span, span: Span | None, score: float) -> Span | None:
    """The words of a sentence that answer, to be shown; None where there are none that stand out in it.

    The span is widened to whole words and loses the white space and stray punctuation at its ends.

    Args:
        text: The article's text.
        sentence: The sentence.
        span: The best answer that starts in it, as `best_spans` has it; None where it was not read.
        score: Its score; 0 or less says that the answer is likelier to be elsewhere.
    """
    if span is None or score <= 0:
        return None
    words = _trimmed(text, _whole_words(text, span, sentence))
    whole = _trimmed(text, trim(text, sentence))
    if words.start >= words.end or words.end - words.start > MOST_OF_SENTENCE * (whole.end - whole.start):
        return None
    return words


def _whole_words(text: str, span: Span, sentence: Span) -> Span:
    """The span with the rest of the words and abbreviations that it begins or ends inside, within the sentence."""
    start, end = max(span.start, sentence.start), min(span.end, sentence.end)
    while sentence.start < start < end and _of_word(text[start - 1]) and _of_word(text[start]):
        start -= 1
    while start < end < sentence.end and _of_word(text[end - 1]) and _of_word(text[end]):
        end += 1
    if text[end : end + 1] == "." and end < sentence.end and _ABBREVIATION.search(text, start, end + 1):
        end += 1
    return Span(start, end)


def _of_word(character: str) -> bool:
    """Whether it is of a word in a script that writes spaces between words; the others' tokens are words already."""
    spelt = character.isalnum() or unicodedata.category(character).startswith("M")
    return spelt and not _SPACELESS.match(character)


def _trimmed(text: str, span: Span) -> Span:
    """The span without what is no letter or digit at its ends, apart from signs, units, abbreviations and pairs."""
    start, end = span
    while start < end and not _may_begin(text, start, end):
        start += 1
    while start < end and not _may_end(text, start, end):
        end -= 1
    return Span(start, end) if any(map(_letter, text[start:end])) else Span(start, start)


def _may_begin(text: str, start: int, end: int) -> bool:
    closer = _PAIRS.get(text[start])
    return (
        _letter(text[start])
        or _SIGN.match(text, start, end) is not None
        or (closer is not None and closer in text[start + 1 : end])
    )


def _may_end(text: str, start: int, end: int) -> bool:
    last, inside = text[end - 1], text[start : end - 1]
    return (
        _letter(last)
        or (last in _UNITS and inside[-1:].isalnum())
        or any(closer == last and opener in inside for opener, closer in _PAIRS.items())
        or (last == "." and _ABBREVIATION.search(text, start, end) is not None)
    )


def _letter(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character).startswith("M")
