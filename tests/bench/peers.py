"""Two well-known libraries on the same model and passages; run by the Python of a venv that has them.

    python tests/bench/peers.py haystack|haystack-reader|txtai MODEL_FOLDER PASSAGES.json QUESTIONS.json

For haystack-reader MODEL_FOLDER holds a question-answering model, too, in a folder `reader`.

Prints one JSON object: seconds until the library and its model are loaded, passages indexed a second, milliseconds a
question, peak megabytes. Imports nothing of newsquote.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Search = Callable[[str], Any]


def haystack(model: str) -> tuple[Callable[[list[str]], None], Search]:
    from haystack import Document
    from haystack.components.retrievers.in_memory import InMemoryBM25Retriever, InMemoryEmbeddingRetriever
    from haystack.document_stores.in_memory import InMemoryDocumentStore
    from haystack_integrations.components.embedders.sentence_transformers import (
        SentenceTransformersDocumentEmbedder,
        SentenceTransformersTextEmbedder,
    )

    store = InMemoryDocumentStore(embedding_similarity_function="cosine")
    documents = SentenceTransformersDocumentEmbedder(model=model, progress_bar=False, batch_size=32)
    questions = SentenceTransformersTextEmbedder(model=model, progress_bar=False)
    for embedder in (documents, questions):
        embedder.warm_up()
    dense, lexical = InMemoryEmbeddingRetriever(store, top_k=10), InMemoryBM25Retriever(store, top_k=10)

    def index(passages: list[str]) -> None:
        made = [Document(id=str(number), content=text) for number, text in enumerate(passages)]
        store.write_documents(documents.run(made)["documents"])

    def search(question: str) -> Any:
        return dense.run(query_embedding=questions.run(question)["embedding"]), lexical.run(query=question)

    return index, search


def haystack_reader(model: str) -> tuple[Callable[[list[str]], None], Search]:
    """The eight passages that both searches find best are read by an extractive reader."""
    from haystack.components.joiners import DocumentJoiner
    from haystack.utils import ComponentDevice
    from haystack_integrations.components.readers.transformers import TransformersExtractiveReader

    index, search = haystack(model)
    joiner = DocumentJoiner(join_mode="reciprocal_rank_fusion", top_k=8)
    reader = TransformersExtractiveReader(f"{model}/reader", device=ComponentDevice.from_str("cpu"), top_k=3)
    reader.warm_up()

    def read(question: str) -> Any:
        found = joiner.run([part["documents"] for part in search(question)])
        return reader.run(question, found["documents"])

    return index, read


def txtai(model: str) -> tuple[Callable[[list[str]], None], Search]:
    from txtai import Embeddings

    embeddings = Embeddings(path=model, content=True, hybrid=True)

    def index(passages: list[str]) -> None:
        embeddings.index(passages)

    def search(question: str) -> Any:
        return embeddings.search(question, 10)

    return index, search


def main(name: str, model: str, passages: str, questions: str) -> None:
    began = time.perf_counter()
    index, search = {"haystack": haystack, "haystack-reader": haystack_reader, "txtai": txtai}[name](model)
    start_s = time.perf_counter() - began
    texts = json.loads(Path(passages).read_text(encoding="utf-8"))
    began = time.perf_counter()
    index(texts)
    per_s = len(texts) / (time.perf_counter() - began)
    ms = []
    for question in json.loads(Path(questions).read_text(encoding="utf-8")):
        began = time.perf_counter()
        search(question)
        ms.append(1000 * (time.perf_counter() - began))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"start_s": start_s, "per_s": per_s, "ms": ms[5:], "peak_mb": peak}))


if __name__ == "__main__":
    main(*sys.argv[1:])
