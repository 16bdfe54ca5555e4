"""Text to vectors: the contract, and the encoder that serves it (the only door to onnxruntime and tokenizers)."""

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
_TOKENIZED_AT_ONCE = 64
_SURROGATES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Encoded:
    """What an encoder makes of one text.

    `vector` is (dim,) float32 of unit length. `tokens` is (t, dim) float32, unit rows, one for each of the
    model's tokens without the special ones; `offsets` is (t, 2) int32, each token's code points in the text.
    A model without token vectors gives t = 0. A text longer than the model reads is cut. `basis` is the (dim, WORD_DIM)
    float32 that keeps most of its token vectors, where it was measured (see `late.word_vectors`).
    """

    vector: NDArray[np.float32]
    tokens: NDArray[np.float32]
    offsets: NDArray[np.int32]
    basis: NDArray[np.float32] | None = None


class Encoder(Protocol):
    """Turns texts into vectors; each text's vectors depend on that text alone, never on its batch."""

    @property
    def dim(self) -> int:
        """The length of a vector."""

    @property
    def fingerprint(self) -> str:
        """Names weights and settings: equal fingerprints give equal vectors."""

    @property
    def multilingual(self) -> bool:
        """Whether it reads Arabic as it reads English; what it makes of a script that it cannot read is noise."""

    def encode_query(self, text: str) -> Encoded:
        """Encode one question, with the model's query prompt where it has one."""

    def encode_passages(self, texts: Sequence[str]) -> Iterator[Encoded]:
        """Encode texts to be searched, in the order given, with the model's passage prompt where it has one."""


class OnnxModel:
    """A converted model as it is run, one text or pair of texts at a time; may be run from several threads at once."""

    def __init__(self, session: InferenceSession, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.multilingual = reads_arabic(tokenizer.encode(ARABIC_SAMPLE, add_special_tokens=False).tokens)
        self._session = session
        self._inputs = frozenset(node.name for node in session.get_inputs())

    @classmethod
    def load(cls, folder: Path, manifest: ModelManifest) -> OnnxModel:
        """Graph and tokenizer of a model's folder, verified by its manifest.

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
        """The first output for what the tokenizer made, (1, ...)."""
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
    """Serves a converted model with onnxruntime and tokenizers alone.

    Texts are run one by one, several at a time on threads: int8 models scale each activation by its whole batch, so a
    batch of two would give a text another vector than it has alone. Safe to use from several threads.
    """

    def __init__(self, manifest: ModelManifest, graph: OnnxModel, *, threads: int) -> None:
        self.manifest = manifest
        self._graph = graph
        self._threads = threads
        self._cached_query = lru_cache(maxsize=_CACHED_QUERIES)(self._encode_query)

    @classmethod
    def open(cls, folder: Path, *, threads: int | None = None) -> OnnxEncoder:
        """Load a converted model.

        Args:
            folder: The model's folder: manifest, graph and tokenizer.
            threads: How many passages to encode at a time; all cores this process may use by default.

        Raises:
            ModelError: the model is missing, damaged, not one for onnxruntime, or cannot be loaded.
        """
        manifest = read_manifest(folder)
        if manifest.backend != "onnx":
            raise ModelError(f"{manifest.name} is served by {manifest.backend}, not by onnxruntime")
        return cls.serve(folder, manifest, threads=threads)

    @classmethod
    def serve(cls, folder: Path, manifest: ModelManifest, *, threads: int | None = None) -> OnnxEncoder:
        """Load graph and tokenizer of a folder by its manifest.

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
        """Names weights and settings: equal fingerprints give equal vectors."""
        return self.manifest.fingerprint

    @property
    def multilingual(self) -> bool:
        """Whether its vocabulary has Arabic words, not letters only."""
        return self._graph.multilingual

    def encode_query(self, text: str) -> Encoded:
        """Encode one question; the last few are remembered, so the arrays are read-only."""
        return self._cached_query(text)

    def encode_passages(self, texts: Sequence[str]) -> Iterator[Encoded]:
        """Encode texts to be searched, in the order given; holds a few of them at a time, never all."""
        prompt = self.manifest.passage_prompt
        with ThreadPoolExecutor(self._threads) as pool:
            waiting: deque[Future[Encoded]] = deque()
            try:
                for start in range(0, len(texts), _TOKENIZED_AT_ONCE):
                    batch = [without_surrogates(text) for text in texts[start : start + _TOKENIZED_AT_ONCE]]
                    for encoding in self._graph.tokenizer.encode_batch([prompt + text for text in batch]):
                        waiting.append(pool.submit(self._run, encoding, len(prompt)))
                        if len(waiting) > 2 * self._threads:
                            yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _encode_query(self, text: str) -> Encoded:
        prompt = self.manifest.query_prompt
        encoded = self._run(self._graph.tokenizer.encode(prompt + without_surrogates(text)), len(prompt))
        for array in (encoded.vector, encoded.tokens, encoded.offsets):
            array.flags.writeable = False
        return encoded

    def _run(self, encoding: Encoding, prompt_length: int) -> Encoded:
        states: NDArray[np.float32] = self._graph.run(encoding)[0]
        pooled = states[0] if self.manifest.pooling == "cls" else states.mean(axis=0)
        special = np.array(encoding.special_tokens_mask, dtype=bool)
        offsets = np.array(encoding.offsets, dtype=np.int32).reshape(-1, 2) - prompt_length
        own = ~special & (offsets[:, 1] > 0)
        return Encoded(unit_rows(pooled), unit_rows(states[own]), np.maximum(offsets[own], 0))


def open_session(path: Path) -> InferenceSession:
    """An onnxruntime session on one thread of its own; it may be run from several at once."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    # The graph was fused when it was converted, by choice without what onnxruntime would add here.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    # A plan of memory for each length of text pays where lengths repeat; here it keeps 15 MB and saves no time.
    options.enable_mem_pattern = False
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def open_tokenizer(path: Path, max_length: int) -> Tokenizer:
    """A tokenizer that cuts at the model's length and never pads."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_length)
    return tokenizer


def reads_arabic(pieces: Sequence[str]) -> bool:
    """Whether a vocabulary that cuts ARABIC_SAMPLE, ten words of 53 letters, into these pieces has Arabic words.

    That of multilingual-e5-small makes 12 of it; that of all-MiniLM-L6-v2, 53; one without Arabic, ten alike.
    """
    return len(pieces) < 2.5 * len(ARABIC_SAMPLE.split()) and len(set(pieces)) > 5


def unit_rows(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows scaled to length one, float32; a row of zeros stays as it is."""
    norms = np.linalg.norm(rows, axis=-1, keepdims=True)
    scaled: NDArray[np.float32] = (rows / np.maximum(norms, np.finfo(np.float32).tiny)).astype(np.float32, copy=False)
    return scaled


def without_surrogates(text: str) -> str:
    """A text that tokenizers take: lone surrogates, which cannot be UTF-8, become one code point each."""
    return text if text.isascii() else _SURROGATES.sub("\ufffd", text)


def cpu_count() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
