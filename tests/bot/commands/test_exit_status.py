from __future__ import annotations

from bot.commands.exit_status import ExitStatus


def test_the_documented_numbers_stay() -> None:
    assert {status.name: int(status) for status in ExitStatus} == {
        "DONE": 0,
        "NOT_FOUND": 1,
        "WRONG_USE": 2,
        "FAILED": 3,
        "STOPPED": 130,
    }
