"""What is checked from published counts alone, and the arithmetic of the check beside that of selecting."""

from __future__ import annotations

import ast
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import auzolan
from auzolan.core.kinds.selection import Clause
from auzolan.deliberate.bounds import PPM, jeffreys_lower_ppm, outweighs_ppm
from auzolan.deliberate.ratify import checking, standing
from auzolan.deliberate.ratify.parameters import Parameters
from auzolan.deliberate.tally import count
from tests.deliberate.ratify.checked import HEARD, RIVALS, TOWN, Made, first_wrong, made, people, random_outcome, says
from tests.deliberate.tables import name

# What can be checked without ballots


def _published(each: Made, **changed: Any) -> standing.Case:
    counts = count(each.ballots, each.labels, int(each.labels.max()) + 1, each.options["min_cell"])
    options = {key: value for key, value in each.options.items() if key != "withheld"}
    n = len(each.ballots.table.participants)
    return checking.case_of_counts(replace(each.outcome, **changed), counts, n, **options)


def test_from_published_counts_standing_and_margins_are_checked_and_proportionality_is_not() -> None:
    findings = {each.step.number: each for each in checking.check_outcome(_published(TOWN))}

    assert {1: "in part", 2: "recomputed", 3: "in part", 4: "not checked", 5: "not checked", 6: "in part",
            7: "in part"} == {number: each.result for number, each in findings.items()}  # fmt: skip
    assert "from published counts: 10 of 10 statements" == findings[1].remark
    assert "1 standing: statement 4" in first_wrong(_published(TOWN, **TOWN.with_other(4, standing="blocked")))
    assert "6 clauses" in first_wrong(_published(HEARD, clauses=(Clause(9, Fraction(1)),)))
    assert "3 conflicts" in first_wrong(_published(RIVALS, **RIVALS.with_other(2, rival=5)))
    assert "7 margins" in first_wrong(_published(TOWN, **TOWN.with_other(10, admit_margin=3)))


def test_from_published_counts_nothing_is_said_of_statements_whose_counts_are_withheld() -> None:
    found = made(people([(30, says(1, 2)), (2, says(no=[2]))]), Parameters(seats=1, quorum_least=5), min_cell=5,
                 labels=np.repeat(np.arange(2, dtype=np.int16), [30, 2]))  # fmt: skip
    case = _published(found)

    assert [1] == list(case.ids)
    assert "from published counts: 1 of 2 statements" == checking.check_outcome(case)[0].remark


@pytest.mark.parametrize("first", range(0, 60, 20))
def test_what_was_honestly_selected_passes_from_published_counts_too(first: int) -> None:
    for chance in range(first, first + 20):
        assert first_wrong(_published(random_outcome(chance))) == "", chance


def test_without_ballots_a_veto_by_strata_too_small_to_be_named_leaves_nothing_to_check() -> None:
    votes = people([(80, says(1, 2)), (2, says(2, no=[1]))])
    strata = {"district": {name(who): "north" if who < 80 else "south" for who in range(82)}}
    by = Parameters(seats=2, veto=("district",), veto_identity=("census",))

    assert [] == list(_published(made(votes, by, strata=strata, min_cell=5)).ids)


def test_after_a_step_that_fails_the_others_are_not_looked_at() -> None:
    findings = checking.check_outcome(TOWN.case(grade="B"))

    assert ["wrong", *["not checked"] * 6] == [each.result for each in findings]


# The code itself


@given(st.lists(st.tuples(*[st.integers(0, 12)] * 3), min_size=1, max_size=6), st.sampled_from(["A", "B"]))
def test_the_fewest_ballots_are_those_of_trying_one_after_the_other(
    rows: list[tuple[int, int, int]], grade: str
) -> None:
    case = TOWN.case(grade=grade)

    def supported(counts: standing.Numbers) -> standing.Flags:
        return standing.is_supported(case, counts)

    counts = np.array(rows, dtype=np.int64)
    found = standing.fewest(supported, True, counts, standing.AGREE).tolist()
    for row, fewest in zip(rows, found, strict=True):
        tried = next(n for n in range(1_000) if supported(np.array([[row[0], row[1], row[2] + n]]))[0])

        assert tried == fewest


def _imports(module: str, seen: set[str]) -> set[str]:
    """Return the modules of this package that a module loads, at whatever remove."""
    if module in seen or not module.startswith("auzolan."):
        return seen
    path = Path(auzolan.__file__).parent.parent.joinpath(*module.split("."))
    file = path.with_suffix(".py") if path.with_suffix(".py").is_file() else path / "__init__.py"
    seen.add(module)
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            _imports(node.module, seen)
            for each in node.names:
                if (path.parent / node.module.split(".")[-1] / f"{each.name}.py").is_file():
                    _imports(f"{node.module}.{each.name}", seen)
    return seen


@pytest.mark.parametrize("module", ["check", "standing"])
def test_the_check_shares_no_code_with_what_selects(module: str) -> None:
    loaded = _imports(f"auzolan.deliberate.ratify.{module}", set())
    selects = {
        f"auzolan.deliberate.{each}"
        for each in ("bounds", "ratify.eligibility", "ratify.selection", "ratify.conflicts", "ratify.outcome")
    }

    assert set() == loaded & selects
    assert not any(each.startswith("auzolan.core.rules") for each in loaded)


@given(st.integers(0, 3_000), st.integers(0, 3_000))
def test_bounds_are_on_the_same_side_of_every_millionth_as_those_that_select(yes: int, no: int) -> None:
    one, other = np.array([yes]), np.array([no])
    lower, sure = (int(f(a, b)[0]) for f, a, b in ((jeffreys_lower_ppm, one, one + other), (outweighs_ppm, one, other)))

    def is_seldom_below(share: int, a: standing.Numbers, b: standing.Numbers, limit: int) -> bool:
        return bool(standing.is_seldom_below(share, a, b, limit)[0])

    if yes:
        assert is_seldom_below(lower, one, other, 50_000)
        assert not is_seldom_below(lower + 1, one, other, 50_000)
    assert is_seldom_below(PPM // 2, one, other, PPM - sure)
    assert not is_seldom_below(PPM // 2, one, other, PPM - sure - 1)


def test_a_tie_that_doubles_cannot_tell_is_decided_exactly() -> None:
    same = np.array([0, 1, 7, 1_000, 50_001])

    assert standing.is_seldom_below(PPM // 2, same, same, PPM // 2).all()
    assert not standing.is_seldom_below(PPM // 2, same, same, PPM // 2 - 1).any()


def test_nothing_is_ever_quite_certain() -> None:
    many, none = np.array([10**6]), np.array([0])

    assert not standing.is_seldom_below(PPM // 2, many, none, 0)[0]
    assert standing.is_seldom_below(PPM // 2, none, many, PPM)[0]


def test_a_condition_that_no_number_of_ballots_meets_has_no_margin() -> None:
    def never(counts: standing.Numbers) -> standing.Flags:
        return np.zeros(len(counts), dtype=bool)

    assert [standing.NEVER] == standing.fewest(never, True, np.zeros((1, 3), dtype=np.int64), 0).tolist()
