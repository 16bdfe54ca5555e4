from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from retrieval.convert import convert
from retrieval.encoder import OnnxEncoder
from retrieval.models import DEFAULT_SOURCE

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


@pytest.fixture(scope="session")
def minilm(models_dir: Path) -> OnnxEncoder:
    """The shipped model, as it is served."""
    return OnnxEncoder.open(models_dir / DEFAULT_SOURCE)
