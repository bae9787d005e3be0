"""The rules of ratifying, as a community sets them under `[constitution]` in `governance.toml`.

Every number has a default and a meaning in plain words; docs/ratify.md shows
what the defaults let through in published conversations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from fractions import Fraction

from auzolan.core.record.canonical import JsonObject, JsonValue, as_int, as_list, as_object, as_text
from auzolan.core.record.errors import MalformedError

GROUP_RULES = ("disagreement", "half", "none")
COMPLETIONS = ("none", "phragmen")
SMALL_RULES = ("supermajority", "consent")
RULE = "equal-shares"
MAX_SEATS = 1_000
SMALL = 60  # people on the roll below which they are counted exactly and not grouped
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
        roll: how many people may vote, where the community knows; 0 where not. Fewer than 60 are a small community,
            whose votes are counted exactly.
        roll_by: (stratum, value, how many of them may vote), where known.
        roll_percent: in a small community, the share of the roll that must have voted on a statement.
        small_rule: in a small community, "supermajority" of those who agree or disagree, or "consent": nobody
            disagrees.
        supermajority: the share that a supermajority takes, such as 2/3.
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
    roll: int = 0
    roll_by: tuple[tuple[str, str, int], ...] = ()
    roll_percent: int = 50
    small_rule: str = "supermajority"
    supermajority: Fraction = Fraction(2, 3)

    @property
    def is_small(self) -> bool:
        """Whether this is a small community, whose votes are counted exactly."""
        return 0 < self.roll < SMALL

    def quorum(self, n_participants: int) -> int:
        """Return how many must have voted on a statement."""
        if self.is_small:
            return max(1, -(-self.roll * self.roll_percent // 100))
        share = -(-n_participants * self.quorum_percent // 100)
        return max(self.quorum_least, min(self.quorum_most, share))

    def least_group(self, n_participants: int) -> int:
        """Return how many people a group needs for its disagreement to count."""
        return max(self.group_least, -(-n_participants * self.group_percent // 100))

    def vetoing(self, identity: str) -> tuple[str, ...]:
        """Return the declared strata that may block where participants were told apart so."""
        return self.veto if identity in self.veto_identity else ()

    def as_json(self) -> JsonObject:
        """Return all of them, for the record."""
        values: dict[str, JsonValue] = {}
        for each in fields(self):
            value = getattr(self, each.name)
            values[each.name] = (
                list(value) if isinstance(value, tuple) else value if isinstance(value, int) else str(value)
            )
        values["supermajority"] = f"{self.supermajority.numerator}/{self.supermajority.denominator}"
        values["roll_by"] = {name: dict(values) for name, values in self.roll_of_strata.items()}
        return values

    @property
    def roll_of_strata(self) -> dict[str, dict[str, int]]:
        """Stratum -> value -> how many may vote."""
        found: dict[str, dict[str, int]] = {}
        for stratum, value, people in self.roll_by:
            found.setdefault(stratum, {})[value] = people
        return found


def read_parameters(table: Mapping[str, JsonValue], seats: int | None = None) -> Parameters:
    """Read `[constitution]`.

    Args:
        table: the table of the rules in force.
        seats: instead of the table's, for a trial.

    Raises:
        MalformedError: a key is unknown, or a value is not of its kind or outside its range.
    """
    _refuse_unknown(table)
    plain = Parameters(seats=as_int(table.get("seats") if seats is None else seats, "constitution.seats", 1))
    if plain.seats > MAX_SEATS:
        raise MalformedError(f"constitution.seats: expected at most {MAX_SEATS:,}, got {plain.seats:,}")
    if table.get("rule", RULE) != RULE:
        raise MalformedError(f"constitution.rule: expected {RULE}, the rule that there is")

    def number(name: str, most: int, least: int = 0) -> int:
        value = as_int(table.get(name, getattr(plain, name)), f"constitution.{name}", least)
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
        contest_ppm=number("contest_ppm", _PPM, _PPM // 2),
        contest_votes=number("contest_votes", most),
        group_least=number("group_least", most),
        group_percent=number("group_percent", 100),
        completion=choice("completion", COMPLETIONS),
        veto=words("veto"),
        veto_identity=words("veto_identity"),
        roll=number("roll", most),
        roll_by=_roll_by(table.get("roll_by", {})),
        roll_percent=number("roll_percent", 100),
        small_rule=choice("small_rule", SMALL_RULES),
        supermajority=_share(table.get("supermajority", "2/3")),
    )
    for stratum, values in found.roll_of_strata.items():
        if found.roll and sum(values.values()) > found.roll:
            raise MalformedError(f"constitution.roll_by.{stratum[:60]}: names more people than the roll has")
    if found.veto and not found.veto_identity:
        raise MalformedError("constitution.veto: a veto needs veto_identity, how its voters must have been told apart")
    return found


def _refuse_unknown(table: Mapping[str, JsonValue]) -> None:
    known = {"rule", *(each.name for each in fields(Parameters))}
    for name in table:
        if name not in known:
            near = get_close_matches(name, known, 1)
            meant = f"; did you mean {near[0]}?" if near else ""
            raise MalformedError(f"constitution.{name[:60]}: there is no such key{meant}")


def _roll_by(value: JsonValue) -> tuple[tuple[str, str, int], ...]:
    found = []
    for stratum, values in sorted(as_object(value, "constitution.roll_by").items()):
        where = f"constitution.roll_by.{stratum[:60]}"
        found += [(stratum, v, as_int(people, where)) for v, people in sorted(as_object(values, where).items())]
    return tuple(found)


def _share(value: JsonValue) -> Fraction:
    """Read a share such as "2/3", from a half to all."""
    text = as_text(value, "constitution.supermajority")
    parts = text.split("/")
    if (
        len(parts) == 2
        and all(part.isascii() and part.isdigit() and 0 < len(part) < 7 for part in parts)
        and int(parts[1])
    ):
        share = Fraction(int(parts[0]), int(parts[1]))
        if Fraction(1, 2) <= share <= 1:
            return share
    raise MalformedError(
        f'constitution.supermajority: expected a share from "1/2" to "1/1" such as "2/3", got {text[:20]!r}'
    )
