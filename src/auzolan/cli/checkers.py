"""Edge: what `trace` establishes about the links of this stage, in the very run."""

from __future__ import annotations

from collections.abc import Callable

from auzolan.cli.ballots import Evidence
from auzolan.cli.selecting import (
    check_outcome,
    conflicts_of,
    first_import,
    parameters_in,
    rules_known,
    smallest_cell,
    verify_fixed_before,
    verify_succession,
)
from auzolan.core.kinds.constitution import SUPERSEDES as REPLACES
from auzolan.core.kinds.constitution import Constitution, Draft, Principle
from auzolan.core.kinds.dataset import Dataset
from auzolan.core.kinds.deliberate import SUPERSEDES, Snapshot, Tally
from auzolan.core.kinds.oversee import Endorsement
from auzolan.core.kinds.selection import Selection
from auzolan.core.kinds.teach import Adapter
from auzolan.core.record.canonical import as_int
from auzolan.core.record.errors import MalformedError, NotCheckedError, UsageError, VerificationError
from auzolan.core.record.governance import Governance
from auzolan.core.record.record import Record
from auzolan.core.record.tombstone import AFFECTS, TOMBSTONE_KIND
from auzolan.core.record.trace import Checker, Strength, Walk


def checkers(evidence: Evidence) -> dict[tuple[str, str], Checker]:
    """Return what `trace` establishes about links of this stage: each is computed once in a run."""
    found: dict[tuple[str, str], Strength] = {}

    def once(compute: Checker) -> Checker:
        def check(walk: Walk, record: Record, name: str, target: str) -> Strength:
            if (record.id, target) not in found:
                found[record.id, target] = compute(walk, record, name, target)
            return found[record.id, target]

        return check

    def by_rules(compute: Callable[[Record, Record, Governance, Governance], object]) -> Checker:
        def check(walk: Walk, record: Record, _name: str, target: str) -> Strength:
            rules = [walk.verified.chain.at(walk.verified.positions[each]).rules for each in (record.id, target)]
            return tried(lambda: compute(record, walk.record(target), *rules))

        return once(check)

    def check_selection(walk: Walk, record: Record, _name: str, target: str) -> Strength:
        return tried(lambda: select_again(evidence, walk, record, walk.record(target)))

    def check_vote(walk: Walk, record: Record, _name: str, target: str) -> Strength:
        return tried(lambda: ratify_again(evidence, walk, record, walk.record(target)))

    def check_draft(walk: Walk, record: Record, _name: str, target: str) -> Strength:
        return tried(lambda: _compare_wording(evidence, walk, record, walk.record(target)), Strength.CHECKED)

    def check_words(walk: Walk, record: Record, _name: str, target: str) -> Strength:
        edited = any(each.transformation != Principle.VERBATIM for each in Draft.from_record(record).principles)
        good = Strength.ASSERTED if edited else Strength.CHECKED
        return tried(lambda: _compare_statements(evidence, walk, record, walk.record(target)), good)

    return {
        (Tally.KIND, Tally.SNAPSHOT): by_rules(evidence.recount),
        (Snapshot.KIND, SUPERSEDES): by_rules(evidence.compare_successor),
        (Selection.KIND, Selection.TALLY): once(check_selection),
        (Selection.KIND, Selection.RULES): _check_rules,
        (Draft.KIND, Draft.SELECTION): once(check_words),
        (Constitution.KIND, Constitution.TALLY): once(check_vote),
        (Constitution.KIND, Constitution.DRAFT): once(check_draft),
        (Constitution.KIND, Constitution.RULES): _check_rules,
        (Constitution.KIND, REPLACES): _check_replaced,
    }


def select_again(evidence: Evidence, walk: Walk, record: Record, tally: Record) -> None:
    """Check a selection by the rules that were in force when it was committed.

    Raises:
        NotCheckedError: the ballots are not here.
        VerificationError: it comes out differently.
    """
    snapshot, chain = _snapshot_of(walk, tally), walk.verified.chain
    position = walk.verified.positions[record.id]
    rules, said = chain.at(position).rules, Selection.from_record(record)
    seats = as_int(said.outcome.parameters.get("seats"), "seats", 1)
    by = parameters_in(rules, seats if said.trial else None)
    if said.trial is not (seats != rules.seats):
        raise VerificationError("a trial is what has another number of seats than the rules")
    known = rules_known(chain, _first_import(walk, snapshot), position)
    check_outcome(evidence, said.outcome, tally, snapshot, by, smallest_cell(snapshot, rules), known)


