"""A town that selects, words and votes, for tests of `confirm`, `diff`, `publish` and `check`; all synthetic."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.cli.deliberation import Place, place
from tests.cli.machine import path_of

TOWN = Path(__file__).parents[2] / "recipes" / "town-votes"
Opinion = Callable[[int, int], float]  # (voter, principle) -> how likely the voter is to agree


def selected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str = "desk", privacy: str = "auditors") -> Place:
    """Return a town that imported, tallied and selected."""
    made = place(tmp_path, monkeypatch, privacy, name)
    made.read(TOWN, "--name", "assistant")
    made.tally()
    made.json("deliberate", "ratify")
    return made


def split(voter: int, principle: int) -> float:
    """Most agree with everything but the first principle, which a group is against, and the second, which all are."""
    if principle == 1:
        return 0.1
    return 0.02 if principle == 0 and voter % 3 == 0 else 0.95


def put_to_vote(here: Place, *arguments: str, name: str = "draft.md") -> Path:
    """Draft the newest selection, fix the wording, and return the poll file."""
    draft, poll = here.machine.folder / name, here.machine.folder / f"{name}.csv"
    here.run("deliberate", "draft", "--output", draft, "--title", "How our assistant behaves (synthetic)", *arguments)
    here.run("deliberate", "put-to-vote", draft, "--poll", poll)
    return poll


def ballots(
    poll: Path, opinion: Opinion = lambda _voter, _principle: 0.8, people: int = 90, name: str = "vote.csv"
) -> Path:
    """Write a survey in which people vote on the wording in a poll file."""
    chance = random.Random(11)
    with poll.open(newline="", encoding="utf-8") as stream:
        texts = [row[1] for row in csv.reader(stream)][1:]
    path = poll.parent / name
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["email", "District", *texts])
        for voter in range(people):
            votes = []
            for principle in range(len(texts)):
                agrees = chance.random() < opinion(voter, principle)
                votes.append("pass" if chance.random() < 0.05 else "agree" if agrees else "disagree")
            writer.writerow([f"voter.{voter}@example.org", ("North", "South", "East")[voter % 3], *votes])
    return path


def confirm(here: Place, path: Path, *arguments: str, name: str = "vote", code: int = 0) -> Any:
    """Confirm a vote and return what is printed."""
    return here.json(
        "deliberate", "confirm", path, "--from", "survey", "--id", "email", "--stratum", "District",
        "--name", name, *arguments, code=code,
    )  # fmt: skip


def forge_record(here: Place, record_id: str, links: Mapping[str, str] | None = None, **changed: Any) -> str:
    """Commit a record like another one with parts of its body or its links changed, and return its id."""
    record = here.record(record_id)
    body = here.machine.folder / "body.json"
    body.write_text(json.dumps({**record["body"], **changed}))
    named = {**record["links"], **(links or {})}
    words = [word for name, target in named.items() for word in ("--link", f"{name}={target}")]
    proposed = here.run("propose", "record", "--kind", record["kind"], "--body", body, *words, "--key", "demo/desk")
    return str(here.json("commit", path_of(proposed))["committed"][0]["id"])
