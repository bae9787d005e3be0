"""The file of ballots: one form, one root, and nothing left of those who are forgotten."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Collection
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auzolan.core.record.canonical import JsonObject, JsonValue, as_object, canonical_bytes, read_json
from auzolan.core.record.errors import AuzolanError, MalformedError, UsageError
from auzolan.core.record.merkle import leaf_hash, root_of
from auzolan.deliberate.ballots import FORMAT, Ballots, Stratum, read_ballots, seal
from auzolan.deliberate.votes import VoteTable
from tests.deliberate.tables import name, salts, sealed, table, tables

MAGIC = FORMAT.encode() + b"\n"


def _small() -> Ballots:
    made = table({0: {3: 1, 5: -1}, 1: {5: 0}, 2: {3: 1}, 4: {3: -1, 5: 1}}, [9])
    return sealed(made, {"district": {name(0): "east", name(2): "west", name(4): "east"}, "age": {name(1): "60+"}})


def _forgotten() -> Ballots:
    return _small().without([name(1)]).without([name(0), name(4)])


def _roots(ballots: Ballots) -> list[bytes]:
    return [ballots.root_of_generation(generation) for generation in range(ballots.generation + 1)]


def _with_header(change: Callable[[JsonObject], JsonValue], of: Ballots | None = None) -> bytes:
    data = (of or _small()).to_bytes()
    end = data.index(b"\n", len(MAGIC))
    header = as_object(read_json(data[len(MAGIC) : end]), "header")
    return MAGIC + canonical_bytes(change(header)) + data[end:]


# Round trip


@given(tables(), st.data())
def test_ballots_survive_their_file(made: VoteTable, data: st.DataObject) -> None:
    some = st.dictionaries(st.sampled_from(list(made.participants)), st.sampled_from(["a", "b", "ü"]))
    ballots = sealed(made, data.draw(st.dictionaries(st.sampled_from(["x", "y"]), some)))
    again = read_ballots(ballots.to_bytes())

    assert ballots.to_bytes() == again.to_bytes()
    assert ballots.root() == again.root()
    assert made.to_ballots() == again.table.to_ballots()
    assert (made.statements, ballots.strata) == (again.table.statements, again.strata)
    assert ballots.codes.tolist() == again.codes.tolist()


def test_ballots_without_participants_survive_too() -> None:
    assert [] == read_ballots(sealed(table({}, [1, 2])).to_bytes()).table.participants


def test_ballots_on_more_than_16384_statements_take_four_bytes_a_vote() -> None:
    ballots = sealed(table({0: {0: 1, 16_384: -1}, 1: {7: 0}}, range(16_385)))

    assert b"\x00\x00\x01\x00" == ballots.to_bytes()[-8:-4]
    assert ballots.table.to_ballots() == read_ballots(ballots.to_bytes()).table.to_ballots()
    assert ballots.root() == read_ballots(ballots.to_bytes()).root()


def test_the_root_is_that_of_the_documented_tree() -> None:
    made = table({0: {3: 1, 5: -1}, 1: {5: 0}})
    header = b'{"format":"auzolan-ballots/v1","statements":[3,5],"strata":[{"name":"d","values":["x"]}]}'
    salt = salts(2)
    entries = [
        sha256(salt[:32] + bytes(16) + b"\x00\x00" + b"\x02\x00\x04\x00").digest(),
        sha256(salt[32:] + bytes(15) + b"\x01" + b"\x01\x00" + b"\x05\x00").digest(),
    ]
    expected = root_of([leaf_hash(sha256(header).digest()), *map(leaf_hash, entries)])

    assert expected == seal(made, {"d": {name(1): "x"}}, salt).root()


def test_other_salts_give_another_root() -> None:
    made = table({0: {3: 1}})

    assert seal(made, {}, bytes(32)).root() != seal(made, {}, bytes(31) + b"\x01").root()


def test_too_few_salts_are_refused() -> None:
    with pytest.raises(MalformedError, match="2 participants need 64 bytes of salt"):
        seal(table({0: {0: 1}, 1: {0: 1}}), {}, bytes(63))


# One form only


@pytest.mark.parametrize("ballots", [_small(), _forgotten()], ids=["new", "forgotten"])
def test_any_flipped_bit_is_refused_or_changes_a_root(ballots: Ballots) -> None:
    data, roots = ballots.to_bytes(), _roots(ballots)
    unnoticed = []
    for bit in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            other = read_ballots(bytes(flipped))
        except AuzolanError:
            continue
        if _roots(other) == roots:
            unnoticed.append(bit)

    assert [] == unnoticed


def test_any_truncation_or_addition_is_refused() -> None:
    data = _forgotten().to_bytes()
    for changed in [data[:length] for length in range(len(data))] + [data + b"\x00", b"\x00" + data, data + data]:
        with pytest.raises(MalformedError):
            read_ballots(changed)


@settings(max_examples=300)
@given(st.binary(max_size=200), st.integers(0, 400), st.integers(0, 40))
def test_only_our_errors_escape_from_any_bytes(inserted: bytes, at: int, cut: int) -> None:
    data = _forgotten().to_bytes()
    for changed in (MAGIC + inserted, inserted, data[:at] + inserted + data[at + cut :]):
        try:
            read_ballots(changed)
        except AuzolanError as error:
            assert str(error)  # noqa: PT017


def _set(**fields: JsonValue) -> Callable[[JsonObject], JsonValue]:
    return lambda header: header | fields


ZEROS = "0" * 64


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_set(more=1), "unknown key 'more'"),
        (_set(participants=True), "expected an integer"),
        (_set(participants=-1), "expected at least 0"),
        (_set(participants=5), "bytes, got"),
        (_set(participants=2**53 - 1), "bytes, got"),
        (_set(votes=5), "bytes, got"),
        (_set(statements=[3, 9, 5]), "expected ascending ids"),
        (_set(statements=[3, 3, 5]), "expected ascending ids"),
        (_set(statements=[3]), "on a statement of the list"),
        (_set(statements=[-1, 3, 5]), "expected at least 0"),
        (_set(statements={}), "expected a list"),
        (_set(strata=[]), "bytes, got"),
        (_set(strata=[{"name": "a", "values": []}, {"name": "b", "values": []}]), "has fewer values than are used"),
        (_set(strata=[{"name": "a", "values": ["z", "y"]}, {"name": "b", "values": ["y", "z"]}]), "sorted values"),
        (_set(strata=[{"name": "a", "values": ["y", "y"]}, {"name": "b", "values": ["y", "z"]}]), "sorted values"),
        (_set(strata=[{"name": "", "values": ["y"]}, {"name": "b", "values": ["y", "z"]}]), "non-empty text"),
        (_set(generation=1), "somebody erased in each generation"),
        (_set(erased=[[0, 1, ZEROS]]), "somebody erased in each generation"),
        (_set(erased=[[0, 1, ZEROS], [0, 2, ZEROS]], generation=2), "ascending positions"),
        (_set(erased=[[9, 1, ZEROS]], generation=1), "ascending positions"),
        (_set(erased=[[0, 2, ZEROS]], generation=2), "somebody erased in each generation"),
        (_set(erased=[[0, 0, ZEROS]]), "expected at least 1"),
        (_set(erased=[[0, 1, "00"]], generation=1), "64 lower-case"),
        (_set(erased=[[0, 1]], generation=1), "expected position, generation and entry"),
        (lambda header: [header], "expected an object"),
    ],
)
def test_a_header_of_another_form_is_refused(change: Callable[[JsonObject], JsonValue], message: str) -> None:
    with pytest.raises(MalformedError, match=message):
        read_ballots(_with_header(change))


def _swapped(ballots: Ballots, **parts: object) -> bytes:
    return replace(ballots, table=replace(ballots.table, **parts)).to_bytes()  # type: ignore[arg-type]


def test_another_order_or_vote_is_refused() -> None:
    small = _small()
    packed, starts = small.table.packed, small.table.starts
    backwards, twice, unknown = packed.copy(), packed.copy(), packed.copy()
    backwards[:2] = packed[1::-1]
    twice[1] = twice[0]
    unknown[0] |= 3
    for changed, message in [
        (_swapped(small, packed=backwards), "by statement, one on each"),
        (_swapped(small, packed=twice), "by statement, one on each"),
        (_swapped(small, packed=unknown), "none of agree, disagree and pass"),
        (_swapped(small, participants=[name(n) for n in (1, 0, 2, 4)]), "expected ascending pseudonyms"),
        (_swapped(small, participants=[name(n) for n in (0, 0, 2, 4)]), "expected ascending pseudonyms"),
        (_swapped(small, starts=np.array([0, 3, 3, 4, 6])), "lengths do not fit"),
        (_swapped(small, starts=starts + np.array([0, 0, 0, 0, 1])), "lengths do not fit"),
    ]:
        with pytest.raises(MalformedError, match=message):
            read_ballots(changed)


def test_a_huge_generation_is_refused_without_taking_memory() -> None:
    data = _with_header(_set(generation=300_000))
    tracemalloc.start()
    try:
        with pytest.raises(MalformedError, match="somebody erased in each generation"):
            read_ballots(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 2**20


@pytest.mark.parametrize("names", [("b", "a"), ("a", "a")])
def test_strata_out_of_order_are_refused(names: tuple[str, str]) -> None:
    strata = tuple(Stratum(each, ("y", "z")) for each in names)

    with pytest.raises(MalformedError):
        read_ballots(replace(_small(), strata=strata).to_bytes())


def test_an_empty_value_of_a_stratum_is_none() -> None:
    ballots = sealed(table({0: {0: 1}, 1: {0: 1}, 2: {0: 1}}), {"d": {name(0): "", name(1): "x"}})

    assert (Stratum("d", ("x",)),) == ballots.strata
    assert [[0], [1], [0]] == ballots.codes.tolist() == read_ballots(ballots.to_bytes()).codes.tolist()


# Forgetting


def _after(rounds: Collection[Collection[int]]) -> list[Ballots]:
    history = [_small()]
    for gone in rounds:
        history.append(history[-1].without([name(number) for number in gone]))
    return history


@pytest.mark.parametrize("rounds", [[[0]], [[4], [0]], [[1], [0, 4]], [[0], [1], [2]], [[0, 1, 2]]])
def test_roots_of_all_earlier_generations_stay_recomputable(rounds: list[list[int]]) -> None:
    history = _after(rounds)
    roots = [ballots.root() for ballots in history]
    again = read_ballots(history[-1].to_bytes())

    assert roots == _roots(again)
    assert len(roots) == len(set(roots))


@pytest.mark.parametrize("rounds", [[[0]], [[4], [0]], [[1], [0, 4]]])
def test_those_who_stay_are_as_before(rounds: list[list[int]]) -> None:
    before, after = _small(), _after(rounds)[-1]
    gone = {name(number) for each in rounds for number in each}
    stay = [position for position, who in enumerate(before.table.participants) if who not in gone]

    assert {w: v for w, v in before.table.to_ballots().items() if w not in gone} == after.table.to_ballots()
    assert before.salts[stay].tolist() == after.salts.tolist()
    assert before.codes[stay].tolist() == after.codes.tolist()
    assert before.table.statements == after.table.statements


def test_of_the_forgotten_neither_salt_nor_pseudonym_is_in_the_file() -> None:
    before, data = _small(), _forgotten().to_bytes()
    for position, who in ((0, name(0)), (1, name(1)), (3, name(4))):
        salt = before.salts[position].tobytes()

        assert salt not in data
        assert salt.hex().encode() not in data
        assert bytes.fromhex(who) not in data
        assert who.encode() not in data
        assert before._entries()[position].hex().encode() in data


def test_an_entry_of_a_forgotten_one_depends_on_the_lost_salt() -> None:
    one = sealed(table({0: {0: 1}, 1: {0: 1}}))
    other = replace(one, salts=np.zeros_like(one.salts))

    assert one.without([name(0)]).erased[0].entry != other.without([name(0)]).erased[0].entry


@pytest.mark.parametrize("gone", [[name(3)], [name(0), name(3)], ["x"]])
def test_who_is_not_here_cannot_be_forgotten(gone: list[str]) -> None:
    with pytest.raises(UsageError, match="expected participants of this snapshot") as caught:
        _small().without(gone)

    assert gone[-1] not in str(caught.value).split()


def test_nobody_can_be_forgotten_twice() -> None:
    with pytest.raises(UsageError, match="expected participants of this snapshot"):
        _small().without([name(0)]).without([name(0)])


def test_not_all_can_be_forgotten_at_once() -> None:
    with pytest.raises(UsageError, match="nobody would be left"):
        _small().without([name(0), name(1), name(2), name(4)])


@pytest.mark.parametrize("generation", [-1, 3])
def test_generations_that_never_were_have_no_root(generation: int) -> None:
    with pytest.raises(MalformedError, match=f"generation {generation} of 2"):
        _forgotten().root_of_generation(generation)
