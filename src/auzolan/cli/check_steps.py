"""Edge: the steps of `auzolan deliberate check` for one record, each as far as what is at hand allows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auzolan.cli.ballots import Evidence
from auzolan.cli.output import JsonDict
from auzolan.cli.records import linked, rules_of
from auzolan.cli.selecting import (
    conflicts_of,
    first_import,
    parameters_in,
    rules_known,
    smallest_cell,
    verify_fixed_before,
    verify_succession,
)
from auzolan.core.kinds.constitution import Constitution, Draft, Principle
from auzolan.core.kinds.deliberate import Snapshot, Tally
from auzolan.core.kinds.oversee import Endorsement
from auzolan.core.kinds.selection import Selection
from auzolan.core.record.errors import MalformedError, NotCheckedError, UsageError, VerificationError
from auzolan.core.record.record import Record
from auzolan.core.record.tombstone import TOMBSTONE_KIND
from auzolan.core.record.view import LedgerView

if TYPE_CHECKING:  # numpy and scipy are loaded only by the commands that count
    from auzolan.deliberate.ratify.standing import Case
    from auzolan.deliberate.tally import Counts

HOLDS, IN_PART, NOT_CHECKED, WRONG = "recomputed", "in part", "not checked", "wrong"
NOT_LOOKED_AT = "not looked at"  # after a step that is wrong


@dataclass(frozen=True)
class Row:
    """One step: its number, what it asks, what came of it (`HOLDS` and so on), and a remark."""

    number: str
    name: str
    question: str
    result: str
    remark: str = ""

    @property
    def shown(self) -> str:
        """The result in words."""
        if self.result == NOT_CHECKED and self.remark != NOT_LOOKED_AT:
            return f"could not check: {self.remark}"
        return "wrong, see below" if self.result == WRONG else self.remark or self.result


@dataclass(frozen=True)
class Part:
    """All steps about one record, and who said on record that they recomputed it or its tally."""

    record: Record
    rows: tuple[Row, ...]
    recomputed_by: tuple[JsonDict, ...]


def linked_as(ledger: LedgerView, record: Record, name: str, kind: str) -> Record:
    """Return the record of a kind that another one links to.

    Raises:
        VerificationError: it is of another kind.
    """
    found = linked(ledger, record, name)
    if found.kind != kind:
        raise VerificationError(f"the {record.kind} links to a {found.kind} as its {name}, expected a {kind}")
    return found


def check_record(ledger: LedgerView, evidence: Evidence, record: Record) -> Part:
    """Take every step for one record as far as what is at hand allows."""
    said: Constitution | Selection
    said = Constitution.from_record(record) if record.kind == Constitution.KIND else Selection.from_record(record)
    tally = linked_as(ledger, record, Selection.TALLY, Tally.KIND)
    snapshot = linked_as(ledger, tally, Tally.SNAPSHOT, Snapshot.KIND)
    draft = linked_as(ledger, record, Constitution.DRAFT, Draft.KIND) if isinstance(said, Constitution) else None
    counts: list[Counts] = []

    def count_again() -> None:
        counts.append(evidence.recount(tally, snapshot, *rules_of(ledger, tally, snapshot)))

    rows = [_row("a", "counts", "Do ballots amount to published counts?", count_again)]
    if rows[0].result == NOT_CHECKED:
        rows = [_published(ledger, evidence, tally, snapshot, rows[0])]
    rows.append(_row("b", "rules", "Were these the rules in force?", lambda: _rules(ledger, record, said)))
    if isinstance(said, Constitution) and draft is not None:

        def is_worded_so() -> None:
            verify_fixed_before(ledger.find(draft.id).position, _first_import(ledger, snapshot))
            _wording(evidence, said, draft, snapshot)
            verify_succession(said.supersedes, _in_force_before(ledger, record))

        rows.append(_row("c", "wording", "Is it worded as was voted on?", is_worded_so))
        rows.append(_origin(ledger, evidence, draft))
    if all(row.result != WRONG for row in rows):
        rows += _steps(ledger, evidence, record, said, tally, snapshot, bool(counts))
    return Part(record, tuple(rows), tuple(_recomputed_by(ledger, (record.id, tally.id))))


def _row(number: str, name: str, question: str, verify: Callable[[], object], good: str = "") -> Row:
    """Take one step; what could not be checked is neither passed nor failed."""
    try:
        verify()
    except NotCheckedError as error:
        return Row(number, name, question, NOT_CHECKED, str(error))
    except (VerificationError, MalformedError, UsageError) as error:
        return Row(number, name, question, WRONG, f"{number} {name}: {error}")
    return Row(number, name, question, HOLDS, good)


def _published(ledger: LedgerView, evidence: Evidence, tally: Record, snapshot: Record, row: Row) -> Row:
    """Without ballots, see at least whether the published counts are possible, and say where the ballots are."""

    def possible() -> None:
        from auzolan.deliberate.tally import verify_counts

        ids = {each.id for each in evidence.statements(snapshot)}
        verify_counts(evidence.counts(tally), Tally.from_record(tally), ids)

    found = _row(row.number, row.name, row.question, possible)
    if found.result != HOLDS:
        return found
    erased = any(
        snapshot.id in ledger.envelope(each).claimed.links.values() for each in ledger.index.rows(TOMBSTONE_KIND)
    )
    where = "ballots were erased" if erased else "ballots are withheld" if evidence.private is None else row.remark
    return Row(row.number, row.name, row.question, NOT_CHECKED, f"{where}; the counts are possible")


def _rules(ledger: LedgerView, record: Record, said: Constitution | Selection) -> None:
    """Check the parameters against the governance in force when the record was committed.

    Raises:
        VerificationError: others were used, or it says otherwise when they were known.
    """
    position = ledger.find(record.id).position
    version = ledger.chain.at(position)
    trial = isinstance(said, Selection) and said.trial
    seats = said.outcome.parameters.get("seats")
    by = parameters_in(version.rules, seats if trial and isinstance(seats, int) else None)
    in_force = said.rules == version.id and trial is (by.seats != version.rules.seats)
    if not in_force or by.as_json() != said.outcome.parameters:
        raise VerificationError("the parameters are not those in force when it was committed")
    if isinstance(said, Selection):
        since = _first_import(ledger, linked(ledger, linked(ledger, record, Selection.TALLY), Tally.SNAPSHOT))
    else:
        since = ledger.find(said.draft).position
        selection = Selection.from_record(linked(ledger, linked(ledger, record, Constitution.DRAFT), Draft.SELECTION))
        if list(said.outcome.conflicts) != _conflicts(said, selection):
            raise VerificationError("its conflicts are not those of the selection that it rests on")
    if rules_known(ledger.chain, since, position) != said.outcome.rules_known:
        raise VerificationError("it says otherwise whether the rules were fixed before votes were seen")


def _in_force_before(ledger: LedgerView, record: Record) -> str | None:
    """Return the id of the constitution that was in force when another one was logged."""
    position = ledger.find(record.id).position
    found = [row.id for row in ledger.index.rows(Constitution.KIND) if row.position < position]
    return found[-1] if found else None


def _first_import(ledger: LedgerView, snapshot: Record) -> int:
    """Return the position from which votes of a snapshot's conversation may have been seen."""
    rows = ledger.index.rows(Snapshot.KIND)
    return first_import([(each.position, ledger.envelope(each).claimed) for each in rows], snapshot)


