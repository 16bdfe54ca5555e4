"""The newsquote command as tests run it, and small articles for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KUWAIT = "cc7b14a5fbf203f2"
TITLE = "US cooperates with Kuwait to ensure well-being of human trafficking victims"
HARBOUR = {
    "id": "harbour",
    "title": "Harbour strike ends",
    "text": "Dock workers returned. The strike lasted eleven days.",
}
BRIDGE = {
    "id": "bridge",
    "title": "Bridge closes",
    "text": "The Ostra bridge will close in May. Repairs cost 3.2 million crowns.",
    "source": "Ostra Post",
    "published": "2026-11-01",
    "url": "https://example.org/bridge",
}


@dataclass(frozen=True)
class Ran:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Ran]


def records(path: Path, *articles: dict[str, str] | str) -> Path:
    path.write_text("".join(f"{a if isinstance(a, str) else json.dumps(a)}\n" for a in articles), encoding="utf-8")
    return path


def process(home: Path, *arguments: str) -> subprocess.Popen[bytes]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("NEWSQUOTE_")}
    return subprocess.Popen(
        [sys.executable, "-m", "bot", "--home", str(home), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environ,
    )
