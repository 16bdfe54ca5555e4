"""Make retrieval/multilingual.npz anew: what the multilingual model's states and vectors of many texts are like.

    .venv/bin/python -m tests.fit.multilingual

Read from the fitting articles and questions, multiplied in float32:

- `spans`: the greatest size of each channel that enters one of a layer's products.
- `means`: what all questions and passages of a language have in common.
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
from retrieval.models.conversion.converter import instruction_set
from retrieval.models.encoder import TOKENIZER, Encoded, OnnxEncoder, open_tokenizer, unit_rows
from retrieval.models.manifest import write_manifest
from retrieval.models.multilingual import PRODUCTS, PackedWeights, graph, unpack, weights_path
from retrieval.text.late_interaction import WORD_DIM

Floats = NDArray[np.float32]
HERE = Path(__file__).parent
MEASURED = HERE.parents[1] / "retrieval" / "models" / "multilingual.npz"
SETS = ("arabic-[0-9]*.json", "news-*.json")
SPANNED = 5
"""Every fifth text is enough to see what channels span."""


def main() -> None:
    """Encode the fitting articles and questions as the model itself does and write what they are like."""
    texts = [_texts(pattern) for pattern in SETS]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        manifest = unpack(folder, instruction_set(), exact=True)
        write_manifest(folder, manifest)
        encoder = OnnxEncoder.serve(folder, manifest)
        asked = [[encoder.encode_query(text) for text in questions] for questions, _ in texts]
        read = [list(encoder.encode_passages(passages)) for _, passages in texts]
        means = np.stack([np.stack([*_means(one), *_means(other)]) for one, other in zip(asked, read, strict=True)])
        prompted = [
            prompt + text
            for questions, passages in texts
            for prompt, group in (("query: ", questions), ("passage: ", passages))
            for text in group[::SPANNED]
        ]
        spans = _spans(PackedWeights(weights_path()), folder / TOKENIZER, prompted)
    basis = _basis(zip((*asked, *read), (means[0, 1], means[1, 1], means[0, 3], means[1, 3]), strict=True))
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
    """The WORD_DIM directions of centred token vectors with the greatest second moments, each group counting alike."""
    moment = sum(
        (tokens.T @ tokens / len(tokens))
        for texts, mean in groups
        for tokens in [np.concatenate([unit_rows(text.tokens - mean) for text in texts])]
    )
    _, directions = np.linalg.eigh(np.asarray(moment, np.float64))
    return np.asarray(directions[:, ::-1][:, :WORD_DIM], np.float32)


def _spans(weights: PackedWeights, tokenizer: Path, texts: Sequence[str]) -> Floats:
    """(layers, 3 dim + inner): the greatest size of each channel that enters the products, in their order."""
    made = graph(weights, None)
    entering = []
    for layer in range(weights.layers):
        before = "emb.ln.normal" if layer == 0 else f"l{layer - 1}.oln.normal"
        entering += [before, f"l{layer}.mixed", f"l{layer}.aln.normal", f"l{layer}.bent"]
    for name in entering:
        made.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    session = onnxruntime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
    cut = open_tokenizer(tokenizer, weights.max_length)
    spans = [np.zeros(1, np.float32)] * len(entering)
    for text in texts:
        states = session.run(entering, {"input_ids": np.array([cut.encode(text).ids], np.int64)})
        spans = [np.maximum(span, np.abs(state[0]).max(axis=0)) for span, state in zip(spans, states, strict=True)]
    wide = len(PRODUCTS)
    return np.stack([np.concatenate(spans[start : start + wide]) for start in range(0, len(spans), wide)])


if __name__ == "__main__":
    main()
