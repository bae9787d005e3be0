from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.core.kinds import KNOWN_KINDS, read_kind
from auzolan.core.kinds.answer import Answer
from auzolan.core.kinds.constitution import Constitution, Draft
from auzolan.core.kinds.deliberate import Snapshot, Tally
from auzolan.core.kinds.govern import Document
from auzolan.core.kinds.oversee import Endorsement
from auzolan.core.kinds.proposals import Proposals, Shortlist
from auzolan.core.kinds.run import Anchor, RuntimePolicy, Service
from auzolan.core.kinds.selection import Selection
from auzolan.core.kinds.teach import Adapter, Dataset
from auzolan.core.record.canonical import JsonObject, JsonValue
from auzolan.core.record.errors import MalformedError
from auzolan.core.record.governance import Governance
from auzolan.core.record.record import Record
from auzolan.core.record.tombstone import TOMBSTONE_KIND, erased_by, tombstone
from tests.core.kinds.served import anchor, answer, policy, service
from tests.strategies import hex_digests, json_objects, names, texts
from tests.town import document, root_record
from tests.vectors.deliberation import deliberation
from tests.vectors.proposing import proposing
from tests.vectors.teaching import teaching

ID, BLOB = "ab" * 32, "cd" * 32
DATE = "2026-11-20"


def filled(**fields: Any) -> JsonObject:
    """Return the fields that are not ..."""
    return {name: value for name, value in fields.items() if value is not ...}


def test_every_known_kind_is_read() -> None:
    deliberated = deliberation()[1]
    read = {
        record.kind: type(read_kind(record))
        for record in (
            root_record(),
            document(),
            Endorsement(ID, "read", DATE).to_record(),
            tombstone([BLOB], [ID], "asked for", DATE),
            *(each.to_record() for each in (service(), policy(), answer(), anchor())),
            *(envelope.claimed for envelope in deliberated.values()),
            *(envelope.claimed for envelope in proposing()[1].values()),
            *(envelope.claimed for envelope in teaching(deliberated["constitution-v1"].claimed)[1].values()),
        )
    }

    assert {
        "adapter/v1": Adapter,
        "anchor/v1": Anchor,
        "answer/v1": Answer,
        "constitution/v1": Constitution,
        "dataset/v1": Dataset,
        "draft/v1": Draft,
        "governance/v1": Governance,
        "document/v1": Document,
        "endorsement/v1": Endorsement,
        "tombstone/v1": list,
        "proposals/v1": Proposals,
        "runtime-policy/v1": RuntimePolicy,
        "shortlist/v1": Shortlist,
        "selection/v1": Selection,
        "service/v1": Service,
        "snapshot/v1": Snapshot,
        "tally/v1": Tally,
    } == read
    assert KNOWN_KINDS == set(read)


@given(json_objects())
def test_a_kind_not_known_here_is_kept_unread(body: JsonObject) -> None:
    for kind in ("document/v2", "governance/v2", "spaceship/v1"):
        assert read_kind(Record(kind, body)) is None


@given(st.sampled_from(sorted(KNOWN_KINDS)), json_objects())
def test_another_body_of_a_known_kind_is_read_or_refused_in_words(kind: str, body: JsonObject) -> None:
    try:
        read = read_kind(Record(kind, body))
    except MalformedError:
        return

    assert read is not None


# --- document/v1 -----------------------------------------------------------------------------------------------------


@given(
    texts().filter(bool),
    texts().filter(bool),
    texts().filter(bool),
    st.dictionaries(names(), hex_digests(), max_size=3),
    st.dictionaries(names(), hex_digests(), max_size=3),
)
def test_a_document_survives_its_record(
    title: str, dated_at: str, text: str, links: dict[str, str], blobs: dict[str, str]
) -> None:
    one = Document(title, dated_at, text, links, blobs)

    assert one == Document.from_record(one.to_record())
    assert one.to_record() == Document.from_record(one.to_record()).to_record()


def test_a_document_may_be_a_blob_without_text() -> None:
    one = Document("Plan", DATE, blobs={"file": BLOB})

    assert one == Document.from_record(one.to_record())


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (filled(title=..., dated_at=DATE, text="x"), "document: title: expected non-empty text, got null"),
        (filled(title="", dated_at=DATE, text="x"), "document: title: expected non-empty text"),
        (filled(title=1, dated_at=DATE, text="x"), "document: title: expected non-empty text, got a number"),
        (filled(title="x", dated_at=..., text="x"), "document: dated_at: expected non-empty text"),
        (filled(title="x", dated_at=["x"], text="x"), "document: dated_at: expected non-empty text, got a list"),
        (filled(title="x", dated_at=DATE, text=...), "document: text must be text"),
        (filled(title="x", dated_at=DATE, text=None), "document: text must be text"),
        (filled(title="x", dated_at=DATE, text=True), "document: text must be text"),
        (filled(title="x", dated_at=DATE, text=""), "document: needs a text or at least one blob"),
    ],
)
def test_a_document_of_another_form_is_refused(body: JsonObject, message: str) -> None:
    with pytest.raises(MalformedError, match=message):
        read_kind(Record(Document.KIND, body))


def test_fields_that_a_reader_does_not_know_stay_in_the_record() -> None:
    record = Record(Document.KIND, {"title": "x", "dated_at": DATE, "text": "y", "new": [1]})

    assert Document("x", DATE, "y") == Document.from_record(record)
    assert record.body["new"] == [1]


# --- endorsement/v1 --------------------------------------------------------------------------------------------------


