"""Reads a survey: a participant per row, a statement per column, a word for agree, disagree or pass in each cell.

CSV, or with `delimiter` the same with semicolons or tabs. An empty cell means
that the statement was not seen; it is never filled in.

Checks: the bounds of `source`, the form of `cells`, that every answer is a
known word, that nobody comes twice, that no statement or stratum is a formula.
Columns whose names say that they hold names, addresses, telephone numbers or
time stamps are left out unless they are declared as something else.
Does not check: personal data in columns that do not say so. Without a column
for participants, rows are numbered, so that another order of the rows gives
other pseudonyms.
Not supported: scales with more than three answers (Likert). Which of five
steps are agreement is a decision that changes results; make it in the open,
by writing a column of agree, disagree and pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from auzolan.core.record.errors import MalformedError, UsageError
from auzolan.deliberate.conversation import Cleaning, Conversation, Pseudonym, Statement
from auzolan.deliberate.sources.cells import DELIMITERS, Table, shown_name
from auzolan.deliberate.sources.people import participant_id, stratum_names, stratum_value
from auzolan.deliberate.sources.polis_raw import Progress, no_progress, step
from auzolan.deliberate.sources.source import AnyPath, Source, open_source
from auzolan.deliberate.sources.survey_words import fold, is_personal, is_time_stamp, meanings
from auzolan.deliberate.sources.texts import Texts
from auzolan.deliberate.votes import AGREE, DISAGREE, PASS, Rows, pack

_ID_NAMES = frozenset({"participant", "id", "participant id", "participant_id", "participant-id"})
_SPOKEN = {AGREE: "agree", DISAGREE: "disagree", PASS: "pass"}


@dataclass(frozen=True)
class _Columns:
    """What each column is: positions in the header.

    Attributes:
        who: the participant, or None where rows are numbered.
        statements: in order; statement i + 1 is the i-th.
        strata: in order.
        personal: left out for their names.
        times: left out, since their names say that they hold time stamps.
        others: left out, since they were to be skipped, or statements were named and they are not among them.
    """

    who: int | None
    statements: tuple[int, ...]
    strata: tuple[int, ...]
    personal: tuple[int, ...]
    times: tuple[int, ...]
    others: tuple[int, ...]


def read_survey(
    path: AnyPath,
    pseudonym: Pseudonym,
    *,
    words: Mapping[str, int] | None = None,
    id_column: str | None = None,
    statement_columns: Sequence[str] | None = None,
    strata_columns: Sequence[str] = (),
    skip_columns: Sequence[str] = (),
    delimiter: str = ",",
    progress: Progress = no_progress,
) -> Conversation:
    """Read a survey.

    Args:
        path: of a file, or of a folder or zip that holds one .csv or .tsv.
        pseudonym: turns the id of a participant into a pseudonym; different ids into different ones.
        words: what each word means, 1, 0 or -1, beside the known ones; one that is given here means only this.
        id_column: the participant; by default a column named participant or id, else the rows are numbered.
        statement_columns: names of the statements; by default all columns that are nothing else.
        strata_columns: such as district or language; an empty cell is no stratum.
        skip_columns: to be left out.
        delimiter: comma, semicolon or tab.
        progress: called now and then with the name of the file and how many of its rows were read.

    Raises:
        UsageError: the path cannot be read, or columns or words were named that do not fit.
        MalformedError: the file has not the form of a survey.
        NotCheckedError: the file could not be read to its end.
    """
    if delimiter not in DELIMITERS:
        raise UsageError(f"a delimiter is a comma, a semicolon or a tab, got {delimiter!a}")
    known = meanings(words or {})
    with open_source(path) as source:
        member = _only_table(source)
        table = Table(member, source.lines(member), delimiter)
        columns = _columns(table, id_column, statement_columns, strata_columns, skip_columns)
        texts = Texts()
        statements = tuple(_statements(table, columns, texts))
        reader = _Reader(table, columns, known, pseudonym)
        reader.read(progress)
    if not len(reader.rows):
        raise MalformedError(f"{member}: there is not a single vote")
    packing = pack(reader.rows, [statement.id for statement in statements])
    voters = set(packing.table.participants)
    strata = {
        name: {who: value for who, value in reader.strata[name].items() if who in voters} for name in reader.strata
    }
    sign, evidence = _sign(reader.used)
    return Conversation(
        tool="survey",
        layout=f"{member}, columns separated by {DELIMITERS[delimiter]}",
        table=packing.table,
        statements=statements,
        agree_sign=sign,
        sign_evidence=evidence,
        rows_read=len(reader.rows),
        strata=strata,
        cleaning=_cleaning(columns, texts, len(reader.seen), len(voters)),
    )


def _only_table(source: Source) -> str:
    members = [
        name
        for name in source.members
        if source.is_single or (name.lower().endswith((".csv", ".tsv")) and "/" not in name)
    ]
    if len(members) != 1:
        raise UsageError(
            f"{source.name} holds {len(members)} files ending in .csv or .tsv, expected one; name the file"
        )
    return members[0]


def _columns(
    table: Table,
    id_column: str | None,
    statement_columns: Sequence[str] | None,
    strata_columns: Sequence[str],
    skip_columns: Sequence[str],
) -> _Columns:
    """Return what each column is.

    Raises:
        UsageError: a column that is not there, or one that is to be two things.
    """
    elsewhere = (*(statement_columns or ()), *strata_columns, *skip_columns)
    who = _find(table, id_column) if id_column is not None else _usual_id(table, elsewhere)
    strata = tuple(_find(table, name) for name in strata_columns)
    declared = None if statement_columns is None else tuple(_find(table, name) for name in statement_columns)
    skipped = tuple(_find(table, name) for name in skip_columns)
    taken = [*([] if who is None else [who]), *strata, *skipped, *(declared or ())]
    if twice := {column for column in taken if taken.count(column) > 1}:
        raise UsageError(f"the column “{shown_name(table.header[min(twice)])}” is named for two things")
    rest = [column for column in range(len(table.header)) if column not in set(taken)]
    personal = tuple(column for column in rest if is_personal(table.header[column]))
    times = tuple(column for column in rest if is_time_stamp(table.header[column]))
    left = tuple(column for column in rest if column not in {*personal, *times})
    statements, unnamed = (left, ()) if declared is None else (tuple(sorted(declared)), left)
    if not statements:
        raise UsageError(f"{table.name}: no column is left for statements")
    return _Columns(who, statements, strata, personal, times, (*skipped, *unnamed))


def _find(table: Table, name: str) -> int:
    column = table.maybe(name)
    if column is None:
        raise UsageError(f"{table.name} has no column “{shown_name(name)}”")
    return column


def _usual_id(table: Table, elsewhere: Sequence[str]) -> int | None:
    found = [column for column, name in enumerate(table.header) if fold(name) in _ID_NAMES and name not in elsewhere]
    if len(found) > 1:
        names = " and ".join(f"“{shown_name(table.header[column])}”" for column in found)
        raise UsageError(f"{table.name}: both {names} could be the participant; name the column")
    return found[0] if found else None


def _statements(table: Table, columns: _Columns, texts: Texts) -> Iterator[Statement]:
    """Yield the statements; called before the first row, so that errors name the header."""
    for number, column in enumerate(columns.statements, start=1):
        text = texts.clean(table.header[column], lambda why, at=column: table.wrong(at, why))  # type: ignore[misc]
        yield Statement(number, text.strip())


class _Reader:
    """Reads the rows.

    Attributes:
        rows: the votes.
        seen: id in the source -> on which line.
        strata: name -> pseudonym -> value.
        used: word -> vote, of those that occur.
    """

    def __init__(self, table: Table, columns: _Columns, words: Mapping[str, int], pseudonym: Pseudonym) -> None:
        self.rows = Rows()
        self.seen: dict[str, int] = {}
        self.strata: dict[str, dict[str, str]] = {name: {} for name in stratum_names(table, columns.strata)}
        self.used: dict[str, int] = {}
        self._table, self._columns, self._words, self._pseudonym = table, columns, words, pseudonym
        self._met: dict[str, int] = {}  # cells as they are written, so that each spelling is folded once

    def read(self, progress: Progress) -> None:
        """Read all rows."""
        for number, row in enumerate(self._table, start=1):
            name = self._pseudonym(self._participant(row, number))
            for statement, column in enumerate(self._columns.statements, start=1):
                if cell := row[column]:
                    vote = self._met.get(cell)
                    if vote is None:
                        vote = self._meaning(column, cell)
                    if vote is not _NOT_SEEN:
                        self.rows.add(name, statement, vote)
            for column, values in zip(self._columns.strata, self.strata.values(), strict=True):
                if value := stratum_value(self._table, column, row[column]):
                    values[name] = value
            step(progress, self._table.name, number)

    def _participant(self, row: list[str], number: int) -> str:
        column = self._columns.who
        if column is None:
            self.seen[str(number)] = self._table.line
            return str(number)
        who = participant_id(self._table, column, row[column])
        if who in self.seen:
            raise self._table.wrong(column, f"this participant is there twice, first on line {self.seen[who]:,}")
        self.seen[who] = self._table.line
        return who

    def _meaning(self, column: int, cell: str) -> int:
        word = fold(cell)
        vote = self._words.get(word) if word else _NOT_SEEN
        if vote is None:
            raise self._table.wrong(column, _unknown(cell, self._words))
        if word:
            self.used[word] = vote
        self._met[cell] = vote
        return vote


_SHOWN_WORDS = 6
_NOT_SEEN = 9  # a cell of nothing but spaces; no vote has this value


def _unknown(cell: str, words: Mapping[str, int]) -> str:
    """Return the sentence for an unknown word; the word itself could be somebody's name."""
    known = {spoken: [word for word, meaning in words.items() if meaning == vote] for vote, spoken in _SPOKEN.items()}
    lists = "; ".join(
        f"for {spoken}: {', '.join(listed[:_SHOWN_WORDS])}{' …' if len(listed) > _SHOWN_WORDS else ''}"
        for spoken, listed in known.items()
    )
    return (
        f"expected a word for agree, disagree or pass, got another of {len(cell):,} characters. If this column is no "
        "statement, leave it out (--skip), or declare it as a stratum or as who it is; if it is, say which words mean "
        f"what (known are {lists}). "
        "Scales with more than three answers (Likert) are not supported"
    )


def _sign(used: Mapping[str, int]) -> tuple[int, str]:
    """Return how agree is written: +1 or -1 where the source has only numbers, else 0; and in which words."""
    lists = (
        f"{spoken}: {', '.join(sorted(word for word, meaning in used.items() if meaning == vote)) or '(nowhere)'}"
        for vote, spoken in _SPOKEN.items()
    )
    sides = {int(word) * vote for word, vote in used.items() if vote and word in ("1", "+1", "-1")}
    only_numbers = all(word in ("1", "+1", "-1", "0") for word in used)
    sign = sides.pop() if only_numbers and len(sides) == 1 else 0
    return sign, f"by the words in the source; {'; '.join(lists)}"


def _cleaning(columns: _Columns, texts: Texts, participants: int, voters: int) -> tuple[Cleaning, ...]:
    return (
        Cleaning("participants numbered by row, as no column names them", others=participants * (columns.who is None)),
        Cleaning("participants without a single vote", others=participants - voters),
        Cleaning("columns with personal data left out", others=len(columns.personal)),
        Cleaning("columns with time stamps left out", others=len(columns.times)),
        Cleaning("columns that were not named as statements left out", others=len(columns.others)),
        *texts.masking,
    )
