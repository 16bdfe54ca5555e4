from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from retrieval.errors import ModelError
from retrieval.models.conversion.sources import locate_source, unchanged_source
from retrieval.models.manifest import DEFAULT_SOURCE, read_manifest


def test_the_shipped_model_is_found_by_its_names_on_the_hub() -> None:
    located = {
        locate_source(name) for name in (DEFAULT_SOURCE, "all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2")
    }
    ((path, name),) = located
    assert name == DEFAULT_SOURCE
    assert (Path(path) / "model.safetensors").is_file()


def test_a_source_whose_weights_have_changed_is_refused(copied: Path, tmp_path: Path) -> None:
    manifest = read_manifest(copied)
    path, _ = locate_source(DEFAULT_SOURCE)
    assert unchanged_source(manifest) == path
    (tmp_path / "model.safetensors").write_bytes(b"other")
    with pytest.raises(ModelError, match=r"model\.safetensors has changed; add it again with `newsquote model add /"):
        unchanged_source(dataclasses.replace(manifest, source=str(tmp_path)))
