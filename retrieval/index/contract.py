"""The interface between search and an index: what every engine that stores passages implements."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from corpus.article import Article, Span

Rows = NDArray[np.int64]
Floats = NDArray[np.float32]

PASSAGE = np.dtype([(name, "<i8") for name in ("article", "start", "end", "sentence", "word", "folded")])
"""A passage: its article's row, its span, where its sentences, words and folded words begin.

A table of n passages has n + 1 rows: the last one says where the sentences, words and folded words end."""

SENTENCE = np.dtype([("start", "<i8"), ("end", "<i8"), ("word", "<i4"), ("heading", "?")])
"""A sentence: its span, how many content words of title and passage precede it, whether it has no end mark."""

WORD = np.dtype([("term", "<u4"), ("mark", "<u2")])
"""A content word of a passage's title or text: the number of its index term, and its `answer_types.WordShape`."""


@dataclass(frozen=True, slots=True)
class ArticleFilter:
    """Which articles may answer: published from `since` to `until`, both included, by the outlet `source`.

    An article without a date matches no date condition; outlets are compared without case. None sets no condition.
    """

    since: dt.date | None = None
    until: dt.date | None = None
    source: str | None = None

    @property
    def allows_all(self) -> bool:
        """Whether every article may answer."""
        return self == ArticleFilter()


@dataclass(frozen=True, slots=True)
class Candidates:
    """The passages that dense and lexical search retrieved for a question.

    `rows` (n,) ascend; `cosine` (n,) and `bm25` (n,) are their scores, 0 where there was no question vector or no term
    is shared. `dense_ranking` and `lexical_ranking` are the rows each search found, best first, equal scores by row.
    """

    rows: Rows
    cosine: Floats
    bm25: Floats
    dense_ranking: Rows
    lexical_ranking: Rows

    def select(self, mask: NDArray[np.bool_]) -> Candidates:
        """Only the rows where `mask` (n,) is true; both rankings stay unchanged."""
        return Candidates(self.rows[mask], self.cosine[mask], self.bm25[mask], self.dense_ranking, self.lexical_ranking)


@dataclass(frozen=True, slots=True)
class PassageData:
    """The stored data of some passages as flat arrays, in the order the passages were asked for.

    `article` (n,) holds their articles' rows, `spans` their spans, `arabic` (n,) whether at least half of their words
    are Arabic. `words` (w,) WORD with `word_vectors` (w, WORD_DIM) int8, and `sentences` (s,) SENTENCE with
    `sentence_vectors` (s, dim) int8, are concatenated; `word_counts` and `sentence_counts` (n,) give the number that
    belongs to each passage.
    """

    article: Rows
    spans: tuple[Span, ...]
    arabic: NDArray[np.bool_]
    words: NDArray[np.void]
    word_vectors: NDArray[np.int8]
    word_counts: Rows
    sentences: NDArray[np.void]
    sentence_vectors: NDArray[np.int8]
    sentence_counts: Rows


@dataclass(frozen=True, slots=True)
class PassageVectors:
    """The vectors of a passage (dim,) float32, its sentences (s, dim) int8 and its content words (w, WORD_DIM) int8."""

    passage: NDArray[np.float32]
    sentences: NDArray[np.int8]
    words: NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class PassageRecord:
    """Everything an index stores for a passage; `key` identifies the text its vectors were made from."""

    span: Span
    key: int
    folded: tuple[str, ...]
    words: NDArray[np.void]
    sentences: NDArray[np.void]
    arabic: bool
    vectors: PassageVectors


def day_number(published: str | None) -> int:
    """The proleptic ordinal of the day an article was published, 0 if unknown."""
    return 0 if published is None else dt.datetime.fromisoformat(published).date().toordinal()


def outlet_key(source: str | None) -> int:
    """A number, below 2**63, for an outlet's name, the same in capitals and small letters."""
    name = (source or "").casefold().strip().encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), "little") >> 1


class ArticleSummary(NamedTuple):
    """An article as it appears in a list: row, id, title (long ones may be cut) and publication date."""

    row: int
    id: str
    title: str
    published: str | None


@dataclass(frozen=True, slots=True)
class Published:
    """The snapshot that is now current, and the number of its passages that were newly encoded."""

    name: str
    articles: int
    passages: int
    encoded: int


class IndexStore(Protocol):
    """The published indexes in one engine, by name; one of them is current."""

    def current(self) -> str | None:
        """The name of the current index, None if nothing was ever published."""

    def open(self, name: str | None = None, *, encoder: str | None = None) -> Index:
        """Open an index, the current one by default; `encoder` is the fingerprint of the encoder used for questions.

        Raises:
            RetrievalError: there is none, or it cannot be used with that encoder; the message says what to do.
        """

    def encoder(self) -> str | None:
        """The fingerprint of the encoder that the current index was made with."""

    def descriptions(self) -> list[tuple[str, str]]:
        """Name and description of each, oldest first."""

    def check(self) -> str:
        """Read all of the current index and return a one-line report.

        Raises:
            RetrievalError: it is missing or damaged.
        """


class Index(Protocol):
    """The passages of one published snapshot and their articles, by row. Not for several threads at once."""

    @property
    def name(self) -> str:
        """The snapshot's name."""

    @property
    def size(self) -> int:
        """How many passages there are."""

    def retrieve(
        self, vector: Floats | None, weights: Mapping[str, float], limit: int, where: ArticleFilter
    ) -> Candidates:
        """The `limit` passages nearest to a unit vector, and the `limit` best by BM25 over weighted terms.

        Args:
            vector: (dim,), the question's; None for lexical search alone.
            weights: The question's index terms, each with the factor its BM25 score is multiplied by.
            limit: The number of passages each search returns at most.
            where: Which articles may be found.
        """

    def passages(self, rows: Rows) -> PassageData:
        """The stored data of these passages."""

    def arabic(self, rows: Rows) -> NDArray[np.bool_]:
        """Whether at least half of the words are Arabic, for each of these passages, (n,)."""

    def texts(self, rows: Rows) -> list[str]:
        """The texts of these passages."""

    def neighbours(self, first: int, last: int) -> tuple[Span | None, Span | None]:
        """The sentences right before and after the consecutive passages `first` to `last` of one article."""

    def article(self, row: int) -> Article:
        """The article of a row."""

    def articles_with_rows(self) -> Iterator[tuple[int, Article]]:
        """Every article with its row."""

    def summaries(self) -> Iterator[ArticleSummary]:
        """A summary of every article. Only this method may run in another thread at the same time as others."""

    def load(self, rows: Iterable[int]) -> Iterator[Article]:
        """The articles of these rows, in their order, read as they are needed."""

    def export(self) -> Iterator[tuple[Article, list[PassageRecord]]]:
        """Every article with the records of its passages."""

    def vectors(self, keys: Iterable[int]) -> Mapping[int, PassageVectors]:
        """The vectors of the stored passages with these keys, by key; keys that are not stored are left out."""

    def document_frequency(self, term: str) -> int:
        """The number of passages an index term occurs in."""

    def known_words(self, words: Iterable[str]) -> set[str]:
        """Those of these folded words that occur in a title or text."""
