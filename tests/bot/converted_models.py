"""A home with converted models that hold nothing but their manifests."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from bot.settings import Settings
from retrieval.models.manifest import ModelManifest, Parity, write_manifest

MODEL = ModelManifest(
    name="small",
    source="example/small",
    source_sha256="",
    backend="onnx",
    precision="int8-avx2",
    files={"model.onnx": "a" * 64},
    pooling="mean",
    normalised=True,
    max_length=128,
    query_prompt="",
    passage_prompt="",
    dim=32,
    parity=Parity(0.99, 0.98, 0.975),
    made_with={},
)
OWN = dataclasses.replace(
    MODEL, name="odd", backend="sentence-transformers", precision="float32", files={}, parity=None, note="it is odd"
)
CROSS = dataclasses.replace(MODEL, name="cross", source="example/cross", pooling="score", dim=1, files={})


def settings_with_models(home: Path) -> Settings:
    """The settings of a home that has the models MODEL and OWN."""
    for model in (MODEL, OWN):
        folder = home / "models" / model.name
        folder.mkdir(parents=True)
        write_manifest(folder, model)
    (home / "models" / "small" / "model.onnx").write_bytes(b"x" * 2_000_000)
    return Settings.load(home, {})
