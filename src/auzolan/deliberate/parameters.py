"""The rules of ratifying, as a community sets them under `[constitution]` in `governance.toml`.

Every number has a default and a meaning in plain words; docs/ratify.md shows
what the defaults let through in published conversations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from auzolan.core.record.canonical import JsonObject, JsonValue, as_int, as_list, as_text
from auzolan.core.record.errors import MalformedError

GROUP_RULES = ("disagreement", "half", "none")
COMPLETIONS = ("none", "phragmen")
RULE = "equal-shares"
MAX_SEATS = 1_000
_PPM = 1_000_000


@dataclass(frozen=True)
class Parameters:
    """What must hold for a statement to become an article.

    Attributes:
        seats: how many articles there is room for.
        quorum_least, quorum_most, quorum_percent: a statement needs this share of the participants' votes, but at
            least and at most so many.
        support_ppm: the lower bound of the share that agrees, over all who saw it, must reach this.
        group_rule: what contests a statement: "disagreement" of a group, less than "half" of a group agreeing, "none".
        contest_ppm: how sure it must be that a group is against.
        contest_votes: and how many of the group must have voted on the statement.
        group_least, group_percent: smaller groups contest nothing: at least so many people and this share.
        completion: how seats that equal shares leave empty are filled: "none" or "phragmen".
        veto: declared strata whose disagreement blocks.
        veto_identity: how participants must have been told apart for a veto to count.
    """

    seats: int
    quorum_least: int = 10
    quorum_most: int = 30
    quorum_percent: int = 10
    support_ppm: int = 500_000
    group_rule: str = "disagreement"
    contest_ppm: int = 900_000
    contest_votes: int = 5
    group_least: int = 10
    group_percent: int = 5
    completion: str = "phragmen"
    veto: tuple[str, ...] = ()
    veto_identity: tuple[str, ...] = ()

    def quorum(self, n_participants: int) -> int:
        """Return how many must have voted on a statement."""
        share = -(-n_participants * self.quorum_percent // 100)
        return max(self.quorum_least, min(self.quorum_most, share))

    def least_group(self, n_participants: int) -> int:
        """Return how many people a group needs for its disagreement to count."""
        return max(self.group_least, -(-n_participants * self.group_percent // 100))

    def as_json(self) -> JsonObject:
        """Return all of them, for the record."""
        values: dict[str, JsonValue] = {}
        for each in fields(self):
            value = getattr(self, each.name)
            values[each.name] = list(value) if isinstance(value, tuple) else value
        return values


def read_parameters(table: Mapping[str, JsonValue], seats: int | None = None) -> Parameters:
    """Read `[constitution]`; keys that are not about ratifying are passed over.

    Args:
        table: the table of the rules in force.
        seats: instead of the table's, for a trial.

    Raises:
        MalformedError: a value is not of its kind, or outside its range.
    """
    plain = Parameters(seats=as_int(table.get("seats") if seats is None else seats, "constitution.seats", 1))
    if plain.seats > MAX_SEATS:
        raise MalformedError(f"constitution.seats: expected at most {MAX_SEATS:,}, got {plain.seats:,}")
    if table.get("rule", RULE) != RULE:
        raise MalformedError(f"constitution.rule: expected {RULE}, the rule that there is")

    def number(name: str, most: int) -> int:
        value = as_int(table.get(name, getattr(plain, name)), f"constitution.{name}")
        if value > most:
            raise MalformedError(f"constitution.{name}: expected at most {most:,}, got {value:,}")
        return value

    def choice(name: str, among: tuple[str, ...]) -> str:
        value = as_text(table.get(name, getattr(plain, name)), f"constitution.{name}")
        if value not in among:
            raise MalformedError(f"constitution.{name}: expected one of {', '.join(among)}, got {value[:40]!r}")
        return value

    def words(name: str) -> tuple[str, ...]:
        listed = as_list(table.get(name, []), f"constitution.{name}")
        return tuple(as_text(each, f"constitution.{name}") for each in listed)

    most = 10**9
    found = Parameters(
        seats=plain.seats,
        quorum_least=number("quorum_least", most),
        quorum_most=number("quorum_most", most),
        quorum_percent=number("quorum_percent", 100),
        support_ppm=number("support_ppm", _PPM),
        group_rule=choice("group_rule", GROUP_RULES),
        contest_ppm=number("contest_ppm", _PPM),
        contest_votes=number("contest_votes", most),
        group_least=number("group_least", most),
        group_percent=number("group_percent", 100),
        completion=choice("completion", COMPLETIONS),
        veto=words("veto"),
        veto_identity=words("veto_identity"),
    )
    if found.veto and not found.veto_identity:
        raise MalformedError("constitution.veto: a veto needs veto_identity, how its voters must have been told apart")
    return found
