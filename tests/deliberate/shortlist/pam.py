"""Proposals for tests: invented ones, and those of the Municipal Action Plan of Barcelona, 2016."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

from auzolan.deliberate.decidim.entities import Key, Origin, Proposal, Taxonomy
from auzolan.deliberate.decidim.fingerprint import fingerprint_of
from tests.shared_data import shared

_ORIGINS: Mapping[str, Origin] = {
    "citizen": "participant",
    "meeting": "meeting",
    "organization": "group",
    "official": "official",
}
HOST = "decidim.example.org"


def proposal(number: int, title: str = "", **fields: Any) -> Proposal:
    """Return an invented proposal."""
    titles = {"ca": title or f"Proposta {number}"}
    plain: dict[str, Any] = {"state": "not_answered", "fingerprint": fingerprint_of(titles, {}), "supports": 0}
    return Proposal(key=Key(HOST, 6, "proposal", number), title=titles, body={}, **(plain | fields))


def pam_2016() -> list[Proposal]:
    """Return the 9,691 real proposals, or skip the test loudly."""
    text = shared("decidim/barcelona-pam2016/proposals.csv").decode("utf-8")
    return [
        proposal(
            int(row["id"]),
            row["title"],
            supports=int(row["total_votes"]),
            n_comments=int(row["total_comments"]),
            origin=_ORIGINS[row["source"]],
            taxonomies=(Taxonomy(int(row["category__id"]), {"ca": row["category__name"]}),),
        )
        for row in csv.DictReader(io.StringIO(text, newline=""))
    ]
