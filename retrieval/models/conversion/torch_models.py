"""Models as sentence-transformers itself runs them: to convert them, and to serve those that cannot be exported.

The only door to torch and transformers; each function that needs them imports them when it is called.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from retrieval.errors import ModelError
from retrieval.models.conversion.sources import unchanged_source
from retrieval.models.encoder import ARABIC_SAMPLE, Encoded, reads_arabic, unit_rows
from retrieval.models.manifest import ModelManifest, read_manifest

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder, SentenceTransformer

ModelClass = Literal["SentenceTransformer", "CrossEncoder"]


class SentenceTransformerEncoder:
    """Encodes with sentence-transformers itself, for models that cannot be exported. Loads torch."""

    def __init__(self, model: SentenceTransformer, manifest: ModelManifest) -> None:
        self.manifest = manifest
        self._model = model
        self._cached_query = lru_cache(maxsize=128)(lambda text: self._encode(manifest.query_prompt, text))

    @classmethod
    def open(cls, folder: Path) -> SentenceTransformerEncoder:
        """Load the original that a converted model's manifest names.

        Raises:
            ModelError: it no longer exists, has changed since it was added, or cannot be loaded.
        """
        manifest = read_manifest(folder)
        return cls(load_model(unchanged_source(manifest), "SentenceTransformer"), manifest)

    @property
    def dim(self) -> int:
        """The length of a vector."""
        return self.manifest.dim

    @property
    def fingerprint(self) -> str:
        """Identifies weights and settings: equal fingerprints give equal vectors."""
        return self.manifest.fingerprint

    @property
    def multilingual(self) -> bool:
        """Whether its vocabulary has whole Arabic words, not only letters."""
        return reads_arabic(self._model.tokenizer.tokenize(ARABIC_SAMPLE))

    def encode_query(self, text: str) -> Encoded:
        """Encode one question; the last 128 are cached."""
        return self._cached_query(text)

    def encode_passages(self, texts: Sequence[str]) -> Iterator[Encoded]:
        """Encode passages one by one, in the order given."""
        for text in texts:
            yield self._encode(self.manifest.passage_prompt, text)

    def _encode(self, prompt: str, text: str) -> Encoded:
        vector = self._model.encode([text], prompt=prompt, show_progress_bar=False, convert_to_numpy=True)[0]
        no_tokens, no_offsets = np.zeros((0, self.manifest.dim), np.float32), np.zeros((0, 2), np.int32)
        return Encoded(unit_rows(np.asarray(vector, np.float32)), no_tokens, no_offsets)


class CrossEncoderReranker:
    """Scores with sentence-transformers itself, for CrossEncoders that cannot be exported. Loads torch."""

    def __init__(self, model: CrossEncoder) -> None:
        self._model = model

    @classmethod
    def open(cls, folder: Path) -> CrossEncoderReranker:
        """Load the original that a converted model's manifest names.

        Raises:
            ModelError: it no longer exists, has changed since it was added, or cannot be loaded.
        """
        return cls(load_model(unchanged_source(read_manifest(folder)), "CrossEncoder"))

    @property
    def multilingual(self) -> bool:
        """Whether its vocabulary has whole Arabic words, not only letters."""
        return reads_arabic(self._model.tokenizer.tokenize(ARABIC_SAMPLE))

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """Score each text for the question, (n,) float32."""
        return cross_encoder_scores(self._model, [(question, text) for text in texts])


def load_model(path: str, model_class: ModelClass, **kwargs: object) -> Any:
    """A model on the CPU, as sentence-transformers loads it.

    Raises:
        ModelError: it cannot be loaded, or sentence-transformers is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import sentence_transformers

            return getattr(sentence_transformers, model_class)(path, device="cpu", **kwargs)
    except Exception as exc:  # hub, configuration and weight errors have no common base
        raise _load_error(path, model_class, exc) from exc


def _load_error(path: str, model_class: ModelClass, exc: Exception) -> ModelError:
    if isinstance(exc, ImportError):
        return ModelError(
            f"sentence-transformers is not installed here ({exc}); `pip install 'sentence-transformers[onnx]'`"
        )
    return ModelError(f"cannot load {path} as a {model_class}: {one_line(exc)}")


def is_cross_encoder(path: str, *, required: bool) -> bool:
    """Whether a model is a CrossEncoder; sentence-transformers would load any other as one, with a random head.

    Args:
        path: A folder or a name on the hub.
        required: Raise an error where it is not one.

    Raises:
        ModelError: it is required to be one and is not, or cannot be read.
    """
    try:
        from sentence_transformers.util import load_file_path
        from transformers import AutoConfig

        architecture = ", ".join(AutoConfig.from_pretrained(path).architectures or ["unknown"])
        declared = load_file_path(path, "config_sentence_transformers.json")
        if load_file_path(path, "modules.json") is None:
            found = architecture.endswith("ForSequenceClassification")
        else:
            settings = json.loads(Path(declared).read_text(encoding="utf-8")) if declared else {}
            found = settings.get("model_type") == "CrossEncoder"
    except Exception as exc:  # as in load_model
        if not required:
            return False
        raise _load_error(path, "CrossEncoder", exc) from exc
    if required and not found:
        raise ModelError(f"{path} is no CrossEncoder: its architecture is {architecture}")
    return found


def cross_encoder_scores(model: Any, pairs: list[tuple[str, str]]) -> NDArray[np.float32]:
    """A CrossEncoder's scores (n,) before its activation, which can turn different scores into equal ones.

    Raises:
        ModelError: some scores are not finite.
    """
    from torch.nn import Identity

    scores = np.asarray(model.predict(pairs, activation_fn=Identity(), show_progress_bar=False), np.float32)
    if not np.isfinite(scores).all():
        raise ModelError("the CrossEncoder's scores are not finite numbers")
    return scores


def model_prompts(model: SentenceTransformer) -> tuple[str, str]:
    """The prompts that the model's encode_query and encode_document would use."""
    prompts = dict(model.prompts)
    fallback = prompts.get(model.default_prompt_name or "", "")
    passage = next((prompts[name] for name in ("document", "passage", "corpus") if name in prompts), fallback)
    return prompts.get("query", fallback) or "", passage or ""


def one_line(exc: BaseException) -> str:
    """An error's message on one line, at most 300 characters; its class where it has none."""
    return " ".join(str(exc).split())[:300] or type(exc).__name__
