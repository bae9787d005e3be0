"""The tutorial of the town tells the demo's story, its commands run as written, and it quotes what they print.

What needs PyTorch and the engine skips elsewhere; that page and demo have the
same steps and the same commands is checked everywhere.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from tests.test_docs import ROOT, blocks_of, run_script

PAGE = ROOT / "docs" / "tutorial-town.md"
DEMO = ROOT / "recipes" / "town.sh"
N_STEPS = 27
PORT = "8642"  # of the page; here a free one

_SAID = re.compile(r'^ *say "(\d+\. .*)"$', re.MULTILINE)
_HEADING = re.compile(r"^## (\d+\. .*)$", re.MULTILINE)
_QUOTED = re.compile(r"^```text\n(.*?)^```", re.DOTALL | re.MULTILINE)
_WHO = r"(library|school|neighbour|visitor|resident|clerk) "
_COMMAND = r"((?:key|propose|deliberate|teach|run) [a-z-]+|[a-z]+)\b"
_IN_DEMO = re.compile(rf"\bas {_WHO}{_COMMAND}")
_IN_PAGE = re.compile(rf"(?:^|\$\(|\{{ ){_WHO}{_COMMAND}", re.MULTILINE)

# What differs from run to run: ids, dates, the port; and in what is taught with few rows, every figure.
_DIFFERS = re.compile(r"\b[0-9a-f]{8,64}\b|\b\d{4}-\d\d-\d\d\b")
_FIGURE = re.compile(r"\d[\d.,]*|\.\d+")

# What a model says that was taught with few rows is something else.
ONLY_WHEN_TAUGHT = ("5 flagged", "I am a program, not a person.", "A person will take your case.")

# The service ends with the script, also where it fails half way.
ENDS_WITH_IT = """gateway=
trap '[ -z "$gateway" ] || kill "$gateway" 2> /dev/null || true' EXIT
"""


def _steps(text: str, title: re.Pattern[str]) -> dict[str, str]:
    """Return what stands under each step's title, without the demo's words for "not installed"."""
    _, *parts = title.split(text)
    steps = zip(parts[::2], parts[1::2], strict=True)
    expanded = {re.sub(r"\$\{\w+:\+([^}]*)\}", r"\1", name).rstrip(".:"): body for name, body in steps}
    return {name: body for name, body in expanded.items() if not re.match(r"\d+\. to \d+\.", name)}


def _commands(text: str, command: re.Pattern[str]) -> set[str]:
    return {f"{who} {what}" for who, what in command.findall(text)}


def test_the_page_has_the_steps_of_the_demo() -> None:
    in_demo = list(_steps(DEMO.read_text(), _SAID))

    assert N_STEPS == len(in_demo)
    assert in_demo == list(_steps(PAGE.read_text(), _HEADING))


def test_each_step_has_the_commands_of_the_demo() -> None:
    in_demo = {name: _commands(body, _IN_DEMO) for name, body in _steps(DEMO.read_text(), _SAID).items()}
    sections = _steps(PAGE.read_text(), _HEADING)
    blocks = {name: "\n".join(re.findall(r"^```sh\n(.*?)^```", sections[name], re.DOTALL | re.M)) for name in sections}

    assert in_demo == {name: _commands(body, _IN_PAGE) for name, body in blocks.items()}


def test_the_page_says_first_that_nobody_in_it_exists() -> None:
    before_the_first_command = PAGE.read_text().partition("```sh")[0]

    assert "**Everything in it is synthetic**" in before_the_first_command
    assert "**The keys are throw-away keys**" in before_the_first_command


def test_what_is_quoted_fits_a_terminal() -> None:
    lines = [line for block in _QUOTED.findall(PAGE.read_text()) for line in block.splitlines()]

    assert [] == [line for line in lines if len(line) > 80 and not line.startswith("> ")]


def _missing() -> list[str]:
    """Return what this machine lacks to run the page as it is written."""
    modules = [name for name in ("torch", "transformers", "peft", "xllamacpp", "gguf", "aiohttp", "re2")
               if importlib.util.find_spec(name) is None]  # fmt: skip
    return modules + [name for name in ("bwrap", "curl") if shutil.which(name) is None]


def _run_page(folder: Path, *, tiny: bool) -> str:
    """Run all commands in an empty folder; return what they printed, on one line."""
    if missing := _missing():
        pytest.skip(f"the tutorial needs {', '.join(missing)}: see `make demo`")
    (folder / "recipes").symlink_to(ROOT / "recipes")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    script = "\n".join(blocks_of(PAGE)).replace(f"port={PORT}", f"port={port}")
    if tiny:
        script = script.replace("teach adapter ", "teach adapter --tiny ")  # the same command, fewer rows
    result = run_script(f"exec 2>&1\n{ENDS_WITH_IT}{script}", folder, OMP_NUM_THREADS="1")

    assert 0 == result.returncode, result.stdout
    return _comparable(result.stdout.replace(f"127.0.0.1:{port}", f"127.0.0.1:{PORT}"))


def _comparable(text: str) -> str:
    bare = re.sub(r"\x1b\[\d+m|[│├└─]", "", text)
    return " ".join(_DIFFERS.sub("ID", bare).split())


def _pieces() -> list[str]:
    """Return what the page quotes, split where it says that something is left out."""
    blocks = "...\n".join(_QUOTED.findall(PAGE.read_text()))
    return [_comparable(piece) for piece in re.split(r"^ *\.\.\.$", blocks, flags=re.MULTILINE)]


def _services_of(folder: Path) -> list[str]:
    """Return the ids of processes that still serve from this folder."""
    listed = subprocess.run(["ps", "-eo", "pid=,args="], capture_output=True, text=True, check=True, timeout=30).stdout
    processes = [line.split(maxsplit=1) for line in listed.splitlines()]
    serving = [pid for pid, command in processes if "run serve" in command and int(pid) != os.getpid()]
    return [pid for pid in serving if Path(f"/proc/{pid}/cwd").resolve().is_relative_to(folder)]


def test_the_tutorial_of_the_town_runs(tmp_path: Path) -> None:
    printed = _run_page(tmp_path, tiny=True)
    pieces = [piece for piece in _pieces() if not any(words in piece for words in ONLY_WHEN_TAUGHT)]
    shape = _FIGURE.sub("#", printed)

    assert [] == [piece for piece in pieces if _FIGURE.sub("#", piece) not in shape]
    assert 5 == printed.count("exit code 1")
    assert 2 == printed.count("tally [recomputed] ID… tally/v1 60 statements")
    assert "article 3.1: The assistant hands difficult cases over to a person" in printed
    assert [] == _services_of(tmp_path)


@pytest.mark.slow
def test_the_tutorial_quotes_every_figure(tmp_path: Path) -> None:
    printed = _run_page(tmp_path, tiny=False)

    assert [] == [piece for piece in _pieces() if piece not in printed]


def test_what_only_a_taught_model_says_is_on_the_page() -> None:
    assert [] == [words for words in ONLY_WHEN_TAUGHT if words not in PAGE.read_text()]
