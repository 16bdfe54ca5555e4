from __future__ import annotations

import sys
from pathlib import Path

import pytest

from retrieval.errors import ModelError
from retrieval.models.conversion.converter import convert_in_process
from retrieval.models.conversion.torch_models import one_line


@pytest.mark.parametrize("reranker", [False, True], ids=["encoder", "reranker"])
def test_the_error_without_sentence_transformers_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, reranker: bool
) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    monkeypatch.setitem(sys.modules, "sentence_transformers.util", None)
    with pytest.raises(
        ModelError, match=r"is not installed here \(.*\); `pip install 'sentence-transformers\[onnx\]'`"
    ):
        convert_in_process("example/model", tmp_path, reranker=reranker)


@pytest.mark.parametrize(
    ("error", "line"),
    [(ValueError("one\n  two"), "one two"), (KeyError(), "KeyError"), (ValueError("x" * 999), "x" * 300)],
    ids=["two lines", "no message", "long"],
)
def test_an_error_message_fits_on_one_line(error: Exception, line: str) -> None:
    assert one_line(error) == line
