"""`auzolan forget`: what is about a participant is erased, and a signed tombstone says so."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from auzolan.cli.commons import Commons, find_commons
from auzolan.cli.govern import CommonsOption, KeyOption, choose_key, propose_within, settle
from auzolan.cli.output import JsonOption, handled, hint, print_json, short
from auzolan.cli.shelf import Shelf, pending_envelopes
from auzolan.core.kinds.deliberate import SUPERSEDES, Snapshot
from auzolan.core.record.envelope import Envelope
from auzolan.core.record.errors import AuzolanError, MissingError, NotCheckedError, UsageError
from auzolan.core.record.ledger import Ledger
from auzolan.core.record.record import PRIVATE_BLOB_PREFIX, Record, is_digest
from auzolan.core.record.tombstone import tombstone

if TYPE_CHECKING:
    from auzolan.deliberate.ballots import Ballots


@dataclass
class _Found:
    """What is about a participant.

    Attributes:
        digests: private blobs to erase.
        holding: digest of ballots -> their content and the participant's pseudonym there.
        unread: digests of ballots that could not be looked into.
    """

    digests: set[str] = field(default_factory=set)
    holding: dict[str, tuple[Ballots, str]] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)


@handled
def forget(
    who: Annotated[
        str,
        typer.Argument(
            metavar="PARTICIPANT", help="As in the source of votes, as given with --about, a pseudonym, or a digest."
        ),
    ],
    conversation: Annotated[
        str | None, typer.Option("--in", metavar="NAME", help="The conversation, where several know this participant.")
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Public: do not name the person.")] = "asked to be forgotten",
    key: KeyOption = None,
    commons: CommonsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Erase what is about a participant and leave a signed tombstone.

    Votes: the ballots of the snapshot are erased and a new snapshot without this participant takes its place.
    """
    place = find_commons(commons)
    if not reason.strip():
        raise UsageError("--reason must not be empty")
    if re.search(rf"(?<!\w){re.escape(who)}(?!\w)", reason, re.IGNORECASE):
        raise UsageError("the reason is public; it must not name the participant")
    with place.writing() as ledger:
        settle(ledger)  # what an interrupted commit promised must be known before erasing
        signing = choose_key(key, ledger)
        shelf = Shelf(place, ledger)
        shelf.sweep()
        if who in shelf.ballots():
            raise UsageError("that digest is of everybody's ballots; name the participant who is to be forgotten")
        found = _find(shelf, who, conversation)
        held = {d: ledger.index.holders(d) for d in sorted(found.digests) if ledger.has_private_blob(d)}
        if not held:
            _nothing_found(place, ledger, found)
        successors = _successors(shelf, found)
        _drop_letters(place, ledger, set(held))
        shelf.drop([digest for digest, rows in held.items() if not rows])
        erased = [digest for digest, rows in held.items() if rows]
        if erased:
            affected = sorted({record_id for digest in erased for record_id, _ in held[digest]})
            stone = tombstone(erased, affected, reason, datetime.now(UTC).date().isoformat())
            propose_within(place, ledger, [*successors, stone], [signing], as_json, commit_at_once=True)
            shelf.mark_proposed({digest for record in successors for digest in record.private_blobs.values()})
        else:
            hint(f"erased {len(held)} private file(s); no committed record named them, so no tombstone is needed")
            print_json({"erased": sorted(held)}) if as_json else None
    if successors:
        hint("earlier tallies of these ballots stand, and can no longer be counted again")
    if found.unread:
        listed = ", ".join(short(digest) for digest in found.unread)
        raise NotCheckedError(f"done, but ballots that cannot be read were not searched: {listed}")


