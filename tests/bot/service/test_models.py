from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from bot.service.models import add_model, open_configured_reranker, use_model
from bot.settings import Settings, SettingsError
from corpus import shipped_articles
from retrieval.errors import ModelError
from retrieval.index.writing.publishing import publish
from retrieval.models.manifest import write_manifest
from tests.bot.converted_models import OWN, settings_with_models
from tests.fakes import HashingEncoder


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_with_models(tmp_path)


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
def test_an_unknown_model_is_refused_with_the_known_ones(settings: Settings, name: str) -> None:
    with pytest.raises(ModelError, match=r"there is no model .* \(there are: odd, small\); newsquote model add"):
        use_model(settings, name)


def test_a_model_set_in_the_environment_cannot_be_changed(settings: Settings) -> None:
    loaded = Settings.load(settings.home, {"NEWSQUOTE_MODEL": "odd"})
    with pytest.raises(SettingsError, match="NEWSQUOTE_MODEL is set to 'odd' in the environment"):
        use_model(loaded, "small")


def test_the_index_must_be_rebuilt_for_another_model(settings: Settings) -> None:
    publish(shipped_articles(), HashingEncoder(), settings.snapshots)
    assert use_model(settings, "small") is True


def test_a_folder_that_is_no_model_is_not_added(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there is no folder"):
        add_model(settings, str(tmp_path / "none"))


@pytest.mark.parametrize(
    ("source", "said", "message"),
    [
        ("/none/such", "Preparing the reranker /none/such: once.", "there is no folder /none/such"),
        ("...", "", "'...' names no model"),
        ("small", "", "small is an encoder, not a reranker"),
        ("gone", "The reranker gone is served by itself; it takes seconds to start.", "there is no folder /gone"),
    ],
)
def test_an_unusable_reranker_is_a_wrong_setting(settings: Settings, source: str, said: str, message: str) -> None:
    gone = dataclasses.replace(OWN, name="gone", source="/gone", pooling="score", note="served by itself")
    (settings.models_folder / gone.name).mkdir()
    write_manifest(settings.models_folder / gone.name, gone)
    lines: list[str] = []
    with pytest.raises(SettingsError, match=f"^{re.escape(f'rerank (default): {message}')}$"):
        open_configured_reranker(settings, source, lines.append)
    assert lines == [line for line in [said] if line]
