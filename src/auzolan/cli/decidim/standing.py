"""Edge: what became of the proposals of an import, out of the records of a commons."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auzolan.cli.ballots import Evidence
from auzolan.cli.decidim.planning import choose_by, plan_of
from auzolan.cli.decidim.store import read_proposals, shortlists_of
from auzolan.cli.records import linked
from auzolan.core.kinds.constitution import Constitution, Draft
from auzolan.core.kinds.deliberate import Snapshot, Tally
from auzolan.core.kinds.proposals import Shortlist
from auzolan.core.kinds.selection import Selection
from auzolan.core.record.errors import MissingError
from auzolan.core.record.record import Record
from auzolan.core.record.view import LedgerView
from auzolan.deliberate.decidim.dispositions import Disposition, Fate, dispositions, fates
from auzolan.deliberate.decidim.entities import Proposal
from auzolan.deliberate.shortlist.unlisted import Unlisted

if TYPE_CHECKING:
    from auzolan.deliberate.shortlist.choosing import Choice


@dataclass(frozen=True)
class Standing:
    """Where the proposals of an import stand.

    Attributes:
        imported: the record of the import.
        shortlist: the newest one of it, None before there is one.
        constitution: the newest one that rests on the shortlist, None before there is one.
        of_statements: what became of each statement of the shortlist.
        has_ballots: whether votes on the shortlist's statements were imported.
        chosen_from: the import from which the shortlist was chosen; the same, or an earlier one.
    """

    imported: Record
    shortlist: Record | None
    constitution: Record | None
    of_statements: Mapping[int, Fate]
    has_ballots: bool = False
    chosen_from: Record | None = None

    def dispositions(self, evidence: Evidence) -> Iterator[tuple[Proposal, Disposition]]:
        """Yield every proposal that has a disposition, with it.

        Raises:
            MissingError, VerificationError, MalformedError: as `read_proposals` says.
        """
        yield from self._dispositions(read_proposals(evidence, self.imported), evidence)

    def disposition_of(self, proposal: Proposal, evidence: Evidence) -> Disposition | None:
        """Return the disposition of one proposal of the import, None where it has none."""
        return next((found for _, found in self._dispositions([proposal], evidence)), None)

    def _dispositions(
        self, proposals: Iterable[Proposal], evidence: Evidence
    ) -> Iterator[tuple[Proposal, Disposition]]:
        if self.shortlist is None or self.chosen_from is None:
            return dispositions(proposals, None, {}, _nothing_listed)
        shortlist = Shortlist.from_record(self.shortlist)
        unlisted = _unlisted(shortlist, self.chosen_from, self.imported, evidence)
        return dispositions(proposals, shortlist, self.of_statements, unlisted.fate)


def _nothing_listed(_proposal: Proposal) -> Fate:
    return Fate("deferred", "not asked")


def _unlisted(shortlist: Shortlist, chosen_from: Record, imported: Record, evidence: Evidence) -> Unlisted:
    def choose() -> Choice:
        return choose_by(plan_of(shortlist, chosen_from), evidence, chosen_from)

    if chosen_from.id == imported.id:
        return Unlisted(shortlist, choose)
    try:
        return Unlisted(shortlist, choose, frozenset(each.key.id for each in read_proposals(evidence, chosen_from)))
    except MissingError:  # an earlier import whose files are kept no more
        return Unlisted(shortlist, lambda: None)


def standing_of(ledger: LedgerView, imported: Record) -> Standing:
    """Return where the proposals of an import stand."""
    shortlists = shortlists_of(ledger, imported)
    if not shortlists:
        return Standing(imported, None, None, {})
    # A round that has begun says nothing yet about what the people decided in the one before.
    voted = (each for each in shortlists if _made_of(ledger, each)[2] is not None)
    return standing_by(ledger, imported, next(voted, shortlists[0]))


def standing_by(ledger: LedgerView, imported: Record, shortlist: Record) -> Standing:
    """Return where the proposals of an import stand by one shortlist."""
    selection, draft, constitution = _made_of(ledger, shortlist)
    found = fates(
        Shortlist.from_record(shortlist),
        None if selection is None else Selection.from_record(selection).outcome,
        None if draft is None else Draft.from_record(draft),
        None if constitution is None else Constitution.from_record(constitution),
    )
    asked = any(each.links.get(Snapshot.SHORTLIST) == shortlist.id for each in _newest_first(ledger, Snapshot.KIND))
    chosen_from = linked(ledger, shortlist, Shortlist.PROPOSALS)
    return Standing(imported, shortlist, constitution, found, asked, chosen_from)


def _made_of(ledger: LedgerView, shortlist: Record) -> tuple[Record | None, Record | None, Record | None]:
    """Return the selection, draft and constitution that rest on a shortlist and have come the furthest."""
    selections = [each for each in _newest_first(ledger, Selection.KIND) if _rests_on(ledger, each, shortlist)]
    of_selection = {each.id: each for each in selections}
    drafts = [each for each in _newest_first(ledger, Draft.KIND) if each.links[Draft.SELECTION] in of_selection]
    of_draft = {each.id: each for each in drafts}
    constitutions = _newest_first(ledger, Constitution.KIND)
    constitution = next((each for each in constitutions if each.links[Constitution.DRAFT] in of_draft), None)
    draft = of_draft[constitution.links[Constitution.DRAFT]] if constitution else next(iter(drafts), None)
    selection = of_selection[draft.links[Draft.SELECTION]] if draft else next(iter(selections), None)
    return selection, draft, constitution


def _newest_first(ledger: LedgerView, kind: str) -> list[Record]:
    return [ledger.envelope(row).claimed for row in reversed(list(ledger.index.rows(kind)))]


def _rests_on(ledger: LedgerView, selection: Record, shortlist: Record) -> bool:
    if Selection.from_record(selection).trial:
        return False
    snapshot = linked(ledger, linked(ledger, selection, Selection.TALLY), Tally.SNAPSHOT)
    return snapshot.links.get(Snapshot.SHORTLIST) == shortlist.id
