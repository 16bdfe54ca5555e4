from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from bot.cli import main
from tests.bot.command_line import Run, process


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ask", ""], "the question is empty; ask something, for example: newsquote ask 'Who said what?'"),
        (["ask", " \x00\x1b\t"], "the question is empty; ask something"),
        (["ask", "\udcff\udcfe"], "the question is empty; ask something"),
        (["ask", "w" * 100_000], "the question has 100,000 characters; 2,000 are the most that can be asked"),
        (
            ["ask", "x", "--since", "soon"],
            "argument --since: 'soon' is not a date such as 2026-11-24; newsquote ask --help",
        ),
        (
            ["ask", "x", "--limit", "0"],
            "argument --limit: '0' is not a whole number from 1 to 50; newsquote ask --help",
        ),
        (["sing"], "argument COMMAND: invalid choice: 'sing'"),
        ([], "the following arguments are required: COMMAND; newsquote --help says how"),
    ],
    ids=["empty", "control characters", "surrogates", "long", "no date", "no limit", "no command", "nothing"],
)
def test_wrong_use_is_one_line_and_status_2(run: Run, arguments: list[str], message: str) -> None:
    found = run(*arguments)
    assert (found.status, found.out) == (2, "")
    assert found.err.startswith(f"newsquote: {message}")
    assert found.err.count("\n") == 1


def test_an_unknown_setting_is_status_2(run: Run, home: Path) -> None:
    (home / "config.toml").write_text("thresold = 0.4")
    found = run("ask", "Who?")
    assert (found.status, found.err) == (
        2,
        "newsquote: thresold (config.toml) is not a setting; did you mean threshold?\n",
    )


@pytest.mark.usefixtures("run")
def test_a_home_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert main(["--home", str(tmp_path / "file" / "home"), "ask", "Who?"]) == 3


def test_an_unknown_log_level_is_status_2(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGLEVEL", "loud")
    found = run("config")
    assert (found.status, found.err) == (
        2,
        "newsquote: LOGLEVEL must be DEBUG, INFO, WARNING, ERROR or CRITICAL, not 'loud'\n",
    )


def test_every_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    for command in (
        ["ask"], ["chat"], ["telegram"], ["add"], ["watch"], ["articles", "list"], ["articles", "show"],
        ["articles", "remove"], ["articles", "edit"], ["articles", "export"],
        ["index", "build"], ["index", "list"], ["index", "use"], ["index", "check"], ["index", "merge"],
        ["index", "migrate"], ["model", "list"],
        ["model", "add"], ["model", "use"], ["eval"], ["feedback", "export"],
        ["config"],
    ):  # fmt: skip
        assert main([*command, "--help"]) == 0
        assert capsys.readouterr().out.startswith(f"usage: newsquote {' '.join(command)}")


def test_ctrl_c_is_one_line_and_status_130(home: Path, run: Run) -> None:
    run("ask", "Who?")
    # Whoever runs the tests in the background has it ignored, and so would this process. Not by preexec_fn: that forks,
    # and gRPC, in this process for the tests of Milvus, now and then aborts in a fork.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        asking = process(home, "ask", "--json", "-")
    finally:
        signal.signal(signal.SIGINT, before)
    assert asking.stdin is not None
    assert asking.stdout is not None
    asking.stdin.write(b"Who is the ambassador?\n")
    asking.stdin.flush()
    assert json.loads(asking.stdout.readline())["quotes"]
    asking.send_signal(signal.SIGINT)
    _, err = asking.communicate(timeout=60)
    assert (asking.returncode, err) == (130, b"newsquote: stopped\n")


def test_a_closed_output_is_no_error(home: Path, run: Run) -> None:
    run("ask", "Who?")
    asking = process(home, "ask", "--json", "-")
    assert asking.stdout is not None
    asking.stdout.close()
    asking.stdout = None
    _, err = asking.communicate(b"Who?\n" * 50, timeout=60)
    assert (asking.returncode, err) == (0, b"")
