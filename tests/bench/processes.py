"""How long a process takes and how much memory, for every bench."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO


@dataclass(frozen=True, slots=True)
class Ended:
    """A process that has ended: milliseconds, peak megabytes, exit status and what it said on stderr."""

    ms: float
    peak_mb: float
    status: int
    complaint: str


def timed(
    command: Sequence[str],
    *,
    stdin: int | IO[bytes] | None = None,
    stdout: int | IO[bytes] = subprocess.DEVNULL,
    env: Mapping[str, str] | None = None,
) -> Ended:
    """Run a command to its end."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, env=env)
    assert process.stderr is not None
    complaint = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    ms = 1000 * (time.perf_counter() - began)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    return Ended(ms, usage.ru_maxrss / 1024, process.returncode, complaint)
