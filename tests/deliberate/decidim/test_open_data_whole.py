"""Open data as it really is, whole, mutated, and a great deal of it."""

from __future__ import annotations

import time
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auzolan.core.record.errors import AuzolanError
from auzolan.deliberate.decidim.columns import Columns
from auzolan.deliberate.decidim.entities import Comment, Proposal
from auzolan.deliberate.decidim.from_row import FromRow
from auzolan.deliberate.decidim.open_data import OpenData
from tests.deliberate.decidim.generated import many, pseudonym

SAMPLES = Path(__file__).parents[2] / "data/decidim"
SHARED = Path(__file__).parents[3] / "../shared/data/decidim/as-open-data"
PAM, MADRID = "pam2016-open-data-proposals.csv", "madrid2019-open-data-proposals.csv"
COMMENTS = "madrid2019-open-data-proposal_comments.csv"


def shared(name: str) -> Path:
    """Return a whole data set, or skip."""
    if not (SHARED / name).is_file():
        pytest.skip(f"{SHARED / name} is not here")
    return SHARED / name


def proposals(path: Path) -> list[Proposal]:
    """Return the proposals of a file."""
    return [each for each in OpenData(path, pseudonym) if isinstance(each, Proposal)]


def test_the_barcelona_sample_keeps_meetings_answers_and_supports() -> None:
    got = proposals(SAMPLES / PAM)

    assert (297, 17_231) == (len(got), sum(each.supports or 0 for each in got))
    assert {None: 175, "meeting": 122} == Counter(each.origin for each in got)
    assert {"accepted": 226, "rejected": 71} == Counter(each.state for each in got)
    assert 71 == sum(bool(each.answer) for each in got)
    assert all(each.taxonomies for each in got)


def test_the_madrid_sample_hides_its_supports() -> None:
    got = proposals(SAMPLES / MADRID)

    assert (61, {None}) == (len(got), {each.supports for each in got})


def test_the_comments_of_the_sample_hang_in_their_threads() -> None:
    got = [each for each in OpenData(SAMPLES / COMMENTS, pseudonym) if isinstance(each, Comment)]

    ids = {each.key.id for each in got}
    assert (311, 135, 10) == (
        len(got),
        sum(each.parent is None for each in got),
        sum(each.parent is not None and each.parent not in ids for each in got),
    )
    assert {("proposal", 7), ("proposal", 50), ("proposal", 10195)} == {each.about for each in got}


def test_all_barcelona_proposals_are_read() -> None:
    path = shared(PAM)

    begins = time.process_time()
    got = proposals(path)
    seconds = time.process_time() - begins

    assert (9_691, 148_684) == (len(got), sum(each.supports or 0 for each in got))
    assert 3_998 == sum(each.origin == "meeting" for each in got)
    assert len({each.key for each in got}) == 9_691
    assert seconds < 3  # half a second where nothing else runs


def test_all_madrid_proposals_and_comments_are_read() -> None:
    got = [each for each in OpenData(shared(COMMENTS), pseudonym) if isinstance(each, Comment)]

    ids = {each.key.id for each in got}
    assert 61 == len(proposals(shared(MADRID)))
    assert (4_873, 2_329, 229) == (
        len(got),
        sum(each.parent is None for each in got),
        sum(each.parent is not None and each.parent not in ids for each in got),
    )


@cache
def _start(name: str) -> bytes:
    return b"".join((SAMPLES / name).read_bytes().splitlines(keepends=True)[:6])


@settings(max_examples=150)
@given(
    st.sampled_from([PAM, MADRID, COMMENTS]),
    st.lists(
        st.tuples(st.integers(0, 8_000), st.integers(0, 3), st.sampled_from([*b"\";,\n\r\x00\xe9\xff'=0-1a{/", -1])),
        min_size=1,
        max_size=4,
    ),
)
def test_mutated_real_files_give_entities_or_one_of_our_errors(name: str, changes: list[tuple[int, int, int]]) -> None:
    data = bytearray(_start(name))
    for at, cut, byte in changes:
        place = at % len(data)
        data[place : place + cut] = bytes([byte]) if byte >= 0 else b""
    kind = "comment" if name == COMMENTS else "proposal"

    try:
        columns = Columns(name, bytes(data).splitlines(keepends=True))
        reading = FromRow(pseudonym)
        got = [reading.entity(row, "comment" if kind == "comment" else "proposal") for row in columns]
    except AuzolanError as error:
        got = []
        told = str(error)
        assert name in told or "card" in told  # what is wrong with cards is of the whole file

    assert all(each is None or each.key.id > 0 for each in got)


def _entities(rows: int) -> Iterator[object]:
    reading = FromRow(pseudonym)
    return (reading.entity(row, "proposal") for row in Columns("many.csv", many(rows)))


def test_many_rows_need_no_more_memory_than_few() -> None:
    peaks = []
    for rows in (2_000, 10_000):
        tracemalloc.start()
        read = sum(1 for _ in _entities(rows))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

        assert rows == read
    assert peaks[1] < peaks[0] + 3 * 2**20  # what repeats is kept, up to a bound
