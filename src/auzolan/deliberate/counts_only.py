"""Counts alone (evidence grade C): reads a table of them, and orders statements with allowance for chance.

A table says how many people were for a statement, and at best how many were
against it, but not who. So there are no groups here, nobody can say whether the
same people stand behind the first ten, and nothing is selected or certified:
what comes out is an order in which to ask people properly.

For each statement, where the counts allow it:

- the share, with a 90 % interval: Wilson's (1927, JASA 22, p. 209-212) of the supports among all who could have
  given one; Jeffreys' (Brown, Cai & DasGupta 2001, section 3.1.3; `bounds`) of the agrees among agrees and disagrees;
- the order, by the 5 % quantile of the posterior under a Beta prior that all statements together suggest
  (empirical Bayes; the prior by moments, Kleinman 1973, JASA 68, p. 46-54, with the votes as weights), so that a
  statement with three of three stands near what is usual and not at the top;
- "contested" if the share against is more likely above than below one third, under Jeffreys' prior.

Unlike Kleinman's, the prior never weighs more than all votes together, nor less than Jeffreys' (one vote), and it is
Jeffreys' where there is nothing to estimate it from.

Checks: the form of `cells`; ids are whole numbers, none twice; counts are whole numbers, and no more people support a
statement than could. Tolerated, as spreadsheets and platforms write them: a byte-order mark, semicolons or tabs, and
a quote before what looks like a formula.
Does not check: that anybody was counted once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from re import sub
from typing import NamedTuple

import numpy as np
import scipy.special
from numpy.typing import NDArray

from auzolan.core.record.errors import MalformedError, UsageError
from auzolan.deliberate.bounds import PPM, jeffreys_ppm
from auzolan.deliberate.sources.cells import DELIMITERS, Table, shown_name
from auzolan.deliberate.sources.source import AnyPath, open_source
from auzolan.deliberate.sources.survey_words import fold
from auzolan.deliberate.sources.texts import MAX_TEXT, mask

TAIL = 0.05  # on each side of an interval: 90 % between them
MUCH_AGAINST = 1 / 3
MOST = 10**9  # people in a count
_MOST_APART = 1 / 2  # rho of Jeffreys' prior; beyond it, one vote would say nearly everything
_BOM = b"\xef\xbb\xbf"
_GUARDED = ("'=", "'+", "'-", "'@", "'\t", "'\r")
_IDS = ("comment id", "statement id", "id", "statement")
_TEXTS = ("text", "comment body", "statement", "body", "body/", "title", "title/")
_SUPPORTS = ("supports", "votes", "agrees", "agree")
_SIDES = (("agrees", "agree"), ("disagrees", "disagree"), ("passes", "pass"))


@dataclass(frozen=True)
class Counted:
    """One row of the table.

    Attributes:
        statement: id.
        text: e-mail addresses and long numbers masked; "" where there is none, or it was moderated out.
        for_it: who supports it or agrees.
        against, passed: None where they were not counted.
        is_out: whether it was moderated out.
    """

    statement: int
    text: str
    for_it: int
    against: int | None = None
    passed: int | None = None
    is_out: bool = False


@dataclass(frozen=True)
class CountTable:
    """A table of counts.

    Attributes:
        name: of the file.
        items: in its order.
        has_against: whether those against were counted.
        is_polis: whether it is a Polis comments.csv, which counts a vote that was changed again.
    """

    name: str
    items: tuple[Counted, ...]
    has_against: bool
    is_polis: bool = False


class Prior(NamedTuple):
    """Beta(alpha, beta); whether it was estimated from all statements, or is Jeffreys'."""

    alpha: float
    beta: float
    is_estimated: bool


JEFFREYS = Prior(0.5, 0.5, False)


@dataclass(frozen=True)
class Ranked:
    """One statement with what its counts can say; None where they cannot.

    Attributes:
        item: the row.
        asked: of how many the share is: people who could support it, or who agreed or disagreed.
        share: for_it / asked.
        lower, upper: its 90 % interval.
        ordered_by: 5 % quantile of the posterior.
        contested: whether the share against is more likely above than below one third.
    """

    item: Counted
    asked: int | None = None
    share: float | None = None
    lower: float | None = None
    upper: float | None = None
    ordered_by: float | None = None
    contested: bool | None = None


