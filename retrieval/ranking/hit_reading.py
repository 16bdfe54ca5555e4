"""Reads the best hits together with the question and adds what the reader found to their sentences' scores."""

from __future__ import annotations

from collections.abc import Sequence

from corpus.article import Span
from retrieval.index.contract import Index
from retrieval.models.reader import Reader
from retrieval.ranking.reading import ReadingText, best_spans, reading_text
from retrieval.results import Hit
from retrieval.text.languages import is_arabic

READ, READ_WITHIN = 6, 3.0
"""How many of the best hits are read at most, and by how much their scores may be below the best one's.

Each costs a run of the model. On 559 questions about invented news that were not trained on, with eight hits read the
right one is first for .667 and its marked sentence right for .565; within 6, 4, 3, 2 and 1 of the best one's score for
.667, .669, .671, .669 and .660, where 5.8, 4.4, 3.4, 2.4 and 1.6 are read.
"""

READER_WEIGHT = 0.4
"""What a reader's score counts beside the score of a sentence's evidence.

On the same questions the marked sentence is right for .44, .52, .56, .57, .58, .58 and .58 with 0, .1, .2, .3, .4, .5
and .7; the first hit for .62, .66, .67, .67, .67, .66 and .66.
"""


def read_hits(hits: Sequence[Hit], question: str, index: Index, reader: Reader) -> list[Hit]:
    """The hits, best first, each sentence's score raised by READER_WEIGHT times the reader's; equal scores by row.

    At most the first READ hits are read, those within READ_WITHIN of the best. The sentences of the others are raised
    alike, by as much as the read hit that gains least. A reader that does not read Arabic leaves the hits of Arabic
    questions as they are.

    Args:
        hits: Best first.
        question: The question as it was encoded.
        index: Where the hits come from.
        reader: Reads each hit with a sentence of its article on either side.
    """
    if not hits or (is_arabic(question) and not reader.multilingual):
        return list(hits)
    least = max(hit.score for hit in hits) - READ_WITHIN
    to_read = [hit for hit in hits[:READ] if hit.score >= least]
    texts = [_text_of(hit, index) for hit in to_read]
    found = []
    for hit, text, reading in zip(to_read, texts, reader.read(question, [text.text for text in texts]), strict=True):
        spans = best_spans(reading, text, [span for span, _ in hit.sentences])
        answers = tuple((spans.span(at), score) for at, score in enumerate(spans.scores.tolist()))
        found.append(_raised(hit, [READER_WEIGHT * score for _, score in answers])._replace(answers=answers))
    gain = min(after.score - before.score for before, after in zip(to_read, found, strict=True))
    read = {hit.row for hit in found}
    found += [_raised(hit, [gain] * len(hit.sentences)) for hit in hits if hit.row not in read]
    return sorted(found, key=lambda hit: (-hit.score, hit.row))


def _text_of(hit: Hit, index: Index) -> ReadingText:
    before, after = index.neighbours(hit.row, hit.row)
    sentences: list[Span] = [span for span, _ in hit.sentences]
    best = max(range(len(sentences)), key=lambda at: hit.sentences[at][1])
    return reading_text(index.article(hit.article), sentences, best, before=before, after=after)


def _raised(hit: Hit, gains: Sequence[float]) -> Hit:
    """The hit with a gain added to each of its sentences' scores; its own score follows its best sentence's."""
    sentences = tuple((span, score + gain) for (span, score), gain in zip(hit.sentences, gains, strict=True))
    best = max(score for _, score in sentences) - max(score for _, score in hit.sentences)
    return hit._replace(sentences=sentences, score=hit.score + best)