def _find(shelf: Shelf, who: str, conversation: str | None) -> _Found:
    """Return what is about a participant, ballots in whatever state their records are.

    Raises:
        UsageError: several conversations know this participant.
    """
    from auzolan.deliberate.pseudonyms import pseudonyms

    found = _Found(set(shelf.ledger.about_subject(who)) | ({who} if is_digest(who) else set()))
    found.unread = shelf.unmarked()
    names: dict[str, str] = {}
    try:
        key = shelf.pseudonym_key() if shelf.ballots() else None
    except MissingError as error:
        hint(str(error))
        key, found.unread = None, sorted({*found.unread, *shelf.ballots()})
    for digest, name in shelf.ballots().items():
        try:
            ballots = shelf.read(digest)
        except AuzolanError:
            found.unread.append(digest)
            continue
        spellings = (who, unicodedata.normalize("NFC", who).strip())  # readers normalise ids of surveys
        wanted = {who} if key is None else {who, *map(pseudonyms(key, name), spellings)}
        for each in wanted & set(ballots.table.participants):
            found.holding[digest], names[digest] = (ballots, each), name
    known = sorted(set(names.values()))
    if conversation is None and len(known) > 1:
        raise UsageError(f"several conversations know this participant; say which with --in: {', '.join(known)}")
    if conversation is not None:
        found.holding = {digest: each for digest, each in found.holding.items() if names[digest] == conversation}
    found.digests |= {*found.holding, *shelf.labels_of(found.holding)}
    return found


def _nothing_found(place: Commons, ledger: Ledger, found: _Found) -> None:
    """Say why there is nothing to erase.

    Raises:
        UsageError, MissingError: always.
    """
    if found.unread:
        raise NotCheckedError("some ballots here cannot be read; nothing else is known to be about that participant")
    snapshots = [ledger.envelope(row).claimed for row in ledger.index.rows(Snapshot.KIND)]
    if any(Snapshot.from_record(record).privacy == "public" for record in snapshots):
        raise UsageError(
            "no private file is about that participant; ballots that are public cannot be taken back (docs/limits.md)"
        )
    raise MissingError(f"no private file in {place.root} is known to be about that participant")


def _drop_letters(place: Commons, ledger: Ledger, digests: set[str]) -> None:
    """Take away pending records that name what is erased: they could never be counted again."""
    for envelope in pending_envelopes(place):
        record = envelope.claimed
        if digests & set(record.private_blobs.values()) and not ledger.index.find(record.id):
            place.pending_path(record.id).unlink(missing_ok=True)
            hint(f"took back the pending {record.kind} {short(record.id)}")


def _successors(shelf: Shelf, found: _Found) -> list[Record]:
    """Keep what is left of each committed snapshot's ballots, and return the snapshots of them to sign."""
    committed = [shelf.ledger.envelope(row).claimed for row in shelf.ledger.index.rows(Snapshot.KIND)]
    replaced = {record.links.get(SUPERSEDES) for record in committed}
    waiting = [envelope for envelope in pending_envelopes(shelf.place) if envelope.claimed.kind == Snapshot.KIND]
    successors = []
    for record in committed:
        blob = record.blobs.get(PRIVATE_BLOB_PREFIX + Snapshot.BALLOTS, "")
        if blob not in found.holding or record.id in replaced:
            continue
        ballots, pseudonym = found.holding[blob]
        gone = {pseudonym} | _asked_before(shelf, record, ballots, waiting)
        if len(gone) < len(ballots.table.participants):
            successors.append(_successor(shelf, record, ballots.without(gone)))
    return successors


def _asked_before(shelf: Shelf, record: Record, ballots: Ballots, waiting: list[Envelope]) -> set[str]:
    """Return who is missing already in a successor that waits for signatures; it gives way to the new one."""
    gone: set[str] = set()
    for envelope in waiting:
        blob = envelope.claimed.blobs.get(PRIVATE_BLOB_PREFIX + Snapshot.BALLOTS, "")
        if envelope.claimed.links.get(SUPERSEDES) != record.id or not shelf.ledger.has_private_blob(blob):
            continue
        earlier = shelf.read(blob)
        gone |= set(ballots.table.participants) - set(earlier.table.participants)
    return gone


def _successor(shelf: Shelf, old: Record, ballots: Ballots) -> Record:
    """Keep the ballots that are left and return the snapshot of them to sign."""
    from auzolan.deliberate.snapshot import successor

    taken = Snapshot.from_record(old)
    kept = shelf.keep_ballots(Snapshot.BALLOTS, ballots.to_bytes(), taken.privacy, taken.source["name"])
    today = datetime.now(UTC).date().isoformat()
    return successor(taken, old.id, ballots, {**old.public_blobs, **kept}, today).to_record()
