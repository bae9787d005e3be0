"""Counts alone: what is read of a table, what is refused and where, and an order that allows for chance."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import scipy.integrate
import scipy.optimize
import scipy.stats
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auzolan.core.record.errors import AuzolanError, MalformedError, UsageError
from auzolan.deliberate.counts_only import (
    JEFFREYS,
    Counted,
    CountTable,
    beta_prior,
    is_contested,
    rank,
    read_counts,
    wilson,
)
from tests.shared_data import copied_folder

Read = Callable[[str | bytes], CountTable]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Writes a table and reads it."""

    def written(content: str | bytes) -> CountTable:
        path = tmp_path / "counts.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_counts(path)

    return written


def _supports(*counts: int) -> CountTable:
    return CountTable("t.csv", tuple(Counted(number, "", count) for number, count in enumerate(counts)), False)


def _sides(*counts: tuple[int, int]) -> CountTable:
    return CountTable("t.csv", tuple(Counted(n, "", agree, against) for n, (agree, against) in enumerate(counts)), True)


# Reading


def test_supports_are_read(read: Read) -> None:
    got = read("id,text,supports\n7,More trees,12\n3,,0\n")

    assert (Counted(7, "More trees", 12), Counted(3, "", 0)) == got.items
    assert (False, False, "counts.csv") == (got.has_against, got.is_polis, got.name)


@pytest.mark.parametrize("column", ["supports", "Votes", "agrees", "AGREE"])
def test_supports_have_several_names(read: Read, column: str) -> None:
    assert (Counted(1, "", 5),) == read(f"id,{column}\n1,5\n").items


@pytest.mark.parametrize("header", ["agree,disagree,pass", "agrees,disagrees,passes", "Agree,Disagree,Pass"])
def test_both_sides_are_read(read: Read, header: str) -> None:
    got = read(f"statement,{header}\n1,5,2,1\n")

    assert (Counted(1, "", 5, 2, 1),) == got.items
    assert got.has_against


def test_passes_may_be_missing(read: Read) -> None:
    assert (Counted(1, "", 5, 2),) == read("id,agree,disagree\n1,5,2\n").items


@pytest.mark.parametrize("column", ["id", "comment-id", "Comment ID", "statement_id", "statement"])
def test_the_statement_has_several_names(read: Read, column: str) -> None:
    assert 4 == read(f"{column},votes\n4,1\n").items[0].statement


def test_a_statement_beside_an_id_is_a_text(read: Read) -> None:
    assert (Counted(4, "More trees", 1),) == read("id,statement,votes\n4,More trees,1\n").items


def test_of_several_languages_the_first_with_a_text_is_taken(read: Read) -> None:
    got = read("id;body/ca;body/es;title/ca;votes\n1;;Más árboles;Arbres;2\n2;;;Bancs;1\n")

    assert ["Más árboles", "Bancs"] == [item.text for item in got.items]


def test_a_spreadsheet_s_marks_are_read_over(read: Read) -> None:
    got = read(b'\xef\xbb\xbf"id";"text, or ""body""";votes;text\r\n1;x;3;"\'=SUM(A1)"\r\n')

    assert (Counted(1, "=SUM(A1)", 3),) == got.items


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_the_delimiter_is_told_from_the_header(read: Read, mark: str) -> None:
    assert (Counted(1, "a", 3),) == read(f"id{mark}text{mark}votes\n1{mark}a{mark}3\n").items


def test_e_mail_addresses_in_texts_are_masked(read: Read) -> None:
    assert "write to [e-mail]" == read("id,text,votes\n1,write to ana@example.org,1\n").items[0].text


