"""`tombstone/v1`: the signed trace that private bytes were erased.

Its body lists the digests of the erased blobs and the reason; its links named
"affects…" point at the records that had named them. Whose bytes they were is
not said.
"""

from __future__ import annotations

from auzolan.core.record.canonical import JsonObject, as_list, as_text
from auzolan.core.record.errors import MalformedError
from auzolan.core.record.record import Record, check_digest

TOMBSTONE_KIND = "tombstone/v1"
AFFECTS = "affects"


def tombstone(erased: list[str], affected: list[str], reason: str, forgotten_at: str) -> Record:
    """Return the record that says that the blobs `erased`, named by the records `affected`, are gone.

    Args:
        erased: digests of private blobs, at least one.
        affected: ids of the records that name them, at least one.
        reason: plain words, without naming the person.
        forgotten_at: ISO 8601 date.
    """
    links = {f"{AFFECTS}.{number}": target for number, target in enumerate(affected, 1)}
    body: JsonObject = {"erased": list(erased), "reason": reason, "forgotten_at": forgotten_at}
    record = Record(TOMBSTONE_KIND, body, links)
    erased_by(record)
    return record


def erased_by(record: Record) -> list[str]:
    """Return the digests that a tombstone erases.

    Raises:
        MalformedError: `record` is not a well-formed tombstone.
    """
    if record.kind != TOMBSTONE_KIND:
        raise MalformedError(f"expected {TOMBSTONE_KIND}, got {record.kind}")
    as_text(record.body.get("reason"), "tombstone: reason")
    as_text(record.body.get("forgotten_at"), "tombstone: forgotten_at")
    digests = [check_digest(d, "tombstone: erased") for d in as_list(record.body.get("erased"), "tombstone: erased")]
    affected = [name for name in record.links if name.split(".")[0] == AFFECTS]
    if not digests or not affected:
        raise MalformedError("tombstone: expected at least one erased digest and one link 'affects.1'")
    return digests
