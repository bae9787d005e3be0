"""Write the golden vectors of format version 1: `python -m tests.vectors.make`.

Everything comes from the fixed keys of `tests.town`, so the bytes are the same
in every run; `test_golden` checks that they still verify and are still made.
What is once released here never changes; a new format gets a new folder.
All of it is synthetic.
"""

from __future__ import annotations

import base64
from pathlib import Path

from auzolan.core.kinds.govern import Document
from auzolan.core.kinds.oversee import Endorsement
from auzolan.core.record.envelope import Envelope
from auzolan.core.record.keys import encrypt_key
from auzolan.core.record.note import cosign_note
from auzolan.core.record.record import Record
from auzolan.core.record.tombstone import tombstone
from tests.town import CLINIC, LIBRARY, NOW, SCHOOL, WITNESS, Town, next_rules, root_record, sign
from tests.vectors.deliberation import deliberation
from tests.vectors.proposing import proposing
from tests.vectors.running import running
from tests.vectors.teaching import teaching

FOLDER = Path(__file__).parent / "v1"
PASSPHRASE = b"town (synthetic)"
BLOB = b"Notes that are published beside the log (synthetic).\n"
PRIVATE = b"Names that are not published (synthetic).\n"
SALT = bytes(range(32))


def town() -> Town:
    """Return a town with six records: two governances, two documents, an endorsement, a tombstone."""
    made = Town(root_record())
    text = "We met: ñ, ü, \u20ac and \U0001f33e."
    minutes = Document("Minutes", "2026-11-20", text, {"commons": made.root.id}).to_record()
    blobs = {
        "notes": made.ledger.stage_blob(BLOB),
        "private.names": made.ledger.keep_private_blob(PRIVATE, SALT),
    }
    annex = Document("Annex", "2026-11-20", "", {"about": minutes.id}, blobs).to_record()
    endorsement = Endorsement(minutes.id, "read", "2026-11-21", "Read in the library.").to_record()
    made.commit(sign(minutes), sign(annex), sign(endorsement, SCHOOL))
    made.commit(sign(_second_rules(made.root.id)))
    made.commit(sign(tombstone([blobs["private.names"]], [annex.id], "asked for", "2026-11-22"), LIBRARY, CLINIC))
    assert made.ledger.checkpoint, "the town has published"
    made.ledger.add_cosignature(cosign_note(made.ledger.checkpoint.note.text, WITNESS, NOW))
    return made


def _second_rules(root: str) -> Record:
    principals = {
        "library": {"name": "Town library", "keys": [str(LIBRARY.public)]},
        "school": {"name": "Town school", "keys": [str(SCHOOL.public)]},
        "clinic": {"name": "Town clinic", "keys": [str(CLINIC.public)]},
    }
    return next_rules(
        root,
        principals=principals,
        roles={"steward": ["library", "school", "clinic"]},
        thresholds={
            "default": {"role": "steward", "count": 1},
            "governance/v1": {"role": "steward", "count": 2},
            "tombstone/v1": {"role": "steward", "count": 2},
        },
        witnesses={"keys": [str(WITNESS.witness_public)], "quorum": 1, "max_age_days": 7},
        rights_floor=[{"id": "floor-1", "text": "Everybody may read what was decided."}],
    )


def vectors() -> dict[str, bytes]:
    """Return path below `v1` -> bytes."""
    made = town()
    size = made.ledger.head.size
    files = {
        f"ledger/{path}": data
        for path, data in made.public.content.items()
        if ".p/" not in path or path.endswith(f".p/{size}")  # a log need not keep the partial tiles of earlier sizes
    }
    named: dict[str, Envelope] = {}
    for row in made.ledger.index.rows():
        named[row.kind.replace("/", "-")] = made.ledger.envelope(row)
    for name, envelope in named.items():
        files[f"kinds/{name}/record.json"] = envelope.claimed.canonical
        files[f"kinds/{name}/envelope.dsse"] = envelope.canonical
        files[f"kinds/{name}/id.txt"] = envelope.claimed.id.encode() + b"\n"
    document = named["document-v1"].claimed.id
    blobs, records = deliberation()
    files |= {f"deliberation/{name}": data for name, data in blobs.items()}
    for name in ("successor", "vote", "vote-tally"):
        files[f"deliberation/{name}.json"] = records.pop(name).claimed.canonical
    blobs, taught = teaching(records["constitution-v1"].claimed)
    files |= {f"teaching/{name}": data for name, data in blobs.items()}
    records |= taught
    blobs, proposed = proposing()
    files |= {f"proposing/{name}": data for name, data in blobs.items()}
    records |= proposed
    records |= running(records["constitution-v1"].claimed, records["adapter-v1"].claimed)
    for name, envelope in records.items():
        files[f"kinds/{name}/record.json"] = envelope.claimed.canonical
        files[f"kinds/{name}/envelope.dsse"] = envelope.canonical
        files[f"kinds/{name}/id.txt"] = envelope.claimed.id.encode() + b"\n"
    files["proof.tlog-proof"] = made.ledger.prove(document).to_bytes()
    files["key.json"] = encrypt_key(LIBRARY, PASSPHRASE, bytes(range(16)), log2_n=10)
    proof = made.ledger.reader().consistency_proof(4)
    files["add-checkpoint.txt"] = add_checkpoint_request(4, proof, made.public.content["checkpoint"])
    return files


def add_checkpoint_request(old_size: int, proof: list[bytes], checkpoint: bytes) -> bytes:
    """Return the body of an `add-checkpoint` request (c2sp.org/tlog-witness)."""
    lines = [f"old {old_size}", *(base64.b64encode(item).decode() for item in proof)]
    return ("\n".join(lines) + "\n\n").encode() + checkpoint


def main() -> None:
    """Write what is missing; never change what is there."""
    for path, data in vectors().items():
        place = FOLDER / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.exists():
            place.write_bytes(data)


if __name__ == "__main__":
    main()
