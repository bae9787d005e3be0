from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given

from auzolan.core.record.canonical import JsonObject, JsonValue, canonical_bytes, read_canonical
from auzolan.core.record.envelope import Envelope
from auzolan.core.record.errors import MalformedError
from auzolan.core.record.record import (
    KIND_URI_PREFIX,
    STATEMENT_TYPE,
    Record,
    check_digest,
    digests_in,
    is_digest,
    record_from_json,
    record_from_statement,
    statement_bytes,
)
from tests.strategies import records
from tests.town import document

ID = "ab" * 32
NOT_DIGESTS = ("", "ab", ID[:-1], ID + "a", ID.upper(), "0x" + ID[2:], ID[1:] + "g", ID[1:] + "\n", ID + "\n", "١" * 64)
NOT_TEXT: tuple[JsonValue, ...] = (None, 1, True, [], {}, [ID])


def statement(record: Record) -> JsonObject:
    value = read_canonical(statement_bytes(record))
    assert isinstance(value, dict)
    return value


@given(records())
def test_a_record_survives_its_statement(record: Record) -> None:
    again = record_from_statement(read_canonical(statement_bytes(record)))

    assert record.canonical == again.canonical
    assert record.id == again.id
    assert record.links == again.links
    assert record.blobs == again.blobs


@given(records())
def test_the_id_is_the_sha_256_of_the_four_fields(record: Record) -> None:
    fields: JsonObject = {
        "kind": record.kind,
        "body": record.body,
        "links": dict(record.links),
        "blobs": dict(record.blobs),
    }

    assert sha256(canonical_bytes(fields)).hexdigest() == record.id


@given(records())
def test_a_statement_is_what_in_toto_prescribes(record: Record) -> None:
    value = statement(record)

    assert value["_type"] == STATEMENT_TYPE
    assert value["subject"] == [{"digest": {"sha256": record.id}, "name": "record"}]
    assert value["predicateType"] == KIND_URI_PREFIX + record.kind
    assert record.as_json() == value["predicate"]


@given(records())
def test_every_blob_is_private_or_public(record: Record) -> None:
    assert dict(record.blobs) == record.private_blobs | record.public_blobs
    assert not set(record.private_blobs) & set(record.public_blobs)


def test_private_blobs_are_those_whose_name_begins_with_private_and_a_dot() -> None:
    record = Record(
        "x/v1", {}, {}, {"private.a": ID, "private": ID, "private_a": ID, "privatea": ID, "a.private.b": ID}
    )

    assert list(record.private_blobs) == ["private.a"]


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "document",
        "document/v0",
        "document/v01",
        "document/1",
        "document/v",
        "Document/v1",
        "document/v1\n",
        "document/v1 ",
        " document/v1",
        "document/v١",
        "document/v１",
        "dócument/v1",
        "-document/v1",
        "1document/v1",
        "document/v1/v1",
        "document/v12345",
        "d" * 49 + "/v1",
        "document\x00/v1",
    ],
)
def test_a_kind_of_another_form_is_refused(kind: str) -> None:
    with pytest.raises(MalformedError, match=r"^kind: expected something like 'document/v1'"):
        Record(kind, {})


@pytest.mark.parametrize("kind", [None, 1, True, ["document/v1"], b"document/v1"])
def test_a_kind_that_is_no_text_is_refused(kind: JsonValue) -> None:
    with pytest.raises(MalformedError, match="kind"):
        record_from_json({"kind": kind, "body": {}, "links": {}, "blobs": {}})


@pytest.mark.parametrize(
    "name", ["", "A", "1", ".a", "a b", "a\n", "a" * 65, "ä", "a/b", "a:b", "\u0430", "a\u200d", "../a"]
)
@pytest.mark.parametrize("where", ["links", "blobs"])
def test_a_name_of_another_form_is_refused(name: str, where: str) -> None:
    fields: JsonObject = {"kind": "x/v1", "body": {}, "links": {}, "blobs": {}, where: {name: ID}}

    with pytest.raises(MalformedError, match=f"^{where}: name"):
        record_from_json(fields)


@pytest.mark.parametrize(
    "digest",
    [*NOT_DIGESTS, *NOT_TEXT],
)
@pytest.mark.parametrize("where", ["links", "blobs"])
def test_a_digest_of_another_form_is_refused(digest: JsonValue, where: str) -> None:
    fields: JsonObject = {"kind": "x/v1", "body": {}, "links": {}, "blobs": {}, where: {"a": digest}}

    assert not is_digest(digest)
    with pytest.raises(MalformedError, match=f"^{where}.a: expected 64 lower-case hexadecimal digits"):
        record_from_json(fields)
    with pytest.raises(MalformedError, match=r"^here: expected 64 lower-case hexadecimal digits"):
        check_digest(digest, "here")