def test_a_polis_export_s_comments_are_read() -> None:
    got = read_counts(copied_folder("polis/london.youth.policing") / "comments.csv")
    out = [item for item in got.items if item.is_out]

    assert (True, True, 39) == (got.has_against, got.is_polis, len(got.items))
    assert 3 == len(out)
    assert {""} == {item.text for item in out}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the file is empty"),
        ("id,votes\n", "there is a header and no row"),
        ("text,votes\na,1\n", "line 1: no column says which statement"),
        ("id,text\n1,a\n", "line 1: expected a column supports or votes"),
        ("id,disagree\n1,2\n", "line 1: expected a column supports or votes"),
        ("id,votes,supports\n1,2,3\n", "line 1: both “votes” and “supports” could be the count"),
        ("id,agree,agrees,disagree\n1,2,3,4\n", "line 1: both “agree” and “agrees” could be the count"),
        ("id,votes\n1,2\n1,3\n", "line 3, column 1 (id): this statement is there twice, first on line 2"),
        ("id,votes\n1,2\n2,\n", "line 3, column 2 (votes): expected a whole number from 0 to 1,000,000,000, got n"),
        ("id,votes\n1,-2\n", "line 2, column 2 (votes): expected a whole number"),
        ("id,votes\n1,1.5\n", "got “1.5”"),
        ("id,votes\n1,1000000001\n", "expected a whole number"),
        ("id,votes\nAna,2\n", "line 2, column 1 (id): expected a whole number from 0"),
        ("id,votes\n1,2,3\n", "line 2, column 3: the row has 3 cells, the header 2"),
        ("id,votes\n\n1,2\n", "line 2: the line is empty"),
        ('id,text,votes\n1,"a,2\n', "line 2: a quote that is opened in this row is never closed"),
        ("id,text,votes\n1,\xe9,2\n".encode("latin-1"), "line 2: not UTF-8"),
        ("id,agree,disagree,moderated\n1,2,3,9\n", "line 2, column 4 (moderated): expected a whole number from -1"),
    ],
)  # fmt: skip
def test_a_table_of_another_form_is_refused_with_its_place(read: Read, content: str | bytes, message: str) -> None:
    with pytest.raises(MalformedError) as raised:
        read(content)

    assert str(raised.value).startswith("counts.csv")
    assert message in str(raised.value)


def test_an_error_names_nobody(read: Read) -> None:
    with pytest.raises(MalformedError) as raised:
        read("id,votes\n1,ana@example.org\n")

    assert "ana" not in str(raised.value)


def test_a_folder_is_sent_to_the_import(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="deliberate import"):
        read_counts(tmp_path)


def test_a_file_that_is_not_there_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read"):
        read_counts(tmp_path / "none.csv")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(
    st.binary(max_size=60), st.sampled_from([b"", b"id,text,votes\n", b"\xef\xbb\xbfid;agree;disagree;pass\n1;2;3;4\n"])
)
def test_whatever_the_bytes_only_our_errors_escape(read: Read, tail: bytes, head: bytes) -> None:
    try:
        table = read(head + tail)
        rank(table)
    except AuzolanError:
        pass


# The order


def test_few_votes_do_not_come_first() -> None:
    found, prior = rank(_sides((3, 0), (90, 10), (55, 45), (70, 30), (40, 60)))

    assert [1, 3, 0] == [each.item.statement for each in found[:3]]
    assert prior is not None
    assert prior.is_estimated


def test_without_knowing_how_many_could_support_there_is_only_the_order_of_counts() -> None:
    found, prior = rank(_supports(3, 9, 9, 0))

    assert [1, 2, 0, 3] == [each.item.statement for each in found]
    assert {(None, None, None, None)} == {(e.share, e.lower, e.ordered_by, e.contested) for e in found}
    assert prior is None


def test_supports_of_the_same_people_keep_the_order_of_their_counts() -> None:
    found, _ = rank(_supports(3, 9, 0, 40, 9), 50)

    assert [3, 1, 4, 0, 2] == [each.item.statement for each in found]
    assert [40 / 50, 9 / 50] == [found[0].share, found[1].share]
    assert {None} == {each.contested for each in found}


def test_statements_on_which_nobody_took_a_side_or_that_were_moderated_out_are_not_ranked() -> None:
    items = (Counted(1, "", 0, 0, 9), Counted(2, "", 4, 1), Counted(3, "", 9, 0, is_out=True))
    found, _ = rank(CountTable("t.csv", items, True))

    assert [2] == [each.item.statement for each in found]
    assert ([], JEFFREYS) == rank(CountTable("t.csv", items[:1], True))


