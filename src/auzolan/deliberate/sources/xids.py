"""Who took part in an embedded Polis, by the number that the site around it gave (xid).

Where Polis stands inside Decidim, its xid is the number of the Decidim user.
`read_xids` reads the table of Polis that joins participants to xids, as
participant-xids.csv or as a column of participants-votes.csv; `ByXid` gives
pseudonyms by the xid, so that the same person has the same pseudonym in votes
on proposals of a conversation of the same name (`rest_full`), and can be
forgotten by the Decidim number. Participants without an xid keep a pseudonym by
their Polis number, behind `OWN`, which no xid may begin with.

It does not join with surveys: the ID there is made of the user's number and a
secret of the survey, and cannot be made again from outside.

One person may be two participants in Polis (two browsers). Polis' files have a
row per participant, so each is read under a pseudonym of its own, and `join`
then makes them one. Of their votes on one statement, equal ones count once, and
ones that differ do not count, as it is not told any more which came later.

Checks: the form of `cells`; participants are whole numbers and come once; xids
of 1 to `MAX_ID_LENGTH` plain characters.
Does not check: whether an xid is true. Whoever can open the address of a Polis
can write any xid into it; only a Polis that lets in nobody but those on its
list of xids makes this harder.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace

from auzolan.core.record.errors import MalformedError, UsageError
from auzolan.deliberate.conversation import Cleaning, Conversation, Pseudonym
from auzolan.deliberate.sources.cells import Table
from auzolan.deliberate.sources.people import MAX_ID_LENGTH
from auzolan.deliberate.sources.source import AnyPath, Source, open_source
from auzolan.deliberate.sources.survey_words import fold
from auzolan.deliberate.votes import Packing, Rows, pack

OWN = "polis:"
_PARTICIPANT = ("participant", "pid", "participant-id", "participant_id", "participant id")
_XID = "xid"
_FILE = "participant-xids.csv"
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def read_xids(path: AnyPath) -> Mapping[str, str]:
    """Return the xid of each participant that has one, by the number in Polis.

    Args:
        path: of a CSV file, or of a folder or zip with one CSV file or with participant-xids.csv.

    Raises:
        UsageError: the path cannot be read, or there is not one such file.
        MalformedError: the table is not of this form, or no participant has an xid.
    """
    found: dict[str, str] = {}
    seen: set[str] = set()
    with open_source(path) as source:
        member = _member(source)
        table = Table(member, source.lines(member))
        who, xid = _column(table, _PARTICIPANT), _column(table, (_XID,))
        for row in table:
            participant = str(table.whole(who))
            if participant in seen:
                raise table.wrong(who, "this participant is there twice")
            seen.add(participant)
            if value := unicodedata.normalize("NFC", row[xid]).strip():
                _check(table, xid, value)
                found[participant] = value
    if not found:
        raise MalformedError(f"{member}: no participant has an xid; was the Polis embedded with one?")
    return found


def _member(source: Source) -> str:
    tables = [name for name in source.members if source.is_single or name.lower().endswith(".csv")]
    if _FILE in tables:
        return _FILE
    if len(tables) != 1:
        raise UsageError(f"{source.name} holds {len(tables)} files ending in .csv, expected one, or {_FILE}")
    return tables[0]


def _column(table: Table, names: tuple[str, ...]) -> int:
    found = [position for position, name in enumerate(table.header) if fold(name) in names]
    if len(found) != 1:
        raise MalformedError(f"{table.name}, line 1: expected one column “{names[0]}”, got {len(found)}")
    return found[0]


def _check(table: Table, column: int, xid: str) -> None:
    if len(xid) > MAX_ID_LENGTH:
        raise table.wrong(column, f"expected an xid of at most {MAX_ID_LENGTH:,} characters, got {len(xid):,}")
    if _UNFIT.search(xid):
        raise table.wrong(column, "expected an xid of one line of plain characters")
    if xid.startswith(OWN):
        raise table.wrong(column, f"no xid may begin with {OWN}, which stands before participants without one")


class ByXid:
    """The pseudonym of a Polis participant, by the xid where there is one."""

    def __init__(self, pseudonym: Pseudonym, xids: Mapping[str, str]) -> None:
        """Set up pseudonyms.

        Args:
            pseudonym: of the conversation.
            xids: participant -> xid.
        """
        self._pseudonym = pseudonym
        self._person: dict[str, str] = {}  # pseudonym of a further participant -> pseudonym of the person
        self._by_xid: dict[str, str] = {}  # participant -> xid, of the first participant of each xid
        first: set[str] = set()
        for participant in sorted(xids, key=lambda number: (len(number), number)):
            xid = xids[participant]
            if xid in first:
                self._person[pseudonym(OWN + participant)] = pseudonym(xid)
            else:
                first.add(xid)
                self._by_xid[participant] = xid

    def __call__(self, participant: str) -> str:
        """Return a pseudonym; different participants have different ones until they are joined."""
        return self._pseudonym(self._by_xid.get(participant, OWN + participant))

    def join(self, conversation: Conversation) -> Conversation:
        """Return a conversation in which several participants with one xid are one person.

        Args:
            conversation: as it was read with this object as its pseudonyms.
        """
        before = frozenset(conversation.table.participants)
        packing = self._pack(conversation)
        kept = frozenset(packing.table.participants)
        further = sum(name in self._person for name in before)
        rules = (
            Cleaning("further participants with the xid of another, the same person", others=further),
            Cleaning("equal votes of one person as several participants counted once", votes=packing.replaced),
            Cleaning("votes of one person as several participants that differ", votes=packing.ambiguous),
        )
        return replace(
            conversation,
            table=packing.table,
            strata=self._strata(conversation, kept),
            published_groups=self._groups(conversation, kept),
            cleaning=(*conversation.cleaning, *rules),
        )

    def _name(self, name: str) -> str:
        return self._person.get(name, name)

    def _pack(self, conversation: Conversation) -> Packing:
        table, rows = conversation.table, Rows()
        for position, name in enumerate(table.participants):
            for statement, vote in table.row(position).items():
                rows.add(self._name(name), statement, vote)
        return pack(rows, table.statements)

    def _strata(self, conversation: Conversation, kept: frozenset[str]) -> dict[str, dict[str, str]]:
        """Return strata by person; where one person has two values, the person has none."""
        joined: dict[str, dict[str, str]] = {}
        for stratum, values in conversation.strata.items():
            of: dict[str, set[str]] = {}
            for name, value in values.items():
                of.setdefault(self._name(name), set()).add(value)
            joined[stratum] = {name: min(found) for name, found in of.items() if len(found) == 1 and name in kept}
        return joined

    def _groups(self, conversation: Conversation, kept: frozenset[str]) -> tuple[tuple[str, ...], ...]:
        """Return groups by person; who is in two of them is in none."""
        groups = [{self._name(name) for name in members} for members in conversation.published_groups]
        places: dict[str, int] = {}
        for members in groups:
            for name in members:
                places[name] = places.get(name, 0) + 1
        joined = (sorted(name for name in members if places[name] == 1 and name in kept) for members in groups)
        return tuple(tuple(members) for members in joined if members)


def by_xid(pseudonym: Pseudonym, xids: Mapping[str, str]) -> ByXid:
    """Return pseudonyms by xid, for `read_polis`; join what it returns with `ByXid.join`."""
    return ByXid(pseudonym, xids)
