"""Rerankers: models that score a question and a passage together. Any CrossEncoder, converted to ONNX."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from retrieval.errors import ModelError
from retrieval.models.encoder import OnnxModel, cpu_count, without_surrogates
from retrieval.models.manifest import ModelManifest, model_name, read_manifest


class Reranker(Protocol):
    """Reads a question and a passage together."""

    @property
    def multilingual(self) -> bool:
        """Whether it reads Arabic as it reads English."""

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """How well each text answers, (n,) float32, higher is better: the logarithm of the odds that it does."""


class OnnxReranker:
    """Serves a converted CrossEncoder with onnxruntime and tokenizers alone; pairs are run one by one, on threads."""

    def __init__(self, graph: OnnxModel, *, threads: int) -> None:
        self._graph = graph
        self._threads = threads

    @classmethod
    def open(cls, folder: Path, *, threads: int | None = None) -> OnnxReranker:
        """Load a converted CrossEncoder.

        Args:
            folder: The model's folder: manifest, graph and tokenizer.
            threads: How many pairs to run at a time; all cores this process may use by default.

        Raises:
            ModelError: the model is missing, damaged or cannot be loaded.
        """
        return cls(OnnxModel.load(folder, read_manifest(folder)), threads=threads or cpu_count())

    @property
    def multilingual(self) -> bool:
        """Whether its vocabulary has Arabic words, not letters only."""
        return self._graph.multilingual

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """Score texts, each by itself, (n,); where a pair is too long, the longer of the two is cut."""
        asked = without_surrogates(question)
        pairs = self._graph.tokenizer.encode_batch([(asked, without_surrogates(text)) for text in texts])
        with ThreadPoolExecutor(self._threads) as pool:
            found = list(pool.map(lambda pair: self._graph.run(pair)[0, 0], pairs))
        return np.array(found, np.float32)


def find_converted(given: str, models_dir: Path) -> ModelManifest | None:
    """The converted CrossEncoder that a name or path means; None where it is still to be converted.

    Raises:
        ModelError: it means an encoder or nothing at all, or the manifest cannot be read.
    """
    folder = models_dir / model_name(str(Path(given).resolve()) if Path(given).is_dir() else given)
    if not folder.is_dir():
        return None
    found = read_manifest(folder)
    if not found.goes_by(given):
        return None
    if not found.reranks:
        raise ModelError(f"{found.name} is an encoder, not a CrossEncoder")
    return found
