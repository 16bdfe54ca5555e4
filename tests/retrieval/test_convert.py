from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import retrieval.convert
from retrieval.convert import (
    LEAST_PARITY,
    SHIPPED_SHA256,
    compare,
    convert,
    convert_here,
    enough,
    instruction_set,
    locate,
    parity_texts,
)
from retrieval.encoder import unit
from retrieval.errors import ModelError
from retrieval.models import DEFAULT_SOURCE, Parity, read_manifest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What became of some small models with random weights, each case by name."""
    folder = tmp_path_factory.mktemp("tiny")
    done = subprocess.run(
        [sys.executable, "-m", "tests.retrieval.tiny_models", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return report


def test_the_shipped_model_is_the_published_one_as_int8(models_dir: Path) -> None:
    manifest = read_manifest(models_dir / DEFAULT_SOURCE)
    assert manifest.source_sha256 == SHIPPED_SHA256
    assert (manifest.backend, manifest.precision) == ("onnx", f"int8-{instruction_set()}")
    assert (manifest.pooling, manifest.normalised, manifest.max_length, manifest.dim) == ("mean", True, 256, 384)
    assert (manifest.query_prompt, manifest.passage_prompt, manifest.note) == ("", "", "")
    assert manifest.parity is not None
    assert enough(manifest.parity)
    assert (models_dir / DEFAULT_SOURCE / "model.onnx").stat().st_size < 25_000_000


def test_nothing_but_the_model_is_left_in_the_models_folder(models_dir: Path) -> None:
    files = sorted(path.relative_to(models_dir).as_posix() for path in models_dir.rglob("*") if path.is_file())
    expected = [f"{DEFAULT_SOURCE}/{name}" for name in ("manifest.json", "model.onnx", "tokenizer.json")]
    assert [name for name in files if not name.endswith("/.verified.json")] == expected


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
def test_a_model_is_served_the_quickest_way_that_keeps_its_vectors(
    tiny: dict[str, Any], case: str, backend: str, precision: str, pooling: str, note: str
) -> None:
    manifest = tiny[case]["manifest"]
    assert (manifest["backend"], manifest["precision"].split("-")[0], manifest["pooling"]) == (
        backend,
        precision,
        pooling,
    )
    assert manifest["note"].startswith(note)
    assert tiny[case]["least"] > 0.995
    graph = ["model.onnx", "tokenizer.json"] if backend == "onnx" else []
    assert tiny[case]["files"] == ["manifest.json", *graph]


def test_prompts_and_length_are_those_of_the_model(tiny: dict[str, Any]) -> None:
    manifest = tiny["cls-prompts"]["manifest"]
    assert (manifest["query_prompt"], manifest["passage_prompt"], manifest["max_length"]) == (
        "green: ",
        "river: ",
        24,
    )


def test_the_shipped_model_goes_by_the_hubs_names_too() -> None:
    places = {locate(name) for name in (DEFAULT_SOURCE, "all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2")}
    ((path, name),) = places
    assert name == DEFAULT_SOURCE
    assert (Path(path) / "model.safetensors").is_file()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"there is no folder .*/none"):
        convert(tmp_path / "none", tmp_path / "models")
    assert not (tmp_path / "models").exists()


def test_a_failure_leaves_nothing_and_sweeps_up_what_was_killed_an_hour_ago(tmp_path: Path) -> None:
    source, models = tmp_path / "source", tmp_path / "models"
    source.mkdir()
    (source / "config.json").write_text("{")
    for name in (".old.abc", ".new.abc"):
        (models / name).mkdir(parents=True)
    os.utime(models / ".old.abc", (1, 1))
    with pytest.raises(ModelError, match=r"cannot load .*/source as a SentenceTransformer: "):
        convert(source, models)
    assert [path.name for path in models.iterdir()] == [".new.abc"]


def test_other_weights_than_the_published_ones_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"other")
    monkeypatch.setattr(retrieval.convert, "locate", lambda _: (str(tmp_path), DEFAULT_SOURCE))
    with pytest.raises(ModelError, match=r"is not the published all-MiniLM-L6-v2 \(SHA-256 d9298a10d1b0"):
        convert_here(DEFAULT_SOURCE, tmp_path / "models")


def test_a_models_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match=r"cannot write to .*/file/models: Not a directory"):
        convert(DEFAULT_SOURCE, tmp_path / "file" / "models")


def test_equal_vectors_are_in_full_parity() -> None:
    rows = unit(np.random.default_rng(1).standard_normal((9, 8)).astype(np.float32))
    assert compare(rows[:3], rows[3:], rows[:3], rows[3:]) == Parity(1.0, 1.0, 1.0)


def test_parity_sees_a_single_bad_vector_and_a_swapped_ranking() -> None:
    queries = np.array([[1, 0]], np.float32)
    passages = np.array([[1, 0], [0, 1]], np.float32)
    assert compare(queries, passages, queries, passages[::-1]) == Parity(0.33333, 0.0, 0.0)


@pytest.mark.parametrize(
    ("parity", "kept"),
    [
        (LEAST_PARITY, True),
        (Parity(0.979, 1.0, 1.0), False),
        (Parity(1.0, 0.949, 1.0), False),
        (Parity(1.0, 1.0, 0.969), False),
    ],
)
def test_a_model_is_kept_from_the_stated_bounds_on(parity: Parity, *, kept: bool) -> None:
    assert enough(parity) is kept


def test_the_parity_texts_are_many_and_differ() -> None:
    questions, passages = parity_texts()
    assert (len(set(questions)), len(set(passages))) == (16, 24)
