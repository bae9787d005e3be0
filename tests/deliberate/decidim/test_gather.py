"""Gathering what a reader yields: in order, each once, the tree whole, people counted."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auzolan.core.record.errors import MalformedError
from auzolan.deliberate.decidim import gather
from auzolan.deliberate.decidim.entities import Comment, Entity, EntityClass, Proposal
from auzolan.deliberate.decidim.gather import Gathered, Gathering
from auzolan.deliberate.decidim.lines import read_lines, to_line
from tests.deliberate.decidim.made import HOST, comment, entities, key, person, proposal, withdrawn


def gathered(listed: Iterable[Entity], earlier: Iterable[Proposal] | None = None) -> tuple[Gathered, dict[str, bytes]]:
    """Return what was counted, and the bytes of each class."""
    kinds: tuple[EntityClass, ...] = ("proposal", "comment", "debate", "result")
    with Gathering() as gathering:
        gathering.add(listed)
        if earlier is not None:
            gathering.compare(earlier)
        return gathering.finish(), {kind: b"".join(gathering.parts(kind)) for kind in kinds}


def _comments(data: bytes) -> dict[int, int | None]:
    found = read_lines(data, HOST, "x")
    return {each.key.id: each.parent for each in found if isinstance(each, Comment)}


@settings(max_examples=40, deadline=None)
@given(st.lists(entities(), unique_by=lambda each: (each.key.kind, each.key.id), max_size=12), st.randoms())
def test_the_same_entities_in_another_order_give_the_same_bytes(listed: list[Entity], chance: random.Random) -> None:
    shuffled = chance.sample(listed, len(listed))

    assert gathered(listed) == gathered(shuffled)


def test_entities_stand_in_the_order_of_their_keys() -> None:
    _, data = gathered([proposal(9), proposal(10), proposal(1)])

    assert [1, 9, 10] == [each.key.id for each in read_lines(data["proposal"], HOST, "x")]


def test_what_is_there_twice_counts_once() -> None:
    found, _ = gathered([proposal(1), proposal(2), proposal(1)])

    assert 2 == found.counts["proposals"]
    assert 1 == found.left[0].times


def test_what_is_there_twice_and_differs_is_refused() -> None:
    with pytest.raises(
        MalformedError, match="proposal 1 of component 6 is in the source twice, and not the same both times"
    ):
        gathered([proposal(1), proposal(1, "Other words")])


def test_hidden_supports_are_not_counted_as_zero() -> None:
    found, _ = gathered([proposal(1, supports=4), proposal(2), proposal(3, supports=0), withdrawn(4)])

    assert {"known": 2, "hidden": 1, "total": 4} == found.supports
    assert (4, 1) == (found.counts["proposals"], found.counts["withdrawn"])


def test_people_are_counted_once_and_leave_no_trace() -> None:
    found, data = gathered(
        [proposal(1, authors=(person(1), person(2))), comment(1, author=person(1)), comment(2, author=None)]
    )

    assert 2 == found.counts["participants"]
    assert not any(person(n).encode() in each for n in (1, 2) for each in data.values())


def test_a_whole_tree_stays_as_it_is() -> None:
    found, data = gathered([proposal(1), comment(5), comment(3, parent=5), comment(4, parent=3)])

    assert {5: None, 3: 5, 4: 3} == _comments(data["comment"])
    assert [0, 0, 0, 0] == [each.times for each in found.left]


def test_an_answer_to_a_comment_that_is_gone_hangs_at_the_discussion() -> None:
    found, data = gathered([comment(2, parent=1), comment(3, parent=2)])

    assert {2: None, 3: 2} == _comments(data["comment"])
    assert 1 == dict(found.left)["comments that answer one which is not there"]


def test_an_answer_to_another_discussion_hangs_at_its_own() -> None:
    found, data = gathered([comment(1, about=1), comment(2, about=9, parent=1)])

    assert {1: None, 2: None} == _comments(data["comment"])
    assert 1 == dict(found.left)["comments that answer one in another discussion"]


def test_a_ring_of_comments_is_cut_and_ends() -> None:
    found, data = gathered([comment(1, parent=2), comment(2, parent=1), comment(3, parent=3), comment(4, parent=1)])

    assert all(parent is None for parent in _comments(data["comment"]).values())
    assert 4 == dict(found.left)["comments that answer each other in a ring"]


def test_a_person_who_changed_sides_counts_where_they_ended() -> None:
    found = [
        comment(1, alignment=1, author=person(1), created_at="2026-01-01T00:00:00Z"),
        comment(2, alignment=-1, author=person(1), created_at="2026-01-02T00:00:00Z"),
        comment(3, alignment=0, author=person(1), created_at="2026-01-03T00:00:00Z"),
        comment(4, alignment=1, author=person(2)),
        comment(5, alignment=1),
    ]
    _, data = gathered([proposal(1), proposal(2), *found])

    first, second = read_lines(data["proposal"], HOST, "x")

    assert ((2, 1), None) == (first.aligned, second.aligned)  # type: ignore[union-attr]
    assert to_line(first) in data["proposal"]


def test_changes_are_found_by_fingerprint() -> None:
    before = [proposal(1), proposal(2, supports=3), proposal(3), proposal(4), proposal(5)]
    now = [proposal(1), proposal(2, supports=4), proposal(3, "New words"), withdrawn(4), proposal(6)]

    found, _ = gathered(now, before)

    assert {"added": 1, "changed": 2, "updated": 1, "same": 1, "gone": 1} == found.changes


def test_large_classes_come_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "PART_BYTES", 1_000)
    with Gathering() as gathering:
        gathering.add(proposal(number) for number in range(50))
        gathering.finish()
        parts = list(gathering.parts("proposal"))

    assert 5 < len(parts) < 50
    assert all(part.endswith(b"}\n") for part in parts)
    assert list(range(50)) == [each.key.id for part in parts for each in read_lines(part, HOST, "x")]


def test_nothing_is_left_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Gathering() as gathering:
        gathering.add([proposal(1)])
        gathering.finish()
        named = [path for path in tmp_path.rglob("*") if path.is_file()]
        parts = list(gathering.parts("proposal"))

    assert [] == named, "a killed process would leave it"
    assert 1 == len(parts)
    assert [] == list(tmp_path.iterdir())


def test_two_components_may_number_alike() -> None:
    other = replace(proposal(1, "Altres paraules"), key=key("proposal", 1, component=9))
    about_it = replace(comment(1, alignment=1), key=key("comment", 1, component=9))
    found, data = gathered([proposal(1), other, about_it], [proposal(1)])

    first, second = read_lines(data["proposal"], HOST, "x")

    assert (6, 9) == (first.key.component, second.key.component)
    assert (None, (1, 0)) == (first.aligned, second.aligned)  # type: ignore[union-attr]
    assert {"added": 1, "changed": 0, "updated": 0, "same": 1, "gone": 0} == found.changes


@pytest.mark.parametrize("supports", [[2**53], [2**53 - 1, 1], [2**62] * 3])
def test_supports_beyond_what_a_record_holds_are_refused(supports: list[int]) -> None:
    with pytest.raises(MalformedError, match=r"are read$"):
        gathered([proposal(number, supports=each) for number, each in enumerate(supports, 1)])
