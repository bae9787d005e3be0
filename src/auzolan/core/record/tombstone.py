"""`tombstone/v1`: the signed trace that private bytes were erased.

Its body lists the digests of the erased blobs and the reason; its links named
"affects…" point at the records that had named them. Whose bytes they were is
not said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from auzolan.core.record.canonical import JsonObject, as_list, as_text
from auzolan.core.record.errors import MalformedError, VerificationError
from auzolan.core.record.record import PRIVATE_BLOB_PREFIX, Record, check_digest

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


def check_blobs(record: Record, holders: Callable[[str], Iterable[tuple[str, str]]]) -> None:
    """Refuse what would hide bytes that other records name; `commit` and `verify` judge alike.

    Checks: (a) the same bytes are never public in one record and private in
    another; (b) a tombstone affects every record that names what it erases.

    Args:
        record: the next record of the log.
        holders: digest -> (record id, blob name) for the records before it, to which this was applied.

    Raises:
        VerificationError: one of these does not hold.
        MalformedError: a tombstone without its fields.
    """
    names_of: dict[str, list[str]] = {}
    for name, digest in record.blobs.items():
        names_of.setdefault(digest, []).append(name)
    for digest, names in names_of.items():
        # All earlier holders agree with the first, as each of them was checked against it.
        first, first_name = next(iter(holders(digest)), (record.id, names[0]))
        for name in names:
            if _is_private(name) is not _is_private(first_name):
                word = "private" if _is_private(first_name) else "public"
                raise VerificationError(f"blob {name}: record {first[:16]}… names the same bytes as {word}")
    if record.kind != TOMBSTONE_KIND:
        return
    affected = {target for name, target in record.links.items() if name.split(".")[0] == AFFECTS}
    for digest in erased_by(record):
        named = {other for other, name in holders(digest) if _is_private(name)}
        if not named & affected:
            raise VerificationError(f"tombstone: erases {digest[:16]}…, which no record that it affects names")
        for other in sorted(named - affected):
            raise VerificationError(
                f"tombstone: erases {digest[:16]}…, but record {other[:16]}… names it too, "
                "and is not among the records that it affects"
            )


def _is_private(blob_name: str) -> bool:
    return blob_name.startswith(PRIVATE_BLOB_PREFIX)
