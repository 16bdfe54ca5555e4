"""The models of a home: convert one, choose the encoder in use, open the reranker."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from bot.service.progress import ProgressReporter, count_progress, no_progress
from bot.service.storage import open_store
from bot.settings import PREFIX, Settings, SettingsError
from retrieval.errors import ModelError
from retrieval.models.manifest import MULTILINGUAL, ModelManifest, find_converted, installed_models

if TYPE_CHECKING:
    from retrieval.models.reader import Reader
    from retrieval.models.reranker import Reranker

_MODEL_LINE = re.compile(r"^[ \t]*model[ \t]*=.*$", re.MULTILINE)


def add_model(
    settings: Settings,
    source: str,
    *,
    query_prompt: str | None = None,
    passage_prompt: str | None = None,
    reranker: bool = False,
    reader: bool = False,
    progress: ProgressReporter = no_progress,
) -> ModelManifest:
    """Convert a model into the home's models folder.

    Any SentenceTransformer, CrossEncoder or extractive question-answering model; with `reranker` only a CrossEncoder,
    with `reader` only one that answers questions.

    Raises:
        ModelError: it cannot be found or converted; the message says why.
    """
    from retrieval.models.conversion.converter import convert

    with count_progress(progress, f"Converting {source}", 100) as step:
        return convert(
            source,
            settings.models_folder,
            progress=lambda fraction, _: step(round(100 * fraction)),
            query_prompt=query_prompt,
            passage_prompt=passage_prompt,
            reranker=reranker,
            reader=reader,
        )


def open_configured_reranker(
    settings: Settings, source: str, say: Callable[[str], None], progress: ProgressReporter = no_progress
) -> Reranker:
    """Open the reranker that the setting `rerank` names, converting it first if need be.

    Args:
        settings: The settings in force.
        source: A folder, a name on the model hub or a converted CrossEncoder's own name.
        say: Called with a line for the person who waits, before anything slow.
        progress: Reports on the conversion.

    Raises:
        SettingsError: there is no such CrossEncoder, or it cannot be used; the message says why.
    """
    from retrieval.models.loading import open_reranker

    try:
        model = find_converted(source, settings.models_folder, "a reranker")
        if model is None:
            say(f"Preparing the reranker {source}: once.")
            model = add_model(settings, source, reranker=True, progress=progress)
        if model.backend == "sentence-transformers":
            say(f"The reranker {model.name} is {model.note}; it takes seconds to start.")
        return open_reranker(settings.models_folder / model.name)
    except ModelError as exc:
        raise SettingsError(f"rerank ({settings.origins.get('rerank', 'default')}): {exc}") from exc


def open_configured_reader(
    settings: Settings, source: str | None, say: Callable[[str], None], progress: ProgressReporter = no_progress
) -> Reader:
    """Open the question-answering model that the setting `reader` names, converting it first if need be.

    Args and errors are those of `open_configured_reranker`; a `source` of None is the reader that comes with newsquote.
    """
    from retrieval.models.loading import open_reader

    try:
        if source is None:
            return open_reader(None, cache=settings.models_folder / ".reader-verified.json")
        model = find_converted(source, settings.models_folder, "a reader")
        if model is None:
            say(f"Preparing the reader {source}: once.")
            model = add_model(settings, source, reader=True, progress=progress)
        return open_reader(settings.models_folder / model.name)
    except ModelError as exc:
        raise SettingsError(f"reader ({settings.origins.get('reader', 'default')}): {exc}") from exc


def use_model(settings: Settings, name: str, progress: ProgressReporter = no_progress) -> bool:
    """Write the model to use into config.toml; returns whether the index must be rebuilt for it.

    `multilingual` is converted first if need be: its package is all that takes.

    Raises:
        ModelError: there is no such model.
        SettingsError: config.toml cannot be changed, or the environment sets the model.
    """
    models = installed_models(settings.models_folder)
    if name in {model.name for model in models if model.reranks}:
        raise ModelError(
            f'{name} is a reranker; to use it, write rerank = "{name}" into {settings.home / "config.toml"}'
        )
    if name in {model.name for model in models if model.reads}:
        raise ModelError(f'{name} is a reader; to use it, write reader = "{name}" into {settings.home / "config.toml"}')
    fingerprints = {model.name: model.fingerprint for model in models if not (model.reranks or model.reads)}
    if name == MULTILINGUAL and name not in fingerprints:
        fingerprints[name] = add_model(settings, name, progress=progress).fingerprint
    if name not in fingerprints:
        known = ", ".join(fingerprints) or "none yet"
        raise ModelError(f"there is no model {name!r} (there are: {known}); newsquote model add NAME_OR_PATH adds one")
    if settings.origins.get("model") == "environment" and settings.model != name:
        raise SettingsError(f"{PREFIX}MODEL is set to {settings.model!r} in the environment and wins; unset it first")
    _write(settings.home / "config.toml", name)
    made_with = open_store(settings).encoder()
    return made_with is not None and made_with != fingerprints[name]


def _write(path: Path, name: str) -> None:
    """Set `model` and leave every other line of the file as it was."""
    line = f'model = "{name}"'
    try:
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        after = _MODEL_LINE.sub(line, before, count=1) if _MODEL_LINE.search(before) else f"{line}\n{before}"
        if tomllib.loads(after) != {**tomllib.loads(before), "model": name}:
            raise SettingsError(f"{path} cannot be changed safely; write {line} into it")
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        temporary.write_text(after, encoding="utf-8")
        if path.exists():
            temporary.chmod(path.stat().st_mode)
        temporary.replace(path)
    except OSError as exc:
        raise SettingsError(f"{path} cannot be written: {exc.strerror}; write {line} into it") from exc
    except tomllib.TOMLDecodeError as exc:
        raise SettingsError(f"{path} cannot be changed safely ({exc}); write {line} into it") from exc
