"""Why a proposal is on no shortlist, and what it lacked.

Three reasons, never one for another: it came later; it had a place and whoever edited the list left it out; the places
of its group went to others. Only the last can name what it lacked, and only where supports decide: the supports of
whichever proposal had the last place.
Does not say: why whoever edited the list did so; the list tells no reason.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from auzolan.core.kinds.proposals import Quota, Shortlist
from auzolan.deliberate.decidim.dispositions import Fate
from auzolan.deliberate.decidim.entities import Proposal
from auzolan.deliberate.shortlist.candidates import BETWEEN, BYS, HIDDEN, By, groups_of

if TYPE_CHECKING:
    from auzolan.deliberate.shortlist.choosing import Choice


@dataclass(frozen=True)
class Unlisted:
    """Tells of proposals that no statement of a shortlist rests on why that is so.

    Attributes:
        shortlist: that they are not on.
        choose: returns the choice that the list was made from, None where what it was chosen from is not here.
        known: numbers of the proposals that it was chosen from, None where these are still the newest ones.
    """

    shortlist: Shortlist
    choose: Callable[[], Choice | None]
    known: Container[int] | None = None

    def fate(self, proposal: Proposal) -> Fate:
        """Return what became of a proposal that is not listed."""
        if self.known is not None and proposal.key.id not in self.known:
            return Fate("deferred", "came later")
        if str(proposal.key) in self._had_place:
            return Fate("deferred", "not kept")
        name = self._group(proposal)
        quota = self._quotas.get(name, Quota(name, 0, 0))
        facts: dict[str, str | int] = {
            "group": name,
            "by": self.shortlist.method["by"],
            "proposals": quota.proposals,
            "places": quota.places,
        }
        last = self._last.get(name)
        if last is not None:
            facts["last"] = last
            if self.known is None and proposal.supports is not None:
                facts["supports"] = proposal.supports
        return Fate("deferred", "not listed", facts)

    @cached_property
    def _choice(self) -> Choice | None:
        return self.choose()

    @cached_property
    def _had_place(self) -> frozenset[str]:
        chosen = self._choice.chosen if self._choice else ()
        return frozenset(str(each.candidate.key) for each in chosen)

    @cached_property
    def _last(self) -> dict[str, int]:
        """Return group -> supports of the proposal that had its last place, where supports decided."""
        if self._choice is None or self._choice.has_votes:
            return {}
        last = {each.quota: each.candidate.supports for each in self._choice.chosen}
        return {name: supports for name, supports in last.items() if supports is not None}

    @cached_property
    def _quotas(self) -> dict[str, Quota]:
        return {each.name: each for each in self.shortlist.quotas}

    def _group(self, proposal: Proposal) -> str:
        """Return the group of a proposal, as the quotas name it."""
        by: By = next((each for each in BYS if each == self.shortlist.method["by"]), "none")
        name = BETWEEN.join(groups_of(proposal, by, self.shortlist.method["language"]))
        apart = f"{name}{BETWEEN}{HIDDEN}"
        return apart if proposal.supports is None and not proposal.cards and apart in self._quotas else name
