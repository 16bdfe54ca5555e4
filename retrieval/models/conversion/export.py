"""The export of one loaded model to ONNX: in 8 bits where that is close enough, in float32, or not at all."""

from __future__ import annotations

import importlib.metadata
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from retrieval.checksums import sha256_of
from retrieval.errors import ModelError
from retrieval.models.conversion.onnx_graph import export_graph, fuse_graph, instruction_set, quantise_graph
from retrieval.models.conversion.parity import compare, compare_scores, is_close_enough, parity_texts
from retrieval.models.conversion.torch_models import ModelClass, cross_encoder_scores, one_line
from retrieval.models.encoder import GRAPH, TOKENIZER, OnnxEncoder, unit_rows
from retrieval.models.manifest import ModelManifest, Parity, write_manifest
from retrieval.models.reranker import OnnxReranker

if TYPE_CHECKING:
    from retrieval.models.encoder import Encoder

Progress = Callable[[float, str], None]


class SentenceTransformerExport:
    """Exports one loaded SentenceTransformer into a folder."""

    model_class: ModelClass = "SentenceTransformer"

    def __init__(
        self,
        *,
        name: str,
        source: str,
        source_sha256: str,
        path: str,
        folder: Path,
        model: Any,
        query_prompt: str,
        passage_prompt: str,
    ) -> None:
        self.name = name
        self.source = source
        self.source_sha256 = source_sha256
        self.path = path
        self.folder = folder
        self.model = model
        self.query_prompt = query_prompt
        self.passage_prompt = passage_prompt

    def run(self, progress: Progress) -> ModelManifest:
        """Export, quantise and compare with the original.

        Returns:
            The manifest: of the 8-bit graph where it is close enough to the original, otherwise of the float32 graph,
            otherwise of the original, which sentence-transformers then serves.
        """
        obstacle = self.obstacle()
        if obstacle:
            return self._keep_original(obstacle)
        progress(0.3, "exporting to ONNX")
        try:
            exported = export_graph(self.path, self.model_class, self.folder)
        except Exception as exc:  # the exporters raise bare Exception, RuntimeError, ValueError, KeyError and more
            return self._keep_original(f"it could not be exported ({one_line(exc)})")
        progress(0.55, "running the parity texts through sentence-transformers")
        measure_parity = self.parity_check()
        isa = instruction_set()
        progress(0.65, f"quantising for {isa}")
        reason = ""
        for precision in (f"int8-{isa}", "float32"):
            try:
                graph = exported if precision == "float32" else quantise_graph(exported, self.model_class, isa)
                fuse_graph(graph, self.folder / GRAPH)
                progress(0.8, f"checking {precision} against sentence-transformers")
                manifest = self._manifest("onnx", precision, note=reason)
                write_manifest(self.folder, manifest)
                parity = measure_parity()
            except Exception as exc:  # quantisers and sessions raise anything too
                reason = f"{precision} refused: {one_line(exc)}"
                continue
            if is_close_enough(parity):
                self._clear(keep={GRAPH, TOKENIZER})
                return self._manifest("onnx", precision, parity=parity, note=reason)
            reason = (
                f"{precision} refused: parity {parity.mean:.4f}, least {parity.least:.4f}, ranking {parity.ranking:.4f}"
            )
        return self._keep_original(reason)

    def obstacle(self) -> str:
        """Why onnxruntime and numpy cannot serve the model's modules; empty if they can."""
        names = [type(module).__name__ for module in self.model]
        if names[:2] != ["Transformer", "Pooling"] or any(name != "Normalize" for name in names[2:]):
            return f"its modules are {', '.join(names)}"
        pooling = self.model[1]
        if pooling.pooling_mode not in ("mean", "cls"):
            return f"it pools by {pooling.pooling_mode}"
        if not pooling.include_prompt:
            return "it leaves its prompt out of pooling"
        return ""

    def parity_check(self) -> Callable[[], Parity]:
        """Encode the parity texts with the original; the function returned compares the exported graph with it."""
        questions, passages = parity_texts()
        query_vectors = _normalised(self.model.encode(questions, prompt=self.query_prompt, show_progress_bar=False))
        passage_vectors = _normalised(self.model.encode(passages, prompt=self.passage_prompt, show_progress_bar=False))

        def measure_parity() -> Parity:
            encoder = OnnxEncoder.open(self.folder)
            return compare(query_vectors, passage_vectors, *encoded_vectors(encoder, questions, passages))

        return measure_parity

    def output_format(self, *, onnx: bool) -> tuple[Literal["mean", "cls", "own", "score"], bool, int]:
        """How the model pools, whether it normalises its vectors itself, and their dimension."""
        pooling: Literal["mean", "cls", "own"] = "own"
        if onnx:
            pooling = "cls" if self.model[1].pooling_mode == "cls" else "mean"
        ends_normalised = type(list(self.model)[-1]).__name__ == "Normalize"
        return pooling, ends_normalised, int(self.model.get_embedding_dimension() or 0)

    def _keep_original(self, reason: str) -> ModelManifest:
        self._clear(keep=set())
        return self._manifest("sentence-transformers", "float32", note=f"served by sentence-transformers: {reason}")

    def _clear(self, *, keep: set[str]) -> None:
        for path in self.folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name not in keep:
                path.unlink()

    def _manifest(
        self,
        backend: Literal["onnx", "sentence-transformers"],
        precision: str,
        *,
        parity: Parity | None = None,
        note: str = "",
    ) -> ModelManifest:
        onnx = backend == "onnx"
        files = {file: sha256_of(self.folder / file) for file in (GRAPH, TOKENIZER)} if onnx else {}
        pooling, normalised, dim = self.output_format(onnx=onnx)
        libraries = ("sentence-transformers", "transformers", "torch", "optimum-onnx", "onnxruntime")
        return ModelManifest(
            name=self.name,
            source=self.source,
            source_sha256=self.source_sha256,
            backend=backend,
            precision=precision,
            files=files,
            pooling=pooling,
            normalised=normalised,
            max_length=int(self.model.max_seq_length or 512),
            query_prompt=self.query_prompt,
            passage_prompt=self.passage_prompt,
            dim=dim,
            parity=parity,
            made_with=library_versions(*libraries),
            note=note,
        )


