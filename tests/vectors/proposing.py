"""A small synthetic Decidim as it is imported and shortlisted, for golden vectors."""

from __future__ import annotations

from hashlib import sha256

from auzolan.core.kinds.proposals import Cited, ListedStatement, Proposals, Quota, Shortlist
from auzolan.core.record.envelope import Envelope
from auzolan.deliberate.decidim.entities import Comment, Debate, Entity, Key, Proposal, Result, Taxonomy
from auzolan.deliberate.decidim.fingerprint import fingerprint_of
from auzolan.deliberate.decidim.lines import to_line
from tests.town import ROOT_ID, sign

_DATE = "2026-11-20"
_HOST = "decidim.example.org"
_SALT = bytes(range(32))


def _proposal(number: int, **other: object) -> Proposal:
    title = {"en": f"Proposal {number} (synthetic)"}
    body = {"en": f"Words of proposal {number} (synthetic).", "eu": f"{number}. proposamena (sintetikoa)."}
    return Proposal(Key(_HOST, 6, "proposal", number), title, body, "accepted", fingerprint_of(title, body), **other)  # type: ignore[arg-type]


def _entities() -> dict[str, list[Entity]]:
    taxonomies = (Taxonomy(3, {"en": "Care (synthetic)"}),)
    return {
        "proposals.000": [
            _proposal(66, supports=64, n_comments=2, origin="meeting", taxonomies=taxonomies, aligned=(1, 0)),
            _proposal(74, origin="participant", cards={"Green": 3, "Red": 1}, created_at="2026-01-22T00:00:00Z"),
            Proposal(Key(_HOST, 6, "proposal", 75), {}, {}, "withdrawn", None),
            _proposal(76, origin="participant"),
            _proposal(80, supports=0, amends=66, amendment_state="evaluating"),
        ],
        "debates.000": [Debate(Key(_HOST, 7, "debate", 1), {"en": "A debate (synthetic)"}, {"en": "About it."})],
        "results.000": [
            Result(Key(_HOST, 8, "result", 2), {"en": "A result (synthetic)"}, {}, 40, (66, 74), None, "ongoing")
        ],
        "private.comments.000": [
            Comment(Key(_HOST, 6, "comment", 5), ("proposal", 66), None, "Yes (synthetic).", 0, 1, 3, 0, "en"),
            Comment(Key(_HOST, 6, "comment", 9), ("proposal", 66), 5, "Why (synthetic)?", 1, 0),
        ],
    }


def proposing() -> tuple[dict[str, bytes], dict[str, Envelope]]:
    """Return blobs by file name, and signed records by name."""
    files = {name: b"".join(map(to_line, entities)) for name, entities in _entities().items()}
    salted = {n: _SALT + data if n.startswith("private.") else data for n, data in files.items()}
    imported = Proposals(
        source={
            "tool": "decidim", "name": "golden (synthetic)", "host": _HOST, "layout": "open-data CSV", "version": "",
        },
        licence="ODbL 1.0; contents: DbCL 1.0", imported_at=_DATE,
        counts={
            "proposals": 5, "amendments": 1, "withdrawn": 1, "comments": 2, "debates": 1, "results": 1,
            "participants": 2,
        },
        supports={"known": 2, "hidden": 2, "total": 64}, fingerprints={"checked": 0, "recomputed": 4},
        left={"e-mail addresses masked in texts": 0}, changes={}, commons=ROOT_ID,
        blobs={name: sha256(data).hexdigest() for name, data in salted.items()},
    ).to_record()  # fmt: skip
    shortlist = Shortlist(
        imported.id, _DATE, {
            "by": "origin", "language": "en", "least": "1", "order": "supports", "seed": "golden (synthetic)",
            "shares": "Sainte-Laguë",
        },
        (Quota("meeting", 1, 1), Quota("participant", 2, 1)),
        (
            ListedStatement(1, {"en": "Proposal 66 (synthetic)"}, (_cited(66),), True, "meeting"),
            ListedStatement(
                2, {"en": "Reworded", "eu": "Beste hitzetan"}, (_cited(74), _cited(76)), False, "participant"
            ),
        ),
        ((2, 1),),
    ).to_record()  # fmt: skip
    return files, {"proposals-v1": sign(imported), "shortlist-v1": sign(shortlist)}


def _cited(number: int) -> Cited:
    proposal = _proposal(number)
    assert proposal.fingerprint is not None
    return Cited(str(proposal.key), proposal.fingerprint.value)
