"""The ONNX graph of multilingual-e5-small, built from the package's 4-bit weights.

Words are looked up in those 4 bits. Matrices become 8 bits, one scale a column, which is twice as fast here as
multiplying in 4.

A few channels of this model's states are far larger than the others, which would take the 8 bits that a text's states
are multiplied in. So each channel is divided by what it usually spans and its weights multiplied by the same
(SmoothQuant, Xiao et al. 2023): centred token vectors have a cosine of .996 with float32's, without it .982.
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

_SMOOTHING = 0.7  # SmoothQuant's alpha, equation 4: the share of the difficulty that goes from states to weights
PRODUCTS = ("qkv", "ao", "fi", "fo")
"""A layer's products: queries, keys and values; attention's output; into the wide states; out of them."""
_MICROSOFT = "com.microsoft"


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
            block_size=BLOCK,
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