@given(hex_digests(), st.sampled_from(Endorsement.CLAIMS), texts().filter(bool), texts())
def test_an_endorsement_survives_its_record(endorses: str, claim: str, endorsed_at: str, note: str) -> None:
    one = Endorsement(endorses, claim, endorsed_at, note)

    assert one == Endorsement.from_record(one.to_record())


def test_a_revocation_is_an_endorsement_with_a_claim_of_its_own() -> None:
    record = Endorsement(ID, Endorsement.REVOKED, DATE, "It gives out names.").to_record()

    assert {"claim": "revoked", "endorsed_at": DATE, "note": "It gives out names."} == record.body
    assert {"endorses": ID} == record.links
    assert Endorsement(ID, "revoked", DATE, "It gives out names.") == read_kind(record)


def test_the_endorsed_id_stands_in_the_links_and_not_in_the_body() -> None:
    record = Endorsement(ID, "agrees", DATE).to_record()

    assert {"endorses": ID} == record.links
    assert ID not in str(record.body)


@pytest.mark.parametrize(
    ("body", "links", "message"),
    [
        (filled(claim=..., endorsed_at=DATE), {"endorses": ID}, "endorsement: claim: expected non-empty text"),
        (filled(claim="likes", endorsed_at=DATE), {"endorses": ID}, "must be one of agrees, recomputed, read, revoked"),
        (filled(claim="Agrees", endorsed_at=DATE), {"endorses": ID}, "claim must be one of"),
        (filled(claim="revoke", endorsed_at=DATE), {"endorses": ID}, "claim must be one of"),
        (filled(claim="agrees ", endorsed_at=DATE), {"endorses": ID}, "claim must be one of"),
        (filled(claim=True, endorsed_at=DATE), {"endorses": ID}, "claim: expected non-empty text, got true or false"),
        (filled(claim="read", endorsed_at=...), {"endorses": ID}, "endorsed_at: expected non-empty text"),
        (filled(claim="read", endorsed_at=20261120), {"endorses": ID}, "endorsed_at: expected non-empty text"),
        (filled(claim="read", endorsed_at=DATE, note=None), {"endorses": ID}, "note must be text"),
        (filled(claim="read", endorsed_at=DATE, note=[]), {"endorses": ID}, "note must be text"),
        (filled(claim="read", endorsed_at=DATE), {}, "link 'endorses': expected 64 lower-case"),
        (filled(claim="read", endorsed_at=DATE), {"endorse": ID}, "link 'endorses': expected 64 lower-case"),
        (filled(claim="read", endorsed_at=DATE, endorses=ID), {}, "link 'endorses': expected 64 lower-case"),
    ],
)
def test_an_endorsement_of_another_form_is_refused(body: JsonObject, links: dict[str, str], message: str) -> None:
    with pytest.raises(MalformedError, match=message):
        read_kind(Record(Endorsement.KIND, body, links))


# --- tombstone/v1 ----------------------------------------------------------------------------------------------------


@given(
    st.lists(hex_digests(), min_size=1, max_size=4),
    st.lists(hex_digests(), min_size=1, max_size=12),
    texts().filter(bool),
    texts().filter(bool),
)
def test_a_tombstone_says_what_it_erases_and_what_it_affects(
    erased: list[str], affected: list[str], reason: str, forgotten_at: str
) -> None:
    record = tombstone(erased, affected, reason, forgotten_at)

    assert erased == erased_by(record) == read_kind(record)
    assert affected == [record.links[f"affects.{number}"] for number in range(1, len(affected) + 1)]


@pytest.mark.parametrize(
    ("erased", "links", "message"),
    [
        ([], {"affects.1": ID}, "expected at least one erased digest"),
        ([BLOB], {}, "one link 'affects.1'"),
        ([BLOB], {"affected.1": ID}, "one link 'affects.1'"),
        ([BLOB], {"affectsx": ID}, "one link 'affects.1'"),
        (None, {"affects.1": ID}, "tombstone: erased: expected a list, got null"),
        (BLOB, {"affects.1": ID}, "tombstone: erased: expected a list, got text"),
        ([BLOB, "x"], {"affects.1": ID}, "tombstone: erased: expected 64 lower-case"),
        ([1], {"affects.1": ID}, "tombstone: erased: expected 64 lower-case"),
        ([[BLOB]], {"affects.1": ID}, "tombstone: erased: expected 64 lower-case"),
        ([{BLOB: 1}], {"affects.1": ID}, "tombstone: erased: expected 64 lower-case"),
    ],
)
def test_a_tombstone_of_another_form_is_refused(erased: JsonValue, links: dict[str, str], message: str) -> None:
    with pytest.raises(MalformedError, match=message):
        read_kind(Record(TOMBSTONE_KIND, {"erased": erased, "reason": "x", "forgotten_at": DATE}, links))


@pytest.mark.parametrize("missing", ["reason", "forgotten_at"])
@pytest.mark.parametrize("value", [None, "", 1, ["x"]])
def test_a_tombstone_needs_its_words(missing: str, value: JsonValue) -> None:
    body: JsonObject = {"erased": [BLOB], "reason": "x", "forgotten_at": DATE, missing: value}

    with pytest.raises(MalformedError, match=f"tombstone: {missing}: expected non-empty text"):
        read_kind(Record(TOMBSTONE_KIND, body, {"affects.1": ID}))


def test_another_kind_is_no_tombstone() -> None:
    with pytest.raises(MalformedError, match="expected tombstone/v1, got document/v1"):
        erased_by(document())
