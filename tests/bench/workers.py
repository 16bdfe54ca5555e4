"""What is measured in a separate process: `python -m tests.bench.workers NAME ARGUMENT...` prints a JSON object."""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.bench.data import passage_texts, squad_articles
from tests.bench.torch_encoder import SentenceTransformerEncoder, sentence_transformer


def _warm(home: str, models: str, questions: str, second_stage: str = "") -> dict[str, Any]:
    began = time.perf_counter()
    from retrieval.answering import Answerer
    from retrieval.index.snapshot import Snapshot
    from retrieval.models.loading import open_encoder, open_reader
    from retrieval.models.manifest import DEFAULT_SOURCE
    from retrieval.results import Query

    reader = open_reader(None, cache=Path(home) / "reader.json") if second_stage == "reader" else None
    encoder = open_encoder(Path(models) / DEFAULT_SOURCE)
    answerer = Answerer(Snapshot.open(Path(home) / "snapshots"), encoder, reader=reader)
    asked = json.loads(Path(questions).read_text(encoding="utf-8"))
    answerer.answer(Query(asked[0]))
    start_s = time.perf_counter() - began
    return {"start_s": start_s, **_timed(lambda question: answerer.answer(Query(question)), asked)}


def _encode(questions: str) -> dict[str, Any]:
    model = sentence_transformer()
    return _timed(model.encode, json.loads(Path(questions).read_text(encoding="utf-8")))


def _timed(run: Callable[[str], object], questions: Sequence[str]) -> dict[str, Any]:
    for question in questions[-5:]:
        run(question)
    ms = []
    for question in questions[:-5]:
        began = time.perf_counter()
        run(question)
        ms.append(1000 * (time.perf_counter() - began))
    return {"ms": ms, "peak_mb": _peak_mb()}


def _build(home: str, models: str) -> dict[str, Any]:
    from corpus import Library
    from retrieval.index.writing.publishing import publish
    from retrieval.models.loading import open_encoder
    from retrieval.models.manifest import DEFAULT_SOURCE

    encoder = open_encoder(Path(models) / DEFAULT_SOURCE)
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        done = publish(Library(Path(home) / "library").articles(), encoder, Path(folder), full=True)
        took = time.perf_counter() - began
    return {"per_s": done.passages / took, "passages": done.passages, "peak_mb": _peak_mb()}


def _encode_passages(home: str) -> dict[str, Any]:
    texts = passage_texts(Path(home))
    model = sentence_transformer()
    model.encode(texts[:64], batch_size=32)
    began = time.perf_counter()
    model.encode(texts, batch_size=32)
    return {"per_s": len(texts) / (time.perf_counter() - began), "peak_mb": _peak_mb()}


def _pipeline(squad: str, questions: str) -> dict[str, Any]:
    """Index the articles and answer the questions, all of it on SentenceTransformer's vectors."""
    from retrieval.answering import Answerer
    from retrieval.index.snapshot import Snapshot
    from retrieval.index.writing.publishing import publish
    from retrieval.results import Query

    encoder = SentenceTransformerEncoder()
    with tempfile.TemporaryDirectory() as folder:
        publish(squad_articles(json.loads(Path(squad).read_text(encoding="utf-8"))), encoder, Path(folder))
        answerer = Answerer(Snapshot.open(Path(folder)), encoder)
        for question in json.loads(Path(questions).read_text(encoding="utf-8")):
            answerer.answer(Query(question))
    return {}


def _quality(squad: str, models: str) -> dict[str, Any]:
    from retrieval.answering import Answerer
    from retrieval.index.snapshot import Snapshot
    from retrieval.index.writing.publishing import publish
    from retrieval.models.loading import open_encoder
    from retrieval.models.manifest import DEFAULT_SOURCE
    from retrieval.results import Query

    encoder = open_encoder(Path(models) / DEFAULT_SOURCE) if models else SentenceTransformerEncoder()
    data = json.loads(Path(squad).read_text(encoding="utf-8"))
    ranks = []
    with tempfile.TemporaryDirectory() as folder:
        publish(squad_articles(data), encoder, Path(folder))
        answerer = Answerer(Snapshot.open(Path(folder)), encoder)
        for number, article in enumerate(data):
            shift = 0
            for paragraph in article["paragraphs"]:
                for qa in paragraph["qas"]:
                    spans = [
                        (shift + a["answer_start"], shift + a["answer_start"] + len(a["text"])) for a in qa["answers"]
                    ]
                    if qa.get("is_impossible") or not spans:
                        continue
                    quotes = answerer.answer(Query(qa["question"], limit=10)).quotes
                    ranks.append(
                        next(
                            (
                                rank
                                for rank, quote in enumerate(quotes, 1)
                                if quote.article.id == f"b{number:04d}"
                                and any(quote.span.start <= start and end <= quote.span.end for start, end in spans)
                            ),
                            0,
                        )
                    )
                shift += len(paragraph["context"]) + 2
    return {
        "recall@1": sum(rank == 1 for rank in ranks) / len(ranks),
        "mrr": sum(1 / rank for rank in ranks if rank) / len(ranks),
    }


def _reader_model(folder: str, weights: str = "") -> dict[str, Any]:
    """Write a question-answering model of the encoder's kind into a folder `reader` beside it; its head is random.

    `weights` is a file as tests/fit/reader/export writes it, for a model that answers.
    """
    import torch
    from transformers import BertForQuestionAnswering, BertTokenizerFast

    torch.manual_seed(1)
    model = BertForQuestionAnswering.from_pretrained(folder)
    if weights:
        from safetensors.torch import load_file

        named = {name.replace("head.", "qa_outputs."): value.float() for name, value in load_file(weights).items()}
        if unknown := model.load_state_dict(named, strict=False).unexpected_keys:
            raise ValueError(f"the weights do not fit: {unknown}")
    model.save_pretrained(f"{folder}/reader")
    BertTokenizerFast.from_pretrained(folder).save_pretrained(f"{folder}/reader")
    return {}


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


WORKERS: dict[str, Callable[..., dict[str, Any]]] = {
    "build": _build,
    "encode": _encode,
    "encode_passages": _encode_passages,
    "pipeline": _pipeline,
    "quality": _quality,
    "reader_model": _reader_model,
    "warm": _warm,
}


if __name__ == "__main__":
    name, *arguments = sys.argv[1:]
    print(json.dumps(WORKERS[name](*arguments)))
