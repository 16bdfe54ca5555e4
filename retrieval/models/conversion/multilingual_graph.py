"""The ONNX graph of multilingual-e5-small, built from the package's 4-bit weights.

Word embeddings stay in 4 bits. Weight matrices become 8 bits with one scale per column, which runs twice as fast here
as 4 bits do.

A few channels of this model's hidden states are far larger than the others and would leave these hardly any of the 8
bits that a text's states are quantised to. So each channel is divided by its usual range and its weights are multiplied
by the same number (SmoothQuant, Xiao et al. 2023): centred token vectors then have a cosine of .996 with float32's,
without it .982.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from retrieval.errors import ModelError
from retrieval.models.conversion.multilingual_weights import BLOCK, PackedWeights, QuantisedMatrix
from retrieval.models.manifest import MULTILINGUAL

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto

_SMOOTHING = 0.7  # SmoothQuant's alpha, equation 4: how much of the range moves from states to weights
PRODUCTS = ("qkv", "ao", "fi", "fo")
"""A layer's matrix products: queries, keys and values; attention output; feed-forward in; feed-forward out."""
_MICROSOFT = "com.microsoft"


def build_graph(weights: PackedWeights, largest: int | None, spans: NDArray[np.float32] | None = None) -> ModelProto:
    """The BERT encoder as one ONNX graph: (1, t) int64 `input_ids` to (1, t, dim) float32 `states`.

    Args:
        weights: The package's weights.
        largest: The largest integer that a weight may become; with None, products are in float32.
        spans: (layers, 3 dim + inner), the greatest absolute value of each input channel of a layer's four products, in
            the order of `PRODUCTS`; needed where weights become integers.

    Raises:
        ModelError: onnx is not installed.
    """
    try:
        from onnx import TensorProto, helper
    except ImportError as exc:
        raise ModelError(f"onnx is not installed ({exc}); `pip install 'newsquote[multilingual]'`") from exc
    builder = _GraphBuilder(weights, largest, spans)
    states = builder.embeddings()
    for number in range(weights.layers):
        states = builder.layer(number, states)
    builder.add("Identity", [states], "states")
    shape = ["batch", "length"]
    body = helper.make_graph(
        builder.nodes,
        MULTILINGUAL,
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, shape)],
        [helper.make_tensor_value_info("states", TensorProto.FLOAT, [*shape, weights.dim])],
        builder.constants,
    )
    return helper.make_model(
        body, ir_version=10, opset_imports=[helper.make_opsetid("", 20), helper.make_opsetid(_MICROSOFT, 1)]
    )


