"""Exports of a Decidim as files: copied real ones, and made-up ones with names that must come out nowhere."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

from tests.cli.deliberation import Place
from tests.deliberate.decidim.generated import COMMENT_HEADER, HEADERS, HOST, comment, proposal, table
from tests.shared_data import copied_folder

REAL = copied_folder("decidim")
PAM, MADRID = REAL / "pam2016-open-data-proposals.csv", REAL / "madrid2019-open-data-proposals.csv"
MADRID_COMMENTS = REAL / "madrid2019-open-data-proposal_comments.csv"
SECRETS = ("Maria Secret", "maria.secret@example.org", "secret_nick", "699111222", "Carrer Secret")
_AUTHOR = {
    "author/id": "7",
    "author/name": SECRETS[0],
    "author/url": f"https://{HOST}/profiles/{SECRETS[2]}",
}


def proposals_csv(*numbers: int, **cells: str) -> bytes:
    """Return the file of these proposals, by somebody with a name, an address, a number and a street."""
    rows = [
        proposal(
            number,
            **{
                "title__ca": f"Proposta {number} (sintètica)",
                "body__ca": f"Escriviu-me a {SECRETS[1]} o {SECRETS[3]}. Text {number}.",
                "votes": str(number),
                "address": SECRETS[4],
                "state": "",
                **cells,
            },
        )
        | _AUTHOR
        for number in numbers
    ]
    return table(HEADERS["0.31"], *rows)


def comments_csv(*numbers: int, body: str = "Un comentari (sintètic)") -> bytes:
    """Return the file of these comments on proposal 1, by the same person."""
    url = f"https://{HOST}/processes/plan/f/6/proposals/1"
    rows = [
        comment(number, body=f"{body} {number}", commentable_id="1", root_commentable_url=url)
        | {"author/name": SECRETS[0]}
        for number in numbers
    ]
    return table(COMMENT_HEADER, *rows)


def folder_of(here: Place, name: str = "export", **files: bytes) -> Path:
    """Write files into a folder: `proposals=...` becomes open-data-proposals.csv."""
    folder = here.machine.folder / name
    folder.mkdir(exist_ok=True)
    for entity, data in files.items():
        (folder / f"open-data-{entity}.csv").write_bytes(data)
    return folder


def zip_of(folder: Path) -> Path:
    """Pack a folder and return the zip."""
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for each in sorted(folder.iterdir()):
            packed.write(each, each.name)
    return path


def admin_json(here: Place, *numbers: int) -> Path:
    """Write what an administrator exports of a component of 0.31."""
    listed: list[dict[str, Any]] = [
        {
            "id": number,
            "author": {"id": [7], "name": [SECRETS[0]], "url": [f"https://{HOST}/profiles/{SECRETS[2]}"]},
            "component": {"id": 6},
            "participatory_space": {"id": 1, "url": f"https://{HOST}/processes/plan"},
            "title": {"ca": f"Proposta {number} (sintètica)"},
            "body": {"ca": f"Escriviu-me a {SECRETS[1]} o {SECRETS[3]}. Text {number}."},
            "address": SECRETS[4],
            "state": None,
            "votes": number,
            "url": f"https://{HOST}/processes/plan/f/6/proposals/{number}",
            "is_amend": False,
            "withdrawn": False,
        }
        for number in numbers
    ]
    path = here.machine.folder / "proposals.json"
    path.write_text(json.dumps(listed))
    return path


def imports(here: Place, source: object, *arguments: str | Path) -> Any:
    """Import and return what is told."""
    return here.json("deliberate", "import", str(source), "--from", "decidim", *arguments)


def lines(here: Place, record_id: str, name: str = "proposals") -> list[dict[str, Any]]:
    """Return what a class of entities has in the blobs of an import."""
    blobs = here.record(record_id)["blobs"]
    found = []
    for blob in sorted(each for each in blobs if each.removeprefix("private.").rsplit(".", 1)[0] == name):
        data = here.blob(blobs[blob], private=blob.startswith("private."))
        found += [json.loads(line) for line in data.splitlines()]
    return found
