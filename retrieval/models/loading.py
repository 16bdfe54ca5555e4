"""Opens a converted model with the class for its backend; each backend is imported only when it is needed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from retrieval.errors import ModelError
from retrieval.models.manifest import MULTILINGUAL, read_manifest

if TYPE_CHECKING:
    from retrieval.models.encoder import Encoder
    from retrieval.models.reader import Reader
    from retrieval.models.reranker import Reranker


def open_encoder(folder: Path) -> Encoder:
    """Open a converted encoder after verifying its files.

    Raises:
        ModelError: the model is missing, damaged, not an encoder, or cannot be loaded.
    """
    manifest = read_manifest(folder)
    if manifest.reranks:
        raise ModelError(f"{manifest.name} is a reranker, not an encoder; newsquote model use chooses another model")
    if manifest.reads:
        raise ModelError(f"{manifest.name} is a reader, not an encoder; newsquote model use chooses another model")
    if manifest.backend == "onnx":
        from retrieval.models.encoder import OnnxEncoder

        return OnnxEncoder.open(folder)
    if manifest.backend == MULTILINGUAL:
        from retrieval.models.multilingual import MultilingualEncoder

        return MultilingualEncoder.open(folder)
    from retrieval.models.conversion.torch_models import SentenceTransformerEncoder

    return SentenceTransformerEncoder.open(folder)


def open_reranker(folder: Path) -> Reranker:
    """Open a converted CrossEncoder after verifying its files.

    Raises:
        ModelError: the model is missing, damaged or cannot be loaded.
    """
    if read_manifest(folder).backend == "onnx":
        from retrieval.models.reranker import OnnxReranker

        return OnnxReranker.open(folder)
    from retrieval.models.conversion.torch_models import CrossEncoderReranker

    return CrossEncoderReranker.open(folder)


def open_reader(folder: Path | None, *, cache: Path | None = None) -> Reader:
    """Open a converted question-answering model after verifying its files.

    Args:
        folder: The model's folder; None for the reader that comes with newsquote.
        cache: As in `OnnxReader.open`.

    Raises:
        ModelError: it is missing, damaged, no reader, or cannot be loaded.
    """
    from retrieval.models.reader import SHIPPED_READER, OnnxReader

    return OnnxReader.open(folder or SHIPPED_READER, cache=cache)
