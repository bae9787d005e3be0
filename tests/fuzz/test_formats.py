"""Every parser of outside bytes, on damaged valid input."""

from __future__ import annotations

import base64
import json
import tomllib
from hashlib import sha256
from random import Random
from typing import Any

import rfc8785

from auzolan.core.kinds import read_kind
from auzolan.core.record.authority import SUPERSEDES, Version, check_signers, verify_authority
from auzolan.core.record.canonical import canonical_bytes, check_signable, read_canonical, read_json
from auzolan.core.record.checkpoint import TreeHead, read_bundle, read_checkpoint, read_log_proof, read_tile
from auzolan.core.record.envelope import Envelope, Signature, read_envelope
from auzolan.core.record.errors import AuzolanError, MalformedError
from auzolan.core.record.governance import GOVERNANCE_KIND, read_governance
from auzolan.core.record.keys import PublicKey, decrypt_key, read_key_file, read_public_key
from auzolan.core.record.merkle import leaf_hash, verify_inclusion
from auzolan.core.record.note import read_note, read_signature_line, verify_note
from auzolan.core.record.record import Record, digests_in
from auzolan.core.record.tilelog import TileReader
from auzolan.core.record.witness import add_checkpoint, read_add_checkpoint
from tests.fuzz.campaign import campaign
from tests.fuzz.mutations import ODD_SCALARS, SCALARS, mutated, mutated_value
from tests.memory_files import MemoryFiles
from tests.town import LIBRARY, LOG, ORIGIN, SCHOOL, WITNESS, next_rules, root_record, rules
from tests.vectors.make import PASSPHRASE, vectors

VALID = vectors()
ENVELOPES = [data for path, data in VALID.items() if path.endswith(".dsse")]
RECORDS = [data for path, data in VALID.items() if path.endswith("record.json")]
CHECKPOINT = VALID["ledger/checkpoint"]
PROOF = VALID["proof.tlog-proof"]
REQUEST = VALID["add-checkpoint.txt"]
KEY = VALID["key.json"]
BUNDLE, TILE = VALID["ledger/tile/entries/000.p/6"], VALID["ledger/tile/0/000.p/6"]
ROOT = root_record()
CURRENT = Version(0, ROOT.id, read_governance(ROOT.body))
KNOWN = [LOG.public, WITNESS.witness_public, LIBRARY.public]
TEXTS = [CHECKPOINT, PROOF, REQUEST, str(LIBRARY.public).encode()]


def test_json() -> None:
    def make(random: Random) -> bytes:
        data = random.choice([*RECORDS, *ENVELOPES, KEY])
        if random.random() < 0.5:
            data = json.dumps(mutated_value(random, json.loads(data), SCALARS)).encode()
        return mutated(random, data, RECORDS)

    def check(data: bytes) -> None:
        value = read_json(data)
        canonical = canonical_bytes(value)

        assert canonical == canonical_bytes(read_canonical(canonical))
        assert canonical == rfc8785.dumps(json.loads(data))

    assert campaign("test_json", make, check, 0.04) > 0


def test_values() -> None:
    """Values that were not parsed by us, such as a loaded TOML file."""

    def make(random: Random) -> Any:
        return mutated_value(random, json.loads(random.choice(RECORDS)), (*SCALARS, *ODD_SCALARS))

    assert campaign("test_values", make, check_signable, 0.02) > 0


def resigned(random: Random, predicate: Any) -> bytes:
    """Return an envelope around any predicate: with the right id or not, signed rightly or not."""
    try:
        canonical = rfc8785.dumps(predicate)
    except (ValueError, RecursionError):
        canonical = b"{}"
    digest = sha256(canonical).hexdigest()
    kind = predicate.get("kind") if isinstance(predicate, dict) else ""
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "record", "digest": {"sha256": digest}}],
        "predicateType": f"urn:auzolan:kind:{kind}",
        "predicate": predicate,
    }
    if random.random() < 0.2:
        statement = mutated_value(random, statement)
    payload = json.dumps(statement, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    pae = b"DSSEv1 28 application/vnd.in-toto+json %d %b" % (len(payload), payload)
    rows = [
        {"keyid": key.public.keyid, "sig": base64.b64encode(key.sign(pae)).decode()}
        for key in random.sample([LIBRARY, SCHOOL, LOG], random.randrange(4))
    ]
    fields: Any = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": "application/vnd.in-toto+json",
        "signatures": sorted(rows, key=lambda row: row["keyid"]),
    }
    if random.random() < 0.2:
        fields = mutated_value(random, fields)
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def test_envelopes() -> None:
    def make(random: Random) -> bytes:
        if random.random() < 0.6:
            return resigned(random, mutated_value(random, json.loads(random.choice(RECORDS))))
        return mutated(random, random.choice(ENVELOPES), ENVELOPES)

    def check(data: bytes) -> None:
        envelope = read_envelope(data)

        assert data == envelope.canonical
        assert envelope.claimed == read_envelope(envelope.canonical).claimed
        list(digests_in(envelope.claimed.body))
        for step in (
            lambda: read_kind(envelope.claimed),
            lambda: check_signers(envelope, CURRENT),
            lambda: verify_authority(envelope, CURRENT),
            lambda: verify_authority(envelope, None),
        ):
            _only_ours(step)

    assert campaign("test_envelopes", make, check, 0.1) > 0


