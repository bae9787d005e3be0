"""The house rules that a linter does not know."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import auzolan.core.record

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "src").rglob("*.py"))
EDGE_LIBRARIES = {
    "os", "pathlib", "time", "datetime", "random", "secrets", "socket", "urllib", "http", "subprocess",
    "sqlite3", "fcntl", "tempfile", "shutil", "getpass", "sys", "asyncio", "aiohttp", "signal", "resource", "ctypes",
    "threading", "mmap",
}  # fmt: skip
HARMLESS = {
    "asyncio": {"CancelledError", "Future", "get_running_loop"},  # to wait for one another
    "aiohttp": {"ClientError"},  # to tell what went wrong
}


def _name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT / "src").with_suffix("").parts).removesuffix(".__init__")


def _edges() -> list[str]:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())
    edges: list[str] = config["tool"]["auzolan"]["edge_modules"]
    return edges


def _imported(path: Path) -> set[str]:
    """Return the first names of what a module imports, without what is harmless."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            library = (node.module or "").split(".")[0]
            if not {alias.name for alias in node.names} <= HARMLESS.get(library, set()):
                found.add(library)
    return found


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_only_edge_modules_touch_the_world(path: Path) -> None:
    name = _name(path)
    if any(name == edge or name.startswith(edge + ".") for edge in _edges()):
        return

    assert set() == _imported(path) & EDGE_LIBRARIES


def test_edge_modules_exist() -> None:
    names = {_name(path) for path in SOURCES}

    assert set() == set(_edges()) - names


def test_edge_modules_say_so_and_no_others() -> None:
    modules = {_name(path): path for path in SOURCES if not _name(path).startswith("auzolan.cli")}  # that is all edge
    saying = {
        name
        for name, path in modules.items()
        if (ast.get_docstring(ast.parse(path.read_text())) or "").startswith("Edge: ")
    }

    assert {edge for edge in _edges() if edge != "auzolan.cli"} == saying


def test_edge_modules_touch_the_world() -> None:
    paths = {_name(path): path for path in SOURCES}

    assert [] == [edge for edge in _edges() if edge != "auzolan.cli" and not _imported(paths[edge]) & EDGE_LIBRARIES]


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_modules_stay_readable(path: Path) -> None:
    text = path.read_text()
    long_functions = [
        f"{node.name}: {(node.end_lineno or 0) - node.lineno} lines"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (node.end_lineno or 0) - node.lineno > 60
    ]

    assert text.count("\n") <= 400
    assert [] == long_functions
    assert ast.get_docstring(ast.parse(text))


def test_the_spine_promises_these_names() -> None:
    promised = {
        name for name in vars(auzolan.core.record) if name[0].isupper() or name.startswith(("verify", "read", "can"))
    }

    assert set(auzolan.core.record.__all__) == promised - {"canonical", "verify"}


def test_the_spine_lists_its_modules() -> None:
    text = auzolan.core.record.__doc__ or ""
    modules = {path.stem for path in (ROOT / "src/auzolan/core/record").glob("*.py")} - {"__init__", "errors"}

    assert set() == {module for module in modules if module not in text}


def test_every_kind_has_its_page() -> None:
    from auzolan.core.kinds import KNOWN_KINDS

    pages = {path.stem for path in (ROOT / "docs" / "kinds").glob("*.md")}

    assert set() == {kind.split("/")[0] for kind in KNOWN_KINDS} - pages


def test_the_base_install_needs_no_torch() -> None:
    code = "import sys, auzolan.cli, auzolan.core.record; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"

    assert 0 == subprocess.run([sys.executable, "-c", code], timeout=60).returncode


def test_constraints_pin_every_requirement() -> None:
    pinned = {
        line.split("==")[0].lower() for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line
    }
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [*project["project"]["dependencies"], *project["project"]["optional-dependencies"]["dev"]]
    wanted += project["build-system"]["requires"]

    assert set() == {line.split(">=")[0].lower() for line in wanted} - pinned
