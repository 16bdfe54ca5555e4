from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from retrieval.models.conversion.converter import convert_in_process
from retrieval.models.conversion.multilingual_weights import PACKAGE
from retrieval.models.manifest import MULTILINGUAL
from retrieval.models.multilingual import MultilingualEncoder


@pytest.fixture(scope="session")
def multilingual_package() -> None:
    """Skips where the package with the multilingual model's weights is not installed."""
    if importlib.util.find_spec(PACKAGE) is None:
        pytest.skip("the extra newsquote[multilingual] is not installed")


@pytest.fixture(scope="session")
def multilingual_dir(tmp_path_factory: pytest.TempPathFactory, multilingual_package: None) -> Path:  # noqa: ARG001
    """The multilingual model's folder, converted in this run; not to be written to."""
    folder = tmp_path_factory.mktemp("multilingual")
    convert_in_process(MULTILINGUAL, folder)
    return folder / MULTILINGUAL


@pytest.fixture(scope="session")
def multilingual_encoder(multilingual_dir: Path) -> MultilingualEncoder:
    """The multilingual model as it is served."""
    return MultilingualEncoder.open(multilingual_dir)
