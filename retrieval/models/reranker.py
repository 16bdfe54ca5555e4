"""Rerankers: CrossEncoder models, converted to ONNX, that score a question and a passage together."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from retrieval.models.encoder import OnnxModel, cpu_count, without_surrogates
from retrieval.models.manifest import read_manifest


class Reranker(Protocol):
    """Scores a question and a passage together."""

    @property
    def multilingual(self) -> bool:
        """Whether it reads Arabic as it reads English."""

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """The log odds that each text answers the question, (n,) float32; higher is better."""


class OnnxReranker:
    """Scores with a converted CrossEncoder on onnxruntime; pairs are run one by one, on several threads."""

    def __init__(self, model: OnnxModel, *, threads: int) -> None:
        self._model = model
        self._threads = threads

    @classmethod
    def open(cls, folder: Path, *, threads: int | None = None) -> OnnxReranker:
        """Load a converted CrossEncoder.

        Args:
            folder: The model's folder: manifest, graph and tokenizer.
            threads: How many pairs to run at a time; by default one for each core this process may use.

        Raises:
            ModelError: the model is missing, damaged or cannot be loaded.
        """
        return cls(OnnxModel.load(folder, read_manifest(folder)), threads=threads or cpu_count())

    @property
    def multilingual(self) -> bool:
        """Whether its vocabulary has whole Arabic words, not only letters."""
        return self._model.multilingual

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """Score each text by itself, (n,) float32; where a pair is too long, the longer of the two is cut."""
        question = without_surrogates(question)
        pairs = self._model.tokenizer.encode_batch([(question, without_surrogates(text)) for text in texts])
        with ThreadPoolExecutor(self._threads) as pool:
            scores = list(pool.map(lambda pair: self._model.run(pair)[0, 0], pairs))
        return np.array(scores, np.float32)
