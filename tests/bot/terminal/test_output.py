from __future__ import annotations

import pytest

from bot.terminal.output import print_error, print_note, print_result


def test_results_go_to_stdout_and_all_else_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    print_result("a quote")
    print_note("preparing")
    print_error(ValueError("two\n  lines"))
    assert capsys.readouterr() == ("a quote\n", "preparing\nnewsquote: two lines\n")
