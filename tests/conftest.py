from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from retrieval.models.conversion.converter import convert
from retrieval.models.encoder import OnnxEncoder
from retrieval.models.manifest import DEFAULT_SOURCE
from retrieval.models.reader import SHIPPED_READER, OnnxReader

os.environ["HF_HUB_OFFLINE"] = "1"

# Examples are drawn from the test's own name: a failure on one machine is a failure on all of them.
settings.register_profile("newsquote", derandomize=True, deadline=None, max_examples=60, print_blob=False)
settings.load_profile("newsquote")


@pytest.fixture(scope="session")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with the shipped model in it, converted in this run; not to be written to."""
    folder = tmp_path_factory.mktemp("models")
    convert(DEFAULT_SOURCE, folder)
    return folder


@pytest.fixture
def copied(models_dir: Path, tmp_path: Path) -> Path:
    """A models folder of its own with the shipped model in it."""
    shutil.copytree(models_dir, tmp_path / "models")
    return tmp_path / "models" / DEFAULT_SOURCE


@pytest.fixture(scope="session")
def minilm(models_dir: Path) -> OnnxEncoder:
    """The shipped model, as it is served."""
    return OnnxEncoder.open(models_dir / DEFAULT_SOURCE)


@pytest.fixture(scope="session")
def english_reader(tmp_path_factory: pytest.TempPathFactory) -> OnnxReader:
    """The reader that comes along, as it is served."""
    return OnnxReader.open(SHIPPED_READER, cache=tmp_path_factory.mktemp("reader") / "verified.json")


@dataclass(frozen=True)
class Tiny:
    """What `tests.retrieval.tiny_models` made in a folder, and what it says of it."""

    folder: Path
    report: dict[str, Any]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """Small models with random weights, and what became of each; not to be written to."""
    folder = tmp_path_factory.mktemp("tiny")
    done = subprocess.run(
        [sys.executable, "-m", "tests.retrieval.tiny_models", str(folder)],
        cwd=Path(__file__).resolve().parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Tiny(folder, json.loads(done.stdout.splitlines()[-1]))
