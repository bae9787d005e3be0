"""Every attack folder, through the command line, as a citizen would run it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.cli.machine import Machine

ATTACKS = Path(__file__).parent.parent / "attacks"
FOLDERS = sorted(path.parent for path in ATTACKS.glob("*/attack.toml"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_command_ends_as_the_folder_says(visitor: Machine, folder: Path) -> None:
    said = tomllib.loads((folder / "attack.toml").read_text())
    arguments: list[str | Path] = ["verify", folder / "ledger"]
    if "root" in said:
        arguments += ["--root", said["root"]]
    if "seen" in said:
        arguments += ["--seen", folder / "seen.checkpoint"]

    result = visitor.call(*arguments)

    assert (said["exit"], False) == (result.exit_code, "Traceback" in result.output), result.output
    if said["exit"] == 1:
        assert f"step {said['step']} (" in result.stderr
        assert said["says"] in result.stderr
        assert "verdict: do not trust it" in result.stdout


def test_there_are_attacks_to_run() -> None:
    assert 100 < sum(folder.name.endswith("_fail") for folder in FOLDERS)
