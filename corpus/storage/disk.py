"""Flushing files and folders to disk, so that they survive a power cut."""

from __future__ import annotations

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Flushes a file's bytes, or a folder's entries, to disk.

    Raises:
        OSError: it cannot be opened or written.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_all(folder: Path) -> None:
    """Flushes a folder and everything in it, contents first.

    Raises:
        OSError: something cannot be opened or written.
    """
    for path in sorted(folder.rglob("*"), reverse=True):
        sync(path)
    sync(folder)
