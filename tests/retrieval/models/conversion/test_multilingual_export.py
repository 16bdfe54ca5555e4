from __future__ import annotations

from pathlib import Path

from retrieval.models.conversion.onnx_graph import instruction_set
from retrieval.models.conversion.parity import is_close_enough
from retrieval.models.manifest import MULTILINGUAL, read_manifest


def test_the_8_bit_model_is_close_to_float32(multilingual_dir: Path) -> None:
    manifest = read_manifest(multilingual_dir)
    assert (manifest.backend, manifest.precision) == (MULTILINGUAL, f"int8-{instruction_set()}")
    assert (manifest.query_prompt, manifest.passage_prompt) == ("query: ", "passage: ")
    assert (manifest.dim, manifest.max_length, manifest.pooling) == (384, 512, "mean")
    assert manifest.parity is not None
    assert is_close_enough(manifest.parity)
    assert sorted(path.name for path in (multilingual_dir).iterdir() if not path.name.startswith(".")) == [
        "manifest.json",
        "measured.npz",
        "model.onnx",
        "tokenizer.json",
    ]
