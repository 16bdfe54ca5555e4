from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from retrieval.errors import ModelError
from retrieval.models.conversion import converter
from retrieval.models.conversion.converter import (
    LEAST_PARITY,
    SHIPPED_SHA256,
    compare,
    compare_scores,
    convert,
    convert_in_process,
    instruction_set,
    is_close_enough,
    locate_source,
    parity_texts,
)
from retrieval.models.encoder import unit_rows
from retrieval.models.manifest import DEFAULT_SOURCE, Parity, read_manifest
from tests.conftest import Tiny


def test_the_shipped_model_is_the_published_one_as_int8(models_dir: Path) -> None:
    manifest = read_manifest(models_dir / DEFAULT_SOURCE)
    assert manifest.source_sha256 == SHIPPED_SHA256
    assert (manifest.backend, manifest.precision) == ("onnx", f"int8-{instruction_set()}")
    assert (manifest.pooling, manifest.normalised, manifest.max_length, manifest.dim) == ("mean", True, 256, 384)
    assert (manifest.query_prompt, manifest.passage_prompt, manifest.note) == ("", "", "")
    assert manifest.parity is not None
    assert is_close_enough(manifest.parity)
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


def test_prompts_and_length_are_those_of_the_model(tiny: Tiny) -> None:
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
def test_a_cross_encoder_is_served_the_quickest_way_that_keeps_its_scores(
    tiny: Tiny, case: str, backend: str, precision: str, note: str, within: float
) -> None:
    made = tiny.report["rerankers"][case]
    manifest = made["manifest"]
    assert (manifest["backend"], manifest["precision"].split("-")[0]) == (backend, precision)
    assert (manifest["pooling"], manifest["dim"], manifest["max_length"]) == ("score", 1, 256)
    assert manifest["note"].startswith(note)
    assert made["served"] == pytest.approx(made["own"], abs=within)


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("three labels", r".*/three gives 3 scores for a pair of texts, a reranker one"),
        ("an encoder", r".*/mean/model is no CrossEncoder: its architecture is BertModel"),
        ("no model", r"cannot load .* as a CrossEncoder: .*"),
        ("a prompt", r".*/picky is a CrossEncoder, which takes no prompts"),
        ("an encoder's place", r".*/taken/picky is an encoder, made of .*/mean/model; remove it or rename .*"),
    ],
)
def test_what_is_no_reranker_is_refused_in_one_line_and_leaves_nothing(tiny: Tiny, case: str, said: str) -> None:
    assert re.fullmatch(said, tiny.report["refused"][case])
    assert tiny.report["refused"]["kept"] == ["exact", "own", "picky"]


def test_the_shipped_model_goes_by_the_hubs_names_too() -> None:
    places = {
        locate_source(name) for name in (DEFAULT_SOURCE, "all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2")
    }
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
    monkeypatch.setattr(converter, "locate", lambda _: (str(tmp_path), DEFAULT_SOURCE))
    with pytest.raises(ModelError, match=r"is not the published all-MiniLM-L6-v2 \(SHA-256 d9298a10d1b0"):
        convert_in_process(DEFAULT_SOURCE, tmp_path / "models")


@pytest.mark.parametrize("reranker", [False, True], ids=["encoder", "reranker"])
def test_what_converts_and_is_not_installed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, reranker: bool
) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    monkeypatch.setitem(sys.modules, "sentence_transformers.util", None)
    with pytest.raises(
        ModelError, match=r"is not installed here \(.*\); `pip install 'sentence-transformers\[onnx\]'`"
    ):
        convert_in_process("example/model", tmp_path, reranker=reranker)


def test_a_models_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match=r"cannot write to .*/file/models: Not a directory"):
        convert(DEFAULT_SOURCE, tmp_path / "file" / "models")


def test_equal_vectors_are_in_full_parity() -> None:
    rows = unit_rows(np.random.default_rng(1).standard_normal((9, 8)).astype(np.float32))
    assert compare(rows[:3], rows[3:], rows[:3], rows[3:]) == Parity(1.0, 1.0, 1.0)


def test_parity_sees_a_single_bad_vector_and_a_swapped_ranking() -> None:
    queries = np.array([[1, 0]], np.float32)
    passages = np.array([[1, 0], [0, 1]], np.float32)
    assert compare(queries, passages, queries, passages[::-1]) == Parity(0.33333, 0.0, 0.0)


def test_scores_are_alike_but_for_what_a_questions_passages_share() -> None:
    scores = np.random.default_rng(1).standard_normal((4, 6)).astype(np.float32)
    assert compare_scores(scores, scores + np.arange(4, dtype=np.float32)[:, None]) == Parity(1.0, 1.0, 1.0)


def test_parity_sees_scores_that_are_turned_round() -> None:
    scores = np.array([[1, 2, 3], [1, 2, 3]], np.float32)
    assert compare_scores(scores, np.array([[1, 2, 3], [3, 2, 1]], np.float32)) == Parity(0.0, -1.0, 0.5)


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
    assert is_close_enough(parity) is kept


def test_the_parity_texts_are_many_and_differ() -> None:
    questions, passages = parity_texts()
    assert (len(set(questions)), len(set(passages))) == (16, 24)
