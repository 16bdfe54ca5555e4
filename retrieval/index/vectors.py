"""Dense search over passage vectors: the only door to faiss.

The vectors are a flat, memory-mapped float32 file. Up to MAX_FLAT of them, a question is compared with every vector.
Beyond that, an inverted file (Jegou, Douze and Schmid 2011) of int8 codes selects candidates: it probes as many lists
as were needed to reach RECALL of the ten nearest when it was built, and the candidates are compared exactly.
tests/bench/RESULTS.md has the measurements, HNSW included.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from retrieval.index.build_progress import Stage

if TYPE_CHECKING:
    import faiss

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]
Bools = NDArray[np.bool_]

MAX_FLAT = 50_000
"""Up to this many vectors are searched exactly."""

RECALL = 0.99
"""The recall@10 that a larger index must reach, measured with queries that are not among its vectors."""

_TRAINING_VECTORS_PER_LIST = 48
"""Training vectors per list for the centroids; faiss asks for at least 39."""
_OVERFETCH = 3
"""This many times `limit` candidates are compared exactly, since int8 codes order them only roughly."""
_MAX_COMPARED = 5_000
"""Up to this many allowed vectors are all compared, without the inverted file."""
_BLOCK_ROWS = 65_536


@dataclass(frozen=True, slots=True)
class VectorSearchSettings:
    """How vectors are searched: "flat" or a faiss factory string, how many lists are probed, and the recall@10.

    `recall` is measured against exact search; it is 1 for "flat".
    """

    index: str = "flat"
    probes: int = 0
    recall: float = 1.0


def list_count(count: int) -> int:
    """The number of inverted lists for `count` vectors, 0 if all are compared."""
    return 0 if count <= MAX_FLAT else 2 ** round(math.log2(4 * math.sqrt(count)))


def build(
    path: Path,
    vectors: Floats,
    queries: Floats,
    report: Callable[[Stage, int], None] = lambda _what, _done: None,
    release: Callable[[], None] = lambda: None,
) -> VectorSearchSettings:
    """Index unit vectors (n, dim) and return how to search them; `path` is written only beyond MAX_FLAT.

    Args:
        path: The file to write.
        vectors: Memory-mapped or not; they are read in blocks.
        queries: (q, dim) unit vectors to measure recall with, like questions and not among the vectors.
        report: Called with each stage as it begins, and with how many vectors are indexed so far.
        release: Called after each block is read; where the vectors are memory-mapped, it releases the block's pages.
    """
    if len(vectors) <= MAX_FLAT:
        return VectorSearchSettings()
    import faiss

    faiss.omp_set_num_threads(_cores())
    count, dim = vectors.shape
    lists = list_count(count)
    report(Stage.GROUPS, 0)
    kind = f"IVF{lists},SQ8"
    index = faiss.index_factory(dim, kind, faiss.METRIC_INNER_PRODUCT)
    assert isinstance(index, faiss.IndexIVF)
    sampled = np.random.default_rng(lists).choice(count, min(count, _TRAINING_VECTORS_PER_LIST * lists), replace=False)
    sampled.sort()
    sample = np.empty((len(sampled), dim), np.float32)
    for start, block in _blocks(vectors, release):
        inside = slice(*np.searchsorted(sampled, (start, start + _BLOCK_ROWS)))
        sample[inside] = block[sampled[inside] - start]
    index.train(sample)
    del sample
    for start, block in _blocks(vectors, release):
        report(Stage.VECTORS, start)
        index.add(np.ascontiguousarray(block))
    report(Stage.RECALL, 0)
    faiss.write_index(index, str(path))
    return _tune_probes(index, kind, vectors, queries, release)


def _blocks(vectors: Floats, release: Callable[[], None]) -> Iterator[tuple[int, Floats]]:
    """The vectors, _BLOCK_ROWS at a time, each block with the row it starts at."""
    for start in range(0, len(vectors), _BLOCK_ROWS):
        yield start, vectors[start : start + _BLOCK_ROWS]
        release()


def _tune_probes(
    index: faiss.IndexIVF, kind: str, vectors: Floats, queries: Floats, release: Callable[[], None]
) -> VectorSearchSettings:
    """The fewest probes, growing by half each time, that reach RECALL; all lists if none do."""
    exact = _exact_top_ten(vectors, queries, release)
    probes = 8
    while True:
        found = VectorIndex(vectors, VectorSearchSettings(kind, probes), index)
        hits = 0
        for query, rows in zip(queries, exact, strict=True):
            hits += int(np.count_nonzero(np.isin(found.search(query, 10)[0], rows)))
            release()  # reading one row may map two megabytes
        recall = hits / max(1, exact.size)
        if recall >= RECALL or probes >= index.nlist:
            return VectorSearchSettings(kind, probes, round(recall, 4))
        probes = min(probes + probes // 2, index.nlist)


def _exact_top_ten(vectors: Floats, queries: Floats, release: Callable[[], None]) -> Rows:
    """The rows of the ten vectors nearest to each question, (q, 10), read in blocks."""
    best = np.zeros((len(queries), 0), np.float32)
    rows = np.zeros((len(queries), 0), np.int64)
    for start, block in _blocks(vectors, release):
        scores = queries @ block.T
        top = np.argpartition(-scores, min(10, scores.shape[1] - 1), axis=1)[:, :10]
        best = np.concatenate((best, np.take_along_axis(scores, top, axis=1)), axis=1)
        rows = np.concatenate((rows, top + start), axis=1)
        kept = np.argsort(-best, axis=1, kind="stable")[:, :10]
        best, rows = np.take_along_axis(best, kept, axis=1), np.take_along_axis(rows, kept, axis=1)
    return rows


class VectorIndex:
    """Unit vectors, memory-mapped. Scores are cosine similarities: higher is better."""

    def __init__(
        self, vectors: Floats, settings: VectorSearchSettings | None = None, index: faiss.IndexIVF | None = None
    ) -> None:
        """`index` selects candidates as `settings` says; without them every vector is compared."""
        self._vectors = vectors
        self._index = index
        self.settings = settings or VectorSearchSettings()
        self.size, self.dim = vectors.shape

    @classmethod
    def open(cls, path: Path, vectors: Floats, settings: VectorSearchSettings) -> VectorIndex:
        """Open what `build` wrote.

        Raises:
            OSError: faiss cannot read the file.
        """
        if settings.index == "flat":
            return cls(vectors, settings)
        import faiss

        try:
            index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP)
        except RuntimeError as exc:
            raise OSError(f"faiss cannot read {path.name}") from exc
        assert isinstance(index, faiss.IndexIVF)
        assert index.invlists is not None
        lists: Any = faiss.downcast_InvertedLists(index.invlists)
        lists.prefetch_nthread = 0  # its 32 prefetching threads cost four times as much as the search itself
        return cls(vectors, settings, index)

    def search(self, vector: Floats, limit: int, allowed: Bools | None = None) -> tuple[Rows, Floats]:
        """The rows nearest to `vector` (dim,), best first, equal scores by row, and their cosines.

        With `allowed` (size,), only where that is true. At most `limit` rows; none from an empty index.
        """
        count = self.size if allowed is None else int(np.count_nonzero(allowed))
        limit = min(limit, count)
        if limit == 0:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        if self._index is None or count <= _MAX_COMPARED:
            rows, scores = self._search_all(vector, limit, allowed)
        else:
            rows = self._search_lists(vector, _OVERFETCH * limit, allowed, share=count / self.size)
            scores = self.take(rows) @ vector
        order = np.lexsort((rows, -scores))[:limit]
        return rows[order], scores[order]

    def take(self, rows: Rows) -> Floats:
        """The vectors of `rows`, (len(rows), dim)."""
        return np.asarray(self._vectors[rows], np.float32)

    def _search_all(self, vector: Floats, limit: int, allowed: Bools | None) -> tuple[Rows, Floats]:
        """Exact search over all vectors."""
        faiss = _one_thread()
        scores, rows = np.empty((1, limit), np.float32), np.empty((1, limit), np.int64)
        query = np.ascontiguousarray(vector, np.float32)
        pointers = (faiss.swig_ptr(array) for array in (query, self._vectors))
        results = (faiss.swig_ptr(array) for array in (scores, rows))
        selector, _bits = _selector(allowed)
        faiss.knn_inner_product(*pointers, self.dim, 1, self.size, limit, *results, selector)
        return rows[0], scores[0]

    def _search_lists(self, vector: Floats, limit: int, allowed: Bools | None, *, share: float) -> Rows:
        """About `limit` near rows from the inverted file; the smaller the allowed `share`, the more lists it probes."""
        faiss = _one_thread()
        assert self._index is not None
        selector, _bits = _selector(allowed)
        parameters = faiss.SearchParametersIVF(
            nprobe=min(self._index.nlist, math.ceil(self.settings.probes / share)), sel=selector
        )
        _, rows = self._index.search(vector[None, :], limit, params=parameters)
        return np.asarray(rows[0][rows[0] >= 0], np.int64)


def _one_thread() -> ModuleType:
    """faiss, set to one thread: two threads waiting for each other took 11 ms of CPU where one takes 0.3."""
    import faiss

    faiss.omp_set_num_threads(1)
    return faiss


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _selector(allowed: Bools | None) -> tuple[faiss.IDSelector | None, NDArray[np.uint8] | None]:
    """A faiss selector of the allowed rows, and the bitmap it reads, which the caller must keep alive."""
    if allowed is None:
        return None, None
    import faiss

    bits = np.packbits(allowed, bitorder="little")
    return faiss.IDSelectorBitmap(len(allowed), faiss.swig_ptr(bits)), bits