def read_counts(path: AnyPath) -> CountTable:
    """Read a table of counts.

    Raises:
        UsageError: the path cannot be read, or is no file.
        MalformedError: the file has not the form of such a table.
    """
    with open_source(path) as source:
        if not source.is_single:
            raise UsageError(
                f"{source.name} is a folder or a zip, expected one CSV; ballots are read by `auzolan deliberate import`"
            )
        (member,) = source.members
        return _read(member, source.lines(member))


def _read(name: str, lines: Iterator[bytes]) -> CountTable:
    first = next(lines, b"").removeprefix(_BOM)
    table = Table(name, chain([first] if first else [], lines), _delimiter(first))
    columns = _Columns(table)
    items, seen = [], dict[int, int]()
    for row in table:
        statement = table.whole(columns.id)
        if statement in seen:
            raise table.wrong(columns.id, f"this statement is there twice, first on line {seen[statement]:,}")
        seen[statement] = table.line
        for_it, against, passed = (None if at is None else table.whole(at, 0, MOST) for at in columns.counts)
        is_out = columns.moderated is not None and table.whole(columns.moderated, -1, 1) == -1
        text = "" if is_out else _text(table, columns.texts, row)
        items.append(Counted(statement, text, for_it or 0, against, passed, is_out))
    if not items:
        raise MalformedError(f"{name}: there is a header and no row")
    return CountTable(name, tuple(items), columns.counts[1] is not None, columns.is_polis)


def _delimiter(header: bytes) -> str:
    """Return what separates the names in a header: the mark that stands there most often outside quotes."""
    bare = sub(rb'"[^"]*"', b"", header)
    return max(DELIMITERS, key=lambda mark: bare.count(mark.encode()))


def _text(table: Table, columns: Sequence[int], row: Sequence[str]) -> str:
    """Return the first text that a row has, as it may be shown."""
    at = next((column for column in columns if row[column].strip()), None)
    if at is None:
        return ""
    cell = row[at]
    if len(cell) > MAX_TEXT:
        raise table.wrong(at, f"the text has {len(cell):,} characters, at most {MAX_TEXT:,} are read")
    return mask(cell[1:] if cell.startswith(_GUARDED) else cell).text.strip()


class _Columns:
    """What each column of a table of counts is.

    Attributes:
        id: of the statement.
        texts: in the order in which they are tried.
        counts: for, against and passes; None where there is no such column.
        moderated: None where there is no such column.
        is_polis: whether the columns are those of a Polis comments.csv.

    Raises:
        MalformedError: one is missing, or it is not clear which one it is.
    """

    def __init__(self, table: Table) -> None:
        self._table = table
        self._names = [sub(r"[\s_-]+", " ", fold(name)) for name in table.header]
        found = self._first(_IDS)
        if found is None:
            raise MalformedError(
                f"{table.name}, line 1: no column says which statement a row is about; name one id, comment-id or "
                "statement"
            )
        self.id = found
        # A language stands behind the stroke: body/en.
        self.texts = [
            at
            for wanted in _TEXTS
            for at, name in enumerate(self._names)
            if at != self.id and (name.startswith(wanted) if wanted.endswith("/") else name == wanted)
        ]
        self.counts = self._find_counts()
        self.moderated = self._first(("moderated",))
        self.is_polis = {"comment id", "agrees", "disagrees"} <= set(self._names)

    def _first(self, wanted: Sequence[str]) -> int | None:
        return next((self._names.index(name) for name in wanted if name in self._names), None)

    def _only(self, wanted: Sequence[str]) -> int | None:
        found = [at for at, name in enumerate(self._names) if name in wanted]
        if len(found) > 1:
            one, other = (shown_name(self._table.header[at]) for at in found[:2])
            raise MalformedError(
                f"{self._table.name}, line 1: both “{one}” and “{other}” could be the count; leave one of them out"
            )
        return found[0] if found else None

    def _find_counts(self) -> tuple[int | None, int | None, int | None]:
        agree, disagree, passed = (self._only(side) for side in _SIDES)
        if disagree is not None and agree is not None:
            return agree, disagree, passed
        supports = self._only(_SUPPORTS)
        if disagree is not None or supports is None:
            raise MalformedError(
                f"{self._table.name}, line 1: expected a column supports or votes, or two columns agree and disagree"
            )
        return supports, None, None