class CrossEncoderExport(SentenceTransformerExport):
    """Exports one loaded CrossEncoder into a folder."""

    model_class: ModelClass = "CrossEncoder"

    def obstacle(self) -> str:
        """As for a SentenceTransformer.

        Raises:
            ModelError: it gives more than one score for a pair of texts.
        """
        if self.model.num_labels != 1:
            raise ModelError(f"{self.source} gives {self.model.num_labels} scores for a pair of texts, a reranker one")
        names = [type(module).__name__ for module in self.model]
        if names != ["Transformer"]:
            return f"its modules are {', '.join(names)}"
        return "it has a prompt" if self.model.default_prompt_name else ""

    def parity_check(self) -> Callable[[], Parity]:
        """Score every pair of parity texts with the original; the function returned compares the graph's scores."""
        questions, passages = parity_texts()
        expected = cross_encoder_scores(self.model, [(question, text) for question in questions for text in passages])
        expected = expected.reshape(len(questions), len(passages))

        def measure_parity() -> Parity:
            reranker = OnnxReranker.open(self.folder)
            return compare_scores(expected, np.stack([reranker.scores(question, passages) for question in questions]))

        return measure_parity

    def output_format(self, *, onnx: bool) -> tuple[Literal["mean", "cls", "own", "score"], bool, int]:  # noqa: ARG002
        """One score for a pair of texts."""
        return "score", False, 1


def encoded_vectors(
    encoder: Encoder, questions: Sequence[str], passages: Sequence[str]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The vectors of questions and of passages, each (n, dim) float32."""
    return (
        np.stack([encoder.encode_query(text).vector for text in questions]),
        np.stack([encoded.vector for encoded in encoder.encode_passages(passages)]),
    )


def _normalised(vectors: object) -> NDArray[np.float32]:
    return unit_rows(np.asarray(vectors, dtype=np.float32))


def library_versions(*distributions: str) -> dict[str, str]:
    """The installed versions of some distributions, empty for those that are not installed."""
    return {name: _version(name) for name in distributions}


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""
