"""What a kit is made from: statements, surveys, and how both came about."""

from __future__ import annotations

from dataclasses import dataclass

from auzolan.core.kinds.proposals import ListedStatement, Quota
from auzolan.deliberate.shortlist.blocks import Balance, Surveys, check_balance
from auzolan.deliberate.shortlist.choosing import Choice


@dataclass(frozen=True)
class Kit:
    """What a kit is made from.

    Attributes:
        name: what the community is called.
        languages: the main one first.
        choice: how the statements were chosen.
        statements: by their number, from 1.
        surveys: statements of each survey, in the order in which they are asked (`blocks.lay_out`).
        record: id of the signed shortlist; None while it is a draft.
        link: where anybody can check the shortlist; None where it is not published.
    """

    name: str
    languages: tuple[str, ...]
    choice: Choice
    statements: tuple[ListedStatement, ...]
    surveys: Surveys
    record: str | None = None
    link: str | None = None

    @property
    def quotas(self) -> tuple[Quota, ...]:
        """Every group, with how many statements it has among these, which may be fewer than its places."""
        has = [each.quota for each in self.statements]
        return tuple(Quota(each.name, each.proposals, has.count(each.name)) for each in self.choice.quotas)

    def balance(self) -> Balance:
        """Return how balanced the surveys are.

        Raises:
            VerificationError: they do not ask about each statement equally often (± 1).
        """
        return check_balance(self.surveys, len(self.statements), max(map(len, self.surveys)))
