"""Polis' exports as CSV: votes.csv, participants-votes.csv, comments.csv, summary.csv.

votes.csv lists every vote ever cast; participants-votes.csv is a table of the
last ones. One of the two is needed; the others may be missing. Columns are
found by name; those with other names (xid, author-id, datetime) are never
looked at.

Checks: ids and votes are whole numbers, plainly written; nobody and no
statement comes twice; with both files, that they tell the same of every cell,
except where two votes of one moment differ and votes.csv cannot say.
Does not check: n-votes and n-comments, or that timestamps are true.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from auzolan.core.record.errors import MalformedError, VerificationError
from auzolan.deliberate.conversation import Statement
from auzolan.deliberate.sources.cells import RowReader, Table, shown
from auzolan.deliberate.sources.polis_raw import LATEST, MODERATION, VOTE_OF, Names, Progress, RawConversation, step
from auzolan.deliberate.sources.sign import ASSUMED, Comparison, Sign, as_told, sign_from
from auzolan.deliberate.sources.source import Source
from auzolan.deliberate.sources.texts import Texts
from auzolan.deliberate.votes import Rows, VoteTable, pack

VOTES, MATRIX, COMMENTS, SUMMARY = "votes.csv", "participants-votes.csv", "comments.csv", "summary.csv"
_ABOUT_PARTICIPANT = frozenset({"participant", "xid", "group-id", "n-comments", "n-votes", "n-agree", "n-disagree"})
_MILLISECONDS = 13  # digits of a moment between 2001 and 2286
_TRUTH = {"true": True, "false": False}


@dataclass(frozen=True)
class _Matrix:
    """What participants-votes.csv says.

    Attributes:
        rows: its cells.
        listed: all its participants.
        groups: group id -> participants.
        comparisons: votes and what n-agree, n-disagree say; None without these columns.
    """

    rows: Rows
    listed: frozenset[str]
    groups: Mapping[int, list[str]]
    comparisons: list[Comparison] | None


@dataclass
class _Comments:
    """What comments.csv says; `stated` are its agrees and disagrees by statement."""

    statements: dict[int, Statement] = field(default_factory=dict)
    stated: dict[int, tuple[int, int]] = field(default_factory=dict)


def read_export(
    source: Source, roles: Mapping[str, str], names: Names, told: int | None, progress: Progress
) -> RawConversation:
    """Read an export.

    Args:
        source: where the files are.
        roles: usual name of a file -> its name here; votes.csv or participants-votes.csv is among them.
        names: pseudonyms.
        told: how agree is written, if whoever imports has stated it.
        progress: is shown the rows read.

    Raises:
        MalformedError: a file has not the form of an export.
        VerificationError: votes.csv and participants-votes.csv differ.
    """
    texts = Texts()
    comments = _read_comments(_table(source, roles[COMMENTS]), texts) if COMMENTS in roles else _Comments()
    topic, url = _read_summary(source, roles[SUMMARY], texts) if SUMMARY in roles else ("", "")
    matrix = _read_matrix(_table(source, roles[MATRIX]), names, progress) if MATRIX in roles else None
    rows = _read_votes(_table(source, roles[VOTES]), names, progress) if VOTES in roles else None
    relation = _relation(rows, matrix.rows) if rows and matrix else 1
    sign = as_told(told) if told else _sign(rows, matrix, relation, comments.stated)
    chosen = rows if rows is not None else matrix.rows if matrix else Rows()
    return RawConversation(
        layout=", ".join(roles[role] for role in (VOTES, MATRIX, COMMENTS, SUMMARY) if role in roles),
        rows=chosen,
        sign=sign,
        statements=comments.statements,
        texts=texts,
        listed=matrix.listed if matrix else frozenset(),
        groups=matrix.groups if matrix else {},
        topic=topic,
        url=url,
    )


def role_of(header: tuple[str, ...]) -> str | None:
    """Return which file of an export has this header, of those that hold votes."""
    if {"voter-id", "comment-id", "vote"} <= set(header):
        return VOTES
    return MATRIX if "participant" in header else None


def _table(source: Source, member: str) -> Table:
    return Table(member, source.lines(member))


def _vote(table: Table, column: int, cell: str) -> int:
    vote = VOTE_OF.get(cell)
    if vote is None:
        raise table.wrong(column, f"expected a vote, 1, 0 or -1, got {shown(cell)}")
    return vote


def _read_votes(table: Table, names: Names, progress: Progress) -> Rows:
    at, statement, who, vote = (table.column(name) for name in ("timestamp", "comment-id", "voter-id", "vote"))
    statements: dict[str, int] = {}
    rows = Rows()
    for number, row in enumerate(table, start=1):
        about, voter, moment = row[statement], row[who], row[at]
        if about not in statements:  # each id is checked once, not once a vote
            statements[about] = table.whole(statement)
        if voter not in names:
            table.whole(who)
        is_plain = len(moment) == _MILLISECONDS and moment.isdecimal() and moment.isascii() and moment[0] != "0"
        when = int(moment) if is_plain else table.whole(at, most=LATEST)
        rows.add(names[voter], statements[about], _vote(table, vote, row[vote]), when)
        step(progress, table.name, number)
    return rows


def _statement_columns(table: Table) -> list[tuple[int, int]]:
    """Return position and id of the columns that are statements; other names are ignored unless they look like ids."""
    columns = [
        (column, table.whole_name(column))
        for column, name in enumerate(table.header)
        if name not in _ABOUT_PARTICIPANT and any(mark.isdigit() for mark in name.lstrip(" +-.")[:1])
    ]
    if not columns:
        raise MalformedError(f"{table.name}, line 1: no column is the id of a statement")
    return columns


def _read_matrix(table: Table, names: Names, progress: Progress) -> _Matrix:
    who, columns = table.column("participant"), _statement_columns(table)
    group, agree, disagree = (table.maybe(name) for name in ("group-id", "n-agree", "n-disagree"))
    rows, listed, groups, comparisons = Rows(), set[str](), dict[int, list[str]](), list[Comparison]()
    for number, row in enumerate(table, start=1):
        table.whole(who)
        name = names[row[who]]
        if name in listed:
            raise table.wrong(who, "this participant is there twice")
        listed.add(name)
        if group is not None and row[group]:
            groups.setdefault(table.whole(group), []).append(name)
        votes = [(statement, _vote(table, column, row[column])) for column, statement in columns if row[column]]
        for statement, vote in votes:
            rows.add(name, statement, vote)
        if agree is not None and disagree is not None:
            cast = [vote for _, vote in votes]
            comparisons.append(Comparison(cast.count(1), cast.count(-1), table.whole(agree), table.whole(disagree)))
        step(progress, table.name, number)
    has_counts = agree is not None and disagree is not None
    return _Matrix(rows, frozenset(listed), groups, comparisons if has_counts else None)


def _read_comments(table: Table, texts: Texts) -> _Comments:
    who, body = table.column("comment-id"), table.column("comment-body")
    moderated, agrees, disagrees = (table.maybe(name) for name in ("moderated", "agrees", "disagrees"))
    found = _Comments()
    for row in table:
        statement = table.whole(who)
        if statement in found.statements:
            raise table.wrong(who, "this statement is there twice")
        moderation = MODERATION[table.whole(moderated, -1, 1)] if moderated is not None else "open"
        text = texts.clean(row[body], lambda why: table.wrong(body, why), is_out=moderation == "out")
        flags = (_flag(table, row, name) for name in ("is-meta", "is-seed"))
        found.statements[statement] = Statement(statement, text, moderation, *flags)
        if agrees is not None and disagrees is not None:
            found.stated[statement] = table.whole(agrees), table.whole(disagrees)
    return found


def _flag(table: Table, row: list[str], name: str) -> bool:
    column = table.maybe(name)
    if column is None:
        return False
    value = _TRUTH.get(row[column].lower())
    if value is None:
        raise table.wrong(column, f"expected true or false, got {shown(row[column])}")
    return value


def _read_summary(source: Source, member: str, texts: Texts) -> tuple[str, str]:
    """Return topic and address; summary.csv has no header, its rows are name and value."""
    reader = RowReader(member, source.lines(member))
    found: dict[str, str] = {}

    def wrong(what: str, column: int = 2) -> MalformedError:
        return MalformedError(f"{member}, line {reader.line:,}, column {column}: {what}")

    for row in reader:
        if len(row) != 2:
            raise wrong(f"expected two cells in the row, got {len(row):,}", min(len(row), 2) + 1)
        name, value = row
        if name in found:
            raise wrong("this name is there twice", 1)
        if name == "url" and not value.startswith(("https://", "http://")) and value:
            raise wrong("expected an address that begins with https://")
        found[name] = texts.clean(value, wrong) if name in ("topic", "url") else ""
    return found.get("topic", ""), found.get("url", "")


def _sign(rows: Rows | None, matrix: _Matrix | None, relation: int, stated: Mapping[int, tuple[int, int]]) -> Sign:
    """Return how agree is written in votes.csv, or in participants-votes.csv where that stands alone."""
    if matrix and matrix.comparisons:
        sign = sign_from(matrix.comparisons, "participants", f"n-agree and n-disagree in {MATRIX}")
        if sign and relation == -1:
            return Sign(-sign.agree, f"{sign.evidence} there; {VOTES} has the opposite sign in every cell")
        if sign:
            return sign
    if rows is not None and stated:
        sign = sign_from(_count(rows, stated), "statements", f"agrees and disagrees in {COMMENTS}")
        if sign:
            return sign
    return Sign(1, ASSUMED)


def _count(rows: Rows, stated: Mapping[int, tuple[int, int]]) -> Iterator[Comparison]:
    """Yield all votes cast on each statement, re-votes among them, beside what comments.csv says."""
    statement, vote = np.frombuffer(rows.statement, dtype=np.int64), np.frombuffer(rows.vote, dtype=np.int8)
    counts = {
        cast: dict(
            zip(*(part.tolist() for part in np.unique(statement[vote == cast], return_counts=True)), strict=True)
        )
        for cast in (1, -1)
    }
    for number, (agree, disagree) in stated.items():
        yield Comparison(counts[1].get(number, 0), counts[-1].get(number, 0), agree, disagree)


def _relation(rows: Rows, matrix: Rows) -> int:
    """Return +1 where the two files tell the same, -1 where one has the opposite sign in every cell.

    Raises:
        VerificationError: they differ.
    """
    ids = sorted({*rows.statement, *matrix.statement})
    cast, table = pack(rows, ids), pack(matrix, ids).table
    order = {name: number for number, name in enumerate({**rows.participants, **matrix.participants})}
    left, right = _cells(cast.table, order), _cells(table, order)
    left_votes, right_votes = _votes(cast.table), _votes(table)
    if cast.ambiguous:
        place = np.array([order[name] for name in rows.participants], dtype=np.int64)
        who, which = np.frombuffer(rows.who, dtype=np.int32), np.frombuffer(rows.statement, dtype=np.int64)
        uncertain = np.setdiff1d(place[who] * len(ids) + np.searchsorted(np.array(ids), which), left)
        settled = ~np.isin(right, uncertain)
        right, right_votes = right[settled], right_votes[settled]
    both, at_left, at_right = np.intersect1d(left, right, assume_unique=True, return_indices=True)
    alone = np.setxor1d(left, right, assume_unique=True)
    differing = [
        np.concatenate([alone, both[left_votes[at_left] != relation * right_votes[at_right]]]) for relation in (1, -1)
    ]
    if not differing[0].size:
        return 1
    if not differing[1].size:
        return -1
    fewest = min(differing, key=len)
    raise VerificationError(
        f"{VOTES} and {MATRIX} differ in {fewest.size:,} {'cell' if fewest.size == 1 else 'cells'}, first at statement "
        f"{ids[int(np.min(fewest % len(ids)))]}: the last votes in the one are not the votes in the other"
    )


def _cells(table: VoteTable, order: Mapping[str, int]) -> NDArray[np.int64]:
    """Return a number for each participant and statement with a vote."""
    who = np.array([order[name] for name in table.participants], dtype=np.int64)
    return np.repeat(who, table.votes_per_participant) * len(table.statements) + (table.packed >> 2)


def _votes(table: VoteTable) -> NDArray[np.int64]:
    return (table.packed & 3).astype(np.int64) - 1
