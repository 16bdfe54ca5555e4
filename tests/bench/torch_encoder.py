"""SentenceTransformer as an encoder of newsquote, for comparison."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from retrieval.models.encoder import Encoded


class SentenceTransformerEncoder:
    """Encodes as newsquote would without its own encoder."""

    def __init__(self) -> None:
        self._model = sentence_transformer()

    @property
    def dim(self) -> int:
        return 384

    @property
    def fingerprint(self) -> str:
        return "sentence-transformers"

    @property
    def multilingual(self) -> bool:
        return False

    def encode_query(self, text: str) -> Encoded:
        return next(self.encode_passages([text]))

    def encode_passages(self, texts: Sequence[str]) -> Iterator[Encoded]:
        import torch

        from retrieval.models.encoder import Encoded, unit_rows

        for start in range(0, len(texts), 32):
            part: list[Any] = list(texts[start : start + 32])
            features: Any = self._model.preprocess(part)
            with torch.inference_mode():
                output = self._model(features)
            marks = self._model.tokenizer(part, truncation=True, max_length=256, return_offsets_mapping=True)
            rows = zip(output["sentence_embedding"].numpy(), output["token_embeddings"].numpy(), strict=True)
            for (vector, states), offsets in zip(rows, marks["offset_mapping"], strict=True):
                inside = np.array(offsets[1:-1], np.int32).reshape(-1, 2)
                yield Encoded(unit_rows(vector), unit_rows(states[1 : len(inside) + 1]), inside)


def sentence_transformer() -> SentenceTransformer:
    from sentence_transformers import SentenceTransformer

    from retrieval.models.conversion.sources import locate_source
    from retrieval.models.manifest import DEFAULT_SOURCE

    model: SentenceTransformer = SentenceTransformer(locate_source(DEFAULT_SOURCE)[0], device="cpu")
    return model
