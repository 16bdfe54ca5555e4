"""Runs a process and measures its time and memory."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO


@dataclass(frozen=True, slots=True)
class FinishedProcess:
    """A process that has ended: milliseconds, peak megabytes, exit status and what it wrote to stderr."""

    ms: float
    peak_mb: float
    status: int
    stderr: str


def timed(
    command: Sequence[str],
    *,
    stdin: int | IO[bytes] | None = None,
    stdout: int | IO[bytes] = subprocess.DEVNULL,
    env: Mapping[str, str] | None = None,
) -> FinishedProcess:
    """Run a command to its end."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, env=env)
    assert process.stderr is not None
    stderr = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    ms = 1000 * (time.perf_counter() - began)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    return FinishedProcess(ms, usage.ru_maxrss / 1024, process.returncode, stderr)
