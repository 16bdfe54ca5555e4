"""Splits articles into passages: whole sentences within a word budget, cut at paragraph breaks where possible."""

from __future__ import annotations

from corpus.article import Article, Passage, Span
from corpus.text.sentences import split_sentences

WORDS = 100


def split_article(article: Article, *, words: int = WORDS, overlap: int = 0) -> list[Passage]:
    """Passages in order that together contain every sentence of the article.

    A passage has at most `words` words (runs of non-white space) unless a single sentence has more. It starts with the
    last `overlap` sentences of the passage before it if they and the next new sentence fit, and ends at the last
    paragraph break in its second half if there is one. Where a passage ends depends only on its own first sentence and
    what follows, so after an edit the passages are the old ones again from the next common break on.

    Raises:
        ValueError: `words` is below 1 or `overlap` below 0.
    """
    if words < 1 or overlap < 0:
        raise ValueError(f"words is {words} and overlap {overlap}; they must be at least 1 and 0")
    sentences = split_sentences(article.text)
    sizes = [len(article.text[s.start : s.end].split()) for s in sentences]
    borders = {i for i, s in enumerate(sentences) if "\n" in article.text[s.start : s.end][-_gap(article.text, s) :]}
    passages = []
    first_new = 0
    while first_new < len(sentences):
        first = _with_overlap(sizes, first_new, words=words, overlap=overlap)
        end = _end(sizes, borders, first, first_new, words=words)
        span = Span(sentences[first].start, sentences[end - 1].end)
        passages.append(Passage(article, span, tuple(sentences[first:end])))
        first_new = end
    return passages


def _gap(text: str, span: Span) -> int:
    """How many white space characters the sentence ends with, at least 1."""
    sentence = text[span.start : span.end]
    return max(1, len(sentence) - len(sentence.rstrip()))


def _with_overlap(sizes: list[int], first_new: int, *, words: int, overlap: int) -> int:
    """The sentence to start at, so that up to `overlap` old ones and the first new one fit."""
    total, first = sizes[first_new], first_new
    while first > 0 and first_new - first < overlap and total + sizes[first - 1] <= words:
        first -= 1
        total += sizes[first]
    return first


def _end(sizes: list[int], borders: set[int], first: int, first_new: int, *, words: int) -> int:
    """The end (exclusive) of the passage that starts at the sentence `first`."""
    total = sum(sizes[first : first_new + 1])
    end, border = first_new + 1, 0
    while True:
        if end - 1 in borders and 2 * total >= words:
            border = end
        if end == len(sizes):
            return end
        total += sizes[end]
        if total > words:
            return border or end
        end += 1
