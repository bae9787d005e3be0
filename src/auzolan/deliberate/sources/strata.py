"""Reads declared strata: a table with a participant per row and a stratum per column.

The first column is the participant, by the same id as in the source of the
votes; the others are strata such as district, section or language. An empty
cell is no stratum. People who did not vote are passed over and counted.

Checks: the form of `cells`; ids, names and values as in `people`; nobody comes
twice; at least one of those listed voted.
Does not check: that strata are true, or that everybody who voted has them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from auzolan.core.record.errors import MalformedError
from auzolan.deliberate.conversation import Pseudonym
from auzolan.deliberate.sources.cells import Table
from auzolan.deliberate.sources.people import participant_id, stratum_names, stratum_value
from auzolan.deliberate.sources.source import AnyPath, open_source


class DeclaredStrata(NamedTuple):
    """What a table of strata says.

    Attributes:
        strata: name -> pseudonym -> value, of those who voted.
        matched: how many of those listed voted.
        unmatched: how many of those listed did not.
    """

    strata: Mapping[str, Mapping[str, str]]
    matched: int
    unmatched: int


def read_strata(path: AnyPath, pseudonym: Pseudonym, voters: Collection[str]) -> DeclaredStrata:
    """Read a table of strata.

    Args:
        path: of a CSV file.
        pseudonym: the same as for the votes.
        voters: pseudonyms of those who voted.

    Raises:
        UsageError: the path cannot be read.
        MalformedError: the table is not of this form, a participant is there twice, a column or a value
            may not be published, or nobody listed voted.
    """
    known = frozenset(voters)
    with open_source(path) as source:
        if len(source.members) != 1:
            raise MalformedError(f"{source.name}: expected one CSV file with strata, got {len(source.members)} files")
        (member,) = source.members
        table = Table(member, source.lines(member))
        columns = range(1, len(table.header))
        if not columns:
            raise MalformedError(f"{member}, line 1: expected a column per stratum beside the participant")
        strata: dict[str, dict[str, str]] = {name: {} for name in stratum_names(table, columns)}
        seen: dict[str, int] = {}
        matched = 0
        for row in table:
            who = participant_id(table, 0, row[0])
            if who in seen:
                raise table.wrong(0, f"this participant is there twice, first on line {seen[who]:,}")
            seen[who] = table.line
            name = pseudonym(who)
            matched += name in known
            for column, values in zip(columns, strata.values(), strict=True):
                value = stratum_value(table, column, row[column])
                if value and name in known:
                    values[name] = value
    if seen and not matched:
        raise MalformedError(f"{member}: no participant of this table voted: are the ids those of the votes?")
    return DeclaredStrata(strata, matched, len(seen) - matched)
