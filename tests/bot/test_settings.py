from __future__ import annotations

from pathlib import Path

import pytest

from bot.settings import Settings, SettingsError

SECRET = "123456:" + "A" * 35


def write(home: Path, text: str) -> Path:
    home.mkdir(exist_ok=True)
    (home / "config.toml").write_text(text, encoding="utf-8")
    return home


def test_defaults_are_in_force_without_file_and_environment(tmp_path: Path) -> None:
    assert Settings.load(tmp_path, {}) == Settings(home=tmp_path)


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    home = write(tmp_path, "limit = 5\nthreshold = 0.7\ntelegram_admins = [1, 2]\n")
    found = Settings.load(home, {"NEWSQUOTE_LIMIT": "2"})
    assert (found.limit, found.threshold, found.telegram_admins) == (2, 0.7, (1, 2))
    assert found.origins == {
        "home": "option",
        "limit": "environment",
        "threshold": "config.toml",
        "telegram_admins": "config.toml",
    }


def test_the_home_option_wins_over_the_environment(tmp_path: Path) -> None:
    environ = {"NEWSQUOTE_HOME": str(tmp_path / "environment")}
    assert Settings.load(tmp_path / "option", environ).home == tmp_path / "option"
    assert Settings.load(None, environ).home == tmp_path / "environment"
    assert Settings.load(None, {}).home.name == "newsquote"


def test_an_empty_variable_counts_as_not_set(tmp_path: Path) -> None:
    assert Settings.load(tmp_path, {"NEWSQUOTE_LIMIT": "", "NEWSQUOTE_TELEGRAM_TOKEN": " "}) == Settings(home=tmp_path)


@pytest.mark.parametrize(
    ("name", "value", "wants"),
    [
        ("limit", "0", "a whole number from 1 to 50, not '0'"),
        ("limit", "many", "a whole number from 1 to 50, not 'many'"),
        ("threshold", "1.5", "a number from 0 to 1, not '1.5'"),
        ("threshold", "nan", "a number from 0 to 1, not 'nan'"),
        ("allow_private_addresses", "maybe", "true or false, not 'maybe'"),
        ("telegram_admins", "7, ada", "numeric ids, comma between, not '7, ada'"),
        ("telegram_webhook_url", "http://a.b/c", "a URL that begins with https://, not 'http://a.b/c'"),
        ("telegram_webhook_listen", "8443", "an address and a port, such as 127.0.0.1:8443, not '8443'"),
        ("telegram_webhook_secret", "short", "16 to 256 letters, digits, _ and -"),
        ("telegram_keep_questions", "perhaps", "true or false, not 'perhaps'"),
        ("telegram_api_url", "localhost:80", "a URL that begins with http:// or https://, not 'localhost:80'"),
    ],
)
def test_a_value_out_of_range_is_named_with_what_is_expected(tmp_path: Path, name: str, value: str, wants: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.load(tmp_path, {f"NEWSQUOTE_{name.upper()}": value})
    assert str(caught.value) == f"NEWSQUOTE_{name.upper()} (environment) must be {wants}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("limits = 3", "limits (config.toml) is not a setting; did you mean limit?"),
        ("qqq = 3", "qqq (config.toml) is not a setting; newsquote config lists those there are"),
        ("home = '/x'", "home (config.toml) is not a setting; the home is chosen with --home or NEWSQUOTE_HOME"),
        ("rerank = 3", "rerank (config.toml) must be a name or a folder, not 3"),
        ("limit = true", "limit (config.toml) must be a whole number from 1 to 50, not True"),
    ],
)
def test_an_unknown_setting_is_named_with_the_nearest_valid_one(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.load(write(tmp_path, text), {})
    assert str(caught.value) == message


def test_an_unknown_variable_is_named_with_the_nearest_valid_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="did you mean NEWSQUOTE_TELEGRAM_TOKEN"):
        Settings.load(tmp_path, {"NEWSQUOTE_TELEGRAM_TOKN": SECRET})


@pytest.mark.parametrize("text", ["limit = ", "\x00", "= 3"])
def test_invalid_toml_is_reported_with_its_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError, match=r"config\.toml is not TOML"):
        Settings.load(write(tmp_path, text), {})


def test_the_token_is_never_shown(tmp_path: Path) -> None:
    found = Settings.load(tmp_path, {"NEWSQUOTE_TELEGRAM_TOKEN": SECRET})
    assert found.telegram_token == SECRET
    assert SECRET not in repr(found)
    assert ("telegram_token", "********", "environment") in found.describe()
    with pytest.raises(SettingsError) as caught:
        Settings.load(write(tmp_path, f"telegram_token = ['{SECRET}']"), {})
    assert SECRET not in str(caught.value)


def test_every_setting_is_shown_with_its_origin(tmp_path: Path) -> None:
    shown = Settings.load(tmp_path, {"NEWSQUOTE_TELEGRAM_ADMINS": "7,8"}).describe()
    assert ("home", str(tmp_path), "option") in shown
    assert ("telegram_admins", "7, 8", "environment") in shown
    assert ("telegram_api_url", "", "default") in shown


@pytest.mark.parametrize(
    "given",
    ["https://x.kw/feed/, http://y.kw/map.xml  60", ["https://x.kw/feed/", " http://y.kw/map.xml 60 "]],
    ids=["variable", "file"],
)
def test_a_feed_may_have_its_own_minutes(tmp_path: Path, given: str | list[str]) -> None:
    home = write(tmp_path, f"feeds = {given}") if isinstance(given, list) else tmp_path
    environ = {"NEWSQUOTE_FEEDS": given} if isinstance(given, str) else {}
    assert Settings.load(home, environ).feeds == ("https://x.kw/feed/", "http://y.kw/map.xml 60")


@pytest.mark.parametrize("feed", ["x.kw/feed", "https://x.kw/feed soon", "https://x.kw/feed 0", "https://x.kw/f 5 6"])
def test_an_invalid_feed_is_refused(tmp_path: Path, feed: str) -> None:
    with pytest.raises(
        SettingsError, match=r"NEWSQUOTE_FEEDS .* must be URLs, comma between, each with its minutes behind it"
    ):
        Settings.load(tmp_path, {"NEWSQUOTE_FEEDS": feed})
