"""Edge: what the rules make of a tally whose ballots are here, and finding out whether a record says the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from auzolan.cli.ballots import Evidence
from auzolan.core.kinds.deliberate import Snapshot, Tally
from auzolan.core.kinds.selection import Outcome
from auzolan.core.record.authority import Chain
from auzolan.core.record.canonical import as_object
from auzolan.core.record.errors import UsageError, VerificationError
from auzolan.core.record.governance import Governance
from auzolan.core.record.record import Record

if TYPE_CHECKING:  # numpy and scipy are loaded only by the commands that count
    from auzolan.deliberate.ballots import Ballots
    from auzolan.deliberate.conversation import Statement
    from auzolan.deliberate.ratify.parameters import Parameters
    from auzolan.deliberate.tally import Counts
    from auzolan.deliberate.votes import Labels

_RESAMPLES_MAY_DIFFER = 1  # of 100: they are computed in floats


def parameters_in(rules: Governance, seats: int | None = None) -> Parameters:
    """Return a commons' parameters of ratifying; `seats` instead of theirs for a trial."""
    from auzolan.deliberate.ratify.parameters import read_parameters

    return read_parameters(as_object(rules.body.get("constitution"), "constitution"), seats)


def smallest_cell(snapshot: Record, rules: Governance) -> int:
    """Return how many people must stand behind what is told of a snapshot."""
    return 1 if Snapshot.from_record(snapshot).privacy == "public" else rules.min_cell


def outcome_from(
    ballots: Ballots,
    labels: Labels,
    sizes: Sequence[int],
    counts: Counts,
    statements: Sequence[Statement],
    *,
    identity: str,
    by: Parameters,
    min_cell: int,
    conflicts: Sequence[tuple[int, int]],
    rules_known: str,
    final: bool = False,
) -> Outcome:
    """Apply the rules to ballots; the same every time.

    Args:
        ballots, statements: of a snapshot.
        labels, sizes, counts: of its tally.
        identity: how participants were told apart.
        by: the parameters.
        min_cell: smaller groups are not told of.
        conflicts: pairs of statements declared to exclude each other.
        rules_known: "before" or "after" the votes came in.
        final: whether this is the people's vote on a wording.

    Raises:
        UsageError: a conflict about statements that are not there, or more people than the roll.
    """
    from auzolan.deliberate.conversation import left_out
    from auzolan.deliberate.ratify.eligibility import declared_groups, opinion_groups
    from auzolan.deliberate.ratify.outcome import outcome_of
    from auzolan.deliberate.ratify.selection import select

    n_participants = len(ballots.table.participants)
    if by.roll and n_participants > by.roll:
        raise UsageError(
            f"{n_participants:,} people voted, and by constitution.roll only {by.roll:,} may: one of the two is wrong"
        )
    unknown = sorted({each for pair in conflicts for each in pair} - {each.id for each in statements})
    if unknown:
        raise UsageError(f"there is no statement {unknown[0]} in this conversation")
    groups = [*opinion_groups(ballots.table, labels, sizes), *declared_groups(ballots, identity, by)]
    told = [group for group in groups if group.size >= min_cell]
    found = select(ballots.table, told, left_out(statements), conflicts, by, final)
    return outcome_of(found, counts, by, conflicts, rules_known, by.vetoing(identity))


def outcome_of_tally(
    evidence: Evidence,
    tally: Record,
    snapshot: Record,
    by: Parameters,
    min_cell: int,
    conflicts: Sequence[tuple[int, int]],
    rules_known: str,
    final: bool = False,
) -> Outcome:
    """Apply the rules to a tally whose ballots are here.

    Raises:
        MissingError: ballots or labels are not here.
        UsageError: a conflict about statements that are not there.
    """
    ballots = evidence.ballots(snapshot)
    return outcome_from(
        ballots,
        evidence.labels(tally, len(ballots.table.participants)),
        Tally.from_record(tally).groups,
        evidence.counts(tally),
        evidence.statements(snapshot),
        identity=Snapshot.from_record(snapshot).identity,
        by=by,
        min_cell=min_cell,
        conflicts=conflicts,
        rules_known=rules_known,
        final=final,
    )