def ratify_again(evidence: Evidence, walk: Walk, record: Record, tally: Record) -> None:
    """Check a constitution against the people's vote, by the rules that were in force.

    Raises:
        NotCheckedError: the ballots are not here.
        VerificationError: it comes out differently.
    """
    snapshot, chain, said = _snapshot_of(walk, tally), walk.verified.chain, Constitution.from_record(record)
    position, draft = walk.verified.positions[record.id], walk.record(said.draft)
    rules = chain.at(position).rules
    selection = Selection.from_record(walk.record(Draft.from_record(draft).selection))
    pairs = conflicts_of(_voted(said), selection.outcome.conflicts)
    if list(said.outcome.conflicts) != pairs:
        raise VerificationError("the constitution has other conflicts than its selection")
    known = rules_known(chain, walk.verified.positions[draft.id], position)
    least = smallest_cell(snapshot, rules)
    check_outcome(evidence, said.outcome, tally, snapshot, parameters_in(rules), least, known, final=True)


def _voted(constitution: Constitution) -> dict[int, int]:
    from auzolan.deliberate.wording.voting import statements_in_vote

    return statements_in_vote(constitution.principles, constitution.voted_as)


def _of_kind(walk: Walk, kind: str) -> list[tuple[int, Record]]:
    """Return the records of a kind with their positions, in their order."""
    found = [(at, walk.record(each)) for each, at in walk.verified.positions.items()]
    return sorted(((at, each) for at, each in found if each.kind == kind), key=lambda each: each[0])


def _first_import(walk: Walk, snapshot: Record) -> int:
    return first_import(_of_kind(walk, Snapshot.KIND), snapshot)


def _in_force_before(walk: Walk, record: Record) -> str | None:
    """Return the id of the constitution that was in force when another one was logged."""
    found = [each.id for at, each in _of_kind(walk, Constitution.KIND) if at < walk.verified.positions[record.id]]
    return found[-1] if found else None


def _snapshot_of(walk: Walk, tally: Record) -> Record:
    if tally.kind != Tally.KIND or walk.record(tally.links[Tally.SNAPSHOT]).kind != Snapshot.KIND:
        raise VerificationError("expected a tally of a snapshot")
    return walk.record(tally.links[Tally.SNAPSHOT])


def _compare_wording(evidence: Evidence, walk: Walk, record: Record, draft: Record) -> None:
    from auzolan.deliberate.wording.voting import verify_wording

    said = Constitution.from_record(record)
    snapshot = _snapshot_of(walk, walk.record(said.tally))
    verify_fixed_before(walk.verified.positions[draft.id], _first_import(walk, snapshot))
    statements = evidence.statements(snapshot)
    verify_wording(said, Draft.from_record(draft), statements)
    verify_succession(said.supersedes, _in_force_before(walk, record))


def _compare_statements(evidence: Evidence, walk: Walk, record: Record, selection: Record) -> None:
    from auzolan.deliberate.wording.drafting import verify_draft

    said = Selection.from_record(selection)
    if said.trial:
        raise VerificationError("a trial of another number of seats cannot be put to the vote")
    verify_draft(Draft.from_record(record), said, evidence.statements(_snapshot_of(walk, walk.record(said.tally))))


def _check_rules(walk: Walk, record: Record, _name: str, target: str) -> Strength:
    """The target is the governance that was in force; the parameters are compared with it at the link to the tally."""
    version = walk.verified.chain.at(walk.verified.positions[record.id])
    return Strength.CHECKED if version.id == target else Strength.CONTRADICTED


def _check_replaced(walk: Walk, record: Record, _name: str, target: str) -> Strength:
    return Strength.CHECKED if target == _in_force_before(walk, record) else Strength.CONTRADICTED


def tried(compute: Callable[[], object], good: Strength = Strength.RECOMPUTED) -> Strength:
    """Return what a computation establishes about a link: `good` where it raises nothing."""
    try:
        compute()
    except NotCheckedError:
        return Strength.UNAVAILABLE
    except (VerificationError, MalformedError, UsageError):
        return Strength.CONTRADICTED
    return good


def why_unavailable(walk: Walk, record_id: str) -> str:
    """Return one sentence: why a record cannot be computed again here, and who had done it."""
    tombstones, done = [], []
    for link in walk.forwards(record_id):
        source = walk.record(link.source)
        if source.kind == TOMBSTONE_KIND and link.name.split(".")[0] == AFFECTS:
            tombstones.append(f"{source.id[:8]}… of {source.body.get('forgotten_at')}")
        if source.kind == Endorsement.KIND and source.body.get("claim") == "recomputed":
            signers = ", ".join(walk.verified.signers[walk.verified.positions[source.id]])
            done.append(f"{signers} ({source.body.get('endorsed_at')})")
    why = f"can no longer be recomputed: ballots were erased, tombstone {', '.join(tombstones)}"
    if not tombstones:
        kind = walk.record(record_id).kind
        what = {Dataset.KIND: "its rows are", Adapter.KIND: "its answers are"}.get(kind, "the ballots are")
        why = f"cannot be recomputed here: {what} not on this machine"
    return f"{why}; recomputed by {'; '.join(done) if done else 'nobody on record'}"
