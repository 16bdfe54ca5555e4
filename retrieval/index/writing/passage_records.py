"""Turns passages into the records that an index stores. Pure."""

from __future__ import annotations

import hashlib
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus import article as article_module
from corpus.article import Article, Passage
from corpus.text import sentences as sentences_module
from corpus.text import split as split_module
from retrieval.index.contract import SENTENCE, WORD, PassageRecord, PassageVectors
from retrieval.models.encoder import Encoded, Encoder
from retrieval.text import analysis, answer_types, late_interaction
from retrieval.text.analysis import STOP_WORDS, Word, stem, words
from retrieval.text.answer_types import WordShape
from retrieval.text.late_interaction import quantise, term_keys, word_vectors
from retrieval.text.search_text import search_text

_ENDS = re.compile(r"[.!?…؟۔।][\"'”’»)\]]*\s*\Z")


@dataclass(frozen=True, slots=True)
class PassageTerms:
    """The parts of a passage's record that need no encoder: all words folded, content words, sentences."""

    folded: tuple[str, ...]
    content: tuple[Word, ...]
    words: NDArray[np.void]
    sentences: NDArray[np.void]
    arabic: bool


def encode_articles(
    articles: Sequence[tuple[Article, Sequence[Passage]]],
    encoder: Encoder,
    known: Callable[[Iterable[int]], Mapping[int, PassageVectors]],
) -> Iterator[tuple[Article, list[PassageRecord], int]]:
    """Each article with the records of its passages, and the number of passages that were newly encoded.

    Args:
        articles: Articles and their passages, which are encoded in one batch.
        encoder: Encodes the passages that are not known.
        known: Returns the vectors of passages that need no encoding, by key.
    """
    keys = [[passage_key(passage) for passage in passages] for _, passages in articles]
    carried = known(key for some in keys for key in some)
    wanted = [
        search_text(passage)
        for (_, passages), some in zip(articles, keys, strict=True)
        for passage, key in zip(passages, some, strict=True)
        if key not in carried
    ]
    fresh = encoder.encode_passages(wanted)
    for (article, passages), some in zip(articles, keys, strict=True):
        made = []
        for passage, key in zip(passages, some, strict=True):
            own = passage_terms(passage)
            vectors = carried[key] if key in carried else passage_vectors(passage, own.content, next(fresh))
            made.append(PassageRecord(passage.span, key, own.folded, own.words, own.sentences, own.arabic, vectors))
        yield article, made, sum(key not in carried for key in some)


def passage_terms(passage: Passage) -> PassageTerms:
    """The words and sentences of a passage, as an index stores them."""
    found = words(search_text(passage))
    content = [word for word in found if not word.stop]
    made = _words(passage, content)
    arabic = int(np.count_nonzero(made["mark"] & int(WordShape.ARABIC)))
    return PassageTerms(
        folded=tuple(word.folded for word in found),
        content=tuple(content),
        words=made,
        sentences=_sentences(passage, content),
        arabic=arabic > 0 and 2 * arabic >= len(content),
    )


def index_terms(folded: Iterable[str]) -> list[str]:
    """The index terms of a passage's folded words, in order, stop words left out."""
    return [stem(word) for word in folded if word not in STOP_WORDS]


def passage_key(passage: Passage) -> int:
    """A 64-bit hash of what a passage's vectors depend on: its title, its text and where its sentences end."""
    start = passage.span.start
    edges = ",".join(str(sentence.end - start) for sentence in passage.sentences)
    content = f"{passage.article.title}\0{passage.text}\0{edges}".encode()
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little")


def _opens(passage: Passage) -> list[int]:
    """The offsets of the title and each sentence in the passage's search text."""
    shift = len(passage.article.title) + 1 - passage.span.start
    return [0, *(sentence.start + shift for sentence in passage.sentences)]


def _sentences(passage: Passage, content: list[Word]) -> NDArray[Any]:
    rows = np.empty(len(passage.sentences), SENTENCE)
    text = passage.article.text
    rows["start"] = [sentence.start for sentence in passage.sentences]
    rows["end"] = [sentence.end for sentence in passage.sentences]
    rows["word"] = np.searchsorted([word.span.start for word in content], _opens(passage)[1:])
    rows["heading"] = [not _ENDS.search(text, sentence.start, sentence.end) for sentence in passage.sentences]
    return rows


def _words(passage: Passage, content: list[Word]) -> NDArray[Any]:
    rows = np.empty(len(content), WORD)
    rows["term"] = term_keys([word.term for word in content])
    rows["mark"] = answer_types.word_shapes(search_text(passage), content, _opens(passage))
    return rows


def passage_vectors(passage: Passage, content: Sequence[Word], encoded: Encoded) -> PassageVectors:
    """The vectors that an index stores of an encoded passage, of its sentences and of its content words."""
    shift = len(passage.article.title) + 1
    inside = encoded.offsets[:, 0] - shift if len(encoded.offsets) else np.empty(0, np.int32)
    starts = np.array([sentence.start - passage.span.start for sentence in passage.sentences])
    owner = np.searchsorted(starts, inside, "right") - 1
    sentences = np.empty((len(starts), len(encoded.vector)), np.float32)
    for number in range(len(starts)):
        own = encoded.tokens[(owner == number) & (inside >= 0)]
        # A sentence past the encoder's maximum length gets the passage's vector.
        mean = own.mean(axis=0) if len(own) else encoded.vector
        sentences[number] = mean / max(float(np.linalg.norm(mean)), 1e-9)
    spans = [word.span for word in content]
    return PassageVectors(
        passage=encoded.vector,
        sentences=quantise(sentences),
        words=quantise(word_vectors(spans, encoded.tokens, encoded.offsets, encoded.basis)),
    )


def pipeline_version() -> str:
    """A hash of the code that makes passages, words and vectors; records of another version are not copied."""
    modules = (
        article_module,
        sentences_module,
        split_module,
        analysis,
        answer_types,
        late_interaction,
        sys.modules[__name__],
    )
    return hashlib.sha256("".join(inspect.getsource(module) for module in modules).encode()).hexdigest()[:16]