def _only_ours(step: Any) -> None:
    """Run a step that may refuse; later steps shall run all the same."""
    try:
        step()
    except AuzolanError:
        return


def test_governances() -> None:
    thorough = rules(
        witnesses={"keys": [str(WITNESS.witness_public)], "quorum": 1, "max_age_days": 7},
        rights_floor=[{"id": "a", "text": "One."}, {"id": "b", "text": "Two."}],
    )

    def make(random: Random) -> Any:
        return mutated_value(random, thorough, (*SCALARS, *ODD_SCALARS, str(LIBRARY.public), str(LOG.public)))

    def check(body: Any) -> None:
        governance = read_governance(body)

        # What is accepted can be acted on: every threshold can be met, every key has one holder.
        for threshold in governance.thresholds.values():
            assert 1 <= threshold.count <= len(set(governance.roles[threshold.role]))
        assert set(governance.keys) == set(governance.principal_of_key)
        assert 0 <= governance.witness_quorum <= len({key.raw for key in governance.witness_keys})
        assert governance.log_key.raw not in {key.raw for key in governance.witness_keys}
        for record in (Record(GOVERNANCE_KIND, body), Record(GOVERNANCE_KIND, body, {SUPERSEDES: ROOT.id})):
            envelope = Envelope(record).signed_by(LIBRARY).signed_by(SCHOOL)
            _only_ours(lambda signed=envelope: verify_authority(signed, CURRENT))
            _only_ours(lambda signed=envelope: verify_authority(signed, None))

    assert campaign("test_governances", make, check, 0.09) > 0


def test_toml() -> None:
    lines = [
        'format = "governance/v1"',
        'name = "Town"',
        "demo = false",
        "rights_floor = []",
        f'log = {{ origin = "{ORIGIN}", key = "{LOG.public}" }}',
        f'witnesses = {{ keys = ["{WITNESS.witness_public}"], quorum = 1, max_age_days = 7 }}',
        'constitution = { seats = 7, rule = "equal-shares" }',
        'ballots = { privacy = "auditors" }',
        f'principals = {{ library = {{ name = "x", keys = ["{LIBRARY.public}"] }} }}',
        'roles = { steward = ["library"] }',
        'thresholds = { default = { role = "steward", count = 1 }, "governance/v1" = { role = "steward", count = 1 } }',
    ]
    values = ("0xffff", "0x" + "f" * 5000, "9" * 400, "1.5", "nan", "2026-11-20", "07:32:00", "true", '""', "[]", "{}")

    def make(random: Random) -> str:
        text = "\n".join(lines)
        for number in ("7", "1", "false", "[]"):
            if random.random() < 0.3:
                text = text.replace(f"= {number}", f"= {random.choice(values)}", random.choice((1, 9)))
        return mutated(random, text.encode()).decode("utf-8", "replace") if random.random() < 0.5 else text

    def check(text: str) -> None:
        try:
            body = tomllib.loads(text)
        except (ValueError, RecursionError):
            raise MalformedError("not TOML") from None
        read_governance(body)
        Record(GOVERNANCE_KIND, body)

    assert campaign("test_toml", make, check, 0.03) > 0


def test_notes() -> None:
    def make(random: Random) -> bytes:
        return mutated(random, random.choice([CHECKPOINT, CHECKPOINT, PROOF]), TEXTS)

    def check(data: bytes) -> None:
        note = read_note(data)

        assert data == note.to_bytes()
        _only_ours(lambda: verify_note(note, KNOWN))
        checkpoint = read_checkpoint(data)
        verified = verify_note(checkpoint.note, KNOWN)

        # Nobody signed anything else here: what verifies has the text that was signed.
        assert not verified or checkpoint.note.text == read_note(CHECKPOINT).text

    assert campaign("test_notes", make, check, 0.05) > 0


def test_signature_lines_and_public_keys() -> None:
    lines = [line.encode() for line in CHECKPOINT.decode().split("\n")[-3:-1]]
    keys = [str(LIBRARY.public).encode(), str(WITNESS.witness_public).encode()]

    def make(random: Random) -> tuple[str, str]:
        pair = (mutated(random, random.choice(lines), lines), mutated(random, random.choice(keys), keys))
        line, key = (each.decode("utf-8", random.choice(("replace", "surrogateescape"))) for each in pair)
        return line, key

    def check(pair: tuple[str, str]) -> None:
        line, key = pair
        _only_ours(lambda: _line_survives(line))
        public = read_public_key(key)

        assert key == str(public)
        assert public == PublicKey(public.name, public.raw, public.kind)

    assert campaign("test_signature_lines_and_public_keys", make, check, 0.03) > 0


