"""A library on disk, for tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus import Found, Library
from tests.corpus.storage.catalogs import ONE, TWO


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A library of one article in a file of its own and one record."""
    library = Library(tmp_path / "library")
    library.add([ONE, Found(TWO, "r", record=True)])
    return library.folder
