"""Nearest passages by vector: the only door to faiss.

A flat index is exact, untrained and fits in memory up to some hundred thousand passages (384 float32 each).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import faiss

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]


def save(path: Path, vectors: Iterable[Floats], dim: int) -> int:
    """Write a flat inner-product index of unit vectors, given in blocks of shape (n, dim); their number."""
    import faiss

    index = faiss.IndexFlatIP(dim)
    for block in vectors:
        index.add(np.ascontiguousarray(block, dtype=np.float32))
    faiss.write_index(index, str(path))
    return int(index.ntotal)


class VectorIndex:
    """A saved index, memory-mapped. Scores are cosine similarities: higher is better."""

    def __init__(self, index: faiss.Index) -> None:
        self._index = index
        self.size = int(index.ntotal)
        self.dim = int(index.d)

    @classmethod
    def open(cls, path: Path) -> VectorIndex:
        """Open what `save` wrote.

        Raises:
            OSError: faiss cannot read the file.
        """
        import faiss

        try:
            return cls(faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC))
        except RuntimeError as exc:
            raise OSError(f"faiss cannot read {path.name}") from exc

    def search(self, vector: Floats, limit: int, allowed: Rows | None = None) -> tuple[Rows, Floats]:
        """The rows nearest to `vector` (dim,), best first, equal scores by row, and their cosines.

        With `allowed`, only those rows. At most `limit` rows; none from an empty index.
        """
        import faiss

        limit = min(limit, self.size if allowed is None else len(allowed))
        if limit == 0:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        parameters = None
        if allowed is not None:
            parameters = faiss.SearchParameters(sel=faiss.IDSelectorBatch(allowed))  # type: ignore[call-arg]
        scores, rows = self._index.search(vector[None, :], limit, params=parameters)
        order = np.lexsort((rows[0], -scores[0]))
        return rows[0][order], scores[0][order]

    def take(self, rows: Rows) -> Floats:
        """The vectors of `rows`, (len(rows), dim)."""
        if len(rows) == 0:
            return np.empty((0, self.dim), np.float32)
        return np.asarray(self._index.reconstruct_batch(rows), np.float32)
