"""SHA-256 of files, worked out once and remembered while a file's size and times stand still."""

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


def matches(path: Path, sha256: str, memory: Path) -> bool:
    """Whether a file's bytes have this digest.

    A file found good is put down in `memory`, a JSON file, with its size and times; while they stay the same it is
    not read again. A memory that is missing, damaged or cannot be written costs time, never a wrong answer. What this
    does not catch: bytes that rot on the disk while the times stand still. Call `sha256_of` for that.

    Raises:
        OSError: the file cannot be read.
    """
    path.stat()
    return first_damaged([(path, None, sha256)], memory) is None


def first_damaged(files: Iterable[tuple[Path, int | None, str]], memory: Path | None) -> Path | None:
    """The first of some files that has not the size, where one is given, and SHA-256 it should have, or is missing.

    With `memory`, as `verified` has it; without, every byte is read.
    """
    known = {} if memory is None else _recall(memory)
    found: dict[str, str] = {}
    bad = None
    for path, size, sha256 in files:
        try:
            stat = path.stat()
            key = str(path.resolve())
            seen = f"{stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns} {sha256}"
            sound = size in (None, stat.st_size) and (known.get(key) == seen or sha256_of(path) == sha256)
        except OSError:
            sound = False
        if not sound:
            bad = path
            break
        if known.get(key) != seen:
            found[key] = seen
    if memory is not None and found:
        _remember(memory, {name: value for name, value in {**known, **found}.items() if Path(name).exists()})
    return bad


def remember_moved(old: Path, new: Path, memory: Path) -> None:
    """Remember what is remembered of a folder's files under the name that it has now: their bytes are the same."""
    before, after = f"{old.resolve()}{os.sep}", f"{new.resolve()}{os.sep}"
    known = _recall(memory)
    _remember(
        memory, {name.replace(before, after, 1) if name.startswith(before) else name: known[name] for name in known}
    )


def _recall(memory: Path) -> dict[str, str]:
    try:
        known = json.loads(memory.read_bytes())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _remember(memory: Path, known: dict[str, str]) -> None:
    temporary = memory.with_name(f".{memory.name}.{os.getpid()}")
    # A home that cannot be written to: verify again next time.
    with contextlib.suppress(OSError):
        try:
            memory.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps(known, indent=1), encoding="utf-8")
            temporary.replace(memory)
        finally:
            temporary.unlink(missing_ok=True)