class _GraphBuilder:
    """Collects the nodes and constants of the graph; every method that adds an operator returns its output's name."""

    def __init__(self, weights: PackedWeights, largest: int | None, spans: NDArray[np.float32] | None) -> None:
        self.weights = weights
        self.largest = largest
        self.spans = spans
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def add(self, operator: str, inputs: list[str], output: str, domain: str = "", **settings: int | float) -> str:
        """Add an operator with one output."""
        from onnx import helper

        node = helper.make_node(operator, inputs, [output], domain=domain)
        node.attribute.extend(helper.make_attribute(name, value) for name, value in settings.items())
        self.nodes.append(node)
        return output

    def constant(self, name: str, values: NDArray[np.generic]) -> str:
        """Add a constant; returns its name."""
        from onnx import numpy_helper

        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def embeddings(self) -> str:
        """Word embeddings, looked up in 4 bits, plus position embeddings; every token has the first token type."""
        from onnx import TensorProto, helper

        weights = self.weights
        words = weights.matrix("emb.word", weights.dim)
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
            block_size=BLOCK,
        )
        positions = weights.vector("emb.pos").reshape(-1, weights.dim) + weights.vector("emb.type")[: weights.dim]
        self.constant("places", positions)
        for name, value in (("zero", 0), ("one", 1)):
            self.constant(name, np.array([value], np.int64))
        self.add("Shape", ["input_ids"], "length", start=1, end=2)
        self.add("Slice", ["places", "zero", "length", "zero"], "placed")
        return self.layer_norm("emb.ln", self.add("Add", [looked_up, "placed"], "embedded"))

    def layer(self, number: int, states: str) -> str:
        """One transformer layer: attention and feed-forward, each with its residual and normalisation."""
        weights = self.weights
        prefix = f"l{number}"
        parts = [weights.matrix(f"{prefix}.{part}.w", weights.dim) for part in "qkv"]
        joined = QuantisedMatrix(3 * weights.dim, weights.dim, np.concatenate([part.blocks for part in parts]))
        biases = np.concatenate([weights.vector(f"{prefix}.{part}.b") for part in "qkv"])
        product = self.linear(f"{prefix}.qkv", states, joined, biases)
        outputs = [f"{prefix}.{part}" for part in "qkv"]
        self._split(product, outputs)
        mixed = self.add("MultiHeadAttention", outputs, f"{prefix}.mixed", _MICROSOFT, num_heads=weights.heads)
        out = self.linear(
            f"{prefix}.ao", mixed, weights.matrix(f"{prefix}.ao.w", weights.dim), weights.vector(f"{prefix}.ao.b")
        )
        states = self.layer_norm(f"{prefix}.aln", self.add("Add", [states, out], f"{prefix}.attended"))
        wide = self.linear(
            f"{prefix}.fi", states, weights.matrix(f"{prefix}.fi.w", weights.dim), weights.vector(f"{prefix}.fi.b")
        )
        bent = self.add("Gelu", [wide], f"{prefix}.bent")
        out = self.linear(
            f"{prefix}.fo", bent, weights.matrix(f"{prefix}.fo.w", weights.inner), weights.vector(f"{prefix}.fo.b")
        )
        return self.layer_norm(f"{prefix}.oln", self.add("Add", [states, out], f"{prefix}.done"))

    def _split(self, product: str, outputs: list[str]) -> None:
        from onnx import helper

        self.nodes.append(helper.make_node("Split", [product], outputs, axis=-1, num_outputs=len(outputs)))

    def linear(self, name: str, states: str, matrix: QuantisedMatrix, bias: NDArray[np.float32]) -> str:
        """States times a weight matrix, plus a bias."""
        values = matrix.values.T
        bias_name = self.constant(f"{name}.bias", bias)
        if self.largest is None or self.spans is None:
            multiplied = self.add("MatMul", [states, self.constant(f"{name}.w", values)], f"{name}.multiplied")
            return self.add("Add", [multiplied, bias_name], f"{name}.product")
        divisors = self.smoothing_divisors(name, values)
        states = self.add("Mul", [states, self.constant(f"{name}.divisor", 1 / divisors)], f"{name}.smooth")
        values = values * divisors[:, None]
        scales = np.abs(values).max(axis=0) / self.largest
        integers = self.constant(f"{name}.w", np.round(values / scales).astype(np.int8))
        scale = self.constant(f"{name}.scales", scales)
        return self.add(
            "DynamicQuantizeMatMul", [states, integers, scale, "", bias_name], f"{name}.product", _MICROSOFT
        )

    def smoothing_divisors(self, name: str, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """The divisor of each input channel of a product, (n,) float32; `values` is its weight matrix (n, m)."""
        assert self.spans is not None
        layer, product = int(name.split(".")[0][1:]), PRODUCTS.index(name.split(".")[1])
        start = product * self.weights.dim
        spans = np.maximum(self.spans[layer, start : start + len(values)], np.float32(1e-3))
        weight_ranges = np.maximum(np.abs(values).max(axis=1), np.float32(1e-6))
        return np.asarray(spans**_SMOOTHING / weight_ranges ** (1 - _SMOOTHING), np.float32)

    def layer_norm(self, name: str, states: str) -> str:
        """States normalised to mean zero and variance one, then scaled and shifted."""
        scale = self.constant(f"{name}.scale", self.weights.vector(f"{name}.w"))
        shift = self.constant(f"{name}.shift", self.weights.vector(f"{name}.b"))
        return self.add("LayerNormalization", [states, scale, shift], f"{name}.normal", epsilon=self.weights.epsilon)
