from __future__ import annotations

from pathlib import Path

from tests.bot.command_line import Run


def test_quality_is_measured_on_a_file_of_questions(run: Run, tmp_path: Path) -> None:
    file = Path(__file__).parents[2] / "data" / "acceptance.json"
    found = run("eval", str(file), "--json", "--html", str(tmp_path / "report.html"))
    assert found.status == 0
    assert (found.json["articles"], found.json["questions"], found.json["answerable"]) == (1, 47, 29)
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")
    assert run("eval", str(file)).out.startswith("articles               1\n")
    (tmp_path / "no.json").write_text("{}")
    refused = run("eval", str(tmp_path / "no.json"))
    assert (refused.status, refused.err.count("\n")) == (3, 1)
    assert run("eval", str(tmp_path / "none.json")).status == 3
