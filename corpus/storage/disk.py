"""What was written is on the disk, also after a power cut."""

from __future__ import annotations

import os
from pathlib import Path


def sync(path: Path) -> None:
    """See that a file's bytes, or a folder's entries, are on the disk.

    Raises:
        OSError: it cannot be opened or written.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_all(folder: Path) -> None:
    """The same for a folder and all that is in it, what is inside first.

    Raises:
        OSError: something cannot be opened or written.
    """
    for path in sorted(folder.rglob("*"), reverse=True):
        sync(path)
    sync(folder)
