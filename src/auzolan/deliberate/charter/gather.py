"""From signed records and published counts to what is shown of a constitution or of a selection.

Shares are of those who voted on a statement, those who passed among them. Where
ballots only approve (grade B) nobody can be seen to have looked and not
approved, so shares are of all participants there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from auzolan.core.kinds.constitution import Constitution, Draft, Principle
from auzolan.core.kinds.deliberate import Snapshot, Tally
from auzolan.core.kinds.selection import Article, NotIncluded, Outcome, Selection
from auzolan.core.record.governance import Governance
from auzolan.deliberate.charter.view import (
    APPROVALS,
    Charter,
    Entry,
    Presence,
    Proof,
    Share,
    Stratum,
    Support,
    Text,
    Turnout,
)
from auzolan.deliberate.conversation import Statement
from auzolan.deliberate.overview import Dot
from auzolan.deliberate.ratify.eligibility import Standing
from auzolan.deliberate.ratify.parameters import Parameters, read_parameters
from auzolan.deliberate.tally import Cell, Counts, StatementCounts


@dataclass(frozen=True)
class Poll:
    """One vote as it is published: on statements, or on the wording of a draft.

    Attributes:
        snapshot_id, tally_id: of its records.
        snapshot, tally, counts, statements: what these say.
        recounted: whether the ballots were at hand and counted again just now.
        dots: the opinion map; empty where there is none.
    """

    snapshot_id: str
    tally_id: str
    snapshot: Snapshot
    tally: Tally
    counts: Counts
    statements: tuple[Statement, ...]
    recounted: bool = False
    dots: tuple[Dot, ...] = ()


def charter_of_selection(record_id: str, selection: Selection, poll: Poll, governance: Governance) -> Charter:
    """Return what is shown of a selection."""
    texts = {each.id: Text(each.text) for each in poll.statements}
    numbers = {each.statement: str(place) for place, each in enumerate(selection.outcome.articles, 1)}
    entries = _Entries(selection.outcome, poll, texts, numbers, is_ratified=False)
    shown = _charter(record_id, selection.outcome, poll, governance, entries)
    return replace(
        shown,
        title=poll.snapshot.source["topic"] or poll.snapshot.source["name"],
        date=selection.selected_at,
        trial=selection.trial,
        records=(("selection", record_id), *shown.records, ("rules", selection.rules)),
    )


def charter_of_constitution(
    record_id: str,
    constitution: Constitution,
    poll: Poll,
    selected: tuple[Draft, Selection, Poll],
    governance: Governance,
) -> Charter:
    """Return what is shown of a constitution.

    Args:
        record_id: of the constitution.
        constitution: as signed.
        poll: the people's vote on the wording.
        selected: the draft that was voted on, the selection behind it, and the deliberation behind that.
        governance: the rules in force now.
    """
    draft, selection, earlier = selected
    principles = {constitution.voted_as[each.number]: each for each in constitution.principles}
    texts = {i: Text(p.text, p.language, tuple(sorted(p.translations.items()))) for i, p in principles.items()}
    numbers = {statement: each.number for statement, each in principles.items()}
    principle_of = {each.number: each for each in constitution.principles}
    words, before = {each.id: each.text for each in earlier.statements}, _against_before(selection)
    entries = _Entries(constitution.outcome, poll, texts, numbers, is_ratified=True)
    shown = _charter(record_id, constitution.outcome, poll, governance, entries)

    def with_origin(found: tuple[Entry, ...]) -> tuple[Entry, ...]:
        """By number; what was moderated out of the vote has none, and rests on no principle."""
        own = ((each, principle_of.get(each.label)) for each in sorted(found, key=lambda each: _place(each.label)))
        return tuple(_with_origin(each, of, words, before) if of else each for each, of in own)

    return replace(
        shown,
        is_ratified=True,
        title=constitution.title,
        date=constitution.ratified_at,
        articles=with_origin(shown.articles),
        acknowledged=with_origin(shown.acknowledged),
        left=with_origin(shown.left),
        never_voted=_never_voted(constitution, draft, selection, earlier),
        replaces=constitution.supersedes,
        deliberated=earlier.snapshot.n_participants,
        records=(
            ("constitution", record_id),
            *shown.records,
            ("draft", constitution.draft),
            ("selection", draft.selection),
            ("deliberation_tally", earlier.tally_id),
            ("deliberation_snapshot", earlier.snapshot_id),
            ("rules", constitution.rules),
        ),
    )


class _Entries:
    """Makes entries of one outcome."""

    def __init__(
        self, outcome: Outcome, poll: Poll, texts: Mapping[int, Text], numbers: Mapping[int, str], is_ratified: bool
    ) -> None:
        self.rules = read_parameters(outcome.parameters)
        self._outcome, self._poll, self._texts, self._numbers = outcome, poll, texts, numbers
        self._is_ratified = is_ratified
        self._rows = {each.id: each for each in poll.counts.statements}
        self._reach = {each.statement: each.reach for each in outcome.clauses}

    def label(self, statement: int) -> str:
        return self._numbers.get(statement) or f"#{statement}"

    def named(self, statement: int | None) -> tuple[str, str] | None:
        """Return the label and the words of a statement."""
        return None if statement is None else (self.label(statement), self._text(statement).words)

    def article(self, each: Article) -> Entry:
        return Entry(
            label=self.label(each.statement),
            text=self._text(each.statement),
            support=self._support(each.statement),
            why=each.statement,
            is_article=True,
            is_principle=self._is_ratified,
            how=each.how,
            against=each.against,
            block_margin=each.block_margin,
            holds=each.holds,
            unopposed=each.unopposed,
        )

    def other(self, each: NotIncluded) -> Entry:
        return Entry(
            label=self.label(each.statement),
            text=self._text(each.statement),
            support=self._support(each.statement),
            why=each.statement,
            is_principle=self._is_ratified,
            standing=each.standing,
            against=each.against,
            rival=self.named(each.rival),
            admit_margin=each.admit_margin,
            holds=each.holds,
            unopposed=each.unopposed,
            goes_to_vote=each.statement in self._outcome.put_to_vote,
            reach=self._reach.get(each.statement),
        )

    def _support(self, statement: int) -> Support:
        row = self._rows.get(statement)
        return support_of(row, self._poll, self._outcome.grade, self.rules.is_small)

    def _text(self, statement: int) -> Text:
        return self._texts.get(statement, Text(""))


def _charter(record_id: str, outcome: Outcome, poll: Poll, governance: Governance, entries: _Entries) -> Charter:
    """Return what both kinds of record show."""
    others = [entries.other(each) for each in outcome.not_included]
    certificate, division = outcome.certificate, poll.counts.divisions[0]
    return Charter(
        record=record_id,
        is_ratified=False,
        title="",
        date="",
        commons=governance.name,
        principals=tuple(each.name for each in governance.principals.values()),
        floor=governance.rights_floor,
        demo=governance.demo,
        trial=False,
        replaces=None,
        grade=outcome.grade,
        rules_known=outcome.rules_known,
        rules=entries.rules,
        identity=poll.snapshot.identity,
        licence=poll.snapshot.licence,
        articles=tuple(entries.article(each) for each in outcome.articles),
        acknowledged=tuple(each for each in others if each.reach is not None),
        left=tuple(each for each in others if each.reach is None),
        never_voted=(),
        groups=tuple(zip(division.values, poll.tally.groups, strict=False)),
        n_unassigned=poll.tally.n_unassigned,
        min_cell=poll.tally.min_cell,
        turnout=_turnout(poll, entries.rules),
        deliberated=None,
        proof=None
        if certificate is None
        else Proof(
            certificate.ejr_ratio,
            bool(certificate.multipliers),
            entries.named(certificate.strongest),
            certificate.reach,
        ),
        records=(("tally", poll.tally_id), ("snapshot", poll.snapshot_id)),
        recounted=poll.recounted,
        dots=poll.dots,
    )


def support_of(row: StatementCounts | None, poll: Poll, grade: str, exact: bool) -> Support:
    """Return who supports a statement, as far as the tally publishes it.

    Args:
        row: its counts.
        poll: the vote.
        grade: of the evidence.
        exact: whether a small community is counted, and nothing estimated.
    """
    approvals = grade == APPROVALS
    hidden = Support(None, None, approvals, exact, poll.tally.min_cell)
    if row is None or row.all is None:
        return hidden
    total = _share(row.all, poll.snapshot.n_participants, approvals, exact)
    if row.by[0] is None:
        return replace(hidden, all=total)
    of_groups = zip(poll.counts.divisions[0].values, row.by[0], poll.tally.groups, strict=True)
    groups = tuple((name, _share(cell, size, approvals, exact)) for name, cell, size in of_groups)
    return replace(hidden, all=total, groups=groups)


def _share(cell: Cell, people: int, approvals: bool, exact: bool) -> Share:
    if approvals:
        return Share(cell.agree, 0, 0, people, None, None)
    bounds = (None, None) if exact else (cell.lower_ppm, cell.upper_ppm)
    return Share(cell.agree, cell.disagree, cell.passed, sum(cell[:3]), *bounds)


def _turnout(poll: Poll, rules: Parameters) -> Turnout:
    """Return who took part, beside how many may vote where the rules say so."""
    roll, found = rules.roll_of_strata, []
    for division in poll.counts.divisions[1:]:
        may = roll.pop(division.name, {})
        sizes = dict(zip(division.values, division.sizes or (), strict=False))
        # Where counts of few are withheld, so are the names of what few declared: nobody, or fewer than `min_cell`.
        nobody = 0 if poll.tally.min_cell == 1 else None
        unnamed = [value for value in may if value not in division.values]
        values = [Presence(value, sizes.get(value), may.get(value)) for value in division.values]
        values += [Presence(value, nobody, may[value], is_few=nobody is None) for value in unnamed]
        found.append(Stratum(division.name, tuple(values), division.unassigned))
    for name, may in roll.items():
        found.append(Stratum(name, tuple(Presence(value, None, people) for value, people in may.items()), None))
    return Turnout(poll.snapshot.n_participants, poll.snapshot.counts["votes"], rules.roll, tuple(found))


def _against_before(selection: Selection) -> dict[int, tuple[str, ...]]:
    others = selection.outcome.not_included
    return {each.statement: each.against for each in others if each.standing == Standing.CONTESTED}


def _with_origin(
    entry: Entry, principle: Principle, words: Mapping[int, str], before: Mapping[int, tuple[str, ...]]
) -> Entry:
    names = {name for statement in principle.statements for name in before.get(statement, ())}
    return replace(
        entry,
        why=principle.statements[0],
        contested_before=tuple(sorted(names)),
        sources=tuple((statement, words.get(statement, "")) for statement in principle.statements),
        transformation=principle.transformation,
        editor=principle.editor,
    )


def _never_voted(constitution: Constitution, draft: Draft, selection: Selection, earlier: Poll) -> tuple[Entry, ...]:
    """Return the statements of the deliberation that stand in no principle of the draft, by number."""
    texts = {each.id: Text(each.text) for each in earlier.statements}
    voted = {statement for each in constitution.principles for statement in each.statements}
    why = {each.statement: (each.editor, each.reason) for each in draft.left_out}
    entries = _Entries(selection.outcome, earlier, texts, {}, is_ratified=False)
    others = [entries.other(each) for each in selection.outcome.not_included]
    articles = [entries.article(each) for each in selection.outcome.articles]
    others += [replace(each, is_article=False, standing=Principle.SELECTED) for each in articles]
    left = [replace(each, goes_to_vote=False, left_out=why.get(each.why)) for each in others if each.why not in voted]
    return tuple(sorted(left, key=lambda each: each.why))


def _place(label: str) -> tuple[int, ...]:
    return tuple(int(part) for part in label.removeprefix("#").split("."))
