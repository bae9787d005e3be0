"""From a conversation to the body of its `snapshot/v1`, and back from its blobs.

Unsigned and without clocks or chance: dates, salts and digests are arguments.
The same conversation gives the same bytes, whatever the order of its rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from auzolan.core.kinds.deliberate import CleaningRule, Snapshot
from auzolan.core.record.canonical import (
    JsonValue,
    as_int,
    as_list,
    as_object,
    canonical_bytes,
    only_keys,
    read_canonical,
)
from auzolan.core.record.errors import MalformedError, VerificationError
from auzolan.deliberate.ballots import Ballots
from auzolan.deliberate.conversation import Conversation, Moderation, Statement

STATEMENTS_FORMAT = "auzolan-statements/v1"
_FIELDS = frozenset({"id", "text", "moderation", "meta", "seed"})
_MODERATION: Mapping[str, Moderation] = {"in": "in", "out": "out", "open": "open"}


def statements_bytes(statements: tuple[Statement, ...]) -> bytes:
    """Return the public blob "statements": canonical JSON, by id."""
    listed: list[JsonValue] = [
        {
            "id": each.id,
            "text": each.text,
            "moderation": each.moderation,
            "meta": each.is_meta,
            "seed": each.is_seed,
        }
        for each in sorted(statements, key=lambda statement: statement.id)
    ]
    return canonical_bytes({"format": STATEMENTS_FORMAT, "statements": listed})


def read_statements(data: bytes) -> tuple[Statement, ...]:
    """Read the blob "statements".

    Raises:
        MalformedError: it has not the form that `statements_bytes` gives.
    """
    table = as_object(read_canonical(data, "statements"), "statements")
    only_keys(table, frozenset({"format", "statements"}), "statements")
    if table.get("format") != STATEMENTS_FORMAT:
        raise MalformedError(f"statements: expected format {STATEMENTS_FORMAT}")
    found = [_read_statement(item) for item in as_list(table.get("statements"), "statements")]
    ids = [each.id for each in found]
    if ids != sorted(set(ids)):
        raise MalformedError("statements: expected ascending ids")
    return tuple(found)


def _read_statement(item: JsonValue) -> Statement:
    fields = as_object(item, "statements")
    only_keys(fields, _FIELDS, "statements")
    number = as_int(fields.get("id"), "statements: id")
    text, moderation = fields.get("text"), fields.get("moderation")
    meta, seed = fields.get("meta"), fields.get("seed")
    if not isinstance(text, str) or not isinstance(meta, bool) or not isinstance(seed, bool):
        raise MalformedError(f"statements: {number}: expected text, and true or false for meta and seed")
    if not isinstance(moderation, str) or moderation not in _MODERATION:
        raise MalformedError(f"statements: {number}: moderation must be in, out or open")
    return Statement(number, text, _MODERATION[moderation], meta, seed)


def snapshot_of(
    conversation: Conversation,
    ballots: Ballots,
    *,
    name: str,
    licence: str,
    identity: str,
    imported_at: str,
    privacy: str,
    commons: str,
    blobs: Mapping[str, str],
    shortlist: str | None = None,
) -> Snapshot:
    """Return the snapshot of a conversation.

    Args:
        conversation: as it was read.
        ballots: its table, sealed.
        name: of the conversation in this commons, the scope of its pseudonyms.
        licence, identity: as the importer states them.
        imported_at: ISO 8601 date.
        privacy: who may see ballots, from the rules in force.
        commons: id of the root.
        blobs: digests of the blobs with statements and ballots, by name.
        shortlist: id of the shortlist whose statements were voted on.
    """
    return Snapshot(
        source={
            "tool": conversation.tool,
            "layout": conversation.layout,
            "topic": conversation.topic,
            "url": conversation.url,
            "name": name,
        },
        licence=licence,
        imported_at=imported_at,
        identity=identity,
        agree_sign=conversation.agree_sign,
        sign_evidence=conversation.sign_evidence,
        counts={
            "participants": len(conversation.table.participants),
            "statements": len(conversation.statements),
            "votes": conversation.table.n_votes,
            "rows_read": conversation.rows_read,
        },
        cleaning=tuple(CleaningRule(each.rule, each.votes, each.others) for each in conversation.cleaning),
        commitment=ballots.root().hex(),
        privacy=privacy,
        generation=ballots.generation,
        commons=commons,
        blobs=dict(blobs),
        shortlist=shortlist,
    )


def successor(old: Snapshot, old_id: str, ballots: Ballots, blobs: Mapping[str, str], forgotten_at: str) -> Snapshot:
    """Return the snapshot that replaces `old` after participants were forgotten.

    Its counts stay those of the import: the difference would tell how the forgotten ones voted.

    Args:
        old: the snapshot whose ballots will be erased.
        old_id: its id.
        ballots: what is left (`Ballots.without`).
        blobs: as for `snapshot_of`.
        forgotten_at: ISO 8601 date.
    """
    n_forgotten = old.n_forgotten + old.n_participants - len(ballots.table.participants)
    cleaning = [each for each in old.cleaning if each.rule != Snapshot.FORGOTTEN]
    return Snapshot(
        source=old.source,
        licence=old.licence,
        imported_at=forgotten_at,
        identity=old.identity,
        agree_sign=old.agree_sign,
        sign_evidence=old.sign_evidence,
        counts=old.counts,
        cleaning=(*cleaning, CleaningRule(Snapshot.FORGOTTEN, 0, n_forgotten)),
        commitment=ballots.root().hex(),
        privacy=old.privacy,
        generation=ballots.generation,
        commons=old.commons,
        blobs=dict(blobs),
        supersedes=old_id,
        shortlist=old.shortlist,
    )


def verify_ballots(snapshot: Snapshot, ballots: Ballots, statements: tuple[Statement, ...]) -> Ballots:
    """Return `ballots` if they are what `snapshot` commits to.

    Checks: the commitment, the generation, every count that follows from
    ballots (after somebody was forgotten only the number of participants), and
    that statements are the ones voted on.
    Does not check: how the ballots came about, and the counts of cleaning.

    Raises:
        VerificationError: one of these does not hold.
    """
    if ballots.generation != snapshot.generation or ballots.root().hex() != snapshot.commitment:
        raise VerificationError("these ballots are not the ones that the snapshot commits to")
    if len(ballots.erased) != snapshot.n_forgotten:
        n = len(ballots.erased)
        raise VerificationError(f"the snapshot says {snapshot.n_forgotten} forgotten, its ballots {n}")
    if tuple(each.id for each in statements) != ballots.table.statements:
        raise VerificationError("the snapshot's statements are not the ones that were voted on")
    counted = {"participants": len(ballots.table.participants) + snapshot.n_forgotten, "statements": len(statements)}
    if not snapshot.generation:
        counted["votes"] = ballots.table.n_votes
    for name, count in counted.items():
        if snapshot.counts[name] != count:
            raise VerificationError(f"the snapshot says {snapshot.counts[name]:,} {name}, its ballots {count:,}")
    return ballots


def verify_successor(new: Snapshot, old: Snapshot, ballots: Ballots) -> Snapshot:
    """Return `new` if its ballots are those of `old` without the forgotten participants, and nothing else changed.

    Does not check: that `ballots` are those of `new` (`verify_ballots`).

    Raises:
        VerificationError: they are not.
    """
    if old.generation >= new.generation or ballots.root_of_generation(old.generation).hex() != old.commitment:
        raise VerificationError("these are not the ballots of the earlier snapshot without those forgotten")
    if _lasting(new) != _lasting(old):
        raise VerificationError("the snapshot changes more than the ballots of those forgotten")
    return new


def _lasting(snapshot: Snapshot) -> Snapshot:
    """Return a snapshot without what changes when somebody is forgotten."""
    cleaning = tuple(each for each in snapshot.cleaning if each.rule != Snapshot.FORGOTTEN)
    return replace(snapshot, cleaning=cleaning, imported_at="", commitment="", generation=0, supersedes=None, blobs={})
