"""Lexical search: BM25 over our own index terms; the only door to tantivy."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import tantivy
from numpy.typing import NDArray

from retrieval.index.contract import ArticleFilter, outlet_key

_FIELD = "terms"
_WRITER_BYTES = 64 << 20


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("row", stored=False, indexed=False, fast=True)
    builder.add_integer_field("day", stored=False, indexed=False, fast=True)
    builder.add_integer_field("outlet", stored=False, indexed=True, fast=False)
    builder.add_text_field(_FIELD, tokenizer_name="whitespace", index_option="freq")
    return builder.build()


def build(folder: Path, passages: Iterable[tuple[Sequence[str], int, int]]) -> None:
    """Write an index of each passage's terms, day and outlet; rows count up in the order given."""
    folder.mkdir()
    index = tantivy.Index(_schema(), path=str(folder))
    # One thread keeps rows and segments in the order given.
    writer = index.writer(heap_size=_WRITER_BYTES, num_threads=1)
    for row, (terms, day, outlet) in enumerate(passages):
        document = tantivy.Document()
        document.add_unsigned("row", row)
        document.add_integer("day", day)
        document.add_integer("outlet", outlet)
        document.add_text(_FIELD, " ".join(terms))
        writer.add_document(document)
    writer.commit()
    writer.wait_merging_threads()


class LexicalIndex:
    """An open index. Scores are BM25 (Robertson and Zaragoza 2009) with k1 = 1.2 and b = 0.75; higher is better."""

    def __init__(self, index: tantivy.Index) -> None:
        self._schema = _schema()
        self._searcher = index.searcher()

    @classmethod
    def open(cls, folder: Path) -> LexicalIndex:
        """Open an index that `build` wrote.

        Raises:
            PermissionError: the folder cannot be written to; opening takes a lock in it.
            OSError: tantivy cannot read the folder.
        """
        try:
            return cls(tantivy.Index.open(str(folder)))
        except ValueError as exc:
            if not os.access(folder, os.W_OK):
                raise PermissionError(errno.EROFS, "the home must be writable", str(folder)) from exc
            raise OSError(f"tantivy cannot read {folder.name}: {exc}") from exc

    def document_frequency(self, term: str) -> int:
        """The number of passages `term` occurs in."""
        return int(self._searcher.doc_freq(_FIELD, term))

    def search(
        self, weights: Mapping[str, float], limit: int, where: ArticleFilter | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The rows that match any of the terms, best first, equal scores by row, and their weighted BM25 scores."""
        clauses = [
            (
                tantivy.Occur.Should,
                tantivy.Query.boost_query(tantivy.Query.term_query(self._schema, _FIELD, term), weight),
            )
            for term, weight in weights.items()
        ]
        if not clauses or limit == 0:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        query = tantivy.Query.boolean_query(clauses)
        conditions = self._conditions(where or ArticleFilter())
        if conditions:
            query = tantivy.Query.boolean_query([(tantivy.Occur.Must, one) for one in (query, *conditions)])
        hits = self._searcher.search(query, limit, count=False).hits
        found = self._searcher.fast_field_values("row", [address for _, address in hits])
        rows = np.fromiter(found, np.int64, len(hits))
        scores = np.fromiter((score for score, _ in hits), np.float32, len(hits))
        order = np.lexsort((rows, -scores))
        return rows[order], scores[order]

    def _conditions(self, where: ArticleFilter) -> list[tantivy.Query]:
        """The filter as queries that do not change a score."""
        conditions = []
        if where.since is not None or where.until is not None:
            first = 1 if where.since is None else where.since.toordinal()
            last = None if where.until is None else where.until.toordinal()
            conditions.append(tantivy.Query.range_query(self._schema, "day", tantivy.FieldType.Integer, first, last))
        if where.source is not None:
            conditions.append(tantivy.Query.term_query(self._schema, "outlet", outlet_key(where.source)))
        return [tantivy.Query.const_score_query(condition, 0.0) for condition in conditions]
