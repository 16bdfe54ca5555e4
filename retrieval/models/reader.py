"""Readers: models that read a question and a text together and say where in the text the answer stands."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from retrieval.errors import ModelError
from retrieval.models.encoder import (
    ARABIC_SAMPLE,
    GRAPH,
    TOKENIZER,
    cpu_count,
    open_session,
    open_tokenizer,
    reads_arabic,
    without_surrogates,
)
from retrieval.models.manifest import ModelManifest, check_files, read_manifest

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Encoding, Tokenizer

SHIPPED_READER = Path(__file__).parent / "assets" / "english_reader"
"""The folder of the English reader that comes with newsquote."""

MAX_QUESTION_TOKENS = 48
"""A question is cut after these many tokens, so that room is left for the text: about 35 words."""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What a reader finds in one text.

    `starts` and `ends` are (t,) float32: how likely the answer is to start or end with each token, as logits. `offsets`
    is (t, 2) int32: each token's code points in the text. `absent` is the score of "the answer is not here", comparable
    with the sum of a start and an end. A text longer than the model reads is cut: t covers its beginning only.
    """

    starts: NDArray[np.float32]
    ends: NDArray[np.float32]
    offsets: NDArray[np.int32]
    absent: float


class Reader(Protocol):
    """Reads a question and a text together; what it finds in a text depends on question and text alone."""

    @property
    def multilingual(self) -> bool:
        """Whether it reads Arabic as it reads English."""

    def read(self, question: str, texts: Sequence[str]) -> list[Reading]:
        """Look for the answer in each text, in the order given."""


class OnnxReader:
    """Serves a converted question-answering model with onnxruntime and tokenizers alone.

    Texts are run one by one, each on one thread, as many at a time as there are threads. That is the quickest on two
    cores, and int8 models scale each activation by its whole batch, so in a batch a text would score otherwise than it
    does alone. Safe to use from several threads.
    """

    def __init__(
        self, manifest: ModelManifest, session: InferenceSession, tokenizer: Tokenizer, *, threads: int
    ) -> None:
        self.manifest = manifest
        self._session = session
        self._tokenizer = tokenizer
        self._threads = threads
        self._inputs = frozenset(node.name for node in session.get_inputs())
        self._special = tokenizer.num_special_tokens_to_add(is_pair=True)
        self.multilingual = reads_arabic(tokenizer.encode(ARABIC_SAMPLE, add_special_tokens=False).tokens)

    @classmethod
    def open(cls, folder: Path, *, threads: int | None = None, cache: Path | None = None) -> OnnxReader:
        """Load a converted reader, its files verified.

        Args:
            folder: The model's folder: manifest, graph and tokenizer.
            threads: How many texts to read at a time; all cores this process may use by default.
            cache: The file that records which files were verified, so that their SHA-256 is computed once; one in the
                model's folder by default. A folder that must not be written to needs one elsewhere.

        Raises:
            ModelError: the model is missing, damaged, no reader, or cannot be loaded.
        """
        manifest = read_manifest(folder)
        if not manifest.reads:
            raise ModelError(f"{manifest.name} is not a question-answering model: it marks no answers in a text")
        check_files(folder, manifest, cache=cache)
        try:
            session = open_session(folder / GRAPH)
            tokenizer = open_tokenizer(folder / TOKENIZER, manifest.max_length)
        except Exception as exc:  # both libraries raise bare Exception
            raise ModelError(f"cannot load the reader in {folder}: {exc}") from exc
        return cls(manifest, session, tokenizer, threads=threads or cpu_count())

    def read(self, question: str, texts: Sequence[str]) -> list[Reading]:
        """Look for the answer in each text.

        The question is cut at MAX_QUESTION_TOKENS or half of what the model reads, a text at its length.
        """
        room = self.manifest.max_length - self._special
        asked = self._tokenizer.encode(without_surrogates(question), add_special_tokens=False)
        asked.truncate(min(MAX_QUESTION_TOKENS, room // 2))
        pairs = []
        for text in self._tokenizer.encode_batch(
            [without_surrogates(text) for text in texts], add_special_tokens=False
        ):
            text.truncate(room - len(asked))
            pairs.append(self._tokenizer.post_process(asked, text))
        if min(len(pairs), self._threads) < 2:
            return [self._run(pair) for pair in pairs]
        with ThreadPoolExecutor(min(len(pairs), self._threads)) as pool:
            return list(pool.map(self._run, pairs))

    def _run(self, pair: Encoding) -> Reading:
        ids = np.array([pair.ids], np.int64)
        feeds = {
            "input_ids": ids,
            "attention_mask": np.ones_like(ids),
            "token_type_ids": np.array([pair.type_ids], np.int64),
        }
        starts, ends = self._session.run(None, {name: feeds[name] for name in feeds if name in self._inputs})[:2]
        of_text = np.array([number == 1 for number in pair.sequence_ids], np.bool_)
        return Reading(
            starts=np.asarray(starts[0, of_text], np.float32),
            ends=np.asarray(ends[0, of_text], np.float32),
            offsets=np.array(pair.offsets, np.int32).reshape(-1, 2)[of_text],
            absent=float(starts[0, 0]) + float(ends[0, 0]),
        )