def rank(table: CountTable, participants: int | None = None) -> tuple[list[Ranked], Prior | None]:
    """Order statements by what their counts can say, the strongest first.

    Args:
        table: the counts.
        participants: how many people could support, if that is known.

    Returns:
        All statements but those moderated out and those on which nobody took a side, ties by id; and the prior,
        None where no share can be told, so that the order is that of the counts.

    Raises:
        UsageError: there are no participants, or fewer than people who support one statement.
    """
    if participants is not None and not 0 < participants <= MOST:
        raise UsageError(f"expected from 1 to {MOST:,} participants, got {participants:,}")
    items = [item for item in table.items if not item.is_out and (item.against is None or item.for_it + item.against)]
    if not table.has_against and participants is None:
        return [Ranked(item) for item in sorted(items, key=lambda item: (-item.for_it, item.statement))], None
    most = max((item.for_it for item in items), default=0)
    if not table.has_against and participants is not None and most > participants:
        raise UsageError(
            f"{table.name}: a statement has {most:,} supports, more than the {participants:,} people who could give one"
        )
    k = np.array([item.for_it for item in items], dtype=np.int64)
    n = np.array([_asked(item, participants) for item in items], dtype=np.int64)
    prior = beta_prior(k, n)
    low = scipy.special.betaincinv(prior.alpha + k, prior.beta + (n - k), TAIL).round(9)
    bounds = _jeffreys(k, n) if table.has_against else wilson(k, n)
    found = [
        Ranked(
            item,
            asked=asked,
            share=item.for_it / asked,
            lower=lower,
            upper=upper,
            ordered_by=by,
            contested=None if item.against is None else is_contested(item.for_it, item.against),
        )
        for item, asked, by, lower, upper in zip(
            items, n.tolist(), low.tolist(), *(each.tolist() for each in bounds), strict=True
        )
    ]
    return sorted(found, key=lambda each: (-(each.ordered_by or 0), each.item.statement)), prior


def _asked(item: Counted, participants: int | None) -> int:
    return item.for_it + item.against if item.against is not None else participants or 0


def wilson(k: NDArray[np.int64], n: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return Wilson's 90 % interval of shares k / n, n >= 1."""
    z2 = scipy.special.ndtri(1 - TAIL) ** 2
    middle = k + z2 / 2
    reach = np.sqrt(z2 * (k * (n - k) / n + z2 / 4))
    return np.maximum((middle - reach) / (n + z2), 0.0), np.minimum((middle + reach) / (n + z2), 1.0)


def _jeffreys(k: NDArray[np.int64], n: NDArray[np.int64]) -> tuple[NDArray[np.float64], ...]:
    return tuple(bound / PPM for bound in jeffreys_ppm(k, n))


def is_contested(for_it: int, against: int) -> bool:
    """Whether the share against is more likely above than below one third, under Jeffreys' prior."""
    return float(scipy.special.betainc(against + 0.5, for_it + 0.5, MUCH_AGAINST)) < 0.5


def beta_prior(k: NDArray[np.int64], n: NDArray[np.int64]) -> Prior:
    """Return the Beta prior that shares k / n of many statements suggest.

    With p the share over all, N all votes, m statements and rho = 1 / (alpha + beta + 1), the expected sum of
    n (k/n - p)^2 is p (1 - p) ((m - 1) (1 - rho) + rho (N - sum of n^2 / N)); solved for rho.

    Args:
        k: >= 0.
        n: >= k, >= 1, the same shape.
    """
    total, m = int(n.sum()), len(n)
    p = int(k.sum()) / total if total else 0.0
    spread = total - float((n.astype(np.float64) ** 2).sum()) / total - (m - 1) if total else 0.0
    if m < 2 or not 0 < p < 1 or spread <= 1e-9:
        return JEFFREYS
    observed = float((n * (k / n - p) ** 2).sum()) / (p * (1 - p))
    rho = (observed - (m - 1)) / spread
    least = 1 / (total + 1)  # no more weight than all votes together: where they differ no more than chance would
    weight = 1 / min(max(rho, least), _MOST_APART) - 1
    return Prior(p * weight, (1 - p) * weight, True)
