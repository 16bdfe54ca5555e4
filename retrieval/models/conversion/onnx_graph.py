"""ONNX graphs of sentence-transformers models: exported, quantised for this machine, and fused."""

from __future__ import annotations

import platform
import shutil
from pathlib import Path
from typing import Literal

from retrieval.errors import ModelError
from retrieval.models.conversion.torch_models import ModelClass, load_model
from retrieval.models.encoder import TOKENIZER

InstructionSet = Literal["avx512_vnni", "avx512", "avx2", "arm64"]


def instruction_set() -> InstructionSet:
    """The widest integer instructions of this processor for which the exporter has settings."""
    if platform.machine().lower() in {"arm64", "aarch64"}:
        return "arm64"
    try:
        flags = set(Path("/proc/cpuinfo").read_text(encoding="utf-8").split())
    except OSError:
        return "avx2"
    if "avx512_vnni" in flags:
        return "avx512_vnni"
    return "avx512" if "avx512f" in flags else "avx2"


def export_graph(path: str, model_class: ModelClass, folder: Path) -> Path:
    """Export a model with sentence-transformers' ONNX backend and copy its tokenizer into the folder.

    Returns:
        The path of the graph, in a subfolder.

    Raises:
        ModelError: the model cannot be loaded or has no fast tokenizer.
    """
    exported = load_model(
        path, model_class, backend="onnx", model_kwargs={"export": True, "provider": "CPUExecutionProvider"}
    )
    exported.save_pretrained(str(folder / "export"))
    tokenizer = folder / "export" / "tokenizer.json"
    if not tokenizer.is_file():
        raise ModelError("it has no fast tokenizer")
    shutil.copyfile(tokenizer, folder / TOKENIZER)
    return folder / "export" / "onnx" / "model.onnx"


def quantise_graph(graph: Path, model_class: ModelClass, isa: InstructionSet) -> Path:
    """Write a copy of an exported graph with its weights as 8-bit integers; returns the copy's path."""
    import onnx
    from optimum.onnxruntime.configuration import AutoQuantizationConfig
    from sentence_transformers.backend import export_dynamic_quantized_onnx_model

    export = graph.parent.parent
    exported_graph = onnx.load(graph, load_external_data=False).graph
    weights = {weight.name for weight in exported_graph.initializer}
    attention = [
        node.name for node in exported_graph.node if node.op_type == "MatMul" and not weights & set(node.input)
    ]
    # One scale per channel gives cosines of .994 with the original; one scale per matrix gives .950. The products of
    # activations in attention stay float32: in int8 they are no faster and cost another .001.
    settings = getattr(AutoQuantizationConfig, isa)(is_static=False, per_channel=True, nodes_to_exclude=attention)
    load_options = {"file_name": "onnx/model.onnx", "provider": "CPUExecutionProvider"}
    exported = load_model(str(export), model_class, backend="onnx", model_kwargs=load_options)
    export_dynamic_quantized_onnx_model(exported, settings, str(export), file_suffix="int8")
    return export / "onnx" / "model_int8.onnx"


def fuse_graph(graph: Path, target: Path) -> None:
    """Apply onnxruntime's own fusions once and save the result: a session on it opens in half the time."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # The next level up makes a graph that runs only on the kind of machine it was made on.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(target)
    options.log_severity_level = 3
    # In onnxruntime 1.32 the fused operator takes six times as long as the addition and normalisation it replaces,
    # a tenth of a passage's time.
    unwanted = ["SkipLayerNormFusion"]
    onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"], disabled_optimizers=unwanted)
