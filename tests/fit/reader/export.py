"""A checkpoint to what the product serves: an int8 ONNX with its own word table, and a manifest. Checks and times it.

    python -m tests.fit.reader.export WEIGHTS... --out FOLDER --examples EXAMPLES.pkl

Several files of weights are averaged. The graph takes `ids`, `mask` and `types` (rows, length) and gives `start` and
`end` (rows, length); places that are masked score -10,000.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import pickle
import tempfile
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn

from tests.fit.reader.examples import Example
from tests.fit.reader.model import Reader, load, save

Floats = NDArray[np.float32]
Scores = tuple[Floats, Floats]


class SmallTable(nn.Module):
    """An embedding in 8 bits, with one scale a row."""

    codes: Tensor
    scales: Tensor

    def __init__(self, table: Tensor) -> None:
        super().__init__()
        scales = table.abs().amax(1, keepdim=True).clamp_min(1e-8) / 127
        self.register_buffer("codes", (table / scales).round().to(torch.int8))
        self.register_buffer("scales", scales)

    def forward(self, ids: Tensor) -> Tensor:
        """The rows of `ids`."""
        return self.codes[ids].float() * self.scales[ids]


def as_float(reader: Reader, path: Path) -> None:
    """The graph in float32, but for the word table, which has 8 bits a number."""
    words, reader.words = reader.words, SmallTable(reader.words.weight.detach())  # type: ignore[assignment]
    example = torch.tensor([[101, 2040, 102, 2198, 102], [101, 2040, 102, 102, 0]])
    mask = (example > 0).long()
    names = ["ids", "mask", "types", "start", "end"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            reader.eval(),
            (example, mask, torch.zeros_like(example)),
            str(path),
            input_names=names[:3],
            output_names=names[3:],
            dynamic_axes={name: {0: "rows", 1: "length"} for name in names},
            opset_version=17,
            dynamo=False,
        )
    reader.words = words


def as_int8(graph: Path, out: Path, *, reduced: bool = True) -> None:
    """The graph with its multiplications in 8 bits, a scale a channel; the head, being small, stays as it is.

    `reduced` leaves one bit unused: processors without VNNI add in 16 bits, which else may overflow.
    """
    quantize_dynamic(
        graph,
        out,
        op_types_to_quantize=["MatMul"],
        nodes_to_exclude=["/head/MatMul"],
        per_channel=True,
        reduce_range=reduced,
        weight_type=QuantType.QInt8,
        extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
    )


def session(path: Path, threads: int = 1) -> onnxruntime.InferenceSession:
    """A graph ready to run."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def feeds(examples: Sequence[Example]) -> dict[str, NDArray[np.int64]]:
    """What the graph takes for some examples, filled up to the longest."""
    length = max(len(one.ids) for one in examples)
    ids, mask, types = (np.zeros((len(examples), length), np.int64) for _ in range(3))
    for at, one in enumerate(examples):
        ids[at, : len(one.ids)], mask[at, : len(one.ids)], types[at, one.asked : len(one.ids)] = one.ids, 1, 1
    return {"ids": ids, "mask": mask, "types": types}


def scores(run: onnxruntime.InferenceSession, examples: Sequence[Example]) -> list[Scores]:
    """Start and end scores of each example, read one by one."""
    found = []
    for one in examples:
        start, end = run.run(None, feeds([one]))
        found.append((start[0], end[0]))
    return found


def best_span(start: Floats, end: Floats, first: int, longest: int = 30) -> tuple[int, int, float]:
    """The best span behind position `first`, and by how much it beats "not here"."""
    sums = start[first:-1, None] + end[None, first:-1]
    allowed = np.triu(np.ones_like(sums, dtype=bool)) & ~np.triu(np.ones_like(sums, dtype=bool), longest)
    at = int(np.where(allowed, sums, -np.inf).argmax())
    a, b = divmod(at, sums.shape[1])
    return first + a, first + b, float(sums[a, b] - start[0] - end[0])


def agreement(one: Sequence[Scores], two: Sequence[Scores], examples: Sequence[Example]) -> dict[str, float]:
    """How alike two graphs read: equal best spans, correlation and mean difference of scores, equal decisions."""
    a = [best_span(*pair, example.asked) for pair, example in zip(one, examples, strict=True)]
    b = [best_span(*pair, example.asked) for pair, example in zip(two, examples, strict=True)]
    x, y = np.array([s for _, _, s in a]), np.array([s for _, _, s in b])
    return {
        "same span": float(np.mean([p[:2] == q[:2] for p, q in zip(a, b, strict=True)])),
        "same span where answered": float(np.mean([p[:2] == q[:2] for p, q in zip(a, b, strict=True) if p[2] > 0])),
        "correlation": float(np.corrcoef(x, y)[0, 1]),
        "mean difference": float(np.abs(x - y).mean()),
        "same decision": float(((x > 0) == (y > 0)).mean()),
    }


def milliseconds(path: Path) -> dict[str, float]:
    """How long pairs of some lengths take, the least of three means."""
    rng, found = np.random.default_rng(1), {}
    for threads in (1, 2):
        run = session(path, threads)
        for rows, length in ((1, 100), (1, 160), (1, 200), (8, 100), (8, 160)):
            ids = rng.integers(1000, 20000, (rows, length))
            feed = {"ids": ids, "mask": np.ones_like(ids), "types": np.ones_like(ids)}
            times = []
            for _ in range(4):
                began = time.perf_counter()
                for _ in range(8 if rows == 1 else 2):
                    run.run(None, feed)
                times.append((time.perf_counter() - began) / (8 if rows == 1 else 2) * 1000)
            found[f"{rows} x {length} tokens, {threads} threads"] = round(min(times[1:]), 2)
    return found


def main() -> None:
    """Export, check, time, and write the manifest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--examples", type=Path, required=True)
    parser.add_argument("--facts", type=Path, help="a JSON object that goes into the manifest")
    parser.add_argument("--quick", action="store_true", help="no checks and no times")
    parser.add_argument("--full-range", action="store_true", help="use all 8 bits of weights")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    reader, out = load(*asked.weights), asked.out / "model.onnx"
    facts: dict[str, Any] = json.loads(asked.facts.read_text(encoding="utf-8")) if asked.facts else {}
    with tempfile.TemporaryDirectory() as work:
        as_float(reader, Path(work) / "float.onnx")
        as_int8(Path(work) / "float.onnx", out, reduced=not asked.full_range)
        if not asked.quick:
            with asked.examples.open("rb") as file:
                some = [one for one in pickle.load(file) if one.source != "tweetqa"]
            some = some[:: max(1, len(some) // 300)][:300]
            with torch.inference_mode():
                exact = [_exact(reader, one) for one in some]
            facts["int8 against float32, 300 examples"] = agreement(exact, scores(session(out, 2), some), some)
            facts["milliseconds"] = milliseconds(out)
    save(reader, asked.out / "reader.safetensors")
    files = ("model.onnx", "reader.safetensors")
    facts["sha256"] = {name: hashlib.sha256((asked.out / name).read_bytes()).hexdigest() for name in files}
    facts["bytes"] = out.stat().st_size
    (asked.out / "manifest.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(facts, indent=1))


def _exact(reader: Reader, one: Example) -> Scores:
    fed = {name: torch.from_numpy(value) for name, value in feeds([one]).items()}
    start, end = reader(fed["ids"], None, fed["types"])
    return start[0].numpy(), end[0].numpy()


if __name__ == "__main__":
    main()
