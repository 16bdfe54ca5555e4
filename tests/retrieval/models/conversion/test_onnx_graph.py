from __future__ import annotations

import platform
from pathlib import Path

import pytest

from retrieval.models.conversion.onnx_graph import instruction_set


@pytest.mark.parametrize(
    ("machine", "flags", "expected"),
    [
        ("arm64", "", "arm64"),
        ("aarch64", "", "arm64"),
        ("x86_64", "flags : avx2 avx512f avx512_vnni", "avx512_vnni"),
        ("x86_64", "flags : avx2 avx512f", "avx512"),
        ("x86_64", "flags : avx2", "avx2"),
        ("AMD64", None, "avx2"),
    ],
    ids=["Apple", "other ARM", "VNNI", "AVX-512", "AVX2", "no cpuinfo"],
)
def test_the_widest_instructions_of_the_processor_are_found(
    monkeypatch: pytest.MonkeyPatch, machine: str, flags: str | None, expected: str
) -> None:
    def read_text(path: Path, encoding: str) -> str:
        assert (path, encoding) == (Path("/proc/cpuinfo"), "utf-8")
        if flags is None:
            raise FileNotFoundError
        return flags

    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(Path, "read_text", read_text)
    assert instruction_set() == expected
