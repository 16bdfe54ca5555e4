from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from retrieval.errors import ModelError
from retrieval.models.encoder import OnnxEncoder
from retrieval.models.loading import open_encoder
from retrieval.models.manifest import ModelManifest, read_manifest, write_manifest
from retrieval.models.multilingual import MultilingualEncoder
from retrieval.text.late_interaction import WORD_DIM

PASSAGES = [
    "Metro opens\nThe second metro line opened on Sunday, two years late. A ticket costs half a dinar.",
    "محاكمة\nقضت المحكمة بسجن مدير المصرف السابق ثماني سنوات بعد إدانته بالاختلاس.",
    "Cup final\nThe goalkeeper saved two penalties and the sailors won the cup for the sixth time.",
    "بحيرة\nنفقت آلاف الأسماك في البحيرة بسبب مياه مصنع للدباغة.",
]


def test_the_basis_of_word_vectors_is_orthonormal(multilingual_encoder: MultilingualEncoder) -> None:
    basis = multilingual_encoder.encode_query("متى افتُتح خط المترو؟").basis
    assert basis is not None
    assert basis.shape == (multilingual_encoder.dim, WORD_DIM)
    assert np.allclose(basis.T @ basis, np.eye(WORD_DIM), atol=1e-3)


@pytest.mark.parametrize(
    ("question", "passage"),
    [
        ("كم ثمن تذكرة المترو؟", 0),
        ("How long must the former bank director stay in prison?", 1),
        ("أي فريق فاز بالكأس في كرة القدم؟", 2),
        ("Why did thousands of fish die in the lake?", 3),
        ("لماذا ماتت الأسماك؟", 3),
    ],
)
def test_a_question_finds_its_passage_in_either_language(
    multilingual_encoder: MultilingualEncoder, question: str, passage: int
) -> None:
    passages = np.stack([encoded.vector for encoded in multilingual_encoder.encode_passages(PASSAGES)])
    assert int(np.argmax(passages @ multilingual_encoder.encode_query(question).vector)) == passage


def test_a_texts_vectors_depend_on_that_text_alone(multilingual_encoder: MultilingualEncoder) -> None:
    together = list(multilingual_encoder.encode_passages(PASSAGES))
    for text, expected in zip(PASSAGES, together, strict=True):
        alone = next(iter(multilingual_encoder.encode_passages([text])))
        assert np.array_equal(alone.vector, expected.vector)
        assert np.array_equal(alone.tokens, expected.tokens)


def test_tokens_are_unit_rows_with_their_offsets_in_the_text(multilingual_encoder: MultilingualEncoder) -> None:
    encoded = multilingual_encoder.encode_query("متى افتُتح خط المترو؟")
    assert encoded.tokens.shape == (len(encoded.offsets), multilingual_encoder.dim)
    assert np.allclose(np.linalg.norm(encoded.tokens, axis=1), 1, atol=1e-5)
    assert np.isclose(np.linalg.norm(encoded.vector), 1, atol=1e-5)
    text = "متى افتُتح خط المترو؟"
    assert "".join(text[start:end] for start, end in encoded.offsets) == text.replace(" ", "")


def test_unrelated_passages_have_low_cosines(multilingual_encoder: MultilingualEncoder) -> None:
    vectors = np.stack([encoded.vector for encoded in multilingual_encoder.encode_passages(PASSAGES)])
    assert (vectors @ vectors.T)[~np.eye(len(PASSAGES), dtype=bool)].max() < 0.4


@pytest.mark.parametrize(
    "text", ["", "12 345", "新しい地下鉄", "\ud800"], ids=["empty", "digits", "kanji", "surrogate"]
)
def test_any_text_can_be_encoded(multilingual_encoder: MultilingualEncoder, text: str) -> None:
    assert np.isfinite(multilingual_encoder.encode_query(text).vector).all()


def test_open_encoder_opens_it(multilingual_dir: Path) -> None:
    encoder = open_encoder(multilingual_dir)
    assert isinstance(encoder, MultilingualEncoder)
    assert encoder.multilingual
    assert OnnxEncoder.from_manifest(multilingual_dir, encoder.manifest).multilingual
    assert encoder.fingerprint == read_manifest(multilingual_dir).fingerprint


def test_another_model_cannot_be_opened_as_this_one(tmp_path: Path) -> None:
    write_manifest(
        tmp_path,
        ModelManifest(
            name="other",
            source="other",
            source_sha256="",
            backend="onnx",
            precision="float32",
            files={},
            pooling="mean",
            normalised=True,
            max_length=256,
            query_prompt="",
            passage_prompt="",
            dim=4,
            parity=None,
            made_with={},
        ),
    )
    with pytest.raises(ModelError, match="other is served by onnx"):
        MultilingualEncoder.open(tmp_path)