def _line_survives(line: str) -> None:
    assert str(read_signature_line(line)) == line + "\n"


def test_proofs() -> None:
    entry = read_envelope(read_log_proof(PROOF).extra).entry

    def make(random: Random) -> bytes:
        return mutated(random, PROOF, TEXTS)

    def check(data: bytes) -> None:
        proof = read_log_proof(data)

        assert data == proof.to_bytes()
        head = proof.checkpoint.head
        verify_inclusion(leaf_hash(entry), proof.index, head.size, proof.proof, head.root)
        signed = verify_note(proof.checkpoint.note, [LOG.public])

        assert not signed or (proof.index, proof.checkpoint.note.text) == (
            read_log_proof(PROOF).index,
            read_note(CHECKPOINT).text,
        )

    assert campaign("test_proofs", make, check, 0.05) > 0


def test_bundles_and_tiles() -> None:
    def make(random: Random) -> tuple[bytes, int]:
        return mutated(random, random.choice((BUNDLE, TILE)), (BUNDLE, TILE)), random.choice((0, 1, 5, 6, 6, 7, 256))

    def check(case: tuple[bytes, int]) -> None:
        data, width = case
        _only_ours(lambda: _tile_survives(data, width))
        entries = read_bundle(data, width, "x")

        assert width == len(entries)
        assert sum(2 + len(entry) for entry in entries) == len(data)

    assert campaign("test_bundles_and_tiles", make, check, 0.02) > 0


def _tile_survives(data: bytes, width: int) -> None:
    assert b"".join(read_tile(data, width, "x")) == data


def test_requests_to_a_witness() -> None:
    logs = {ORIGIN: [LOG.public]}
    old = read_add_checkpoint(REQUEST)
    published = MemoryFiles({path.removeprefix("ledger/"): data for path, data in VALID.items()})
    heads = [TreeHead(size, TileReader(published, 6).root_at(size)) for size in (0, 3, 4, 4, 4, 4, 5, 6)]

    def make(random: Random) -> tuple[bytes, int]:
        return mutated(random, REQUEST, TEXTS), random.randrange(len(heads))

    def check(case: tuple[bytes, int]) -> None:
        data, which = case
        seen = heads[which]
        head = add_checkpoint(read_add_checkpoint(data), logs, {ORIGIN: seen})

        # Only the log's own head is ever cosigned, and never a smaller one than was seen.
        assert old.checkpoint.head == head
        assert head.size >= seen.size

    assert campaign("test_requests_to_a_witness", make, check, 0.05) > 0


def test_key_files() -> None:
    def make(random: Random) -> tuple[bytes, bytes]:
        data = mutated(random, KEY, RECORDS)
        if random.random() < 0.5:
            data = json.dumps(mutated_value(random, json.loads(KEY))).encode()
        return data, random.choice((PASSPHRASE, PASSPHRASE, b"", b"other", bytes(100)))

    def check(case: tuple[bytes, bytes]) -> None:
        data, passphrase = case
        read_key_file(data)
        cost = json.loads(data).get("scrypt_log2_n")
        if isinstance(cost, int) and 11 <= cost <= 20:
            return  # a cost that is allowed and too dear to pay here

        assert LIBRARY == decrypt_key(data, passphrase)

    assert campaign("test_key_files", make, check, 0.04) > 0


def test_signatures_of_others_never_authorise() -> None:
    """Take valid envelopes apart and put their signatures together anew."""
    envelopes = [read_envelope(data) for data in ENVELOPES]
    everyone = [signature for envelope in envelopes for signature in envelope.signatures]

    def make(random: Random) -> Envelope:
        record = random.choice([envelope.claimed for envelope in envelopes] + [next_rules(ROOT.id, name="Other")])
        chosen = {signature.keyid: signature for signature in random.choices(everyone, k=random.randrange(4))}
        if random.random() < 0.2:
            made = Signature(random.choice(everyone).keyid, random.randbytes(64))
            chosen[made.keyid] = made
        return Envelope(record, tuple(chosen[keyid] for keyid in sorted(chosen)))

    valid = {envelope.claimed.id: set(envelope.signatures) for envelope in envelopes}

    def check(envelope: Envelope) -> None:
        verify_authority(envelope, None if envelope.claimed.id == ROOT.id else CURRENT)

        assert set(envelope.signatures) <= valid[envelope.claimed.id]

    assert campaign("test_signatures_of_others_never_authorise", make, check, 0.03) > 0