def _conflicts(said: Constitution, selection: Selection) -> list[tuple[int, int]]:
    from auzolan.deliberate.wording.voting import statements_in_vote

    return conflicts_of(statements_in_vote(said.principles, said.voted_as), selection.outcome.conflicts)


def _wording(evidence: Evidence, said: Constitution, draft: Record, snapshot: Record) -> None:
    from auzolan.deliberate.wording.voting import verify_wording

    verify_wording(said, Draft.from_record(draft), evidence.statements(snapshot))


def _origin(ledger: LedgerView, evidence: Evidence, draft: Record) -> Row:
    """Check the draft against the selection; where editors changed words, that they mean the same is their word."""
    from auzolan.deliberate.wording.drafting import verify_draft

    selection = linked_as(ledger, draft, Draft.SELECTION, Selection.KIND)
    tally = linked_as(ledger, selection, Selection.TALLY, Tally.KIND)
    snapshot = linked_as(ledger, tally, Tally.SNAPSHOT, Snapshot.KIND)
    drafted = Draft.from_record(draft)
    edited = sum(each.transformation != Principle.VERBATIM for each in drafted.principles)
    good = f"recomputed; {edited:,} worded by editors" if edited else ""
    return _row(
        "d",
        "draft",
        "Does the draft word what was selected?",
        lambda: verify_draft(drafted, Selection.from_record(selection), evidence.statements(snapshot)),
        good,
    )


def _steps(
    ledger: LedgerView,
    evidence: Evidence,
    record: Record,
    said: Constitution | Selection,
    tally: Record,
    snapshot: Record,
    from_ballots: bool,
) -> list[Row]:
    from auzolan.deliberate.ratify.checking import check_outcome

    least = smallest_cell(snapshot, ledger.chain.at(ledger.find(record.id).position).rules)
    case = _case(evidence, said, tally, snapshot, least, from_ballots)
    return [
        Row(str(each.step.number), each.step.name, each.step.question, each.result, each.remark)
        for each in check_outcome(case)
    ]


def _case(
    evidence: Evidence,
    said: Constitution | Selection,
    tally: Record,
    snapshot: Record,
    min_cell: int,
    from_ballots: bool,
) -> Case:
    from auzolan.deliberate.conversation import left_out
    from auzolan.deliberate.ratify.checking import case_of_ballots, case_of_counts
    from auzolan.deliberate.ratify.parameters import read_parameters

    counts, taken = evidence.counts(tally), Snapshot.from_record(snapshot)
    aside, final = left_out(evidence.statements(snapshot)), isinstance(said, Constitution)
    if not from_ballots:
        return case_of_counts(
            said.outcome,
            counts,
            taken.n_participants,
            identity=taken.identity,
            moderated_out=aside,
            min_cell=min_cell,
            final=final,
        )
    ballots = evidence.ballots(snapshot)
    return case_of_ballots(
        said.outcome,
        ballots,
        evidence.labels(tally, len(ballots.table.participants)),
        identity=taken.identity,
        moderated_out=aside,
        min_cell=min_cell,
        withheld=counts.withheld_on(read_parameters(said.outcome.parameters).vetoing(taken.identity)),
        final=final,
    )


def _recomputed_by(ledger: LedgerView, ids: Sequence[str]) -> list[JsonDict]:
    """Return who said on record that they recomputed these records, and whether they had signed them themselves."""
    found = []
    for row in ledger.index.rows(Endorsement.KIND):
        record = ledger.envelope(row).claimed
        endorsed = record.links.get("endorses", "")
        if record.body.get("claim") == "recomputed" and endorsed in ids:
            of = ledger.find(endorsed)
            found.append(
                {
                    "record": endorsed,
                    "kind": of.kind,
                    "by": list(row.signers),
                    "at": str(record.body.get("endorsed_at")),
                    "signed_it_too": sorted({*row.signers} & {*of.signers}),
                }
            )
    return found
