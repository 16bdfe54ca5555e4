"""Fakes in place of what is slow, remote or not repeatable."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from retrieval.models.encoder import Encoded, unit_rows

_WORD = re.compile(r"\w+")


class HashingEncoder:
    """An encoder that needs no model: every word, in lower case, has a fixed random direction of its own.

    A text's vector is the normalised mean of its words' vectors, so texts that share words are near. It counts what it
    encodes, so that tests can check that nothing is encoded twice.
    """

    def __init__(self, dim: int = 32, *, name: str = "hashing") -> None:
        self._dim = dim
        self._name = name
        self.queries = 0
        self.passages = 0

    @property
    def dim(self) -> int:
        """The length of a vector."""
        return self._dim

    @property
    def fingerprint(self) -> str:
        """Depends on name and dim."""
        return f"{self._name}-{self._dim}"

    @property
    def multilingual(self) -> bool:
        """False, as for the shipped model."""
        return False

    def encode_query(self, text: str) -> Encoded:
        """Encode one question, the same way as a passage."""
        self.queries += 1
        return self._encode(text)

    def encode_passages(self, texts: Sequence[str]) -> Iterator[Encoded]:
        """Encode texts in the order given."""
        for text in texts:
            self.passages += 1
            yield self._encode(text)

    def _encode(self, text: str) -> Encoded:
        words = list(_WORD.finditer(text))
        tokens = np.array([self._direction(word.group().lower()) for word in words], np.float32).reshape(-1, self._dim)
        offsets = np.array([word.span() for word in words], np.int32).reshape(-1, 2)
        return Encoded(unit_rows(tokens.sum(axis=0) if words else self._direction("")), tokens, offsets)

    def _direction(self, word: str) -> NDArray[np.float32]:
        seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big")
        return unit_rows(np.random.default_rng(seed).standard_normal(self._dim).astype(np.float32))


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        """The time in seconds."""
        return self.now


class StoppingEncoder(HashingEncoder):
    """A HashingEncoder that raises an error after the first `most` passages."""

    def __init__(self, most: int, error: BaseException | None = None) -> None:
        super().__init__()
        self._most = most
        self._error = KeyboardInterrupt() if error is None else error

    def encode_passages(self, texts: Sequence[str]) -> Iterator[Encoded]:
        """Encode texts in the order given, and raise at the limit."""
        for encoded in super().encode_passages(texts):
            if self.passages > self._most:
                raise self._error
            yield encoded
