"""The Encoder protocol, which turns text into vectors, and its implementation on onnxruntime."""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from retrieval.errors import ModelError
from retrieval.models.manifest import ModelManifest, check_files, read_manifest

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Encoding, Tokenizer

GRAPH = "model.onnx"
TOKENIZER = "tokenizer.json"

ARABIC_SAMPLE = "قال رئيس الوزراء إن الحكومة ستعلن الميزانية الجديدة يوم الأحد"

_CACHED_QUERIES = 128
_TOKENIZER_BATCH = 64
_SURROGATES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Encoded:
    """The vectors of one text.

    `vector` is (dim,) float32 of unit length. `tokens` is (t, dim) float32, unit rows, one for each of the
    model's tokens except the special ones; `offsets` is (t, 2) int32, each token's span of code points in the text.
    A model without token vectors gives t = 0. A text longer than the model's limit is cut. `basis`, (dim, WORD_DIM)
    float32, is the projection that keeps most of the token vectors' variance, for models where it was measured (see
    `retrieval.text.late_interaction.word_vectors`).
    """

    vector: NDArray[np.float32]
    tokens: NDArray[np.float32]
    offsets: NDArray[np.int32]
    basis: NDArray[np.float32] | None = None


class Encoder(Protocol):
    """Turns texts into vectors; a text's vectors depend on that text alone, never on its batch."""

    @property
    def dim(self) -> int:
        """The length of a vector."""

    @property
    def fingerprint(self) -> str:
        """Identifies weights and settings: equal fingerprints give equal vectors."""

    @property
    def multilingual(self) -> bool:
        """Whether it reads Arabic as well as English; its vectors for a script that it cannot read are noise."""

    def encode_query(self, text: str) -> Encoded:
        """Encode one question, with the model's query prompt if it has one."""

    def encode_passages(self, texts: Sequence[str]) -> Iterator[Encoded]:
        """Encode passages, in the order given, with the model's passage prompt if it has one."""


