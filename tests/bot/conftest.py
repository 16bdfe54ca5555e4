from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

from bot.cli import main
from tests.bot.command_line import Ran, Run


@pytest.fixture
def home(tmp_path: Path, models_dir: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "models").symlink_to(models_dir)
    return folder


@pytest.fixture
def run(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    for name in [name for name in os.environ if name.startswith("NEWSQUOTE_")]:
        monkeypatch.delenv(name)

    def run(*arguments: str, stdin: bytes = b"") -> Ran:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        capsys.readouterr()
        status = main(["--home", str(home), *arguments])
        caught = capsys.readouterr()
        return Ran(status, caught.out, caught.err)

    return run