def check_outcome(
    evidence: Evidence,
    said: Outcome,
    tally: Record,
    snapshot: Record,
    by: Parameters,
    min_cell: int,
    rules_known: str,
    final: bool = False,
) -> None:
    """Apply the rules again and compare, and check the outcome by code that it was not made with.

    Raises:
        NotCheckedError: ballots or labels are not here.
        VerificationError: it comes out differently.
    """
    from auzolan.deliberate.conversation import left_out
    from auzolan.deliberate.ratify.checking import verify_outcome

    again = outcome_of_tally(evidence, tally, snapshot, by, min_cell, said.conflicts, rules_known, final)
    if not _same(said, again):
        raise VerificationError("by the rules, other articles, reasons or margins come out")
    ballots = evidence.ballots(snapshot)
    counts = evidence.counts(tally)
    verify_outcome(
        said,
        ballots,
        evidence.labels(tally, len(ballots.table.participants)),
        identity=Snapshot.from_record(snapshot).identity,
        moderated_out=left_out(evidence.statements(snapshot)),
        min_cell=min_cell,
        withheld=counts.withheld_on(by.vetoing(Snapshot.from_record(snapshot).identity)),
        final=final,
    )


def _same(said: Outcome, again: Outcome) -> bool:
    """Say whether two outcomes are the same to the letter, but for a last digit of the resamples."""

    def without(outcome: Outcome) -> Outcome:
        return replace(
            outcome,
            articles=tuple(replace(each, holds=None, unopposed=None) for each in outcome.articles),
            not_included=tuple(replace(each, holds=None, unopposed=None) for each in outcome.not_included),
        )

    if without(said).to_body() != without(again).to_body():
        return False
    return all(
        one == other if one is None or other is None else abs(one - other) <= _RESAMPLES_MAY_DIFFER
        for one, other in zip(_resamples(said), _resamples(again), strict=True)
    )


def _resamples(outcome: Outcome) -> list[int | None]:
    articles = [n for article in outcome.articles for n in (article.holds, article.unopposed)]
    return articles + [n for other in outcome.not_included for n in (other.holds, other.unopposed)]


def rules_known(chain: Chain, since: int, until: int) -> str:
    """Return "before" if all rules between two positions of the log have the same parameters, else "after".

    Args:
        chain: the governance versions.
        since: position from which votes may have been seen.
        until: position of the record that the rules made.
    """
    versions = [chain.at(since), *(version for version in chain.versions if since < version.at < until)]
    tables = [version.rules.body.get("constitution") for version in versions]
    return "before" if all(table == tables[0] for table in tables) else "after"


def first_import(snapshots: Iterable[tuple[int, Record]], snapshot: Record) -> int:
    """Return the position of the first snapshot of the conversation that `snapshot` is of.

    Args:
        snapshots: all snapshots with their positions in the log.
        snapshot: one of them.
    """
    name = Snapshot.from_record(snapshot).source["name"]
    return min(at for at, each in snapshots if Snapshot.from_record(each).source["name"] == name)


def verify_succession(said: str | None, in_force: str | None) -> None:
    """Check which constitution a new one replaces.

    Args:
        said: the one that it says it replaces.
        in_force: the newest one that was logged before it.

    Raises:
        VerificationError: they are not the same.
    """
    if said != in_force:
        raise VerificationError("it does not say that it replaces the constitution that was in force")


def verify_fixed_before(drafted: int, voted: int) -> None:
    """Check by positions in the log that a wording was fixed before its vote came in.

    Raises:
        VerificationError: it was not.
    """
    if drafted > voted:
        raise VerificationError("the wording was put on record after the vote came in")


def conflicts_of(statements: Mapping[int, int], conflicts: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return pairs of statements of a vote that are in conflict, because statements that they rest on are.

    Args:
        statements: a statement of the conversation -> the statement of the vote that words it.
        conflicts: pairs of statements of the conversation.
    """
    pairs = {tuple(sorted((statements[a], statements[b]))) for a, b in conflicts if {a, b} <= statements.keys()}
    return sorted((one, other) for one, other in pairs if one != other)
