"""Attacks on records, links and blobs (steps 3, 7, 8, 9). The keeper of the log takes part in most of them."""

from __future__ import annotations

from auzolan.core.kinds.govern import Document
from auzolan.core.record.canonical import canonical_bytes
from auzolan.core.record.envelope import Envelope
from auzolan.core.record.published import blob_path, record_path
from auzolan.core.record.record import Record, statement_bytes
from auzolan.core.record.tombstone import TOMBSTONE_KIND, tombstone
from tests.attacks.forge import (
    ATTENDANCE,
    ATTENDANCE_DIGEST,
    BUDGET,
    ERASED,
    MINUTES,
    NEXT,
    ROOT,
    SCAN_DIGEST,
    Forged,
    document,
    fails,
    flip,
    loan,
    opening,
    seal,
    statement,
    story,
    unchecked,
)
from tests.town import CLINIC, LIBRARY, SCHOOL, sign

LOAN = loan()


def file_of(envelope: Envelope) -> str:
    return record_path(envelope.entry.hex())


def fourth(*items: Envelope | bytes) -> Forged:
    """Publish the honest town with further entries."""
    return opening().log(*items).publish()


def predicate_of(body: str, kind: str = "document/v1") -> bytes:
    """Return the predicate around a body that is given as text, so that it may be what no record can hold."""
    return b'{"blobs":{},"body":%b,"kind":%b,"links":{}}' % (body.encode(), canonical_bytes(kind))


def with_body(body: str) -> Forged:
    """Publish the honest town with a fourth record of that body, rightly signed and logged."""
    return fourth(seal(statement(predicate_of(body), "document/v1")))


def altered_statement(old: bytes, new: bytes) -> Forged:
    """Publish the honest town with a fourth record whose statement was altered before it was signed."""
    payload = statement_bytes(LOAN)
    assert payload.count(old) == 1, "an attack must change something"
    return fourth(seal(payload.replace(old, new)))


# 3. Records


@fails(3, "not to what was logged")
def tampered_record() -> Forged:
    """One letter of the published file with the minutes was changed after it was logged."""
    return story().publish().edit(file_of(sign(MINUTES)), lambda data: flip(data, 40))


@fails(3, "not to what was logged")
def exchanged_record() -> Forged:
    """In place of the minutes stands another record, which is properly signed but was never logged there."""
    return story().publish().edit(file_of(sign(MINUTES)), lambda _: sign(LOAN).canonical)


@fails(3, "not to what was logged")
def signature_added_later() -> Forged:
    """A further signature was slipped into a record that was logged without it."""
    late = sign(BUDGET, SCHOOL, CLINIC).signed_by(LIBRARY)
    return story().publish().edit(file_of(sign(BUDGET, SCHOOL, CLINIC)), lambda _: late.canonical)


@fails(3, "valid JSON, but not in canonical form")
def noncanonical_envelope() -> Forged:
    """A record was logged in a second spelling with one more space, so that it has two digests."""
    return fourth(sign(LOAN).canonical.replace(b'","payloadType"', b'", "payloadType"'))


@fails(3, "statement: valid JSON, but not in canonical form")
def noncanonical_statement() -> Forged:
    """What was signed is spelt with one more space than the one form that every record has."""
    return altered_statement(b',"predicateType"', b', "predicateType"')


@fails(3, "its subject is not its own record")
def statement_subject_mismatch() -> Forged:
    """The signed cover names the digest of another record than the one inside."""
    return altered_statement(LOAN.id.encode(), MINUTES.id.encode())


@fails(3, "its subject is not its own record")
def second_subject() -> Forged:
    """The signed cover names two records, so that one signature would count for both."""
    return altered_statement(
        b'"name":"record"}]', b'"name":"record"},{"digest":{"sha256":"%b"},"name":"record"}]' % MINUTES.id.encode()
    )


@fails(3, "predicateType does not match the kind document/v1")
def predicate_type_mismatch() -> Forged:
    """The signed cover calls the record a tombstone, inside it is a document."""
    return altered_statement(b'"urn:auzolan:kind:document/v1"', b'"urn:auzolan:kind:tombstone/v1"')


@fails(3, "expected the fields ['blobs', 'body', 'kind', 'links']")
def field_added_to_record() -> Forged:
    """The record has a further field beside its body, where nobody looks for it."""
    predicate = LOAN.canonical.replace(b'{"blobs"', b'{"annex":"plus interest","blobs"', 1)
    return fourth(seal(statement(predicate, LOAN.kind)))


