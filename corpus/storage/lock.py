"""Locks that keep two processes from writing to the same place. The only module that imports filelock."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from corpus.errors import LibraryLocked
from corpus.storage.files import TEMPORARY_PREFIX, explain_write_errors, make_state_folder

LOCK_TIMEOUT_S = 10.0
_LOCK_FILE = "lock"
_HOLDER_FILE = "writer"


@contextmanager
def exclusive_lock(path: Path) -> Iterator[bool]:
    """Holds a lock file while the context lasts. Yields false, without waiting, if another process holds it.

    Raises:
        OSError: the file cannot be created.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


class WriteLock:
    """The lock of the library in `folder`, held by one process at a time; `timeout_s` is how long to wait for it."""

    def __init__(self, folder: Path, timeout_s: float) -> None:
        self._folder = folder
        self._timeout_s = timeout_s
        self._depth = 0

    @contextmanager
    def held(self) -> Iterator[None]:
        """Holds the lock while the context lasts; may be nested.

        Raises:
            LibraryLocked: another process holds it for longer than the timeout; the message names the process.
            LibraryError: the folder cannot be written.
        """
        if self._depth:
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
            return
        from filelock import FileLock, Timeout

        with explain_write_errors(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            state = make_state_folder(self._folder)
            holder = state / _HOLDER_FILE
            lock = FileLock(state / _LOCK_FILE)
            try:
                lock.acquire(timeout=self._timeout_s)
            except Timeout as exc:
                pid = holder.read_text() if holder.exists() else "unknown"
                raise LibraryLocked(
                    f"process {pid} has been writing to {self._folder} for longer than {self._timeout_s:g} s; "
                    "try again when it is done"
                ) from exc
        try:
            with explain_write_errors(self._folder):
                holder.write_text(str(os.getpid()))
                for leftover in self._folder.glob(f"{TEMPORARY_PREFIX}*"):
                    leftover.unlink(missing_ok=True)
            self._depth = 1
            yield
        finally:
            self._depth = 0
            with suppress(OSError):
                holder.unlink(missing_ok=True)
            lock.release()
