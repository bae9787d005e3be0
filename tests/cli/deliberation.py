"""A commons of one body with votes in it, for tests of `auzolan deliberate`, and a way to forge records in it."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from auzolan.core.record.published import blob_path
from tests.cli.machine import Machine, listing, machine, path_of
from tests.shared_data import copied_folder

LONDON, SEATTLE = "london.youth.policing", "15-per-hour-seattle"
MATHBLOB = "mathblob-below-100-ptpts"
PEOPLE = tuple(f"{name}.{number}@example.org" for number, name in enumerate(("ana", "jon", "kim", "eli") * 4))
_OPEN, _NIGHT, _TREES = "Parks stay open", "Buses run at night", "Plant more trees"


def polis(name: str) -> Path:
    """Return the folder of a copied conversation."""
    return copied_folder(f"polis/{name}")


def survey(folder: Path, people: tuple[str, ...] = PEOPLE, name: str = "survey.csv") -> Path:
    """Write a survey in which two camps of the same size answer; e-mail addresses tell people apart."""
    lines = [f"email,District,{_OPEN},{_NIGHT},{_TREES},Close the bridge,Open the library"]
    for number, who in enumerate(people):
        ours, theirs = ("agree", "disagree") if number % 2 else ("disagree", "agree")
        odd = "pass" if number % 5 == 4 else ours
        lines.append(f"{who},{'North' if number < 8 else 'South'},{ours},{theirs},agree,{odd},{theirs}")
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return path


@dataclass(frozen=True)
class Place:
    """A commons and the machine on which it stands."""

    machine: Machine
    town: Path
    root: str

    def run(self, *arguments: str | Path, code: int = 0) -> str:
        return self.machine.run(*arguments, "--commons", self.town, code=code)

    def json(self, *arguments: str | Path, code: int = 0) -> Any:
        return self.machine.json(*arguments, "--commons", self.town, code=code)

    def error(self, *arguments: str | Path, code: int) -> str:
        return self.machine.error(*arguments, "--commons", self.town, code=code)

    def read(self, path: Path, *arguments: str | Path) -> str:
        """Import votes and return the snapshot's id."""
        return str(self.json("deliberate", "import", path, *arguments)["committed"][0]["id"])

    def read_survey(self, path: Path | None = None, *arguments: str | Path) -> str:
        """Import a survey, keeping the district of each, and return the snapshot's id."""
        source = path or survey(self.machine.folder)
        return self.read(source, "--from", "survey", "--id", "email", "--stratum", "District", *arguments)

    def tally(self, *arguments: str | Path) -> str:
        """Tally and return the tally's id."""
        return str(self.json("deliberate", "tally", *arguments)["committed"][0]["id"])

    def record(self, record_id: str) -> Any:
        return self.json("show", record_id)["record"]

    def ids(self, kind: str) -> list[str]:
        return [row["id"] for row in self.json("log") if row["kind"] == kind]

    def links(self, record_id: str, code: int = 0) -> dict[str, Any]:
        """Return what a record rests on, by the name of the link, as `trace` shows it."""
        output = self.machine.call("trace", record_id, "--json", "--commons", self.town)

        assert code == output.exit_code, output.output
        shown, _ = json.JSONDecoder().raw_decode(output.stdout)
        return {branch["link"]: branch for branch in shown["rests_on"]}

    def private_blobs(self) -> set[str]:
        """Return the digests of the private blobs on this disk."""
        return {path.replace("/", "") for path in listing(self.town / "private" / "blobs")}

    def named_blobs(self) -> set[str]:
        """Return the digests of the private blobs that committed records name."""
        records = [self.record(row["id"]) for row in self.json("log")]
        return {d for record in records for name, d in record["blobs"].items() if name.startswith("private.")}

    def blob(self, digest: str, private: bool = True) -> bytes:
        """Return a blob, a private one without its salt."""
        data = (self.town / ("private" if private else "ledger") / blob_path(digest)).read_bytes()
        return data[32:] if private else data

    def forge(self, record_id: str, body: Any = None, **changed: Any) -> str:
        """Commit a tally like another one with some of its parts changed, and return its id."""
        record = self.record(record_id)
        folder = self.machine.folder
        (folder / "body.json").write_text(json.dumps(body or record["body"]))
        counts = changed.get("counts") or self.blob(record["blobs"]["counts"], private=False)
        (folder / "counts").write_bytes(counts)
        (folder / "labels").write_bytes(changed.get("labels") or self.blob(record["blobs"]["private.labels"]))
        target = changed.get("target") or record["links"]["snapshot"]
        proposed = self.run(
            "propose", "record", "--kind", "tally/v1", "--body", folder / "body.json", "--link", f"snapshot={target}",
            "--blob", f"counts={folder / 'counts'}", "--private-blob", f"labels={folder / 'labels'}",
            "--key", "demo/desk",
        )  # fmt: skip
        return str(self.json("commit", path_of(proposed))["committed"][0]["id"])


def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, privacy: str = "auditors", name: str = "desk") -> Place:
    """Found a commons of one body whose ballots are kept so."""
    library = machine(tmp_path, f"of-{name}", monkeypatch)
    library.key("desk")
    library.run("init", "town", "--name", "Town (synthetic)", "--demo", "--edit", "--principal", "library=demo/desk")
    town = library.folder / "town"
    change_rules(town, 'privacy = "auditors"', f'privacy = "{privacy}"')
    proposed = library.run("propose", "governance", "--commons", town, "--key", "demo/desk")
    root = library.json("commit", path_of(proposed), "--commons", town)["root"]
    return Place(library, town, root)


def copied(made: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Return a copy of a place with its machine, to change at will; founding and counting anew costs far more."""
    folder = tmp_path / made.machine.folder.name
    shutil.copytree(made.machine.folder, folder)
    return Place(Machine(folder / "home", folder, monkeypatch), folder / made.town.name, made.root)


def change_rules(town: Path, old: str, new: str) -> None:
    """Change the working copy of the rules."""
    rules = town / "governance.toml"
    text = rules.read_text()

    assert old in text
    rules.write_text(text.replace(old, new))


def commit_rules(here: Place, old: str, new: str) -> None:
    """Change the rules of a commons of one body."""
    change_rules(here.town, old, new)
    here.run("commit", path_of(here.run("propose", "governance", "--key", "demo/desk")))


def found_in(folder: Path, *needles: bytes) -> set[bytes]:
    """Return which byte sequences stand anywhere in the files of a folder or in their names."""
    files = listing(folder)
    everything = [*files.values(), *(name.encode() for name in files)]
    return {needle for needle in needles if any(needle in data for data in everything)}
