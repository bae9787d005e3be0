"""Every command in the README and the docs runs, in an empty folder, as it is written.

A block is skipped by nobody: where a text needs an address, a root or a file of
the reader's, the test of that page says what stands in for it here.
"""

from __future__ import annotations

import http.server
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)
_ID = re.compile(r"\b[0-9a-f]{64}\b")
_LINK = re.compile(r"\]\((?!https?:)([^)#]+)[^)]*\)")


def blocks_of(page: Path) -> list[str]:
    return _BLOCK.findall(page.read_text())


def _plain(output: str) -> str:
    """Return what was printed without the codes for bold letters."""
    return re.sub(r"\x1b\[\d+m", "", output)


def _root_of(output: str) -> str:
    """Return the root that the demo printed."""
    found = re.search(r"root of the commons: ([0-9a-f]{64})", output)
    assert found
    return found[1]


def run_script(script: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AUZOLAN")}
    environment |= {
        "PATH": f"{Path(sys.executable).parent}:{environment['PATH']}",
        "HOME": str(folder),
        "COLUMNS": "80",
        "AUZOLAN": str(Path(sys.executable).parent / "auzolan"),
        **more,
    }
    environment.pop("XDG_CONFIG_HOME", None)
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=folder, env=environment, capture_output=True, text=True,
        timeout=300, stdin=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.fixture(scope="module")
def tutorial(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """Run the tutorial once; its folder and what came of it."""
    folder = tmp_path_factory.mktemp("tutorial")
    return folder, run_script("\n".join(blocks_of(ROOT / "docs" / "tutorial.md")), folder)


def test_the_tutorial_runs_as_it_is_written(tutorial: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    _, result = tutorial

    assert 0 == result.returncode, result.stdout + result.stderr
    assert 2 == result.stdout.count("verdict: verified against the pinned root")
    assert 2 == result.stderr.count("verified against the pinned root; 'asserted' means")
    assert "private.present [unavailable]" in result.stdout


def test_the_tutorial_leaves_the_home_folder_alone(
    tutorial: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    folder, _ = tutorial

    assert ["two-bodies"] == [path.name for path in folder.iterdir()]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Run the demo script once; its folder and what it printed."""
    folder = tmp_path_factory.mktemp("demo")
    result = run_script(f"'{ROOT}/recipes/town.sh' demo", folder)
    assert 0 == result.returncode, result.stdout + result.stderr
    return folder / "demo", result.stdout


def test_the_demo_tells_the_whole_story(demo: tuple[Path, str]) -> None:
    _, output = demo

    assert "got 1 (library)" in output
    assert 2 == output.count("verdict: verified against the pinned root")
    assert 1 == output.count("verdict: do not trust it")
    assert "private.present [unavailable]" in output
    assert "Ratified by the people: Constitution of Example town (synthetic)" in output
    assert "selection [asserted]" in output
    assert 2 == output.count("tally [recomputed]")
    assert "its bytes are not the signed ones" in output
    assert "\n\n\n" not in output
    told = _plain(output).splitlines()[:-1]  # the last line is a command, as long as this checkout's path
    assert [] == [line for line in told if len(line) > 80 and not _ID.search(line)]


def test_the_demo_tells_a_command_that_works(demo: tuple[Path, str]) -> None:
    folder, output = demo

    result = run_script(output.splitlines()[-1], folder.parent)

    assert 0 == result.returncode, result.stderr
    assert "tombstone/v1" in result.stdout


def test_the_demo_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / ".auzolan-demo").touch()
    (tmp_path / "demo" / "left").touch()

    result = run_script(f"AUZOLAN=false '{ROOT}/recipes/town.sh' demo", tmp_path)

    assert 1 == result.returncode  # of `false`, which makes no key
    assert [".auzolan-demo"] == [path.name for path in (tmp_path / "demo").iterdir()]


def test_the_demo_removes_no_folder_of_another(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "precious").touch()

    result = run_script(f"'{ROOT}/recipes/town.sh' demo", tmp_path)

    assert 2 == result.returncode
    assert ["precious"] == [path.name for path in (tmp_path / "demo").iterdir()]
    assert "not a demo" in result.stderr


@pytest.fixture
def web(demo: tuple[Path, str]) -> Iterator[str]:
    """Serve the demo's commons on loopback."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = False  # so that closing waits for every connection, and none is left open

    folder = demo[0] / "town"
    with Server(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_checking_page_runs(demo: tuple[Path, str], web: str, tmp_path: Path) -> None:
    folder, output = demo
    shutil.copytree(folder / "town" / "ledger", tmp_path / "published")
    (tmp_path / "passphrase").write_text("a long sentence\n")
    script = "\n".join(blocks_of(ROOT / "docs" / "checking.md"))
    script = script.replace("--root ROOT", f"--root {_root_of(output)}").replace("https://…", web)

    result = run_script(script, tmp_path, AUZOLAN_PASSPHRASE_FILE=str(tmp_path / "passphrase"))

    assert 0 == result.returncode, result.stdout + result.stderr
    assert "verdict: verified against the pinned root" in result.stdout
    assert (tmp_path / "line.txt").read_text().startswith("— neighbour.example ")


# What people do between two commands of the page: eighty of them vote on the wording (synthetic).
PEOPLE = """
import csv, random
chance = random.Random(5)
texts = [row[1] for row in csv.reader(open("constitution-vote.csv", encoding="utf-8"))][1:]
with open("vote.csv", "w", encoding="utf-8", newline="") as stream:
    rows = csv.writer(stream)
    rows.writerow(["id", *texts])
    for voter in range(80):
        rows.writerow([voter, *(chance.choice(["agree", "agree", "agree", "pass", "disagree"]) for _ in texts)])
"""


def test_the_ratify_page_runs(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "recipes" / "town-votes", tmp_path / "town-votes")
    until_tally = "\n".join(blocks_of(ROOT / "docs" / "votes.md")[1:4])
    (tmp_path / "people.py").write_text(PEOPLE)
    blocks = [block for block in blocks_of(ROOT / "docs" / "ratify.md") if "bench." not in block]
    script = "\n".join(f"'{sys.executable}' ../people.py\n{b}" if "confirm vote.csv" in b else b for b in blocks)

    result = run_script(f"{until_tally}\n{script}", tmp_path)

    assert 0 == result.returncode, result.stdout + result.stderr
    assert 2 == result.stdout.count("tally [recomputed]")
    assert "draft [checked]" in result.stdout
    assert "Ratified by the people: How our assistant behaves" in result.stdout
    assert "rules [checked]" in result.stdout
    assert [] == [line for line in result.stdout.splitlines() if len(line) > 80 and not _ID.search(line)]


def test_the_polis_tutorial_runs_and_quotes_what_is_printed(tmp_path: Path) -> None:
    data = Path("tests/data/polis/scoop-hivemind.affordable-housing")
    shutil.copytree(ROOT / data, tmp_path / data)
    page = ROOT / "docs" / "tutorial-polis.md"
    quoted = re.findall(r"^```text\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)

    result = run_script("\n".join(blocks_of(page)), tmp_path)

    assert 0 == result.returncode, result.stdout + result.stderr
    printed = " ".join(_plain(result.stdout).split())
    assert 5 == len(quoted)
    assert [] == [line for block in quoted for line in block.splitlines() if " ".join(line.split()) not in printed]
    assert "Nothing is contested" in page.read_text()
    assert "contested" not in printed.partition("Not included")[2].partition("Certificate")[0]
    assert "tally [recomputed]" in printed
    assert "Evidence grade C: counts only" in printed


def test_the_decidim_tutorial_runs_and_quotes_what_is_printed(tmp_path: Path) -> None:
    data = Path("tests/data/decidim/pam2016-open-data-proposals.csv")
    for each in (data, Path("recipes/decidim_responses.py")):
        (tmp_path / each).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / each, tmp_path / each)
    page = ROOT / "docs" / "tutorial-decidim.md"
    commands = re.compile(r"^```text\nauzolan .*?^```", re.DOTALL | re.MULTILINE)
    quoted = re.findall(r"^```text\n(.*?)^```", commands.sub("", page.read_text()), re.DOTALL | re.MULTILINE)

    result = run_script("\n".join(blocks_of(page)), tmp_path)

    assert 0 == result.returncode, result.stdout + result.stderr
    printed = " ".join(_plain(result.stdout + result.stderr).split())
    assert 5 == len(quoted)
    assert [] == [line for block in quoted for line in block.splitlines() if " ".join(line.split()) not in printed]
    assert "shortlist [checked]" in printed
    assert "proposals [asserted]" in printed
    assert {"README.md", "accountability-results.csv", "participatory-text.ca.md"} <= {
        path.name for path in (tmp_path / "decidim-trial" / "upload").iterdir()
    }


def test_the_yields_of_the_rules_are_as_documented() -> None:
    table = [line for line in (ROOT / "docs" / "ratify.md").read_text().splitlines() if line.startswith("| london")]
    result = run_script(f"cd '{ROOT}' && '{sys.executable}' -m bench.yield_of_rules tests/data/polis", ROOT)

    assert 0 == result.returncode, result.stderr
    assert table == [line for line in result.stdout.splitlines() if line.startswith("| london")]


def test_the_votes_page_runs(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "recipes" / "town-votes", tmp_path / "town-votes")
    script = "\n".join(blocks_of(ROOT / "docs" / "votes.md"))

    result = run_script(script, tmp_path)

    assert 0 == result.returncode, result.stdout + result.stderr
    assert 2 == result.stdout.count("the same in every count")
    assert "can no longer be recomputed" in result.stdout
    assert "recomputed by us" in " ".join(result.stdout.split())
    assert (tmp_path / "votes.html").read_text().startswith("<!DOCTYPE html>")


def test_the_lost_disk_page_runs(demo: tuple[Path, str], tmp_path: Path) -> None:
    folder, output = demo
    shutil.copytree(folder / "town", tmp_path / "town")
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("a long sentence\n")
    script = "\n".join(blocks_of(ROOT / "docs" / "lost-disk.md")).replace("ROOT", _root_of(output))

    result = run_script(f"auzolan key new library-desk\n{script}", tmp_path, AUZOLAN_PASSPHRASE_FILE=str(passphrase))

    assert 0 == result.returncode, result.stdout + result.stderr
    assert "all 13 entries, their records and every tile are whole" in result.stdout
    assert "verdict: verified against the pinned root" in result.stdout
    assert "committed as entry 1" in result.stdout
    ledger, mirror = tmp_path / "town" / "ledger", tmp_path / "mirror"
    assert _files(ledger) == _files(mirror)


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_an_attack_that_the_checking_page_names_needs_an_earlier_view() -> None:
    page = (ROOT / "docs" / "checking.md").read_text()
    attacks = ROOT / "tests" / "attacks"
    named = set(re.findall(r"`(\w+_(?:fail|unchecked))`", page))

    assert named == {path.parent.name for path in attacks.glob("*/attack.toml") if "[seen]" in path.read_text()} - {
        "honest_pass"
    }


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "CONTRIBUTING.md"], ids=lambda page: page.name)
def test_make_targets_that_are_documented_exist(page: Path) -> None:
    targets = [line.split()[1] for block in blocks_of(page) for line in block.splitlines() if line.startswith("make ")]

    assert targets
    for target in targets:
        result = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert 0 == result.returncode, result.stderr


def test_no_page_has_commands_that_no_test_runs() -> None:
    run_here = {"tutorial.md", "tutorial-polis.md", "tutorial-decidim.md", "votes.md", "ratify.md", "checking.md"}
    run_here |= {"lost-disk.md", "README.md", "CONTRIBUTING.md"}
    measured = {"benchmarks.md"}  # its commands are the benchmarks: `make bench`
    taught = {"teach.md"}  # needs PyTorch: tests/teach/test_page.py
    served = {"run.md", "rules.md", "receipts.md", "tutorial-town.md"}  # needs an engine: tests/run

    assert set() == {page.name for page in PAGES if blocks_of(page)} - run_here - measured - taught - served


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    broken = [link for link in _LINK.findall(page.read_text()) if not (page.parent / link).exists()]

    assert [] == broken


def test_inline_commands_exist() -> None:
    """Every `auzolan WORD` in the docs is a command."""
    words = {
        m for page in PAGES for m in re.findall(r"`auzolan (?:propose |key |deliberate )?([a-z]+)", page.read_text())
    }
    helps = run_script("auzolan --help; for g in propose key deliberate; do auzolan $g --help; done", Path.cwd()).stdout

    assert set() == {word for word in words if not re.search(rf"\b{word}\b", helps)}
