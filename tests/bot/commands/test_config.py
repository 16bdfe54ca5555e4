from __future__ import annotations

import pytest

from tests.bot.command_line import Run


def test_settings_are_shown_with_their_origin_and_without_the_token(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWSQUOTE_TELEGRAM_TOKEN", "123456:hushhush")
    out = run("config").out
    assert "telegram_token = ********  [environment]" in out
    assert "hushhush" not in out
    assert "limit = 3  [default]" in out
