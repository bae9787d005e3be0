"""`auzolan forget`: what is about a participant is erased, and a signed tombstone says so."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from auzolan.cli.ballots import Evidence
from auzolan.cli.commons import Commons, find_commons
from auzolan.cli.deliberate import ABOUT_BALLOTS, PSEUDONYM_KEY, pending_envelopes
from auzolan.cli.govern import CommonsOption, KeyOption, choose_key, propose_together, settle
from auzolan.cli.output import JsonOption, handled, hint, print_json
from auzolan.core.kinds.deliberate import Snapshot, Tally
from auzolan.core.record.envelope import Envelope
from auzolan.core.record.errors import MissingError, UsageError
from auzolan.core.record.ledger import Ledger
from auzolan.core.record.record import PRIVATE_BLOB_PREFIX, Record, is_digest
from auzolan.core.record.tombstone import tombstone

if TYPE_CHECKING:
    from auzolan.deliberate.ballots import Ballots


@dataclass
class _Found:
    """What is about a participant: digests to erase, snapshots that take the place of others, files not committed."""

    digests: set[str] = field(default_factory=set)
    successors: list[Record] = field(default_factory=list)
    pending: list[Record] = field(default_factory=list)


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
    with place.writing() as ledger:
        settle(ledger)  # what an interrupted commit promised must be known before erasing
        if reason and who.lower() in reason.lower():
            raise UsageError("the reason is public; it must not name the participant")
        found = _Found({who} if is_digest(who) else set(ledger.about_subject(who)))
        if not is_digest(who):
            _find_ballots(place, ledger, who, conversation, found)
        held = {d: ledger.index.holders(d) for d in sorted(found.digests) if ledger.has_private_blob(d)}
        if not held:
            raise MissingError("no private file in this commons is known to be about that participant")
        uncommitted = [digest for digest, rows in held.items() if not rows]
        for record in found.pending:
            place.pending_path(record.id).unlink(missing_ok=True)
        ledger.drop_private_blobs(uncommitted)
        if len(uncommitted) == len(held):
            hint(f"erased {len(uncommitted)} private file(s); no committed record named them: no tombstone is needed")
            print_json({"erased": uncommitted}) if as_json else None
            return
        affected = sorted({record_id for rows in held.values() for record_id, _ in rows})
        record = tombstone(sorted(set(held) - set(uncommitted)), affected, reason, _today())
        chosen = choose_key(key, Envelope(record), ledger)
    propose_together(place, [*found.successors, record], [chosen], as_json, commit_at_once=True)
    if found.successors:
        hint("earlier tallies of these ballots stand, and can no longer be counted again")


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def _find_ballots(place: Commons, ledger: Ledger, who: str, conversation: str | None, found: _Found) -> None:
    """Add the snapshots whose ballots hold this participant, and the tallies of them."""
    committed = [ledger.envelope(row).claimed for row in ledger.index.rows(Snapshot.KIND)]
    waiting = [envelope.claimed for envelope in pending_envelopes(place)]
    snapshots = [*committed, *(record for record in waiting if record.kind == Snapshot.KIND)]
    if not snapshots or not place.private.exists(PSEUDONYM_KEY):
        return
    holding = list(_holding(place, snapshots, who))
    names = sorted({Snapshot.from_record(record).source["name"] for record, _, _ in holding})
    if conversation is not None:
        holding = [each for each in holding if Snapshot.from_record(each[0]).source["name"] == conversation]
    elif len(names) > 1:
        raise UsageError(f"several conversations know this participant; say which with --in: {', '.join(names)}")
    tallies = [ledger.envelope(row).claimed for row in ledger.index.rows(Tally.KIND)]
    tallies += [record for record in waiting if record.kind == Tally.KIND]
    for record, pseudonym, ballots in holding:
        if not record.private_blobs:
            raise UsageError("these ballots are public: what was published cannot be taken back (docs/limits.md)")
        found.digests |= set(record.private_blobs.values())
        about = [tally for tally in tallies if tally.links.get(Tally.SNAPSHOT) == record.id]
        for tally in about:
            found.digests |= set(tally.private_blobs.values())
        found.pending += [each for each in (record, *about) if not ledger.index.find(each.id)]
        if ledger.index.find(record.id):
            found.successors.append(_successor(ledger, record, ballots.without({pseudonym})))


def _holding(place: Commons, snapshots: list[Record], who: str) -> Iterator[tuple[Record, str, Ballots]]:
    """Yield the snapshots whose ballots are here and hold a participant, with the pseudonym there."""
    from auzolan.deliberate.pseudonyms import pseudonyms

    secret, evidence = place.private.read(PSEUDONYM_KEY), Evidence(place.public, place.private)
    for record in snapshots:
        try:
            ballots = evidence.ballots(record)
        except MissingError:
            continue
        pseudonym = pseudonyms(secret, Snapshot.from_record(record).source["name"])(who)
        present = set(ballots.table.participants) & {pseudonym, who}
        for each in present:
            yield record, each, ballots


def _successor(ledger: Ledger, old: Record, ballots: Ballots) -> Record:
    """Keep the ballots that are left and return the snapshot of them to sign."""
    from auzolan.deliberate.snapshot import successor

    blobs = dict(old.public_blobs)
    digest = ledger.keep_private_blob(ballots.to_bytes(), secrets.token_bytes(32), ABOUT_BALLOTS)
    blobs[PRIVATE_BLOB_PREFIX + Snapshot.BALLOTS] = digest
    return successor(Snapshot.from_record(old), old.id, ballots, blobs, _today()).to_record()
