"""Reads declared strata: a table with a participant per row and a stratum per column.

The first column is the participant, by the same id as in the source of the
votes; the others are strata such as district, section or language. An empty
cell is no stratum. People who did not vote are passed over.
"""

from __future__ import annotations

from collections.abc import Collection

from auzolan.core.record.errors import MalformedError
from auzolan.deliberate.conversation import Pseudonym
from auzolan.deliberate.sources.cells import Table, shown_name
from auzolan.deliberate.sources.source import AnyPath, open_source
from auzolan.deliberate.sources.survey_words import is_personal
from auzolan.deliberate.sources.texts import unfit

_MAX_LENGTH = 200


def read_strata(path: AnyPath, pseudonym: Pseudonym, voters: Collection[str]) -> dict[str, dict[str, str]]:
    """Return stratum -> pseudonym -> value.

    Args:
        path: of a CSV file.
        pseudonym: the same as for the votes.
        voters: pseudonyms of those who voted.

    Raises:
        UsageError: the path cannot be read.
        MalformedError: the table is not of this form, a participant is there twice, or a column is personal data.
    """
    known = frozenset(voters)
    with open_source(path) as source:
        if len(source.members) != 1:
            raise MalformedError(f"{source.name}: expected one CSV file with strata, got {len(source.members)} files")
        (member,) = source.members
        table = Table(member, source.lines(member))
        names = table.header[1:]
        if not names:
            raise MalformedError(f"{member}, line 1: expected a column per stratum beside the participant")
        for number, name in enumerate(names, 2):
            if is_personal(name):
                raise MalformedError(f"{member}, line 1, column {number}: “{shown_name(name)}” would name people")
        strata: dict[str, dict[str, str]] = {name.strip(): {} for name in names}
        seen: set[str] = set()
        for row in table:
            who = pseudonym(row[0].strip())
            if who in seen:
                raise MalformedError(f"{member}, line {table.line:,}, column 1: this participant is there twice")
            seen.add(who)
            for number, (name, cell) in enumerate(zip(names, row[1:], strict=True), 2):
                value = cell.strip()
                if unfit(value) or len(value) > _MAX_LENGTH:
                    raise MalformedError(
                        f"{member}, line {table.line:,}, column {number:,} (“{shown_name(name)}”): expected a short "
                        "value, not a formula or control characters"
                    )
                if value and who in known:
                    strata[name.strip()][who] = value
    return strata
