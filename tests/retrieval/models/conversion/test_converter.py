from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from retrieval.errors import ModelError
from retrieval.models.conversion import converter
from retrieval.models.conversion.converter import convert, convert_in_process
from retrieval.models.conversion.onnx_graph import instruction_set
from retrieval.models.conversion.parity import is_close_enough
from retrieval.models.conversion.sources import SHIPPED_SHA256
from retrieval.models.manifest import DEFAULT_SOURCE, read_manifest
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


def test_only_the_model_is_left_in_the_models_folder(models_dir: Path) -> None:
    files = sorted(path.relative_to(models_dir).as_posix() for path in models_dir.rglob("*") if path.is_file())
    expected = [f"{DEFAULT_SOURCE}/{name}" for name in ("manifest.json", "model.onnx", "tokenizer.json")]
    assert [name for name in files if not name.endswith("/.verified.json")] == expected


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("three labels", r".*/three gives 3 scores for a pair of texts, a reranker one"),
        ("an encoder", r".*/mean/model is no CrossEncoder: its architecture is BertModel"),
        ("no model", r"cannot load .* as a CrossEncoder: .*"),
        ("a prompt", r".*/picky is a CrossEncoder, which takes no prompts"),
        ("an encoder's place", r".*/taken/picky is an encoder, made of .*/mean/model; remove it or rename .*"),
    ],
)
def test_other_models_are_refused_as_rerankers_and_leave_no_files(tiny: Tiny, case: str, message: str) -> None:
    assert re.fullmatch(message, tiny.report["refused"][case])
    assert tiny.report["refused"]["kept"] == ["exact", "own", "picky"]


def test_the_error_for_a_missing_folder_names_it(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"there is no folder .*/none"):
        convert(tmp_path / "none", tmp_path / "models")
    assert not (tmp_path / "models").exists()


def test_a_failure_leaves_no_files_and_removes_those_of_conversions_killed_an_hour_ago(tmp_path: Path) -> None:
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
    monkeypatch.setattr(converter, "locate_source", lambda _: (str(tmp_path), DEFAULT_SOURCE))
    with pytest.raises(ModelError, match=r"is not the published all-MiniLM-L6-v2 \(SHA-256 d9298a10d1b0"):
        convert_in_process(DEFAULT_SOURCE, tmp_path / "models")


def test_an_unwritable_models_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match=r"cannot write to .*/file/models: Not a directory"):
        convert(DEFAULT_SOURCE, tmp_path / "file" / "models")
