"""A published index on Milvus: searches and reads one version of a generation. Reading only."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, groupby, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.article import Article, Span
from retrieval.errors import SnapshotMissing
from retrieval.index.contract import (
    SENTENCE,
    WORD,
    ArticleFilter,
    ArticleSummary,
    Candidates,
    Floats,
    PassageData,
    PassageRecord,
    PassageVectors,
    Rows,
)
from retrieval.milvus.client import LONG_PAGE_ROWS, PAGE_ROWS, MilvusConnection
from retrieval.milvus.generation import NEVER, ROWS_PER_ARTICLE, Generation, filter_expression
from retrieval.milvus.row_format import (
    EVIDENCE_FIELDS,
    article_from_row,
    name_key,
    record_from_row,
    signed_key,
    term_token,
    unpack_array,
)
from retrieval.text.late_interaction import WORD_DIM

K1, B = 1.2, 0.75
"""The parameters of BM25, the same as tantivy's."""


class MilvusIndex:
    """One version of an index on Milvus, an `Index`. Rows are those of `passages`, and the numbers of articles."""

    def __init__(self, milvus: MilvusConnection, about: Generation) -> None:
        self.about = about
        self.name = about.name
        self.size = about.passages
        self._milvus = milvus
        self._articles: dict[int, Article] = {}
        self._counts: dict[str, int] = {}

    def retrieve(
        self, vector: Floats | None, weights: Mapping[str, float], limit: int, where: ArticleFilter
    ) -> Candidates:
        """The `limit` passages nearest to a unit vector, and the `limit` best by BM25, in one hybrid search.

        Milvus fuses the two by reciprocal rank; the cosines and BM25 scores are computed here, as on one machine.
        """
        from pymilvus import AnnSearchRequest, RRFRanker

        condition = " and ".join(filter(None, (filter_expression(where), self.about.condition("passages"))))
        asked = []
        if vector is not None:
            asked.append(AnnSearchRequest([vector.tolist()], "vector", {"metric_type": "IP"}, limit, expr=condition))
        if weights:
            text = " ".join(map(term_token, weights))
            asked.append(AnnSearchRequest([text], "sparse", {"metric_type": "BM25"}, limit, expr=condition))
        if not asked or not self.size:
            return _ranked_candidates([], np.zeros(0, np.float32), np.zeros(0, np.float32), limit)
        name = self._milvus.collection(self.about.generation, "passages")
        with self._milvus.translating_errors():
            [found] = self._milvus.client.hybrid_search(
                name,
                asked,
                RRFRanker(),
                limit=len(asked) * limit,
                output_fields=["row", "vector", "terms"],
                timeout=self._milvus.timeout_s,
            )
        hits = sorted((hit["entity"] for hit in found), key=lambda hit: int(hit["row"]))
        vectors = np.array([hit["vector"] for hit in hits], np.float32).reshape(-1, self.about.dim)
        cosine = np.zeros(len(hits), np.float32) if vector is None else vectors @ vector
        return _ranked_candidates(
            [int(hit["row"]) for hit in hits],
            cosine,
            self._bm25(weights, [hit["terms"] for hit in hits]),
            limit,
            dense=vector is not None,
        )

    def passages(self, rows: Rows) -> PassageData:
        """The stored data of these passages."""
        found = self._rows(rows, EVIDENCE_FIELDS)
        words = [unpack_array(row["words"], WORD) for row in found]
        sentences = [unpack_array(row["sentences"], SENTENCE) for row in found]
        word_vectors = [unpack_array(row["word_vectors"], np.dtype("i1")).reshape(-1, WORD_DIM) for row in found]
        kept = [unpack_array(row["sentence_vectors"], np.dtype("i1")).reshape(-1, self.about.dim) for row in found]
        return PassageData(
            article=np.array([row["article"] for row in found], np.int64),
            spans=tuple(Span(row["start"], row["end"]) for row in found),
            arabic=np.array([row["arabic"] for row in found], np.bool_),
            words=np.concatenate([np.empty(0, WORD), *words]),
            word_vectors=np.concatenate([np.empty((0, WORD_DIM), np.int8), *word_vectors]),
            word_counts=np.array([len(one) for one in words], np.int64),
            sentences=np.concatenate([np.empty(0, SENTENCE), *sentences]),
            sentence_vectors=np.concatenate([np.empty((0, self.about.dim), np.int8), *kept]),
            sentence_counts=np.array([len(one) for one in sentences], np.int64),
        )

    def arabic(self, rows: Rows) -> NDArray[np.bool_]:
        """Whether at least half of the words are Arabic, for each of these passages, (n,)."""
        return np.array([row["arabic"] for row in self._rows(rows, ("arabic",))], np.bool_)

    def texts(self, rows: Rows) -> list[str]:
        """The texts of these passages."""
        found = self._rows(rows, ("article", "start", "end"))
        self._load({int(row["article"]) for row in found})
        return [self._articles[row["article"]].text[row["start"] : row["end"]] for row in found]

    def neighbours(self, first: int, last: int) -> tuple[Span | None, Span | None]:
        """The sentences right before and right after the consecutive passages `first` to `last` of one article."""
        ends = []
        for row, place in ((first - 1, -1), (last + 1, 0)):
            found = self._found([row], ("sentences",)) if row // ROWS_PER_ARTICLE == first // ROWS_PER_ARTICLE else {}
            sentences = unpack_array(found[row]["sentences"] if row in found else (), SENTENCE)
            ends.append(Span(int(sentences[place]["start"]), int(sentences[place]["end"])) if len(sentences) else None)
        return ends[0], ends[1]

    def article(self, row: int) -> Article:
        """The article with this number."""
        self._load({row})
        return self._articles[row]

    def articles_with_rows(self) -> Iterator[tuple[int, Article]]:
        """Every article with its number."""
        condition = self.about.condition("articles")
        for page in self._milvus.pages(self.about.generation, "articles", condition, ("number", "content")):
            yield from ((int(row["number"]), article_from_row(row)) for row in page)

    def summaries(self) -> Iterator[ArticleSummary]:
        """A summary of every article, read without its text."""
        fields = ("number", "name", "title", "published")
        condition = self.about.condition("articles")
        for page in self._milvus.pages(self.about.generation, "articles", condition, fields, page_rows=LONG_PAGE_ROWS):
            for row in page:
                yield ArticleSummary(int(row["number"]), row["name"], row["title"], row["published"] or None)

    def load(self, rows: Iterable[int]) -> Iterator[Article]:
        """The articles with these numbers, in their order, read in batches."""
        rows = iter(rows)
        while batch := list(islice(rows, PAGE_ROWS)):
            self._load(set(batch))
            yield from [self._articles[row] for row in batch]

    def export(self) -> Iterator[tuple[Article, list[PassageRecord]]]:
        """Every article with the records of its passages."""
        fields = ("row", "vector", "key", "folded", *EVIDENCE_FIELDS)
        pages = self._milvus.pages(self.about.generation, "passages", self.about.condition("passages"), fields)
        groups = groupby(chain.from_iterable(pages), lambda row: int(row["article"]))
        owner: int = -1
        found: Iterable[Mapping[str, Any]] = ()
        for number, article in self.articles_with_rows():
            while owner < number:
                owner, found = next(groups, (NEVER, ()))
            yield article, [record_from_row(row, self.about.dim) for row in found] if owner == number else []

    def vectors(self, keys: Iterable[int]) -> dict[int, PassageVectors]:
        """The vectors of the stored passages with these keys, by key."""
        wanted = sorted({signed_key(key) for key in keys})
        found: dict[int, PassageVectors] = {}
        fields = ("vector", "key", "folded", *EVIDENCE_FIELDS)
        for start in range(0, len(wanted), PAGE_ROWS):
            condition = f"key in {wanted[start : start + PAGE_ROWS]}"
            for page in self._milvus.pages(self.about.generation, "passages", condition, fields):
                found.update(
                    (kept.key, kept.vectors) for kept in (record_from_row(row, self.about.dim) for row in page)
                )
        return found

    def document_frequency(self, term: str) -> int:
        """The number of passages an index term occurs in."""
        return self._term_counts([f"t {term}"])[0]

    def known_words(self, words: Iterable[str]) -> set[str]:
        """Those of these folded words that occur in a title or text."""
        asked = list(words)
        counts = self._term_counts([f"w {word}" for word in asked])
        return {word for word, count in zip(asked, counts, strict=True) if count}

    def _term_counts(self, names: Sequence[str]) -> list[int]:
        """The passage counts of terms and words; cached, since an index of one name does not change."""
        missing = [name for name in names if name not in self._counts]
        if len(self._counts) > 100_000:
            self._counts.clear()
            missing = list(names)
        self._counts.update(dict.fromkeys(missing, 0))
        keys = {name_key(name): name for name in missing}
        wanted = list(keys)
        for start in range(0, len(wanted), 1000):
            condition = f"key in {wanted[start : start + 1000]}"
            for row in self._milvus.rows(self.about.generation, "terms", condition, ("key", "count")):
                self._counts[keys[int(row["key"])]] = int(row["count"])
        return [self._counts[name] for name in names]

    def _bm25(self, weights: Mapping[str, float], terms: Sequence[str]) -> Floats:
        """BM25 scores of passages for weighted terms, as tantivy computes them except that it rounds their lengths."""
        counts = self._term_counts([f"t {term}" for term in weights])
        size, mean = self.about.passages, self.about.tokens / max(1, self.about.passages)
        idf = {
            term_token(term): weight * math.log(1 + (size - count + 0.5) / (count + 0.5))
            for (term, weight), count in zip(weights.items(), counts, strict=True)
        }
        scores = np.zeros(len(terms), np.float32)
        for at, text in enumerate(terms):
            tokens = text.split()
            length = K1 * (1 - B + B * len(tokens) / max(1.0, mean))
            found = Counter(token for token in tokens if token in idf)
            scores[at] = sum(idf[token] * count * (K1 + 1) / (count + length) for token, count in found.items())
        return scores

    def _rows(self, rows: Rows, fields: Sequence[str]) -> list[dict[str, Any]]:
        found = self._found(rows.tolist(), fields)
        try:
            return [found[row] for row in rows.tolist()]
        except KeyError as exc:
            raise SnapshotMissing("the index changed while it was asked; ask again") from exc

    def _found(self, rows: Sequence[int], fields: Sequence[str]) -> dict[int, dict[str, Any]]:
        if not rows:
            return {}
        found = self._milvus.rows(self.about.generation, "passages", f"row in {list(rows)}", ("row", *fields))
        return {int(row["row"]): row for row in found}

    def _load(self, numbers: set[int]) -> None:
        missing = sorted(numbers - self._articles.keys())
        if len(self._articles) > 4096:
            self._articles.clear()
            missing = sorted(numbers)
        if not missing:
            return
        found = self._milvus.rows(self.about.generation, "articles", f"number in {missing}", ("number", "content"))
        self._articles.update((int(row["number"]), article_from_row(row)) for row in found)
        if not numbers <= self._articles.keys():
            raise SnapshotMissing("the index changed while it was asked; ask again")


def _ranked_candidates(
    rows: Sequence[int], cosine: Floats, bm25: Floats, limit: int, *, dense: bool = False
) -> Candidates:
    """Ranks what a hybrid search found; a passage that is in neither ranking of `limit` is left out."""
    at = np.array(rows, np.int64)
    nearest = np.lexsort((at, -cosine))[:limit] if dense else np.empty(0, np.int64)
    matching = np.lexsort((at, -bm25))[:limit]
    matching = matching[bm25[matching] > 0]
    matched = np.zeros(len(at), np.float32)
    matched[matching] = bm25[matching]
    kept = np.zeros(len(at), np.bool_)
    kept[nearest] = kept[matching] = True
    return Candidates(at, np.asarray(cosine, np.float32), matched, at[nearest], at[matching]).select(kept)
