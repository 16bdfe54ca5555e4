from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from bot.service.models import add_model, configured_reranker, describe_model, model_lines, use_model
from bot.settings import Settings, SettingsError
from corpus import shipped_articles
from retrieval.errors import ModelError
from retrieval.index.writing.publishing import publish
from retrieval.models.manifest import DEFAULT_SOURCE, ModelManifest, Parity, write_manifest
from tests.fakes import HashingEncoder

MODEL = ModelManifest(
    name="small",
    source="example/small",
    source_sha256="",
    backend="onnx",
    precision="int8-avx2",
    files={"model.onnx": "a" * 64},
    pooling="mean",
    normalised=True,
    max_length=128,
    query_prompt="",
    passage_prompt="",
    dim=32,
    parity=Parity(0.99, 0.98, 0.975),
    made_with={},
)
OWN = dataclasses.replace(
    MODEL, name="odd", backend="sentence-transformers", precision="float32", files={}, parity=None, note="it is odd"
)
CROSS = dataclasses.replace(MODEL, name="cross", source="example/cross", pooling="score", dim=1, files={})


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    for model in (MODEL, OWN):
        folder = tmp_path / "models" / model.name
        folder.mkdir(parents=True)
        write_manifest(folder, model)
    (tmp_path / "models" / "small" / "model.onnx").write_bytes(b"x" * 2_000_000)
    return Settings.load(tmp_path, {})


def test_the_model_in_use_is_starred(settings: Settings) -> None:
    use_model(settings, "odd")
    assert model_lines(Settings.load(settings.home, {})) == [
        "* odd  float32, 32 dimensions, reads 128 tokens; it is odd",
        "  small  int8-avx2, 32 dimensions, reads 128 tokens; 2 MB; "
        "cosine to its source 0.9900 (least 0.9800), 97.5% of pairs ranked alike",
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, 'model = "small"\n'),
        ("", 'model = "small"\n'),
        ("# mine\nlimit = 5 # five\n", 'model = "small"\n# mine\nlimit = 5 # five\n'),
        ('limit = 5\nmodel="odd" # old\nthreshold = 0.4', 'limit = 5\nmodel = "small"\nthreshold = 0.4'),
    ],
)
def test_choosing_a_model_changes_one_line_of_the_settings(settings: Settings, before: str | None, after: str) -> None:
    path = settings.home / "config.toml"
    if before is not None:
        path.write_text(before)
    assert use_model(settings, "small") is False
    assert path.read_text() == after
    assert Settings.load(settings.home, {}).model == "small"


def test_settings_with_a_token_keep_their_mode(settings: Settings) -> None:
    path = settings.home / "config.toml"
    path.write_text('telegram_token = "t"\n')
    path.chmod(0o600)
    use_model(settings, "small")
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ['limit = """\nmodel = 1\n"""\n', "limit = [\n"])
def test_settings_that_cannot_be_changed_safely_are_left(settings: Settings, text: str) -> None:
    path = settings.home / "config.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=r'cannot be changed safely.*write model = "small" into it'):
        use_model(settings, "small")
    assert path.read_text() == text


@pytest.mark.parametrize("name", ["", "none", "..", "small/../odd"])
def test_a_model_that_is_not_there_is_refused_with_those_that_are(settings: Settings, name: str) -> None:
    with pytest.raises(ModelError, match=r"there is no model .* \(there are: odd, small\); newsquote model add"):
        use_model(settings, name)


def test_the_environment_wins_and_is_named(settings: Settings) -> None:
    loaded = Settings.load(settings.home, {"NEWSQUOTE_MODEL": "odd"})
    with pytest.raises(SettingsError, match="NEWSQUOTE_MODEL is set to 'odd' in the environment"):
        use_model(loaded, "small")


def test_another_model_than_the_indexs_asks_for_a_rebuild(settings: Settings) -> None:
    publish(shipped_articles(), HashingEncoder(), settings.snapshots)
    assert use_model(settings, "small") is True


def test_a_folder_that_is_no_model_is_not_added(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there is no folder"):
        add_model(settings, str(tmp_path / "none"))


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


@pytest.mark.parametrize(
    ("source", "said", "message"),
    [
        ("/none/such", "Preparing the reranker /none/such: once.", "there is no folder /none/such"),
        ("...", "", "'...' names no model"),
        ("small", "", "small is an encoder, not a CrossEncoder"),
        ("gone", "The reranker gone is served by itself; it takes seconds to start.", "there is no folder /gone"),
    ],
)
def test_a_reranker_that_cannot_serve_is_a_wrong_setting(
    settings: Settings, source: str, said: str, message: str
) -> None:
    gone = dataclasses.replace(OWN, name="gone", source="/gone", pooling="score", note="served by itself")
    (settings.models_folder / gone.name).mkdir()
    write_manifest(settings.models_folder / gone.name, gone)
    lines: list[str] = []
    with pytest.raises(SettingsError, match=f"^{re.escape(f'rerank (default): {message}')}$"):
        configured_reranker(settings, source, lines.append)
    assert lines == [line for line in [said] if line]


def test_the_shipped_model_is_described(models_dir: Path) -> None:
    from retrieval.models.manifest import read_manifest

    line = describe_model(read_manifest(models_dir / DEFAULT_SOURCE), models_dir)
    assert line.startswith(f"{DEFAULT_SOURCE}  int8-")
    assert "384 dimensions, reads 256 tokens; 24 MB; cosine to its source 0.99" in line
