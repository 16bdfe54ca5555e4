"""Question-answering models of the SQuAD 2.0 form, which mark a span or say "not here", to what `reader` serves.

torch is imported only when a model is converted.
"""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.checksums import sha256_of
from retrieval.errors import ModelError
from retrieval.models.conversion.export import Progress, library_versions
from retrieval.models.conversion.onnx_graph import InstructionSet, fuse_graph, instruction_set
from retrieval.models.conversion.parity import compare_scores, is_close_enough, parity_texts
from retrieval.models.conversion.torch_models import one_line
from retrieval.models.encoder import GRAPH, TOKENIZER
from retrieval.models.manifest import ModelManifest, Parity, write_manifest
from retrieval.models.reader import OnnxReader, Reading

MAX_LENGTH = 384
"""A reader reads at most so many tokens, whatever its positions allow: what models of this form were trained on."""

_LONGEST = 30


def is_question_answering(path: str, *, required: bool) -> bool:
    """Whether a model marks answers in texts.

    Args:
        path: A folder or a name on the hub.
        required: Raise an error where it does not.

    Raises:
        ModelError: it is required to and does not, or cannot be read.
    """
    try:
        from transformers import AutoConfig

        architecture = ", ".join(AutoConfig.from_pretrained(path).architectures or ["unknown"])
    except Exception as exc:  # hub and configuration errors have no common base
        if not required:
            return False
        raise ModelError(f"cannot load {path} as a question-answering model: {one_line(exc)}") from exc
    found = architecture.endswith("ForQuestionAnswering")
    if required and not found:
        raise ModelError(f"{path} is no question-answering model: its architecture is {architecture}")
    return found


class ReaderExport:
    """Exports one question-answering model into a folder."""

    def __init__(self, *, name: str, source: str, source_sha256: str, path: str, folder: Path) -> None:
        self.name = name
        self.source = source
        self.source_sha256 = source_sha256
        self.path = path
        self.folder = folder

    def run(self, progress: Progress) -> ModelManifest:
        """Export, quantise and compare with the original.

        Returns:
            The manifest: of the 8-bit graph where it is close enough to the original, otherwise of the float32 graph.

        Raises:
            ModelError: the model cannot be loaded or exported, or neither graph is close enough.
        """
        progress(0.2, "loading transformers")
        model, tokenizer = _load(self.path)
        # A tokenizer that does not know its model's length says 1e30.
        max_length = min(
            MAX_LENGTH, int(tokenizer.model_max_length), int(getattr(model.config, "max_position_embeddings", 512))
        )
        progress(0.3, "exporting to ONNX")
        try:
            exported = _export(self.path, self.folder / "export")
        except Exception as exc:  # the exporters raise bare Exception, RuntimeError, ValueError, KeyError and more
            raise ModelError(f"{self.source} could not be exported ({one_line(exc)})") from exc
        if not (self.folder / "export" / TOKENIZER).is_file():
            raise ModelError(f"{self.source} has no fast tokenizer")
        shutil.copyfile(self.folder / "export" / TOKENIZER, self.folder / TOKENIZER)
        progress(0.55, "running the parity texts through transformers")
        measure_parity = self._parity_check(model, tokenizer, max_length)
        isa, reason = instruction_set(), ""
        progress(0.65, f"quantising for {isa}")
        for precision in (f"int8-{isa}", "float32"):
            try:
                graph = exported if precision == "float32" else _quantised(exported, isa)
                fuse_graph(graph, self.folder / GRAPH)
                progress(0.8, f"checking {precision} against transformers")
                write_manifest(self.folder, self._manifest(precision, max_length))
                parity = measure_parity()
            except Exception as exc:  # quantisers and sessions raise anything too
                reason = f"{precision} refused: {one_line(exc)}"
                continue
            if is_close_enough(parity):
                shutil.rmtree(self.folder / "export")
                return self._manifest(precision, max_length, parity=parity, note=reason)
            reason = (
                f"{precision} refused: parity {parity.mean:.4f}, least {parity.least:.4f}, ranking {parity.ranking:.4f}"
            )
        raise ModelError(f"{self.source} cannot be served by onnxruntime: {reason}")

    def _parity_check(self, model: Any, tokenizer: Any, max_length: int) -> Callable[[], Parity]:
        """Read the parity texts with the original; the function returned compares the graph in the folder with it."""
        questions, passages = parity_texts()
        expected = np.stack([_original_scores(model, tokenizer, text, passages, max_length) for text in questions])

        def measure_parity() -> Parity:
            reader = OnnxReader.open(self.folder)
            return compare_scores(expected, np.stack([_scores(reader.read(text, passages)) for text in questions]))

        return measure_parity

    def _manifest(
        self, precision: str, max_length: int, *, parity: Parity | None = None, note: str = ""
    ) -> ModelManifest:
        return ModelManifest(
            name=self.name,
            source=self.source,
            source_sha256=self.source_sha256,
            backend="onnx",
            precision=precision,
            files={file: sha256_of(self.folder / file) for file in (GRAPH, TOKENIZER)},
            pooling="span",
            normalised=False,
            max_length=max_length,
            query_prompt="",
            passage_prompt="",
            dim=2,
            parity=parity,
            made_with=library_versions("transformers", "torch", "optimum-onnx", "onnxruntime"),
            note=note,
        )