@fails(3, "number 12.5 is not an integer")
def float_in_body() -> Forged:
    """The record holds a decimal number, which two computers may read differently."""
    return with_body('{"share":12.5}')


@fails(3, "is outside ±(2^53 - 1)")
def integer_too_large() -> Forged:
    """The record holds a number so large that two computers may read it differently."""
    return with_body('{"euros":9007199254740993}')


@fails(3, "key 'euros' appears twice in one object")
def duplicate_json_key() -> Forged:
    """The record says two different sums under one name; which one is read depends on the program."""
    return with_body('{"euros":10,"euros":1000000}')


@fails(3, "lone surrogate")
def half_a_letter() -> Forged:
    """The record holds half of a letter, which programs complete differently or lose."""
    return with_body('{"title":"\\ud83d"}')


@fails(3, "nested deeper than 64 levels")
def nested_too_deep() -> Forged:
    """The record is packed into itself hundreds of times, to exhaust whoever reads it."""
    return with_body("[" * 300 + "]" * 300)


@fails(3, "kind: expected something like 'document/v1'")
def lookalike_kind() -> Forged:
    """The word "document" is spelt with a Cyrillic letter, so that the rule for documents does not apply."""
    kind = "d\u043ecument/v1"
    return fourth(seal(statement(predicate_of("{}", kind), kind), [LIBRARY]))


@fails(3, "expected payloadType application/vnd.in-toto+json")
def other_payload_type() -> Forged:
    """The signed bytes are declared to be of another format, for which the same signatures would say something else."""
    return fourth(sign(LOAN).canonical.replace(b"vnd.in-toto+json", b"vnd.somebody+json"))


@fails(3, "expected _type https://in-toto.io/Statement/v1")
def other_statement_type() -> Forged:
    """The signed cover is of another kind than the one in which records are signed."""
    return altered_statement(b"Statement/v1", b"Statement/v2")


@fails(3, "signatures must be sorted by key id, one per key")
def signature_repeated() -> Forged:
    """One person's signature stands twice on the record, to be counted twice."""
    once = sign(LOAN, LIBRARY).canonical
    row = once[once.index(b'[{"keyid"') + 1 : once.rindex(b"]")]
    return fourth(once.replace(row, row + b"," + row))


@fails(3, "expected the SHA-256 of a record, got 30 bytes")
def entry_not_a_digest() -> Forged:
    """The log holds a text in place of a record's digest."""
    operator = opening()
    operator.entries.append(b"The mayor may do as she likes.")
    return operator.publish()


@fails(3, "record: not JSON")
def entry_of_no_record() -> Forged:
    """The log holds the digest of a file that is no record at all."""
    return fourth(b"The mayor may do as she likes.\n")


@unchecked(3, "not found")
def missing_record() -> Forged:
    """The minutes stand in the log, but their text is not served."""
    return story().publish().without(file_of(sign(MINUTES)))


# 7. Once


@fails(7, "stands already at entry 1")
def committed_twice() -> Forged:
    """The same minutes were logged a second time, with one more signature, as if they had been decided again."""
    return fourth(sign(MINUTES, LIBRARY, SCHOOL, CLINIC))


@fails(7, "stands already at entry 1")
def logged_twice() -> Forged:
    """The same file stands in the log twice."""
    return fourth(sign(MINUTES))


# 8. Links


@fails(8, "which is no earlier record")
def dangling_link() -> Forged:
    """The budget says that it rests on a record that is not in this log."""
    return fourth(sign(document("Budget", minutes=LOAN.id)))


@fails(8, "could have been signed for another commons")
def record_of_another_commons() -> Forged:
    """The library and the school signed a loan for another commons of theirs; it was put into this one."""
    record = Record("document/v1", {"title": "Loan", "dated_at": "2026-11-20", "text": "We borrow a million."})
    return fourth(sign(record))


@fails(8, "which is no earlier record")
def forward_link() -> Forged:
    """The budget says that it rests on a record that was logged only afterwards."""
    return fourth(sign(document("Budget", loan=LOAN.id)), sign(LOAN))


@fails(8, "which is no earlier record")
def link_to_envelope() -> Forged:
    """The link names a file with its signatures instead of the record, so that a walk along the links ends there."""
    return fourth(sign(document("Budget", minutes=sign(MINUTES).entry.hex())))


