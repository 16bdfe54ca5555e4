"""Makes small models with random weights and converts each; runs as a process of its own, because it loads torch.

    python -m tests.retrieval.tiny_models FOLDER

Prints one JSON object: for each SentenceTransformer its manifest and the lowest cosine between the converted model and
the original; for each CrossEncoder its manifest and the scores of `QUESTION` with each of `TEXTS`, both the original's
and the converted model's; for each question-answering model the same with start logits for scores; for models refused
as rerankers or readers, the error.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from sentence_transformers import CrossEncoder, SentenceTransformer
from sentence_transformers.models import Dense, Normalize, Pooling, Transformer
from transformers import (
    BertConfig,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BertModel,
    BertTokenizerFast,
)

from retrieval.errors import ModelError
from retrieval.models.conversion import parity
from retrieval.models.conversion.converter import convert_in_process
from retrieval.models.loading import open_encoder, open_reader, open_reranker
from retrieval.models.manifest import Parity, read_manifest
from retrieval.text.search_text import search_text
from tests.sample_library import LIBRARY, whole

WORDS = ["the", "of", "bridge", "cup", "rain", "tram", "bank", "museum", "teacher", "olive", "police", "green", "river"]
LEAST = parity.LEAST_PARITY
QUESTION = "Which bridge closes in May?"
TEXTS = [search_text(whole(article)) for article in LIBRARY]


def tiny_config(folder: Path, max_length: int, **settings: object) -> BertConfig:
    """The configuration of a small BERT, whose tokenizer is saved in the folder."""
    torch.manual_seed(5)
    folder.mkdir(parents=True)
    letters = [chr(c) for c in range(97, 123)]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, *letters, *(f"##{letter}" for letter in letters)]
    vocabulary = list(dict.fromkeys(pieces))
    (folder / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    tokenizer = BertTokenizerFast(str(folder / "vocab.txt"), model_max_length=max_length)  # type: ignore[no-untyped-call]
    tokenizer.save_pretrained(folder)
    return BertConfig(  # type: ignore[no-untyped-call]
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=max_length,
        **settings,
    )


def build_encoder(folder: Path, modules: str, **settings: object) -> Path:
    BertModel(tiny_config(folder, 64)).save_pretrained(folder)  # type: ignore[no-untyped-call]
    transformer = Transformer(str(folder), max_seq_length=24)
    parts = {
        "mean": lambda: [transformer, Pooling(32, pooling_mode="mean")],
        "cls": lambda: [transformer, Pooling(32, pooling_mode="cls"), Normalize()],
        "max": lambda: [transformer, Pooling(32, pooling_mode="max")],
        "dense": lambda: [transformer, Pooling(32, pooling_mode="mean"), Dense(32, 16)],
    }[modules]()
    model = SentenceTransformer(modules=parts, device="cpu", **settings)
    model.save(str(folder / "model"))
    return folder / "model"


def build_reranker(folder: Path, *, labels: int = 1) -> Path:
    """A CrossEncoder whose scores differ so much that they alone decide the order of passages."""
    config = tiny_config(folder, 256, initializer_range=0.5, num_labels=labels)
    model = BertForSequenceClassification(config)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        model.classifier.weight *= 50
    model.save_pretrained(folder)
    CrossEncoder(str(folder), device="cpu").save_pretrained(str(folder / folder.name))
    return folder / folder.name


def least_cosine(model: Path, served: Path) -> float:
    own, encoder = SentenceTransformer(str(model), device="cpu"), open_encoder(served)
    questions, passages = parity.parity_texts()
    pairs = [
        (own.encode_query(questions), [encoder.encode_query(text) for text in questions]),
        (own.encode_document(passages), list(encoder.encode_passages(passages))),
    ]
    least = 1.0
    for expected, got in pairs:
        rows = expected / np.linalg.norm(expected, axis=1, keepdims=True)
        least = min(least, float((rows * np.stack([encoded.vector for encoded in got])).sum(axis=1).min()))
    return least


def main(folder: Path) -> None:
    prompts = {"query": "green: ", "document": "river: "}
    models = {
        "mean": (LEAST, build_encoder(folder / "mean", "mean")),
        "cls-prompts": (LEAST, build_encoder(folder / "cls-prompts", "cls", prompts=prompts)),
        "int8-refused": (Parity(0.999999, 0.999999, 1.0), build_encoder(folder / "int8-refused", "mean")),
        "all-refused": (Parity(2.0, 2.0, 2.0), build_encoder(folder / "all-refused", "mean", prompts=prompts)),
        "max": (LEAST, build_encoder(folder / "max", "max")),
        "dense": (LEAST, build_encoder(folder / "dense", "dense")),
    }
    report = {}
    for name, (least, model) in models.items():
        parity.LEAST_PARITY = least
        convert_in_process(str(model), folder / name / "models")
        served = folder / name / "models" / "model"
        manifest = read_manifest(served)
        report[name] = {
            "manifest": json.loads(manifest.to_json()),
            "least": least_cosine(model, served),
            "files": sorted(path.name for path in served.iterdir() if not path.name.startswith(".")),
        }
    print(
        json.dumps(
            {"encoders": report, "rerankers": rerankers(folder), "readers": readers(folder), "refused": refused(folder)}
        )
    )


def rerankers(folder: Path) -> dict[str, object]:
    report: dict[str, object] = {}
    for name, least in (("picky", Parity(0.0, -1.0, 0.0)), ("exact", LEAST), ("own", Parity(2.0, 2.0, 2.0))):
        parity.LEAST_PARITY = least
        model = build_reranker(folder / name)
        manifest = convert_in_process(str(model), folder / "rerankers")
        own = CrossEncoder(str(model), device="cpu")
        scores = own.predict([(QUESTION, text) for text in TEXTS], activation_fn=torch.nn.Identity())
        report[name] = {
            "manifest": json.loads(manifest.to_json()),
            "own": scores.tolist(),
            "served": open_reranker(folder / "rerankers" / name).scores(QUESTION, TEXTS).tolist(),
        }
    return report


def build_reader(folder: Path) -> Path:
    config = tiny_config(folder, 256, initializer_range=0.5)
    BertForQuestionAnswering(config).save_pretrained(folder)  # type: ignore[no-untyped-call]
    return folder


def readers(folder: Path) -> dict[str, object]:
    report: dict[str, object] = {}
    for name, least in (("rough", Parity(0.0, -1.0, 0.0)), ("precise", Parity(0.9999, 0.9999, 0.999))):
        parity.LEAST_PARITY = least
        path = build_reader(folder / name)
        manifest = convert_in_process(str(path), folder / "readers", reader=name == "rough")
        own = []
        for text in TEXTS:
            pair = BertTokenizerFast.from_pretrained(path)(QUESTION, text, return_tensors="pt")
            inside = [number == 1 for number in pair.sequence_ids(0)]
            with torch.inference_mode():
                logits = BertForQuestionAnswering.from_pretrained(path).eval()(**pair).start_logits[0]
            own.append(logits[inside].tolist())
        served = open_reader(folder / "readers" / name).read(QUESTION, TEXTS)
        report[name] = {
            "manifest": json.loads(manifest.to_json()),
            "own": own,
            "served": [reading.starts.tolist() for reading in served],
            "files": sorted(file.name for file in (folder / "readers" / name).iterdir() if file.name[0] != "."),
        }
    return report


def refused(folder: Path) -> dict[str, str | list[str]]:
    """The errors of conversions that must fail, and the models that are there afterwards."""
    encoder, models, taken = folder / "mean" / "model", folder / "rerankers", folder / "taken"
    picky, three = folder / "picky" / "picky", build_reranker(folder / "three", labels=3)
    rough, taken_by_reranker = folder / "rough", folder / "taken-by-reranker"
    taken_by_reranker.mkdir()
    (taken_by_reranker / "rough").symlink_to(folder / "rerankers" / "picky")
    taken.mkdir()
    (taken / "picky").symlink_to(folder / "mean" / "models" / "model")
    conversions: dict[str, Callable[[], object]] = {
        "three labels": lambda: convert_in_process(str(three), models),
        "an encoder": lambda: convert_in_process(str(encoder), models, reranker=True),
        "no model": lambda: convert_in_process(str(folder), models, reranker=True),
        "a prompt": lambda: convert_in_process(str(picky), models, query_prompt="query: "),
        "an encoder as a reader": lambda: convert_in_process(str(encoder), models, reader=True),
        "a reader's prompt": lambda: convert_in_process(str(rough), models, query_prompt="query: "),
        "a reader in a reranker's place": lambda: convert_in_process(str(rough), taken_by_reranker),
        "an encoder's place": lambda: convert_in_process(str(picky), taken),
    }
    errors: dict[str, str | list[str]] = {}
    for name, conversion in conversions.items():
        try:
            conversion()
        except ModelError as exc:
            errors[name] = str(exc)
    return {**errors, "kept": sorted(path.name for path in models.iterdir())}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
