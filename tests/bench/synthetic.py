"""A synthetic archive of any size: articles and their vectors, the same every time.

- Texts: words are drawn one by one from those of the invented news of tests/fit, as often as they occur there, numbers
  and capitals included; one in fifty is a made-up word, the r-th of these drawn in proportion to 1 / r, so that the
  vocabulary goes on growing as that of real archives does (Heaps 1978). Sentences have 8 to 28 words, articles 5
  passages, dates are spread over ten years, outlets are forty.
- Vectors: no model encodes these texts. A passage's vector is a real embedding (of a passage or a sentence of the
  invented news) moved towards two others and by noise, scaled to length one; a token's is one of the real token
  vectors, the same for the same word, moved towards its passage. Questions are real ones, encoded by the real model.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import zlib
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from corpus.article import Article
from corpus.text.split import WORDS
from retrieval.models.encoder import Encoded, OnnxEncoder, unit_rows

ROOT = Path(__file__).resolve().parents[2]
DATA = sorted((ROOT / "tests" / "fit" / "data").glob("news-*.json"))
PASSAGES = 5
OUTLETS = 40
RARE = 2_000_000
_WORD = re.compile(r"\w+")


@cache
def squad() -> list[dict[str, Any]]:
    return [article for path in DATA for article in json.loads(path.read_text(encoding="utf-8"))["data"]]


def texts() -> list[str]:
    return [p["context"] for article in squad() for p in article["paragraphs"] if p["context"]]


def questions() -> list[str]:
    return [qa["question"] for article in squad() for p in article["paragraphs"] for qa in p["qas"]]


@cache
def tokens() -> list[str]:
    return [word for text in texts() for word in text.replace(".", " ").split()]


def article(number: int) -> Article:
    """The article with this number."""
    draw = np.random.default_rng(number)
    words = tokens()
    count = PASSAGES * WORDS - 40
    drawn = [words[at] for at in draw.integers(0, len(words), count).tolist()]
    for at in draw.integers(0, count, count // 50).tolist():
        drawn[at] = _rare(int(RARE ** draw.random()))
    sentences, start = [], 0
    while start < count:
        size = int(draw.integers(8, 29))
        sentence = " ".join(drawn[start : start + size])
        sentences.append(sentence[0].upper() + sentence[1:] + ".")
        start += size
    day = dt.date(2016, 1, 1) + dt.timedelta(days=int(draw.integers(0, 3650)))
    return Article(
        id=f"scale-{number:07d}",
        title=" ".join(words[at] for at in draw.integers(0, len(words), 7).tolist()),
        text=" ".join(sentences),
        source=f"Outlet {number % OUTLETS}",
        published=day.isoformat(),
        language="en",
    )


def _rare(rank: int) -> str:
    """The made-up word with this frequency rank."""
    syllables = ["ka", "lo", "mi", "nu", "re", "sa", "to", "vi", "ze", "dra", "gel", "mon", "pri", "sta", "vor", "thu"]
    word = ""
    while rank or not word:
        rank, at = divmod(rank, len(syllables))
        word += syllables[at]
    return word.capitalize()


class SyntheticEncoder:
    """Random vectors near real embeddings, with the fingerprint of the model that made those."""

    def __init__(self, model: OnnxEncoder) -> None:
        self._model = model
        parts = [part for text in texts() for part in (text, *(text.split(". ")))]
        encoded = list(model.encode_passages(parts))
        self._pool = np.stack([one.vector for one in encoded])
        self._mean = self._pool.mean(axis=0)
        self._tokens = np.concatenate([one.tokens for one in encoded])[:16384]

    @property
    def dim(self) -> int:
        return self._model.dim

    @property
    def fingerprint(self) -> str:
        return self._model.fingerprint

    @property
    def multilingual(self) -> bool:
        return self._model.multilingual

    def encode_query(self, text: str) -> Encoded:
        return self._model.encode_query(text)

    def encode_passages(self, texts: Sequence[str]) -> Iterator[Encoded]:
        return map(self._draw, texts)

    def _draw(self, text: str) -> Encoded:
        draw = np.random.default_rng(zlib.crc32(text.encode()))
        near, other, third = self._pool[draw.integers(0, len(self._pool), 3)]
        noise = draw.standard_normal(self.dim, np.float32) * np.float32(0.25 / np.sqrt(self.dim))
        vector = unit_rows(
            near + np.float32(0.6) * (other - self._mean) + np.float32(0.3) * (third - self._mean) + noise
        )
        words = [match.span() for match in _WORD.finditer(text)]
        rows = [zlib.crc32(text[start:end].lower().encode()) % len(self._tokens) for start, end in words]
        made = unit_rows(self._tokens[rows] + np.float32(0.4) * vector)
        return Encoded(vector, made, np.array(words, np.int32).reshape(-1, 2))