@pytest.mark.parametrize("participants", [0, -1, 10**9 + 1, 8])
def test_a_number_of_participants_that_cannot_be_is_refused(participants: int) -> None:
    with pytest.raises(UsageError, match=r"participants|more than the 8 people"):
        rank(_supports(3, 9), participants)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=12), st.randoms())
@settings(deadline=None, max_examples=100)
def test_every_statement_is_ranked_once_whatever_the_order_of_rows(
    counts: list[tuple[int, int]], chance: np.random.Generator
) -> None:
    table = _sides(*counts)
    shuffled = list(table.items)
    chance.shuffle(shuffled)
    found, prior = rank(table)
    again, same = rank(CountTable("t.csv", tuple(shuffled), True))

    assert prior is not None
    assert same is not None
    assert prior.alpha == pytest.approx(same.alpha)
    assert {n for n, sides in enumerate(counts) if sum(sides)} == {each.item.statement for each in found}
    assert [each.item.statement for each in found] == [each.item.statement for each in again]
    for each in found:
        assert None not in (each.lower, each.share, each.upper)
        assert (each.lower or 0) - 1e-6 <= (each.share or 0) <= (each.upper or 0) + 1e-6


@given(st.integers(0, 40), st.integers(0, 40))
@settings(deadline=None, max_examples=60)
def test_one_more_for_a_statement_never_lowers_it_under_the_same_prior(agree: int, against: int) -> None:
    k, n = np.array([agree, agree + 1]), np.array([agree + against + 1, agree + against + 1])
    low = scipy.stats.beta.ppf(0.05, 2.5 + k, 1.5 + n - k)

    assert low[0] < low[1]
    assert wilson(k, n)[0][0] <= wilson(k, n)[0][1]


# The figures, against other ways to find them


@given(st.integers(1, 500), st.integers(0, 500))
@settings(deadline=None, max_examples=100)
def test_wilson_s_interval_is_scipy_s(n: int, k: int) -> None:
    k = min(k, n)
    expected = scipy.stats.binomtest(k, n).proportion_ci(0.9, method="wilson")
    (lower,), (upper,) = wilson(np.array([k]), np.array([n]))

    assert (expected.low, expected.high) == pytest.approx((lower, upper), abs=1e-12)


def test_wilson_s_interval_holds_for_as_many_as_there_may_be() -> None:
    (lower,), (upper,) = wilson(np.array([5 * 10**8]), np.array([10**9]))

    assert (0.499974, 0.500026) == (round(float(lower), 6), round(float(upper), 6))


def test_the_order_is_by_the_posterior_s_5_percent_quantile() -> None:
    """Likelihood times prior, added up on a fine grid."""
    found, prior = rank(_sides((3, 1), (20, 11), (9, 30), (14, 2)))
    assert prior is not None
    p = (np.arange(400_000) + 0.5) / 400_000
    for each in found:
        k, d = each.item.for_it, each.item.against or 0
        density = p ** (k + prior.alpha - 1) * (1 - p) ** (d + prior.beta - 1)
        quantile = p[np.searchsorted(np.cumsum(density) / density.sum(), 0.05)]

        assert each.ordered_by == pytest.approx(quantile, abs=1e-5)


@pytest.mark.parametrize("counts", [(1, 1), (2, 1), (5, 2), (5, 3), (40, 19), (40, 22), (0, 1), (9, 0)])
def test_contested_is_more_likely_than_not_over_a_third_against(counts: tuple[int, int]) -> None:
    agree, against = counts
    above, _ = scipy.integrate.quad(scipy.stats.beta(against + 0.5, agree + 0.5).pdf, 1 / 3, 1, limit=200)

    assert (above > 0.5) is is_contested(agree, against)


def test_a_prior_by_hand() -> None:
    """One of four and three of four: p = 1/2, the sum is 1/2, divided by p (1 - p) it is 2; rho = (2 - 1) / 3."""
    prior = beta_prior(np.array([1, 3]), np.array([4, 4]))

    assert (1.0, 1.0) == pytest.approx((prior.alpha, prior.beta))