class OnnxModel:
    """A converted model, run on one text or pair of texts at a time; safe to use from several threads."""

    def __init__(self, session: InferenceSession, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.multilingual = reads_arabic(tokenizer.encode(ARABIC_SAMPLE, add_special_tokens=False).tokens)
        self._session = session
        self._inputs = frozenset(node.name for node in session.get_inputs())

    @classmethod
    def load(cls, folder: Path, manifest: ModelManifest) -> OnnxModel:
        """Load the graph and tokenizer in a model's folder after verifying them against its manifest.

        Raises:
            ModelError: they are missing, damaged or cannot be loaded.
        """
        check_files(folder, manifest)
        try:
            return cls(open_session(folder / GRAPH), open_tokenizer(folder / TOKENIZER, manifest.max_length))
        except Exception as exc:  # both libraries raise bare Exception
            repair = f"convert it again with `newsquote model add {manifest.source}`"
            raise ModelError(f"cannot load the model in {folder}: {exc}; {repair}") from exc

    def run(self, encoding: Encoding) -> NDArray[np.float32]:
        """The model's first output for a tokenized text, (1, ...) float32."""
        ids = np.array([encoding.ids], dtype=np.int64)
        feeds = {
            "input_ids": ids,
            "attention_mask": np.ones_like(ids),
            "token_type_ids": np.array([encoding.type_ids], dtype=np.int64),
        }
        output: NDArray[np.float32] = self._session.run(
            None, {name: value for name, value in feeds.items() if name in self._inputs}
        )[0]
        return output


class OnnxEncoder:
    """Encodes with a converted model on onnxruntime, without torch.

    Texts are never batched but run one by one on several threads: int8 models scale activations over the whole batch,
    so in a batch of two a text would get another vector than alone. Safe to use from several threads.
    """

    def __init__(self, manifest: ModelManifest, model: OnnxModel, *, threads: int) -> None:
        self.manifest = manifest
        self._model = model
        self._threads = threads
        self._cached_query = lru_cache(maxsize=_CACHED_QUERIES)(self._encode_query)

    @classmethod
    def open(cls, folder: Path, *, threads: int | None = None) -> OnnxEncoder:
        """Load a converted model.

        Args:
            folder: The model's folder: manifest, graph and tokenizer.
            threads: How many passages to encode at a time; by default one for each core this process may use.

        Raises:
            ModelError: the model is missing, damaged, not for onnxruntime, or cannot be loaded.
        """
        manifest = read_manifest(folder)
        if manifest.backend != "onnx":
            raise ModelError(f"{manifest.name} is served by {manifest.backend}, not by onnxruntime")
        return cls.from_manifest(folder, manifest, threads=threads)

    @classmethod
    def from_manifest(cls, folder: Path, manifest: ModelManifest, *, threads: int | None = None) -> OnnxEncoder:
        """Load the graph and tokenizer in a folder, whatever backend its manifest names.

        Raises:
            ModelError: they are missing, damaged or cannot be loaded.
        """
        return cls(manifest, OnnxModel.load(folder, manifest), threads=threads or cpu_count())

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
        return self._model.multilingual

    def encode_query(self, text: str) -> Encoded:
        """Encode one question; the last 128 are cached, so the arrays are read-only."""
        return self._cached_query(text)

    def encode_passages(self, texts: Sequence[str]) -> Iterator[Encoded]:
        """Encode passages, in the order given; works a few ahead, never on all of them at once."""
        prompt = self.manifest.passage_prompt
        with ThreadPoolExecutor(self._threads) as pool:
            pending: deque[Future[Encoded]] = deque()
            try:
                for start in range(0, len(texts), _TOKENIZER_BATCH):
                    batch = [without_surrogates(text) for text in texts[start : start + _TOKENIZER_BATCH]]
                    for encoding in self._model.tokenizer.encode_batch([prompt + text for text in batch]):
                        pending.append(pool.submit(self._run, encoding, len(prompt)))
                        if len(pending) > 2 * self._threads:
                            yield pending.popleft().result()
                while pending:
                    yield pending.popleft().result()
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _encode_query(self, text: str) -> Encoded:
        prompt = self.manifest.query_prompt
        encoded = self._run(self._model.tokenizer.encode(prompt + without_surrogates(text)), len(prompt))
        for array in (encoded.vector, encoded.tokens, encoded.offsets):
            array.flags.writeable = False
        return encoded

    def _run(self, encoding: Encoding, prompt_length: int) -> Encoded:
        states: NDArray[np.float32] = self._model.run(encoding)[0]
        pooled = states[0] if self.manifest.pooling == "cls" else states.mean(axis=0)
        special = np.array(encoding.special_tokens_mask, dtype=bool)
        offsets = np.array(encoding.offsets, dtype=np.int32).reshape(-1, 2) - prompt_length
        is_word_piece = ~special & (offsets[:, 1] > 0)
        return Encoded(unit_rows(pooled), unit_rows(states[is_word_piece]), np.maximum(offsets[is_word_piece], 0))


def open_session(path: Path) -> InferenceSession:
    """A single-threaded onnxruntime session; it may be run from several threads at once."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    # The graph was fused when it was converted, deliberately without a fusion that onnxruntime would add here.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    # A memory plan for each length of text pays only where lengths repeat; here it costs 15 MB and saves no time.
    options.enable_mem_pattern = False
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def open_tokenizer(path: Path, max_length: int) -> Tokenizer:
    """A tokenizer that truncates at the model's length and never pads."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_length)
    return tokenizer


def reads_arabic(pieces: Sequence[str]) -> bool:
    """Whether a vocabulary that splits ARABIC_SAMPLE, ten words of 53 letters, into these pieces has Arabic words.

    multilingual-e5-small splits it into 12 pieces, all-MiniLM-L6-v2 into 53, a vocabulary without Arabic into ten
    unknown ones.
    """
    return len(pieces) < 2.5 * len(ARABIC_SAMPLE.split()) and len(set(pieces)) > 5


def unit_rows(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows scaled to length one, float32; a row of zeros stays zeros."""
    norms = np.linalg.norm(rows, axis=-1, keepdims=True)
    scaled: NDArray[np.float32] = (rows / np.maximum(norms, np.finfo(np.float32).tiny)).astype(np.float32, copy=False)
    return scaled


def without_surrogates(text: str) -> str:
    """The text with each lone surrogate, which tokenizers cannot encode as UTF-8, replaced by U+FFFD."""
    return text if text.isascii() else _SURROGATES.sub("\ufffd", text)


def cpu_count() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
