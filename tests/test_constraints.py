"""constraints.txt pins, within the ranges of pyproject.toml, all that set-up installs."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
LINES = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
PINNED = {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in LINES[1:])}


def asked() -> list[Requirement]:
    """What pyproject.toml asks for, and what that asks for in turn."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    found = [Requirement(line) for line in (*project["dependencies"], *extras["dev"], *extras["multilingual"])]
    seen = {str(needed) for needed in found}
    for needed in found:
        for line in requires(needed.name) or ():
            further = Requirement(line)
            wanted = further.marker is None or any(
                further.marker.evaluate({"extra": extra}) for extra in needed.extras | {""}
            )
            if wanted and line not in seen:
                seen.add(line)
                found.append(further)
    return found


def test_every_line_is_one_exact_version() -> None:
    assert [line for line in LINES[1:] if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []


def test_all_that_is_installed_is_pinned_and_nothing_else() -> None:
    assert {canonicalize_name(needed.name) for needed in asked()} == PINNED.keys()


@pytest.mark.parametrize("needed", [needed for needed in asked() if needed.specifier], ids=str)
def test_every_pin_is_in_its_range(needed: Requirement) -> None:
    assert needed.specifier.contains(PINNED[canonicalize_name(needed.name)], prereleases=True)
