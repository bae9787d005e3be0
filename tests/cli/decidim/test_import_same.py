"""The open data and the API of one Decidim, as the shipped samples hold them, give the same proposals."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.decidim.exports import imports, lines
from tests.cli.deliberation import Place
from tests.decidim_server import DecidimServer, Instance, a_comment
from tests.shared_data import copied, copied_json, shared

PAGES = ("response-0.32-page1.json", "response-0.32-page2.json")

# The columns are empty in this export: likes and references, and whose proposal it is without a link to a profile.
UNTOLD_IN_CSV = {"likes", "origin", "reference"}


def _texts(field: Any) -> dict[str, str] | None:
    return None if field is None else {each["locale"]: each["text"] for each in field["translations"]}


def _nodes() -> list[dict[str, Any]]:
    """Return the proposals of the sample pages as the server of the tests holds them."""
    pages = (copied_json(f"decidim/api/{page}") for page in PAGES)
    nodes = [node for page in pages for node in page["data"]["component"]["proposals"]["nodes"]]
    return [
        {
            **node,
            "__typename": "Proposal",
            "title": _texts(node["title"]),
            "body": _texts(node["body"]),
            "answer": _texts(node["answer"]),
            "machine": {},
            "votes": node["voteCount"],
            "likes": node["likesCount"],
            "taxonomies": [{"id": each["id"], "name": _texts(each["name"])} for each in node["taxonomies"]],
            "createdInMeeting": False,
            "scope": None,
            "comments": [a_comment(1_000 * int(node["id"]) + n, "sintètic") for n in range(node["totalCommentsCount"])],
            "amendments": [],
        }
        for node in nodes
    ]


@pytest.mark.parametrize(
    ("read", "path", "expected"),
    [
        (copied, "decidim/pam2016-open-data-proposals.csv", 2),  # of the copied sample, only these are in the responses
        (shared, "decidim/as-open-data/pam2016-open-data-proposals.csv", 40),
    ],
    ids=["copied", "whole"],
)
def test_csv_and_api_give_the_same_proposals(
    founded: Place, read: Callable[[str], bytes], path: str, expected: int
) -> None:
    header, *rows = csv.reader(io.StringIO(read(path).decode(), newline=""), delimiter=";")
    numbers = {row[0] for row in rows}
    nodes = [each for each in _nodes() if each["id"] in numbers]
    instance = Instance()
    instance.add(6, "Proposals", nodes, slug="pam")
    with DecidimServer("0.32", instance) as server:
        words = ("--host", "decidim.example.org", "--name", "api")
        by_api = lines(founded, imports(founded, server.endpoint, *words)["record"])
    asked = {node["id"] for node in nodes}
    part = io.StringIO(newline="")
    csv.writer(part, delimiter=";").writerows([header, *(row for row in rows if row[0] in asked)])
    file = founded.machine.folder / "proposals.csv"
    file.write_text(part.getvalue())
    by_csv = lines(founded, imports(founded, file, "--name", "csv")["record"])
    pairs = list(zip(by_api, by_csv, strict=True))
    untold = {name for one, other in pairs for name in {*one, *other} if (name in one) is not (name in other)}
    differing = {name for one, other in pairs for name in {*one} & {*other} if one[name] != other[name]}

    assert expected == len(nodes) == len(by_csv)
    assert UNTOLD_IN_CSV == untold
    assert not [name for _, other in pairs for name in UNTOLD_IN_CSV if name in other]
    assert {"fingerprint"} == differing  # the same value: one is told by Decidim, the other computed
    assert [one["fingerprint"]["value"] for one, _ in pairs] == [other["fingerprint"]["value"] for _, other in pairs]
    assert {(True, False)} == {
        (one["fingerprint"]["from_decidim"], other["fingerprint"]["from_decidim"]) for one, other in pairs
    }
