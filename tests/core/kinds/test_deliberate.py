"""The kinds of record that `deliberate` adds: snapshots and tallies."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.core.kinds.deliberate import CleaningRule, Snapshot, Tally
from auzolan.core.record.canonical import JsonObject
from auzolan.core.record.errors import MalformedError
from auzolan.core.record.record import Record
from tests.strategies import hex_digests, texts

ID, OTHER, BLOB = "a" * 64, "b" * 64, "c" * 64
COUNTS = dict.fromkeys(Snapshot.COUNTS, 7)
SOURCE = dict.fromkeys(Snapshot.SOURCE, "x")


def _snapshot(**other: Any) -> Snapshot:
    fields: dict[str, Any] = {
        "source": SOURCE, "licence": "CC BY 4.0", "imported_at": "2026-11-20", "identity": "by account",
        "agree_sign": 1, "sign_evidence": "so counted", "counts": COUNTS,
        "cleaning": (CleaningRule("texts withheld", 0, 3), CleaningRule(Snapshot.FORGOTTEN, 0, 2)),
        "commitment": ID, "privacy": "private", "generation": 1, "commons": OTHER,
        "blobs": {"statements": BLOB, "private.ballots": BLOB}, "supersedes": ID,
    }  # fmt: skip
    return Snapshot(**(fields | other))


def _tally(**other: Any) -> Tally:
    fields: dict[str, Any] = {
        "snapshot": ID, "methods": dict.fromkeys(Tally.METHODS, "m-1"), "tallied_at": "2026-11-20", "min_cell": 5,
        "groups": (7, 3), "n_unassigned": 1, "chosen": "silhouette", "silhouettes_ppm": {"2": 400_000, "3": -5},
        "n_statements": 9, "n_withheld": 2, "blobs": {"counts": BLOB, "private.labels": BLOB},
    }  # fmt: skip
    return Tally(**(fields | other))


def _changed(record: Record, path: str, value: Any) -> Record:
    """Return a record with another value at a dotted path, or without it for `...`."""
    *way, last = path.split(".")
    body: Any = {key: dict(each) if isinstance(each, dict) else each for key, each in record.body.items()}
    inside = body
    for key in way:
        inside = inside[key]
    if value is ...:
        del inside[last]
    else:
        inside[last] = value
    return Record(record.kind, body, dict(record.links), dict(record.blobs))


# --- snapshot/v1 -----------------------------------------------------------------------------------------------------


@given(
    st.sampled_from([("public", "ballots"), ("auditors", "private.ballots"), ("private", "private.ballots")]),
    st.sampled_from([-1, 0, 1]),
    st.none() | hex_digests(),
    texts(),
    st.dictionaries(st.sampled_from(Snapshot.COUNTS), st.integers(0, 2**53 - 1)),
)
def test_a_snapshot_survives_its_record(
    ballots: tuple[str, str], sign: int, supersedes: str | None, text: str, counts: dict[str, int]
) -> None:
    privacy, blob = ballots
    one = _snapshot(
        privacy=privacy, agree_sign=sign, supersedes=supersedes, licence=text, identity=text, sign_evidence=text,
        source=dict.fromkeys(Snapshot.SOURCE, text), counts=COUNTS | counts, blobs={"statements": BLOB, blob: BLOB},
    )  # fmt: skip

    assert one == Snapshot.from_record(one.to_record())


def test_the_fields_of_a_snapshot_stand_where_the_documentation_says() -> None:
    record = _snapshot().to_record()

    assert "snapshot/v1" == record.kind
    assert {"commons": OTHER, "supersedes": ID} == record.links
    assert {"method": "auzolan-ballots-1", "root": ID} == record.body["commitment"]
    assert "private" == record.body["ballots"]


def test_those_forgotten_are_no_participants_any_more() -> None:
    one = _snapshot()

    assert (2, 5) == (one.n_forgotten, one.n_participants)
    assert 7 == replace(one, cleaning=()).n_participants


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        *((f"source.{name}", value, f"source.{name}") for name in Snapshot.SOURCE for value in (..., None, 1)),
        *((f"counts.{name}", value, f"counts.{name}") for name in Snapshot.COUNTS for value in (..., -1, True, "7")),
        ("source", [], "snapshot: source: expected an object"),
        ("counts", None, "snapshot: counts: expected an object"),
        ("licence", ..., "licence: expected text"),
        ("identity", 1, "identity: expected text"),
        ("sign_evidence", None, "sign_evidence: expected text"),
        ("imported_at", "", "imported_at: expected non-empty text"),
        ("agree_sign", 2, "agree_sign must be -1, 0 or 1"),
        ("agree_sign", True, "agree_sign must be -1, 0 or 1"),
        ("agree_sign", ..., "agree_sign must be -1, 0 or 1"),
        ("commitment", ID, "commitment: expected an object"),
        ("commitment.method", "other", "commitment by auzolan-ballots-1"),
        ("commitment.root", "ab", "64 lower-case"),
        ("ballots", "secret", "ballots must be one of"),
        ("ballots", ["private"], "ballots must be one of"),
        ("generation", -1, "generation: expected at least 0"),
        ("generation", ..., "generation: expected an integer"),
        ("cleaning", {}, "cleaning: expected a list"),
        ("cleaning", [1], "cleaning: expected an object"),
        ("cleaning", [{"rule": "", "votes": 0, "others": 0}], "cleaning.rule: expected non-empty text"),
        ("cleaning", [{"rule": "x", "votes": -1, "others": 0}], "cleaning.votes: expected at least 0"),
        ("cleaning", [{"rule": "x", "votes": 0}], "cleaning.others: expected an integer"),
    ],
)
def test_a_snapshot_of_another_form_is_refused(path: str, value: Any, message: str) -> None:
    with pytest.raises(MalformedError, match=message):
        Snapshot.from_record(_changed(_snapshot().to_record(), path, value))


@pytest.mark.parametrize(
    ("privacy", "blobs"),
    [
        ("private", {"private.ballots": BLOB}),
        ("private", {"statements": BLOB}),
        ("private", {"statements": BLOB, "ballots": BLOB}),
        ("auditors", {"statements": BLOB, "ballots": BLOB}),
        ("public", {"statements": BLOB, "private.ballots": BLOB}),
    ],
)
def test_a_snapshot_without_its_blobs_is_refused(privacy: str, blobs: dict[str, str]) -> None:
    with pytest.raises(MalformedError, match="expected a blob"):
        Snapshot.from_record(_snapshot(privacy=privacy, blobs=blobs).to_record())


def test_private_ballots_that_are_public_too_are_refused() -> None:
    blobs = {"statements": BLOB, "private.ballots": BLOB, "ballots": BLOB}

    with pytest.raises(MalformedError):
        Snapshot.from_record(_snapshot(blobs=blobs).to_record())


def test_more_forgotten_than_participants_is_refused() -> None:
    one = _snapshot(cleaning=(CleaningRule(Snapshot.FORGOTTEN, 0, 8),))

    with pytest.raises(MalformedError):
        Snapshot.from_record(one.to_record())


def test_a_snapshot_needs_its_commons() -> None:
    record = _snapshot().to_record()

    with pytest.raises(MalformedError, match="link 'commons'"):
        Snapshot.from_record(Record(record.kind, dict(record.body), {}, dict(record.blobs)))


# --- tally/v1 --------------------------------------------------------------------------------------------------------


@given(
    st.lists(st.integers(1, 2**50), max_size=5),
    st.dictionaries(st.sampled_from("2345"), st.integers(-1_000_000, 1_000_000)),
    st.sampled_from(["labels", "private.labels"]),
    texts().filter(bool),
)
def test_a_tally_survives_its_record(groups: list[int], silhouettes: dict[str, int], labels: str, text: str) -> None:
    one = _tally(
        groups=tuple(groups), silhouettes_ppm=silhouettes, blobs={"counts": BLOB, labels: BLOB}, tallied_at=text
    )

    assert one == Tally.from_record(one.to_record())
    assert {"snapshot": ID} == one.to_record().links


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("methods", [], "methods: expected an object"),
        *((f"methods.{name}", value, f"methods.{name}") for name in Tally.METHODS for value in (..., "", 1)),
        ("tallied_at", "", "tallied_at: expected non-empty text"),
        ("min_cell", 0, "min_cell: expected at least 1"),
        ("min_cell", ..., "min_cell: expected an integer"),
        ("groups", [0], "groups: expected at least 1"),
        ("groups", 3, "groups: expected a list"),
        ("unassigned", -1, "unassigned: expected at least 0"),
        ("chosen", ..., "chosen: expected non-empty text"),
        ("silhouettes_ppm", [], "silhouettes_ppm: expected an object"),
        ("silhouettes_ppm.2", -1_000_001, "silhouettes_ppm: expected at least"),
        ("silhouettes_ppm.2", "x", "silhouettes_ppm: expected an integer"),
        ("statements", None, "statements: expected an integer"),
        ("withheld", False, "withheld: expected an integer"),
    ],
)
def test_a_tally_of_another_form_is_refused(path: str, value: Any, message: str) -> None:
    with pytest.raises(MalformedError, match=message):
        Tally.from_record(_changed(_tally().to_record(), path, value))


@pytest.mark.parametrize("blobs", [{}, {"counts": BLOB}, {"labels": BLOB}, {"private.counts": BLOB, "labels": BLOB}])
def test_a_tally_without_its_blobs_is_refused(blobs: dict[str, str]) -> None:
    with pytest.raises(MalformedError, match="expected blobs 'counts' and 'labels'"):
        Tally.from_record(_tally(blobs=blobs).to_record())


@pytest.mark.parametrize("links", [{}, {"snapshots": ID}])
def test_a_tally_needs_its_snapshot(links: dict[str, str]) -> None:
    record = _tally().to_record()
    body: JsonObject = dict(record.body)

    with pytest.raises(MalformedError, match="link 'snapshot'"):
        Tally.from_record(Record(record.kind, body, links, dict(record.blobs)))
