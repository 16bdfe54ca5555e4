"""Late interaction: a question's tokens against a passage's, kept small.

Khattab and Zaharia 2020 (ColBERT), on the last layer of the same encoder that makes the passage vectors.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from retrieval.analysis import words


def kept(text: str, offsets: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Which of a text's tokens are kept: those that lie in a content word."""
    found = np.zeros(len(text) + 1, np.bool_)
    for word in words(text):
        if not word.stop:
            found[word.span.start : word.span.end] = True
    return np.asarray(found[offsets[:, 0]], np.bool_)


def compress(tokens: NDArray[np.float32]) -> NDArray[np.int8]:
    """Token vectors (t, dim), unit float32, as (t, dim) int8."""
    return np.clip(np.rint(tokens * 508), -127, 127).astype(np.int8)


def expand(tokens: NDArray[np.int8]) -> NDArray[np.float32]:
    """The unit vectors that `compress` was given, nearly."""
    found = tokens.astype(np.float32)
    return np.asarray(found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9), np.float32)
