"""Makes small SentenceTransformers with random weights and converts each; run as a process, since it loads torch.

    python -m tests.retrieval.tiny_models FOLDER

Prints one JSON object: for each case its manifest and the least cosine between what is served and
SentenceTransformer's own encode_query and encode_document.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.models import Dense, Normalize, Pooling, Transformer
from transformers import BertConfig, BertModel, BertTokenizerFast

from retrieval import convert
from retrieval.models import Parity, open_encoder, read_manifest

WORDS = ["the", "of", "bridge", "cup", "rain", "tram", "bank", "museum", "teacher", "olive", "police", "green", "river"]


def build(folder: Path, modules: str, **settings: object) -> Path:
    torch.manual_seed(5)
    folder.mkdir(parents=True)
    letters = [chr(c) for c in range(97, 123)]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, *letters, *(f"##{letter}" for letter in letters)]
    vocabulary = list(dict.fromkeys(pieces))
    (folder / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    config = BertConfig(  # type: ignore[no-untyped-call]
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    BertModel(config).save_pretrained(folder)  # type: ignore[no-untyped-call]
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)  # type: ignore[no-untyped-call]
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


def least_cosine(model: Path, served: Path) -> float:
    own, encoder = SentenceTransformer(str(model), device="cpu"), open_encoder(served)
    questions, passages = convert.parity_texts()
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
    bound = convert.LEAST_PARITY
    cases = {
        "mean": (bound, build(folder / "mean", "mean")),
        "cls-prompts": (bound, build(folder / "cls-prompts", "cls", prompts=prompts)),
        "int8-refused": (Parity(0.999999, 0.999999, 1.0), build(folder / "int8-refused", "mean")),
        "all-refused": (Parity(2.0, 2.0, 2.0), build(folder / "all-refused", "mean", prompts=prompts)),
        "max": (bound, build(folder / "max", "max")),
        "dense": (bound, build(folder / "dense", "dense")),
    }
    report = {}
    for name, (least, model) in cases.items():
        convert.LEAST_PARITY = least
        convert.convert_here(str(model), folder / name / "models")
        served = folder / name / "models" / "model"
        manifest = read_manifest(served)
        report[name] = {
            "manifest": json.loads(manifest.to_json()),
            "least": least_cosine(model, served),
            "files": sorted(path.name for path in served.iterdir() if not path.name.startswith(".")),
        }
    print(json.dumps(report))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
