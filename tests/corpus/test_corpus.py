"""The package's public names."""

from __future__ import annotations

import subprocess
import sys

import pytest

import corpus


def test_every_public_name_is_there_and_is_what_its_module_has() -> None:
    assert [name for name in corpus.__all__ if not hasattr(corpus, name)] == []
    assert corpus.Article is corpus.article.Article


def test_a_name_that_is_not_public_is_not_there() -> None:
    with pytest.raises(AttributeError, match="module 'corpus' has no attribute 'Nothing'"):
        _ = corpus.Nothing


def test_importing_the_package_reads_no_sources() -> None:
    code = "import corpus, sys; print([name for name in sys.modules if name.startswith('corpus')])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "['corpus']\n"
    )
