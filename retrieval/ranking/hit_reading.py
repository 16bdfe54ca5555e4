"""Reads the best hits together with the question and adds what the reader found to their sentences' scores."""

from __future__ import annotations

from collections.abc import Sequence

from corpus.article import Span
from retrieval.index.contract import Index
from retrieval.models.reader import Reader
from retrieval.ranking.reading import ReadingText, best_spans, reading_text
from retrieval.results import Hit
from retrieval.text.languages import is_arabic

READ = 8
"""How many of the best hits are read; each costs a run of the model."""

READER_WEIGHT = 0.2
"""What a reader's score counts beside the score of a sentence's evidence."""


def read_hits(hits: Sequence[Hit], question: str, index: Index, reader: Reader) -> list[Hit]:
    """The hits, best first, each sentence's score raised by READER_WEIGHT times the reader's; equal scores by row.

    The first READ hits are read; the sentences of the others get the score of the read hit that answers least. A reader
    that does not read Arabic leaves the hits of Arabic questions as they are.

    Args:
        hits: Best first.
        question: The question as it was encoded.
        index: Where the hits come from.
        reader: Reads each hit with a sentence of its article on either side, behind the article's title.
    """
    if not hits or (is_arabic(question) and not reader.multilingual):
        return list(hits)
    best = hits[:READ]
    texts = [_text_of(hit, index) for hit in best]
    found = []
    for hit, text, reading in zip(best, texts, reader.read(question, [text.text for text in texts]), strict=True):
        spans = best_spans(reading, text, [span for span, _ in hit.sentences])
        answers = tuple((spans.span(at), score) for at, score in enumerate(spans.scores.tolist()))
        found.append(_raised(hit, [score for _, score in answers])._replace(answers=answers))
    floor = min(max(score for _, score in hit.answers) for hit in found)
    found += [_raised(hit, [floor] * len(hit.sentences)) for hit in hits[READ:]]
    return sorted(found, key=lambda hit: (-hit.score, hit.row))


def _text_of(hit: Hit, index: Index) -> ReadingText:
    before, after = index.neighbours(hit.row, hit.row)
    sentences: list[Span] = [span for span, _ in hit.sentences]
    best = max(range(len(sentences)), key=lambda at: hit.sentences[at][1])
    return reading_text(index.article(hit.article), sentences, best, before=before, after=after, with_title=True)


def _raised(hit: Hit, scores: Sequence[float]) -> Hit:
    """The hit with READER_WEIGHT times a score added to each of its sentences; its own score follows its best one."""
    pairs = zip(hit.sentences, scores, strict=True)
    sentences = tuple((span, score + READER_WEIGHT * read) for (span, score), read in pairs)
    best = max(score for _, score in sentences) - max(score for _, score in hit.sentences)
    return hit._replace(sentences=sentences, score=hit.score + best)
