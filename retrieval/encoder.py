"""Text to vectors: the contract, and the encoder that serves it (the only door to onnxruntime and tokenizers)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Encoded:
    """What an encoder makes of one text.

    `vector` is (dim,) float32 of unit length. `tokens` is (t, dim) float32, unit rows, one for each of the
    model's tokens without the special ones; `offsets` is (t, 2) int32, each token's code points in the text.
    A model without token vectors gives t = 0. A text longer than the model reads is cut.
    """

    vector: NDArray[np.float32]
    tokens: NDArray[np.float32]
    offsets: NDArray[np.int32]


class Encoder(Protocol):
    """Turns texts into vectors; each text's vectors depend on that text alone, never on its batch."""

    @property
    def dim(self) -> int:
        """The length of a vector."""

    @property
    def fingerprint(self) -> str:
        """Names weights and settings: equal fingerprints give equal vectors."""

    def encode_query(self, text: str) -> Encoded:
        """Encode one question, with the model's query prompt where it has one."""

    def encode_passages(self, texts: Sequence[str]) -> Iterator[Encoded]:
        """Encode texts to be searched, in the order given, with the model's passage prompt where it has one."""
