"""The encoders of a home: add one, list them, choose the one in use."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

from bot.progress import progress
from bot.settings import PREFIX, Settings, SettingsError
from bot.storage import store_of
from retrieval.errors import ModelError
from retrieval.models import MULTILINGUAL, ModelManifest, installed

_MODEL_LINE = re.compile(r"^[ \t]*model[ \t]*=.*$", re.MULTILINE)


def add(
    settings: Settings, source: str, *, query_prompt: str | None = None, passage_prompt: str | None = None
) -> ModelManifest:
    """Convert any SentenceTransformer and keep it in the home's models folder.

    Raises:
        ModelError: it cannot be found or converted; the message says why.
    """
    from retrieval.convert import convert

    with progress(f"Converting {source}", 100) as step:
        return convert(
            source,
            settings.models_folder,
            progress=lambda fraction, _: step(round(100 * fraction)),
            query_prompt=query_prompt,
            passage_prompt=passage_prompt,
        )


def listing(settings: Settings) -> list[str]:
    """One line a model, the one in use marked with a star."""
    return [
        f"{'*' if model.name == settings.model else ' '} {described(model, settings.models_folder)}"
        for model in installed(settings.models_folder)
    ]


def described(model: ModelManifest, models: Path) -> str:
    """What a person wants to know of a model, on one line."""
    size = sum(
        (models / model.name / file).stat().st_size for file in model.files if (models / model.name / file).exists()
    )
    parts = [f"{model.name}  {model.precision}, {model.dim} dimensions, reads {model.max_length} tokens"]
    if size:
        parts.append(f"{size / 1e6:.0f} MB")
    if model.parity is not None:
        parts.append(
            f"cosine to its source {model.parity.mean:.4f} (least {model.parity.least:.4f}), "
            f"{model.parity.ranking:.1%} of pairs ranked alike"
        )
    return "; ".join([*parts, *([model.note] if model.note else [])])


def use(settings: Settings, name: str) -> bool:
    """Write the model to use into config.toml; whether the index must be rebuilt for it.

    `multilingual` is converted first where it is not: its package is all it needs.

    Raises:
        ModelError: there is no such model.
        SettingsError: config.toml cannot be changed, or the environment decides.
    """
    fingerprints = {model.name: model.fingerprint for model in installed(settings.models_folder)}
    if name == MULTILINGUAL and name not in fingerprints:
        fingerprints[name] = add(settings, name).fingerprint
    if name not in fingerprints:
        known = ", ".join(fingerprints) or "none yet"
        raise ModelError(f"there is no model {name!r} (there are: {known}); newsquote model add NAME_OR_PATH adds one")
    if settings.origins.get("model") == "environment" and settings.model != name:
        raise SettingsError(f"{PREFIX}MODEL is set to {settings.model!r} in the environment and wins; unset it first")
    _write(settings.home / "config.toml", name)
    made_with = store_of(settings).encoder()
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
