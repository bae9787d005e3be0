"""Edge: what became of the proposals of an import, out of the records of a commons."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from auzolan.cli.ballots import Evidence
from auzolan.cli.decidim.store import read_proposals, shortlists_of
from auzolan.cli.records import linked
from auzolan.core.kinds.constitution import Constitution, Draft
from auzolan.core.kinds.deliberate import Snapshot, Tally
from auzolan.core.kinds.proposals import Shortlist
from auzolan.core.kinds.selection import Selection
from auzolan.core.record.record import Record
from auzolan.core.record.view import LedgerView
from auzolan.deliberate.decidim.dispositions import Disposition, Fate, dispositions, fates
from auzolan.deliberate.decidim.entities import Proposal
from auzolan.deliberate.shortlist.candidates import BETWEEN, BYS, HIDDEN, By, groups_of


@dataclass(frozen=True)
class Standing:
    """Where the proposals of an import stand.

    Attributes:
        imported: the record of the import.
        shortlist: the newest one of it, None before there is one.
        constitution: the newest one that rests on the shortlist, None before there is one.
        of_statements: what became of each statement of the shortlist.
        has_ballots: whether votes on the shortlist's statements were imported.
    """

    imported: Record
    shortlist: Record | None
    constitution: Record | None
    of_statements: Mapping[int, Fate]
    has_ballots: bool = False

    def dispositions(self, evidence: Evidence) -> Iterator[tuple[Proposal, Disposition]]:
        """Yield every proposal that has a disposition, with it.

        Raises:
            MissingError, VerificationError, MalformedError: as `read_proposals` says.
        """
        shortlist = None if self.shortlist is None else Shortlist.from_record(self.shortlist)
        proposals = read_proposals(evidence, self.imported)
        yield from dispositions(proposals, shortlist, self.of_statements, _group_of(shortlist))


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
    return Standing(imported, shortlist, constitution, found, asked)


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


def _group_of(shortlist: Shortlist | None) -> Callable[[Proposal], str]:
    """Return what names the group of a proposal, as the quotas of a shortlist do."""
    if shortlist is None:
        return lambda _proposal: ""
    by: By = next((each for each in BYS if each == shortlist.method["by"]), "none")
    names = {each.name for each in shortlist.quotas}
    language = shortlist.method["language"]

    def group(proposal: Proposal) -> str:
        name = BETWEEN.join(groups_of(proposal, by, language))
        apart = f"{name}{BETWEEN}{HIDDEN}"
        return apart if proposal.supports is None and not proposal.cards and apart in names else name

    return group
