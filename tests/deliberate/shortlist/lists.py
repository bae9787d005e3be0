"""A small choice with its statements, and titles that would do harm."""

from __future__ import annotations

from typing import Any

from auzolan.deliberate.decidim.entities import Proposal
from auzolan.deliberate.shortlist.blocks import lay_out
from auzolan.deliberate.shortlist.candidates import By, candidates_of
from auzolan.deliberate.shortlist.choosing import Choice, choose
from auzolan.deliberate.shortlist.listing import drafted
from auzolan.deliberate.shortlist.plan import Kit
from tests.deliberate.shortlist.pam import proposal

HARMFUL = {
    "formula": '=HYPERLINK("https://example.org";"x")',
    "formula after a comma": "més arbres,=1+1",
    "formula in quotes": '"=1+1"',
    "plus": "+ arbres",
    "at": "@tothom",
    "guarded already": "'=1+1",
    "number in brackets": "[3] Més bancs",
    "html": "<script>alert(1)</script> & <b>ara</b>",
    "markdown": "# **[aquí](https://example.org)** | `x`",
    "line ends": "dues\r\nlínies\u2028tres",
    "long": "a" * 5_000,
    "right to left override": "més \u202eerbra",
    "right to left mark": "\u200fשלום",
    "control": "a\x00b\x1b[31m",
    "emoji": "👩‍👩‍👧 escola",
}
LANGUAGES = ("ca", "es")


def proposals() -> list[Proposal]:
    """Return twelve proposals: six from meetings, one of them in two languages, and one withdrawn."""
    made = [
        proposal(each, origin="meeting" if each % 2 else "participant", supports=100 - each) for each in range(1, 13)
    ]
    made[0] = proposal(1, origin="meeting", supports=99, title="Més arbres")
    made[1] = proposal(2, origin="participant", supports=98)
    return [*made, proposal(13, state="withdrawn", fingerprint=None), proposal(14, amends=1)]


def choice(places: int = 6, by: By = "origin", of: list[Proposal] | None = None) -> Choice:
    """Return a choice of some of them."""
    return choose(list(candidates_of(of or proposals(), by, "ca")), places, by, "seed")


def kit(places: int = 6, most: int = 4, of: list[Proposal] | None = None, **fields: Any) -> Kit:
    """Return a kit of some of them, with their titles as statements."""
    chosen = choice(places, of=of)
    statements = drafted(chosen, LANGUAGES)
    plain: dict[str, Any] = {"name": "Vila", "languages": LANGUAGES, "choice": chosen, "statements": statements}
    return Kit(**({**plain, "surveys": lay_out(len(statements), most)} | fields))