@pytest.mark.parametrize("body", [None, [], "text", 1, True])
def test_a_body_that_is_no_object_is_refused(body: JsonValue) -> None:
    with pytest.raises(MalformedError, match=r"^body: expected an object"):
        record_from_json({"kind": "x/v1", "body": body, "links": {}, "blobs": {}})


def test_a_body_that_may_not_be_signed_is_refused_at_once() -> None:
    with pytest.raises(MalformedError, match=r"body\.share: float may not be signed"):
        Record("x/v1", {"share": 0.5})  # type: ignore[dict-item]


def nested_body(levels: int) -> JsonObject:
    value: JsonValue = 0
    for _ in range(levels):
        value = [value]
    return {"nested": value}


@pytest.mark.parametrize("levels", range(55, 70))
def test_a_record_that_can_be_made_can_be_signed(levels: int) -> None:
    """The statement adds levels around the body; what is too deep for it must fail with the record, not later."""
    try:
        record = Record("x/v1", nested_body(levels))
    except MalformedError:
        return

    assert record == record_from_statement(read_canonical(statement_bytes(record)))
    assert Envelope(record).canonical


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"extra": 1}, "expected the fields"),
        ({"kind": ""}, "kind: expected non-empty text"),
        ({"links": []}, "links: expected an object"),
        ({"blobs": None}, "blobs: expected an object"),
    ],
)
def test_a_record_with_other_fields_is_refused(change: JsonObject, message: str) -> None:
    with pytest.raises(MalformedError, match=message):
        record_from_json({"kind": "x/v1", "body": {}, "links": {}, "blobs": {}, **change})


@pytest.mark.parametrize("missing", ["kind", "body", "links", "blobs"])
def test_a_record_without_a_field_is_refused(missing: str) -> None:
    fields = document().as_json()
    del fields[missing]

    with pytest.raises(MalformedError, match="expected the fields"):
        record_from_json(fields)


OTHER = document("Another").id


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"_type": "https://in-toto.io/Statement/v0.1"}, "expected _type"),
        ({"_type": None}, "expected _type"),
        ({"extra": 1}, "expected the fields"),
        ({"predicateType": "document/v1"}, "does not match the kind"),
        ({"predicateType": KIND_URI_PREFIX + "document/v2"}, "does not match the kind"),
        ({"predicateType": None}, "does not match the kind"),
        ({"subject": []}, "its subject is not its own record"),
        ({"subject": None}, "subject: expected a list"),
        ({"subject": [{"name": "record", "digest": {"sha256": OTHER}}]}, "its subject is not its own record"),
        ({"subject": [{"name": "other", "digest": {"sha256": document().id}}]}, "its subject is not its own record"),
        ({"subject": [{"digest": {"sha256": document().id}}]}, "its subject is not its own record"),
        (
            {"subject": [{"name": "record", "digest": {"sha256": document().id, "sha512": "00"}}]},
            "its subject is not its own record",
        ),
        (
            {"subject": [{"name": "record", "digest": {"sha256": document().id}}] * 2},
            "its subject is not its own record",
        ),
        ({"predicate": document("Another").as_json()}, "its subject is not its own record"),
        ({"predicate": None}, "record: expected an object"),
    ],
)
def test_a_statement_that_does_not_fit_its_record_is_refused(change: JsonObject, message: str) -> None:
    with pytest.raises(MalformedError, match=message):
        record_from_statement({**statement(document()), **change})


@pytest.mark.parametrize("missing", ["_type", "subject", "predicateType", "predicate"])
def test_a_statement_without_a_field_is_refused(missing: str) -> None:
    value = statement(document())
    del value[missing]

    with pytest.raises(MalformedError, match=r"^statement: expected"):
        record_from_statement(value)


def test_digests_are_found_wherever_they_stand_in_a_body() -> None:
    ids = [f"{number:064x}" for number in range(5)]
    body: JsonObject = {ids[0]: 1, "a": [ids[1], {"b": ids[2], ids[3]: [[ids[4]]]}], "c": "not a digest", "d": None}

    assert ids == sorted(digests_in(body))


def test_what_only_looks_like_a_digest_is_not_one() -> None:
    assert list(digests_in({"a": ID + "0", "b": ID.upper(), "c": "sha256:" + ID, "d": 7, "e": True})) == []
