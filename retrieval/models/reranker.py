"""The best passages read once more, each together with the question, by a CrossEncoder that may reorder them."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from corpus.article import Passage
from retrieval.errors import ModelError
from retrieval.index.contract import Index
from retrieval.index.writing.passage_records import search_text
from retrieval.models.encoder import Graph, cores, without_surrogates
from retrieval.models.manifest import ModelManifest, model_name, read_manifest
from retrieval.ranking.weights import in_arabic
from retrieval.results import Hit

RERANKED = 8
"""How many of the best passages are read once more, each of which costs a run of the model.

Of all that answer news questions, none stands behind the first 6; on XQuAD .992 are in the best 8 and .995 in the best
24.
"""


class Reranker(Protocol):
    """Reads a question and a passage together."""

    @property
    def multilingual(self) -> bool:
        """Whether it reads Arabic as it reads English."""

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """How well each text answers, (n,) float32, higher is better: the logarithm of the odds that it does."""


class OnnxReranker:
    """Serves a converted CrossEncoder with onnxruntime and tokenizers alone; pairs are run one by one, on threads."""

    def __init__(self, graph: Graph, *, threads: int) -> None:
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
        return cls(Graph.load(folder, read_manifest(folder)), threads=threads or cores())

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


def kept(given: str, models_dir: Path) -> ModelManifest | None:
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


def reordered(hits: Sequence[Hit], question: str, index: Index, reranker: Reranker) -> list[Hit]:
    """The same hits, the first RERANKED of them by the sum of their score and the reranker's, equal sums by row.

    Both were trained as logarithms of odds, so each overrules the other where it is the surer. No CrossEncoder comes
    with newsquote to measure that with. Drawn at random, scores that are true odds and alone put .61 of the news
    answers first make .922 of .879 this way; three times as large .837, a third as large .901.

    What is read is what encoders read of a passage, its article's title before it. A hit's own score and its sentences'
    stay as they are: how quotes grow and what is marked in them is not for the reranker to say. One that does not read
    Arabic leaves the hits of Arabic questions as they are.

    Args:
        hits: Best first.
        question: What was asked, as it was encoded.
        index: Where the hits are from.
        reranker: Its score is put into the hits that it reads.
    """
    if not hits or (in_arabic(question) and not reranker.multilingual):
        return list(hits)
    best = hits[:RERANKED]
    texts = [search_text(Passage(index.article(hit.article), hit.span, (hit.span,))) for hit in best]
    scores = reranker.scores(question, texts).tolist()
    read = [hit._replace(reranked=score) for hit, score in zip(best, scores, strict=True)]
    order = sorted(zip(read, scores, strict=True), key=lambda pair: (-(pair[0].score + pair[1]), pair[0].row))
    return [*(hit for hit, _ in order), *hits[RERANKED:]]
