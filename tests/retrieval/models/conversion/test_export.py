from __future__ import annotations

import pytest

from tests.conftest import Tiny


@pytest.mark.parametrize(
    ("case", "backend", "precision", "pooling", "note"),
    [
        ("mean", "onnx", "int8", "mean", ""),
        ("cls-prompts", "onnx", "int8", "cls", ""),
        ("int8-refused", "onnx", "float32", "mean", "int8-"),
        ("all-refused", "sentence-transformers", "float32", "own", "served by sentence-transformers: float32 refused"),
        ("max", "sentence-transformers", "float32", "own", "served by sentence-transformers: it pools by max"),
        ("dense", "sentence-transformers", "float32", "own", "served by sentence-transformers: its modules are"),
    ],
)
def test_an_encoder_gets_the_fastest_backend_that_keeps_its_vectors(
    tiny: Tiny, case: str, backend: str, precision: str, pooling: str, note: str
) -> None:
    made = tiny.report["encoders"][case]
    manifest = made["manifest"]
    assert (manifest["backend"], manifest["precision"].split("-")[0], manifest["pooling"]) == (
        backend,
        precision,
        pooling,
    )
    assert manifest["note"].startswith(note)
    assert made["least"] > 0.995
    graph = ["model.onnx", "tokenizer.json"] if backend == "onnx" else []
    assert made["files"] == ["manifest.json", *graph]


def test_prompts_and_length_are_taken_from_the_model(tiny: Tiny) -> None:
    manifest = tiny.report["encoders"]["cls-prompts"]["manifest"]
    assert (manifest["query_prompt"], manifest["passage_prompt"], manifest["max_length"]) == (
        "green: ",
        "river: ",
        24,
    )


@pytest.mark.parametrize(
    ("case", "backend", "precision", "note", "within"),
    [
        ("picky", "onnx", "int8", "", 30.0),
        ("exact", "onnx", "float32", "int8-", 0.01),
        ("own", "sentence-transformers", "float32", "served by sentence-transformers: float32 refused", 0.01),
    ],
)
def test_a_cross_encoder_gets_the_fastest_backend_that_keeps_its_scores(
    tiny: Tiny, case: str, backend: str, precision: str, note: str, within: float
) -> None:
    made = tiny.report["rerankers"][case]
    manifest = made["manifest"]
    assert (manifest["backend"], manifest["precision"].split("-")[0]) == (backend, precision)
    assert (manifest["pooling"], manifest["dim"], manifest["max_length"]) == ("score", 1, 256)
    assert manifest["note"].startswith(note)
    assert made["served"] == pytest.approx(made["own"], abs=within)