@fails(8, "the body hides the id of record")
def hidden_link() -> Forged:
    """A record names the minutes inside its text, where a walk along the links does not find them."""
    return fourth(sign(Record("budget/v1", {"rests_on": [{"record": MINUTES.id}]}, {"commons": ROOT.id}), LIBRARY))


@fails(8, "the body hides the id of record")
def hidden_link_in_key() -> Forged:
    """A record names the minutes as the name of a field, where a walk along the links does not find them."""
    return fourth(sign(Record("budget/v1", {"answers": {MINUTES.id: "agreed"}}, {"commons": ROOT.id}), LIBRARY))


# 9. Blobs


@fails(9, "blob scan: ")
def tampered_blob() -> Forged:
    """The published scan of the minutes is another file than the one that was signed."""
    return story().publish().edit(blob_path(SCAN_DIGEST), lambda data: flip(data, 5))


@unchecked(9, "1 missing")
def missing_blob() -> Forged:
    """The scan of the minutes is not served."""
    return story().publish().without(blob_path(SCAN_DIGEST))


@fails(9, "a private blob is published")
def private_blob_published() -> Forged:
    """The list of those present, which the signers keep private, stands among the published files."""
    forged = opening().publish()
    forged.files[blob_path(ATTENDANCE_DIGEST)] = ATTENDANCE
    return forged


@fails(9, "a private blob is published")
def erased_blob_published() -> Forged:
    """A private file that was declared erased stands among the published files."""
    forged = story().publish()
    forged.files[blob_path(ATTENDANCE_DIGEST)] = ATTENDANCE
    return forged


@fails(9, "which no record that it affects names")
def tombstone_erases_foreign_blob() -> Forged:
    """Somebody declared a private file of the minutes erased by pointing at a record that has nothing to do with it."""
    other = document("Lost and found", "A red scarf.")
    erasing = tombstone([ATTENDANCE_DIGEST], [other.id], "asked to be forgotten", "2026-12-01")
    return fourth(sign(other), sign(erasing, CLINIC))


@fails(9, "names it too, and is not among the records that it affects")
def tombstone_passes_over_holder() -> Forged:
    """Somebody named the minutes' private file in a record of their own, and had it erased by pointing only there."""
    mine = Document("Copy", "2026-11-28", "", {"commons": ROOT.id}, {"private.copy": ATTENDANCE_DIGEST}).to_record()
    erasing = tombstone([ATTENDANCE_DIGEST], [mine.id], "asked to be forgotten", "2026-12-01")
    return fourth(sign(mine), sign(erasing, CLINIC))


@fails(9, "names the same bytes as private")
def private_file_called_public() -> Forged:
    """A private file of the minutes was published by naming it public in another record."""
    mine = Document("Copy", "2026-11-28", "", {"commons": ROOT.id}, {"copy": ATTENDANCE_DIGEST}).to_record()
    forged = fourth(sign(mine))
    forged.files[blob_path(ATTENDANCE_DIGEST)] = ATTENDANCE
    return forged


@fails(9, "names the same bytes as public")
def public_file_called_private() -> Forged:
    """The published scan of the minutes was called private in another record and declared erased, so as to vanish."""
    mine = Document("Copy", "2026-11-28", "", {"commons": ROOT.id}, {"private.copy": SCAN_DIGEST}).to_record()
    erasing = tombstone([SCAN_DIGEST], [mine.id], "asked to be forgotten", "2026-12-01")
    return fourth(sign(mine), sign(erasing, CLINIC)).without(blob_path(SCAN_DIGEST))


@fails(9, "which no record that it affects names")
def tombstone_erases_published_blob() -> Forged:
    """Somebody declared the published scan of the minutes erased, and took it away."""
    erasing = tombstone([SCAN_DIGEST], [MINUTES.id], "asked to be forgotten", "2026-12-01")
    return fourth(sign(erasing, CLINIC)).without(blob_path(SCAN_DIGEST))


@fails(9, "tombstone: expected at least one erased digest and one link 'affects.1'")
def tombstone_without_record() -> Forged:
    """A private file was declared erased without saying which record had named it."""
    return fourth(sign(Record(TOMBSTONE_KIND, dict(ERASED.body), {"about": MINUTES.id}), CLINIC))


@fails(9, "which no record that it affects names")
def tombstone_affects_by_other_link() -> Forged:
    """A tombstone points at the wrong record, and at the right one only under a name that no walk looks for."""
    links = {"affects.1": NEXT.id, "see-also": MINUTES.id}
    return fourth(sign(Record(TOMBSTONE_KIND, dict(ERASED.body), links), CLINIC))
