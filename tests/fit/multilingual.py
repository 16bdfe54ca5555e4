"""Measures how the states and vectors of the multilingual model spread: makes conversion/multilingual.npz anew.

    .venv/bin/python -m tests.fit.multilingual

From the fitting articles and questions, with products in float32:

- `spans`: the greatest absolute value of each input channel of a layer's products.
- `means`: the mean vectors of all questions and all passages of a language.
- `basis`: the directions in which centred token vectors vary most.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper

from corpus.article import Article
from corpus.text.split import split_article
from retrieval.models.conversion.multilingual_export import unpack
from retrieval.models.conversion.multilingual_graph import PRODUCTS, build_graph
from retrieval.models.conversion.multilingual_weights import PackedWeights, weights_path
from retrieval.models.conversion.onnx_graph import instruction_set
from retrieval.models.encoder import TOKENIZER, Encoded, OnnxEncoder, open_tokenizer, unit_rows
from retrieval.models.manifest import write_manifest
from retrieval.text.late_interaction import WORD_DIM

Floats = NDArray[np.float32]
HERE = Path(__file__).parent
MEASURED = HERE.parents[1] / "retrieval" / "models" / "conversion" / "multilingual.npz"
SETS = ("arabic-[0-9]*.json", "news-*.json")
SPANS_EVERY = 5
"""Every fifth text is enough to measure the channels' ranges."""


def main() -> None:
    """Encode the fitting articles and questions in float32 and write what is measured."""
    texts = [_texts(pattern) for pattern in SETS]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        manifest = unpack(folder, instruction_set(), exact=True)
        write_manifest(folder, manifest)
        encoder = OnnxEncoder.from_manifest(folder, manifest)
        encoded_questions = [[encoder.encode_query(text) for text in questions] for questions, _ in texts]
        encoded_passages = [list(encoder.encode_passages(passages)) for _, passages in texts]
        means = np.stack(
            [
                np.stack([*_means(questions), *_means(passages)])
                for questions, passages in zip(encoded_questions, encoded_passages, strict=True)
            ]
        )
        prompted = [
            prompt + text
            for questions, passages in texts
            for prompt, group in (("query: ", questions), ("passage: ", passages))
            for text in group[::SPANS_EVERY]
        ]
        spans = _spans(PackedWeights(weights_path()), folder / TOKENIZER, prompted)
    basis = _basis(
        zip((*encoded_questions, *encoded_passages), (means[0, 1], means[1, 1], means[0, 3], means[1, 3]), strict=True)
    )
    np.savez_compressed(MEASURED, spans=spans.astype(np.float16), means=means, basis=basis.astype(np.float16))


def _texts(pattern: str) -> tuple[list[str], list[str]]:
    """Questions, and passages with their titles."""
    questions: list[str] = []
    passages: list[str] = []
    for path in sorted((HERE / "data").glob(pattern)):
        for number, record in enumerate(json.loads(path.read_text(encoding="utf-8"))["data"]):
            text = "\n\n".join(paragraph["context"] for paragraph in record["paragraphs"])
            article = Article(id=str(number), title=record["title"], text=text)
            passages += [f"{article.title}\n{passage.text}" for passage in split_article(article)]
            questions += [qa["question"] for paragraph in record["paragraphs"] for qa in paragraph["qas"]]
    return questions, passages


def _means(texts: Sequence[Encoded]) -> tuple[Floats, Floats]:
    vectors, tokens = [text.vector for text in texts], [text.tokens.mean(axis=0) for text in texts]
    return np.mean(vectors, axis=0), np.mean(tokens, axis=0)


def _basis(groups: Iterable[tuple[Sequence[Encoded], Floats]]) -> Floats:
    """The WORD_DIM directions of centred token vectors with the greatest second moments; all groups count equally."""
    moment = sum(
        (tokens.T @ tokens / len(tokens))
        for texts, mean in groups
        for tokens in [np.concatenate([unit_rows(text.tokens - mean) for text in texts])]
    )
    _, directions = np.linalg.eigh(np.asarray(moment, np.float64))
    return np.asarray(directions[:, ::-1][:, :WORD_DIM], np.float32)


def _spans(weights: PackedWeights, tokenizer: Path, texts: Sequence[str]) -> Floats:
    """(layers, 3 dim + inner): the greatest absolute value of each input channel of the products, in order."""
    model = build_graph(weights, None)
    inputs = []
    for layer in range(weights.layers):
        before = "emb.ln.normal" if layer == 0 else f"l{layer - 1}.oln.normal"
        inputs += [before, f"l{layer}.mixed", f"l{layer}.aln.normal", f"l{layer}.bent"]
    for name in inputs:
        model.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    truncating = open_tokenizer(tokenizer, weights.max_length)
    spans = [np.zeros(1, np.float32)] * len(inputs)
    for text in texts:
        states = session.run(inputs, {"input_ids": np.array([truncating.encode(text).ids], np.int64)})
        spans = [np.maximum(span, np.abs(state[0]).max(axis=0)) for span, state in zip(spans, states, strict=True)]
    count = len(PRODUCTS)
    return np.stack([np.concatenate(spans[start : start + count]) for start in range(0, len(spans), count)])


if __name__ == "__main__":
    main()
