"""Made-up vote tables: small random ones for properties, and larger ones with planted groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import shake_256
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from auzolan.deliberate.ballots import Ballots, seal
from auzolan.deliberate.conversation import Conversation, Statement
from auzolan.deliberate.votes import Labels, Rows, VoteTable, pack
from tests import strategies  # loads the profile for hypothesis

assert strategies, "property tests are deterministic only with that profile"


class Vote(NamedTuple):
    """One row of a source."""

    who: int
    statement: int
    vote: int
    at: int = 0


def name(number: int) -> str:
    """Return a pseudonym; their order is that of the numbers."""
    return f"{number:032x}"


def rows_of(cast: Iterable[Vote]) -> Rows:
    """Return rows in the order given."""
    rows = Rows()
    for each in cast:
        rows.add(name(each.who), each.statement, each.vote, each.at)
    return rows


def table_of(cast: Iterable[Vote], statements: Sequence[int] = ()) -> VoteTable:
    """Pack votes."""
    return pack(rows_of(cast), statements).table


def table(ballots: Mapping[int, Mapping[int, int]], statements: Sequence[int] = ()) -> VoteTable:
    """Pack ballots: participant -> statement -> vote."""
    return table_of((Vote(who, s, v) for who, of in ballots.items() for s, v in of.items()), statements)


def votes(max_people: int = 8, max_statements: int = 5, max_size: int = 40) -> st.SearchStrategy[list[Vote]]:
    """Return lists of votes in which people vote again, now and then at the same moment."""
    return st.lists(
        st.builds(
            Vote,
            st.integers(0, max_people - 1),
            st.integers(0, max_statements - 1),
            st.sampled_from([-1, 0, 1]),
            st.integers(0, 3),
        ),
        max_size=max_size,
    )


@st.composite
def tables(draw: st.DrawFn, max_people: int = 8, max_statements: int = 5) -> VoteTable:
    """Return tables in which everybody voted on something, on some statements perhaps nobody."""
    one = st.dictionaries(
        st.integers(0, max_statements - 1), st.sampled_from([-1, 0, 1]), min_size=1, max_size=max_statements
    )
    people = draw(st.lists(one, min_size=1, max_size=max_people))
    return table(dict(enumerate(people)), range(max_statements))


class Planted(NamedTuple):
    """A made-up conversation, and who was meant to be in which group."""

    table: VoteTable
    labels: Labels


def planted(
    sizes: Sequence[int], n_statements: int, chance: int = 0, seen: float = 0.6, firmness: float = 0.85
) -> Planted:
    """Make up groups that each hold an opinion of their own on every statement.

    Args:
        sizes: people per group.
        n_statements: how many there are.
        chance: seed.
        seen: share of statements that a person votes on.
        firmness: share of votes that are as their group's opinion.
    """
    rng = np.random.default_rng(chance)
    opinions = rng.choice([-1, 1], size=(len(sizes), n_statements))
    labels = rng.permutation(np.repeat(np.arange(len(sizes)), sizes)).astype(np.int16)
    follow = rng.random((len(labels), n_statements)) < firmness
    cast = np.where(follow, opinions[labels], rng.integers(-1, 2, follow.shape))
    present = rng.random(follow.shape) < seen
    present[:, 0] = True
    cells = zip(*(part.tolist() for part in np.nonzero(present)), strict=True)
    made = table_of((Vote(who, s, int(cast[who, s])) for who, s in cells), range(n_statements))
    return Planted(made, labels)


def salts(n: int, generation: int = 0) -> bytes:
    """Return salts that are the same in every run."""
    return shake_256(bytes([generation])).digest(32 * n)


def sealed(made: VoteTable, strata: Mapping[str, Mapping[str, str]] | None = None) -> Ballots:
    """Seal a table."""
    return seal(made, strata or {}, salts(len(made.participants)))


def conversation(made: VoteTable, strata: Mapping[str, Mapping[str, str]] | None = None) -> Conversation:
    """Make a conversation of a table."""
    statements = tuple(Statement(s, f"Statement {s}.") for s in made.statements)
    return Conversation("polis", "votes.csv", made, statements, 1, "so counted", made.n_votes, strata=strata or {})
