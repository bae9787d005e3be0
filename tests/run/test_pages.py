"""The pages on running a model: every command runs, in an empty folder, as it is written.

What stands in for the reader: two fields that are filled in, a port that is free,
batches of one second, a receipt of theirs and the root that they know.
"""

from __future__ import annotations

import re
import shutil
import socket
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

pytest.importorskip("re2", reason="needs the extra `run`")

from auzolan.run.rules.table import read_rules
from tests.run.rules.unseen import UNSEEN_DECISIONS, UNSEEN_INFORMATION
from tests.test_docs import PEOPLE, ROOT, blocks_of, run_script

DOCS = ROOT / "docs"
_TOML = re.compile(r"^```toml\n(.*?)^```", re.DOTALL | re.MULTILINE)
_ID = re.compile(r"\b[0-9a-f]{64}\b")
_PATTERN = re.compile(r"--root ([0-9a-f]{64})")

FILL_IN = r"""
sed -i.was -e 's/^operator = ""/operator = "The desk (synthetic)"/' \
  -e 's/^contact = ""/contact = "room 1 (synthetic)"/' service.toml
"""

# The service runs beside the script, as it would in a terminal of its own, and ends with it.
BESIDE = """
served() {
  command auzolan run serve --port "$PORT" --batch 1 > ../serve.log 2>&1 < /dev/null &
  trap "kill $!; wait $! || true" EXIT
  for _ in $(seq 600); do
    if command curl --silent --fail "http://127.0.0.1:$PORT/health" > /dev/null; then return; fi
    kill -0 $! || { cat ../serve.log >&2; exit 1; }
    sleep 0.1
  done
  exit 1
}
logged() {
  for _ in $(seq 600); do
    if [ "$(sed -n 2p "$HOME/.config/auzolan/run/town/answers/checkpoint" 2> /dev/null)" = 2 ]; then return; fi
    sleep 0.1
  done
  exit 1
}
auzolan() {
  case "$1 ${2-}" in
    "run serve") served ;;
    "run chat" | "run proof") command auzolan "$@" --port "$PORT" ;;
    "run anchor") logged; command auzolan "$@" ;;
    verify*) command auzolan "$@" || [ $? = 3 ] ;;
    *) command auzolan "$@" ;;
  esac
}
"""

# What the reader has: a receipt, and a copy of the folder that the community publishes.
RECEIVED = """
cp "$(ls receipts/*.json | head -1)" receipt.json
cp -r ledger published
"""


class Town(NamedTuple):
    """A commons with a ratified constitution: the folder around it, and its root."""

    folder: Path
    root: str


@pytest.fixture(scope="module")
def ratified(tmp_path_factory: pytest.TempPathFactory) -> Town:
    """Go through the pages on votes and on the constitution once."""
    folder = tmp_path_factory.mktemp("ratified")
    shutil.copytree(ROOT / "recipes" / "town-votes", folder / "town-votes")
    (folder / "people.py").write_text(PEOPLE)
    blocks = [*blocks_of(DOCS / "votes.md")[1:4], *(b for b in blocks_of(DOCS / "ratify.md")[:4] if "why" not in b)]
    script = "\n".join(f"python3 ../people.py\n{b}" if "confirm vote.csv" in b else b for b in blocks)

    result = run_script(script, folder)

    assert 0 == result.returncode, result.stdout + result.stderr
    found = _PATTERN.search(result.stdout + result.stderr)
    assert found
    return Town(folder, found[1])


@pytest.fixture
def town(ratified: Town, tmp_path: Path) -> Town:
    """Return a copy of the commons, with its keys."""
    shutil.copytree(ratified.folder, tmp_path, dirs_exist_ok=True)
    return Town(tmp_path, ratified.root)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_run_page_and_the_receipts_page_run(town: Town) -> None:
    pytest.importorskip("xllamacpp", reason="needs the extra `engine`")
    port = str(_free_port())
    prepare, *rest = blocks_of(DOCS / "run.md")
    page = "\n".join([prepare, FILL_IN, *rest])
    receipts = "\n".join(blocks_of(DOCS / "receipts.md")).replace("ROOT", town.root)
    script = "\n".join([BESIDE, "cd town", page, RECEIVED, receipts])

    result = run_script(script, town.folder, OMP_NUM_THREADS="1", PORT=port)

    said = " ".join(result.stdout.split())
    assert 0 == result.returncode, result.stdout + result.stderr
    assert "The rules of this community do not allow this:" in said
    assert "Denied by rule 'no-eligibility-by-machine'" in said
    assert "question and answer are those that were signed" in said
    assert "2 answers of town are anchored" in said
    assert 1 == said.count("no proof; ask the service for it after its next batch")
    assert 1 == said.count("not changed since it was put there")
    assert "tally [unavailable]" in said
    assert "verdict: it holds; verified against the pinned root" in said
    assert "These rules matched, as the service says and signed:" in said


def test_the_rules_page_runs(town: Town) -> None:
    page = DOCS / "rules.md"
    (town.folder / "added.toml").write_text("\n" + _TOML.findall(page.read_text())[1])
    added = "cat ../added.toml >> rules.toml"
    script = "\n".join(["cd town", "auzolan run prepare --name town", FILL_IN, added, *blocks_of(page)])

    result = run_script(script, town.folder)

    said = " ".join(result.stdout.split())
    assert 0 == result.returncode, result.stdout + result.stderr
    assert "Denied by rule 'no-doses' (article 2.1): Doses are a matter for a doctor or a pharmacist" in said
    assert 1 == said.count("Denied by")
    assert "Allowed by" in said


def test_the_rules_on_the_page_are_rules() -> None:
    blocks = _TOML.findall((DOCS / "rules.md").read_text())

    rules = read_rules(tomllib.loads("\n".join(blocks)))

    assert 4 == len(blocks)
    assert ["allow-use", "no-doses"] == [each.id for each in rules.rules]
    assert ["decisions-about-people"] == [each.id for each in rules.judges]
    assert ["allow-use"] == [each.id for each in read_rules(tomllib.loads(blocks[0])).rules]


def test_the_page_says_how_little_the_patterns_find() -> None:
    """`test_defaults` checks the figures themselves."""
    page = (DOCS / "rules.md").read_text()

    assert f"**12 of {len(UNSEEN_DECISIONS)}**" in page
    assert f"**2 of {len(UNSEEN_INFORMATION)}**" in page


@pytest.mark.parametrize("page", ["run.md", "rules.md", "receipts.md"])
def test_lines_of_quoted_output_fit_a_terminal(page: str) -> None:
    quoted = re.findall(r"^```text\n(.*?)^```", (DOCS / page).read_text(), re.DOTALL | re.MULTILINE)
    lines = [line for block in quoted for line in block.splitlines() if not line.startswith("- ")]

    assert [] == [line for line in lines if len(line) > 80 and not _ID.search(line)]