def _load(path: str) -> tuple[Any, Any]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from transformers import AutoModelForQuestionAnswering, AutoTokenizer

            model = AutoModelForQuestionAnswering.from_pretrained(path).eval()
            return model, AutoTokenizer.from_pretrained(path, use_fast=True)  # type: ignore[no-untyped-call]
    except Exception as exc:  # hub, configuration and weight errors have no common base
        raise ModelError(f"cannot load {path} as a question-answering model: {one_line(exc)}") from exc


def _export(path: str, folder: Path) -> Path:
    """The graph in float32; graph and tokenizer go into the folder."""
    from optimum.onnxruntime import ORTModelForQuestionAnswering
    from transformers import AutoTokenizer

    ORTModelForQuestionAnswering.from_pretrained(path, export=True).save_pretrained(folder)
    AutoTokenizer.from_pretrained(path, use_fast=True).save_pretrained(folder)  # type: ignore[no-untyped-call]
    return folder / "model.onnx"


def _quantised(graph: Path, isa: InstructionSet) -> Path:
    """A copy with weights of 8 bits, one scale a channel; attention's products of activations stay float32."""
    import onnx
    from optimum.onnxruntime import ORTQuantizer
    from optimum.onnxruntime.configuration import AutoQuantizationConfig

    exported = onnx.load(graph, load_external_data=False).graph
    weights = {weight.name for weight in exported.initializer}
    attention = [node.name for node in exported.node if node.op_type == "MatMul" and not weights & set(node.input)]
    settings = getattr(AutoQuantizationConfig, isa)(is_static=False, per_channel=True, nodes_to_exclude=attention)
    quantizer = ORTQuantizer.from_pretrained(graph.parent, file_name=graph.name)
    quantizer.quantize(quantization_config=settings, save_dir=graph.parent / "int8", file_suffix="int8")
    return graph.parent / "int8" / "model_int8.onnx"


def _original_scores(
    model: Any, tokenizer: Any, question: str, passages: Sequence[str], max_length: int
) -> NDArray[np.float32]:
    import torch

    readings = []
    for passage in passages:
        pair = tokenizer(question, passage, truncation="only_second", max_length=max_length, return_tensors="pt")
        own = np.array([number == 1 for number in pair.sequence_ids(0)], np.bool_)
        with torch.inference_mode():
            output = model(**pair)
        starts, ends = output.start_logits[0].numpy(), output.end_logits[0].numpy()
        empty = np.zeros((int(own.sum()), 2), np.int32)
        readings.append(Reading(starts[own], ends[own], empty, float(starts[0]) + float(ends[0])))
    return _scores(readings)


def _scores(readings: Sequence[Reading]) -> NDArray[np.float32]:
    """By how much the best span of each reading exceeds "not here", (n,)."""
    scores = []
    for reading in readings:
        sums = reading.starts[:, None] + reading.ends[None, :]
        allowed = np.triu(np.tri(len(sums), k=_LONGEST - 1, dtype=np.bool_))
        scores.append(float(sums[allowed].max(initial=-np.inf)) - reading.absent)
    return np.array(scores, np.float32)
