"""A round between a Decidim and back, step by step, as people run it; all synthetic."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from recipes import decidim_responses
from tests.cli.deliberation import Place
from tests.cli.ratifying import ballots, confirm
from tests.decidim_server import DecidimServer, Instance, a_comment, small_instance
from tests.decidim_server.instance import an_author

PEOPLE, SEED = 90, 11
NAME, HOST = "town", "127.0.0.1"
LOTS = ("--seed", "synthetic")  # by default they hang on the date
Row = dict[str, str]


class Clock:
    """Stands for the module `time` where an API is asked: nobody waits, and seconds pass all the same."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the commands that ask an API keep their pace on a clock of its own."""
    clock = Clock()
    for module in ("importing", "answering"):
        monkeypatch.setattr(f"auzolan.cli.decidim.{module}.time", clock)


def town_instance() -> Instance:
    """Return what the town's Decidim holds; the names in it must come out nowhere."""
    instance = small_instance(40)
    instance.host = HOST
    first = instance.items(6)[0]
    first["comments"] = [
        a_comment(100, "a favor", alignment=1, author=an_author(1)),
        a_comment(101, "en contra", alignment=-1, author=an_author(2)),
    ]
    for number, each in enumerate(instance.items(6)):
        each["createdInMeeting"] = number % 4 == 1
        each["official"] = number % 8 == 2
    return instance


def import_live(here: Place, server: DecidimServer, *arguments: str | Path, name: str = NAME) -> Any:
    """Import a live Decidim and return what is told; its port, which is another each time, is not in the keys."""
    words = ("--from", "decidim", "--name", name, "--host", HOST)
    return here.json("deliberate", "import", server.endpoint, *words, *arguments)


def rows_of(path: Path) -> list[Row]:
    """Return the rows of a `statements.csv`."""
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"), newline=""), delimiter=";"))


def write_rows(path: Path, rows: list[Row]) -> None:
    """Write a `statements.csv` as a spreadsheet does."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def edit(path: Path, change: Callable[[list[Row]], list[Row]]) -> None:
    """Edit a `statements.csv`."""
    write_rows(path, change(rows_of(path)))


def merged_reworded_and_shorter(rows: list[Row]) -> list[Row]:
    """Merge the second row into the first, reword the third and take the last out."""
    first, second, third, *others = rows
    first = first | {"proposals": f"{first['proposals']} {second['proposals']}"}
    third = third | {"text/ca": "Amb altres paraules (sintètic)"}
    return [first, third, *others[:-1]]


def make_kit(here: Place, folder: Path, *arguments: str) -> Any:
    """Make a kit, and return what is told."""
    return here.json("deliberate", "kit", folder, "--lang", "ca", *LOTS, *arguments)


def sign_kit(here: Place, folder: Path) -> str:
    """Sign the shortlist of a kit and return its id."""
    return str(here.json("deliberate", "kit", folder, "--final")["record"])


def respond(kit: Path, out: Path, people: int = PEOPLE) -> Path:
    """Let synthetic people answer the surveys of a kit, and return the folder of the responses."""
    out.mkdir()
    surveys = decidim_responses.read_kit(kit, "ca")
    for survey, responses in decidim_responses.answer(surveys, people, SEED, has_shared_ids=False):
        decidim_responses.write(out, survey, responses)
    return out


def tokens_of(responses: Path) -> list[str]:
    """Return the session tokens of a file of responses."""
    return [each["ID"] for each in json.loads(responses.read_text())]


def vote_on_wording(here: Place, opinion: Callable[[int, int], float]) -> str:
    """Draft the newest selection, leave its third article out, vote on the rest, and return the constitution's id."""
    draft, poll = here.machine.folder / "draft.md", here.machine.folder / "draft.csv"
    here.run("deliberate", "draft", "--output", draft, "--title", "Com serà el poble (sintètic)", "--language", "ca")
    _leave_the_third_out(draft)
    here.run("deliberate", "put-to-vote", draft, "--poll", poll)
    return str(confirm(here, ballots(poll, opinion, people=60))["record"])


def _leave_the_third_out(draft: Path) -> None:
    before, mark, after = draft.read_text().partition("### 3.1\n")
    principle, end, rest = after.partition("\n### ")

    assert mark
    (statement,) = re.findall(r"^- statement: (#\d+)$", principle, re.MULTILINE)
    draft.write_text(f"{before}{end.strip()} {rest}\n- {statement} by Ana: another town decides it (synthetic)\n")


def disposition(said: Mapping[str, Any]) -> str:
    return f"{said['disposition']}: {said['why']}"