def test_the_spread_that_the_prior_is_solved_from_is_expected() -> None:
    """The sum in the docstring, over every table of three statements with 2, 3 and 5 votes each."""
    alpha, beta, n = 1.5, 2.5, np.array([2, 3, 5])
    p, rho, total = alpha / (alpha + beta), 1 / (alpha + beta + 1), 10
    found = 0.0
    for k in product(*(range(each + 1) for each in n)):
        chance = float(np.prod(scipy.stats.betabinom.pmf(k, n, alpha, beta)))
        found += chance * float((n * (np.array(k) / n - sum(k) / total) ** 2).sum())

    assert p * (1 - p) * (2 * (1 - rho) + rho * (total - 38 / total)) == pytest.approx(found)


@pytest.mark.parametrize(("alpha", "beta"), [(2.0, 3.0), (8.0, 2.0), (0.7, 0.9)])
def test_the_prior_is_near_the_true_one_and_the_likeliest_one(alpha: float, beta: float) -> None:
    chance = np.random.default_rng(20261120)
    n = chance.integers(2, 80, 4_000)
    k = scipy.stats.betabinom.rvs(n, alpha, beta, random_state=chance)
    prior = beta_prior(k, n)

    def unlikely(logs: tuple[float, float]) -> float:
        return -float(scipy.stats.betabinom.logpmf(k, n, np.exp(logs[0]), np.exp(logs[1])).sum())

    best = np.exp(scipy.optimize.minimize(unlikely, (0.0, 0.0), method="Nelder-Mead").x)
    assert (alpha, beta) == pytest.approx((prior.alpha, prior.beta), rel=0.1)
    assert tuple(best) == pytest.approx((prior.alpha, prior.beta), rel=0.1)


def test_shrunken_shares_are_nearer_to_the_truth_than_raw_ones() -> None:
    chance = np.random.default_rng(7)
    truth = chance.beta(6, 4, 2_000)
    n = chance.integers(1, 30, 2_000)
    k = chance.binomial(n, truth)
    prior = beta_prior(k, n)
    shrunken = (prior.alpha + k) / (prior.alpha + prior.beta + n)

    assert float(((shrunken - truth) ** 2).mean()) < 0.5 * float(((k / n - truth) ** 2).mean())


def test_one_in_twenty_shares_is_below_its_quantile() -> None:
    """With truths drawn from a Beta, the 5 % quantile is what it says."""
    chance = np.random.default_rng(11)
    truth = chance.beta(3, 2, 20_000)
    n = chance.integers(1, 60, 20_000)
    k = chance.binomial(n, truth)
    prior = beta_prior(k, n)
    low = scipy.stats.beta.ppf(0.05, prior.alpha + k, prior.beta + n - k)

    assert float((truth < low).mean()) == pytest.approx(0.05, abs=0.006)


@pytest.mark.parametrize(("k", "n"), [([], []), ([3], [5]), ([5, 7], [5, 7]), ([0, 0], [4, 9]), ([1, 0, 1], [1, 1, 1])])
def test_where_nothing_can_be_estimated_the_prior_is_jeffreys(k: list[int], n: list[int]) -> None:
    assert JEFFREYS == beta_prior(np.array(k, dtype=np.int64), np.array(n, dtype=np.int64))


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=2, max_size=9))
@settings(deadline=None, max_examples=100)
def test_the_prior_never_weighs_more_than_all_votes_nor_less_than_one(counts: list[tuple[int, int]]) -> None:
    counts = [sides for sides in counts if sum(sides)]
    k, n = np.array([c[0] for c in counts], dtype=np.int64), np.array([sum(c) for c in counts], dtype=np.int64)
    prior = beta_prior(k, n)

    assert 1 - 1e-9 <= prior.alpha + prior.beta <= max(int(n.sum()), 1) + 1e-6
    if prior.is_estimated:
        assert prior.alpha / (prior.alpha + prior.beta) == pytest.approx(k.sum() / n.sum())
