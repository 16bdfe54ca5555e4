"""SHA-256 of files, cached for as long as a file's size and times stay the same."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def matches(path: Path, sha256: str, cache: Path) -> bool:
    """Whether a file's bytes have this digest.

    A file that has it is recorded in `cache`, a JSON file, with its size and times; while these stay the same, the file
    is not read again. A cache that is missing, damaged or cannot be written costs time, never a wrong answer. Bytes
    that change on the disk without a change of times go unnoticed; call `sha256_of` to catch these.

    Raises:
        OSError: the file cannot be read.
    """
    path.stat()
    return first_damaged([(path, None, sha256)], cache) is None


def first_damaged(files: Iterable[tuple[Path, int | None, str]], cache: Path | None) -> Path | None:
    """The first file that is missing or differs from the given size (unless None) or SHA-256; None if all are good.

    With a cache, files that it vouches for are not read (see `matches`); without one, every byte is.
    """
    known = {} if cache is None else _load(cache)
    verified: dict[str, str] = {}
    damaged = None
    for path, size, sha256 in files:
        try:
            stat = path.stat()
            key = str(path.resolve())
            state = f"{stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns} {sha256}"
            is_good = size in (None, stat.st_size) and (known.get(key) == state or sha256_of(path) == sha256)
        except OSError:
            is_good = False
        if not is_good:
            damaged = path
            break
        if known.get(key) != state:
            verified[key] = state
    if cache is not None and verified:
        _save(cache, {name: value for name, value in {**known, **verified}.items() if Path(name).exists()})
    return damaged


def remember_moved(old: Path, new: Path, cache: Path) -> None:
    """Rename a folder's files in the cache after the folder was moved, so that they are not read again."""
    before, after = f"{old.resolve()}{os.sep}", f"{new.resolve()}{os.sep}"
    known = _load(cache)
    _save(cache, {name.replace(before, after, 1) if name.startswith(before) else name: known[name] for name in known})


def _load(cache: Path) -> dict[str, str]:
    try:
        known = json.loads(cache.read_bytes())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _save(cache: Path, known: dict[str, str]) -> None:
    temporary = cache.with_name(f".{cache.name}.{os.getpid()}")
    # Where it cannot be written, files are verified again next time.
    with contextlib.suppress(OSError):
        try:
            cache.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps(known, indent=1), encoding="utf-8")
            temporary.replace(cache)
        finally:
            temporary.unlink(missing_ok=True)
