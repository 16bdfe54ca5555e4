"""The rows of the collections: from articles and passages, and back.

Milvus has no type for bytes that Milvus Lite supports too, so bytes are stored as base64 in arrays of strings.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.article import Article, Span
from corpus.storage.entry import article_digest
from retrieval.index.contract import SENTENCE, WORD, PassageRecord, PassageVectors, day_number, outlet_key
from retrieval.milvus.generation import NEVER, Generation
from retrieval.text.late_interaction import WORD_DIM

_STRING_CHARACTERS = 16_000
_PLAIN_TOKEN = re.compile(r"[a-z0-9]{1,64}")
EVIDENCE_FIELDS = ("article", "start", "end", "arabic", "words", "word_vectors", "sentences", "sentence_vectors")
_TERMS_BYTES = 65_000
_NAME_CHARACTERS = 8_000
"""The characters stored of a title or word, which are only shown and sorted by; ids and keys are whole."""
ARTICLE_FIELDS = ("number", "name", "digest", "title", "published", "ready", "content", "nothing")
PASSAGE_FIELDS = (
    *("row", "article", "start", "end", "key", "day", "outlet", "arabic", "terms", "vector"),
    *("folded", "words", "word_vectors", "sentences", "sentence_vectors"),
)


def generation_row(about: Generation) -> dict[str, Any]:
    """The one row of `about`."""
    return {"id": 0, "content": about.to_json(), "nothing": [0.0, 0.0]}


def article_row(number: int, article: Article) -> dict[str, Any]:
    """A row of `articles`, not `ready` yet."""
    content = json.dumps(asdict(article), ensure_ascii=False, separators=(",", ":"))
    return {
        "number": number,
        "name": article.id,
        "digest": article_digest(article).hex(),
        "title": article.title[:_NAME_CHARACTERS],
        "published": article.published or "",
        "ready": False,
        "died": NEVER,
        "content": split_text(content),
        "nothing": [0.0, 0.0],
    }


def passage_row(row: int, number: int, article: Article, one: PassageRecord, terms: Sequence[str]) -> dict[str, Any]:
    """A row of `passages`; `terms` are its index terms."""
    text = " ".join(map(term_token, terms))
    return {
        "row": row,
        "article": number,
        "start": one.span.start,
        "end": one.span.end,
        "key": signed_key(one.key),
        "day": day_number(article.published),
        "outlet": outlet_key(article.source),
        "arabic": bool(one.arabic),
        "died": NEVER,
        "terms": text if len(text) <= _TERMS_BYTES else text[:_TERMS_BYTES].rsplit(" ", 1)[0],
        "vector": one.vectors.passage.tolist(),
        "folded": split_text("\t".join(one.folded)),
        "words": pack_array(one.words),
        "word_vectors": pack_array(one.vectors.words),
        "sentences": pack_array(one.sentences),
        "sentence_vectors": pack_array(one.vectors.sentences),
    }


def term_row(key: int, name: str, count: int) -> dict[str, Any]:
    """A row of `terms`: in how many passages a term or word occurs."""
    return {"key": key, "name": name[:_NAME_CHARACTERS], "count": count, "nothing": [0.0, 0.0]}


def article_from_row(row: Mapping[str, Any]) -> Article:
    """The article of a row of `articles`."""
    return Article(**json.loads("".join(row["content"])))


def folded_words(row: Mapping[str, Any]) -> tuple[str, ...]:
    """The folded words of a row of `passages`."""
    return tuple(word for word in "".join(row["folded"]).split("\t") if word)


def record_from_row(row: Mapping[str, Any], dim: int) -> PassageRecord:
    """The passage record of a row of `passages`."""
    return PassageRecord(
        span=Span(int(row["start"]), int(row["end"])),
        key=int(row["key"]) % (1 << 64),
        folded=folded_words(row),
        words=unpack_array(row["words"], WORD),
        sentences=unpack_array(row["sentences"], SENTENCE),
        arabic=bool(row["arabic"]),
        vectors=PassageVectors(
            passage=np.array(row["vector"], np.float32),
            sentences=unpack_array(row["sentence_vectors"], np.dtype("i1")).reshape(-1, dim),
            words=unpack_array(row["word_vectors"], np.dtype("i1")).reshape(-1, WORD_DIM),
        ),
    )


def term_token(term: str) -> str:
    """An index term as a token that every analyzer leaves unchanged."""
    return term if _PLAIN_TOKEN.fullmatch(term) else f"x{name_key(term):016x}"


def name_key(name: str) -> int:
    """A hash of a name, below 2**63."""
    return int.from_bytes(hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big") >> 1


def signed_key(key: int) -> int:
    """An unsigned 64-bit integer as a signed one, the only kind Milvus has."""
    return key - (1 << 64) if key >= 1 << 63 else key


def pack_array(array: NDArray[Any]) -> list[str]:
    """An array's bytes as base64 strings."""
    return split_text(base64.b64encode(np.ascontiguousarray(array).tobytes()).decode())


def unpack_array(parts: Sequence[str], dtype: np.dtype[Any]) -> NDArray[Any]:
    """The flat array that `pack_array` encoded."""
    return np.frombuffer(base64.b64decode("".join(parts)), dtype)


def split_text(text: str) -> list[str]:
    """A text in parts that fit into a Milvus string of 65,535 bytes."""
    return [text[start : start + _STRING_CHARACTERS] for start in range(0, len(text), _STRING_CHARACTERS)]
