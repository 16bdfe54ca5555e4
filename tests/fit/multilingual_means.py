"""Make retrieval/multilingual.npy anew: what all questions and passages of a language have in common.

Run from the repository: python -m tests.fit.multilingual_means MODEL_FOLDER
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from corpus.article import Article
from corpus.split import split_article
from retrieval.encoder import Encoded, OnnxEncoder
from retrieval.models import read_manifest

DATA = Path(__file__).with_name("data")
SETS = (("arabic-1",), ("news-1", "news-2", "news-3"))


def main() -> None:
    """Encode the fitting articles and questions as the model itself does and write the means."""
    folder = Path(sys.argv[1])
    encoder = OnnxEncoder.serve(folder, read_manifest(folder))
    means = np.stack([_language(encoder, names) for names in SETS])
    np.save(Path(__file__).parents[2] / "retrieval" / "multilingual.npy", means)


def _language(encoder: OnnxEncoder, names: tuple[str, ...]) -> NDArray[np.float32]:
    questions: list[str] = []
    passages: list[str] = []
    for name in names:
        for number, record in enumerate(json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))["data"]):
            text = "\n\n".join(paragraph["context"] for paragraph in record["paragraphs"])
            article = Article(id=str(number), title=record["title"], text=text)
            passages += [f"{article.title}\n{passage.text}" for passage in split_article(article)]
            questions += [qa["question"] for paragraph in record["paragraphs"] for qa in paragraph["qas"]]
    return np.stack(
        [*_means(map(encoder.encode_query, questions)), *_means(encoder.encode_passages(passages))],
    )


def _means(texts: Iterable[Encoded]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    pairs = [(encoded.vector, encoded.tokens.mean(axis=0)) for encoded in texts]
    return np.mean([vector for vector, _ in pairs], axis=0), np.mean([token for _, token in pairs], axis=0)


if __name__ == "__main__":
    main()
