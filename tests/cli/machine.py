"""One person's machine for tests of the command line: a key folder, a folder to work in, a way to call."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from auzolan.cli import commons
from auzolan.cli.app import app


@dataclass
class Machine:
    """Calls `auzolan` in this process, as if typed on a machine of its own.

    `run` demands exit code 0 unless told otherwise and returns what went to stdout.
    """

    home: Path
    folder: Path
    monkeypatch: pytest.MonkeyPatch

    def call(self, *arguments: str | Path, stdin: str | None = None) -> Result:
        self.monkeypatch.setenv("AUZOLAN_HOME", str(self.home))
        self.monkeypatch.setenv("COLUMNS", "80")
        self.monkeypatch.chdir(self.folder)
        commons._passphrases.clear()
        return CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin)

    def run(self, *arguments: str | Path, code: int = 0) -> str:
        result = self.call(*arguments)

        assert (code, False) == (result.exit_code, "Traceback" in result.output), result.output
        return result.stdout

    def json(self, *arguments: str | Path, code: int = 0) -> Any:
        return json.loads(self.run(*arguments, "--json", code=code))

    def error(self, *arguments: str | Path, code: int) -> str:
        result = self.call(*arguments)

        assert (code, False) == (result.exit_code, "Traceback" in result.output), result.output
        lines = [line for line in result.stderr.splitlines() if line.startswith("auzolan: ")]
        assert len(lines) == 1, result.output
        return lines[0]

    def key(self, name: str) -> str:
        return str(self.json("key", "new", name, "--demo")["public"])


def machine(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> Machine:
    folder = tmp_path / name
    folder.mkdir()
    return Machine(folder / "home", folder, monkeypatch)


def path_of(output: str) -> Path:
    """Return the file that `propose` printed."""
    return Path(output.strip().splitlines()[0])


def file_bits(path: Path, bit: int) -> None:
    """Flip one bit of a file."""
    data = bytearray(path.read_bytes())
    data[bit // 8] ^= 0x80 >> bit % 8
    path.write_bytes(data)


def listing(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder with its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def env_without_home() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("AUZOLAN")}
