"""Reads a Polis conversation, in any of the layouts in which Polis data go round.

A folder, a zip or a single file with either CSV (`polis_csv`) or JSON
(`polis_math`). Participants become pseudonyms here; ids, xids, names and
authors of statements go no further.

Checks: the bounds of `source`, the form of each file (see the two readers),
the sign of agree (`sign`), texts (`texts`), and that the files fit each other.
Does not check: who voted, whether they were who they said, or whether the
export is complete.
"""

from __future__ import annotations

from array import array

import numpy as np

from auzolan.core.record.errors import MalformedError, UsageError
from auzolan.deliberate.conversation import Cleaning, Conversation, Pseudonym, Statement
from auzolan.deliberate.sources import polis_csv, polis_math
from auzolan.deliberate.sources.cells import Table
from auzolan.deliberate.sources.polis_raw import Names, Progress, RawConversation, no_progress
from auzolan.deliberate.sources.source import AnyPath, Source, open_source
from auzolan.deliberate.votes import Packing, Rows, pack

_CSV_FILES = (polis_csv.VOTES, polis_csv.MATRIX, polis_csv.COMMENTS, polis_csv.SUMMARY)
_JSON_FILES = (polis_math.VOTES, polis_math.STATEMENTS, polis_math.MATH)


def read_polis(
    path: AnyPath, pseudonym: Pseudonym, agree: int | None = None, progress: Progress = no_progress
) -> Conversation:
    """Read a Polis conversation.

    Args:
        path: of a folder, a zip or a file.
        pseudonym: turns the id of a participant into a pseudonym; different ids into different ones.
        agree: +1 or -1, how the source writes agree; None to tell it from the source.
        progress: called now and then with the name of a file and how many of its rows were read.

    Raises:
        UsageError: the path cannot be read, or `agree` is neither +1 nor -1.
        MalformedError: there are no votes, or a file has not the form that Polis gives it.
        VerificationError: files that should tell the same do not.
        NotCheckedError: a file went away or could not be read to its end.
    """
    if agree not in (None, 1, -1):
        raise UsageError(f"agree is written +1 or -1, got {agree}")
    names = Names(pseudonym)
    with open_source(path) as source:
        roles = _roles(source)
        read = polis_math.read_math if polis_math.VOTES in roles else polis_csv.read_export
        return _assemble(read(source, roles, names, agree, progress), source)


def _roles(source: Source) -> dict[str, str]:
    """Return the usual names of the files that are there, and their names here."""
    if source.is_single:
        return _role_of_single(source)
    has_csv = {polis_csv.VOTES, polis_csv.MATRIX} & set(source.members)
    has_json = polis_math.VOTES in source.members
    if has_csv and has_json:
        raise MalformedError(f"{source.name} holds votes as CSV and as JSON, expected one of the two")
    if not has_csv and not has_json:
        raise MalformedError(
            f"{source.name} holds no votes: expected {polis_csv.VOTES}, {polis_csv.MATRIX} or {polis_math.VOTES}"
        )
    return {name: name for name in (_JSON_FILES if has_json else _CSV_FILES) if name in source.members}


def _role_of_single(source: Source) -> dict[str, str]:
    (member,) = source.members
    if member.lower().endswith(".json"):
        return {polis_math.VOTES: member}
    role = polis_csv.role_of(Table(member, source.lines(member)).header)
    if role is None:
        raise MalformedError(
            f"{member}, line 1: neither the columns of {polis_csv.VOTES} nor those of {polis_csv.MATRIX}"
        )
    return {role: member}


def _assemble(raw: RawConversation, source: Source) -> Conversation:
    if not len(raw.rows):
        raise MalformedError(f"{source.name}: there is not a single vote")
    if raw.sign.agree == -1:
        _flip(raw.rows)
    packing = pack(raw.rows, tuple(raw.statements))
    voters = set(packing.table.participants)
    silent = len({*raw.listed, *raw.rows.participants} - voters)
    groups = (sorted(voters & set(raw.groups[key])) for key in sorted(raw.groups))
    return Conversation(
        tool="polis",
        layout=raw.layout,
        table=packing.table,
        statements=tuple(raw.statements.get(key) or Statement(key) for key in packing.table.statements),
        agree_sign=raw.sign.agree,
        sign_evidence=raw.sign.evidence,
        rows_read=len(raw.rows),
        topic=raw.topic,
        url=raw.url,
        cleaning=_cleaning(raw, packing, silent),
        published_groups=tuple(tuple(members) for members in groups if members),
    )


def _flip(rows: Rows) -> None:
    rows.vote = array("b", (-np.frombuffer(rows.vote, dtype=np.int8)).tobytes())


def _cleaning(raw: RawConversation, packing: Packing, silent: int) -> tuple[Cleaning, ...]:
    return (
        Cleaning("earlier votes replaced by later ones of the same participant", votes=packing.replaced),
        Cleaning("votes cast at the same moment that differ", votes=packing.ambiguous),
        Cleaning("participants without a single vote", others=silent),
        Cleaning("texts of statements moderated out withheld", others=raw.texts.withheld),
        *raw.texts.masking,
    )
