"""What answering asks of an index: the seam between searching and the engine that holds the passages."""

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
"""A passage: its article's row, its span, where its sentences, words and folded words begin. One row more closes it."""

SENTENCE = np.dtype([("start", "<i8"), ("end", "<i8"), ("word", "<i4"), ("heading", "?")])
"""A sentence: its span, how many words of its passage, the title's first, precede it, whether it has no end mark."""

WORD = np.dtype([("term", "<u4"), ("mark", "<u2")])
"""A content word of a passage's title or text: its index term's number, and what it looks like (`kinds.Mark`)."""


@dataclass(frozen=True, slots=True)
class ArticleFilter:
    """Which articles may answer: published from `since` to `until`, both included, by the outlet `source`.

    An article without a date was never published; outlets are compared without case. None allows every article.
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
    """Passages near a question by meaning or by words.

    `rows` (n,) ascend; `cosine` (n,) and `bm25` (n,) say how near each is, 0 where nothing was asked or is shared.
    `dense_ranking` and `lexical_ranking` are the rows of either search, best first, equal scores by row.
    """

    rows: Rows
    cosine: Floats
    bm25: Floats
    dense_ranking: Rows
    lexical_ranking: Rows

    def select(self, kept: NDArray[np.bool_]) -> Candidates:
        """The same with some of the rows left out; the ranks of the others stay as they are."""
        return Candidates(self.rows[kept], self.cosine[kept], self.bm25[kept], self.dense_ranking, self.lexical_ranking)


@dataclass(frozen=True, slots=True)
class PassageData:
    """What an index keeps of some passages, flat, in the order they were asked for.

    `article` (n,) are their articles' rows, `spans` their spans, `arabic` (n,) whether they have at least as many
    Arabic words as others. `words` (w,) WORD with `word_vectors` (w, WORD_DIM) int8 and `sentences` (s,) SENTENCE with
    `sentence_vectors` (s, dim) int8 follow one another; `word_counts` and `sentence_counts` (n,) say how many are
    whose.
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
    """What is kept of a passage: (dim,) float32, (s, dim) int8 and (w, WORD_DIM) int8."""

    passage: NDArray[np.float32]
    sentences: NDArray[np.int8]
    words: NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class PassageRecord:
    """Everything that an index keeps of a passage; `key` names the words it was made of."""

    span: Span
    key: int
    folded: tuple[str, ...]
    words: NDArray[np.void]
    sentences: NDArray[np.void]
    arabic: bool
    vectors: PassageVectors


def day_number(published: str | None) -> int:
    """The ordinal of an article's day of publication, 0 where that is not known."""
    return 0 if published is None else dt.datetime.fromisoformat(published).date().toordinal()


def outlet_key(source: str | None) -> int:
    """A number, below 2**63, for an outlet's name, the same in capitals and small letters."""
    name = (source or "").casefold().strip().encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), "little") >> 1


class ArticleSummary(NamedTuple):
    """An article as it stands in a list: its row and id, the beginning of its title, and when it was published."""

    row: int
    id: str
    title: str
    published: str | None


class IndexStore(Protocol):
    """The indexes that one engine keeps, by name, one of which serves."""

    def current(self) -> str | None:
        """The name of the one that serves, None where nothing was ever published."""

    def open(self, name: str | None = None, *, encoder: str | None = None) -> Index:
        """Open one, the one that serves by default; `encoder` is the fingerprint of the one questions need.

        Raises:
            RetrievalError: there is none, or it cannot be used with that encoder; the message says what to do.
        """

    def encoder(self) -> str | None:
        """The fingerprint of the encoder that made the one that serves."""

    def descriptions(self) -> list[tuple[str, str]]:
        """Name and description of each, oldest first."""

    def check(self) -> str:
        """Read all of the one that serves; what there is to say of it.

        Raises:
            RetrievalError: it is not what it was when it was published.
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
        """The `limit` passages nearest to a unit vector, and as many that share the most telling terms.

        Args:
            vector: (dim,), the question's; None asks for its words alone.
            weights: The question's index terms, and what each one's BM25 is multiplied by.
            limit: How many of either kind.
            where: What may be found.
        """

    def passages(self, rows: Rows) -> PassageData:
        """What is kept of these passages."""

    def arabic(self, rows: Rows) -> NDArray[np.bool_]:
        """Which of these passages have at least as many Arabic words as others, (n,)."""

    def texts(self, rows: Rows) -> list[str]:
        """The words of these passages."""

    def neighbours(self, first: int, last: int) -> tuple[Span | None, Span | None]:
        """The sentences right before and right after the passages `first` to `last`, neighbours in one article."""

    def article(self, row: int) -> Article:
        """The article of a row."""

    def articles_with_rows(self) -> Iterator[tuple[int, Article]]:
        """Every article with its row."""

    def summaries(self) -> Iterator[ArticleSummary]:
        """What to list every article by. This alone may go on in another thread beside all else."""

    def load(self, rows: Iterable[int]) -> Iterator[Article]:
        """The articles of these rows, in their order, however many."""

    def export(self) -> Iterator[tuple[Article, list[PassageRecord]]]:
        """Every article with all that is kept of its passages."""

    def vectors(self, keys: Iterable[int]) -> Mapping[int, PassageVectors]:
        """The vectors of those passages that were made of the same words, by their key."""

    def document_frequency(self, term: str) -> int:
        """In how many passages an index term occurs."""

    def known_words(self, words: Iterable[str]) -> set[str]:
        """Those of these folded words that occur in a title or text."""
