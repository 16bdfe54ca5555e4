"""Estimates how many items there are to read, for a progress bar."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from corpus.readers.source import RECORD_SUFFIXES, WEB_ADDRESS

if TYPE_CHECKING:
    pass


def estimate_item_count(sources: Iterable[str]) -> int | None:
    """About how many items the sources hold, without parsing them; None if that cannot be told."""
    total = 0
    for source in sources:
        path = Path(source)
        if (
            WEB_ADDRESS.match(source)
            or source.strip() in ("", "-")
            or path.suffix.lower() in (".gz", ".zip", ".xml", ".rss", ".atom")
        ):
            return None
        try:
            files = [path] if path.is_file() else [f for f in path.rglob("*") if f.is_file()]
            total += sum(_lines(file) if file.suffix.lower() in RECORD_SUFFIXES else 1 for file in files)
        except (OSError, ValueError):
            continue
    return total


def _lines(path: Path) -> int:
    with path.open("rb") as stream:
        return sum(piece.count(b"\n") for piece in iter(lambda: stream.read(1 << 20), b""))
