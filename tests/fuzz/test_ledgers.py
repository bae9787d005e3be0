"""Whole published ledgers: damaged files never verify, and what is committed always does."""

from __future__ import annotations

from random import Random
from typing import Any, NamedTuple

from auzolan.core.record.checkpoint import TreeHead, checkpoint_text
from auzolan.core.record.errors import AuzolanError, MissingError
from auzolan.core.record.findings import Expectation, VerifiedLedger
from auzolan.core.record.index import Index
from auzolan.core.record.ledger import Ledger
from auzolan.core.record.note import Note, cosign_note, read_note, sign_note
from auzolan.core.record.record import Record
from auzolan.core.record.trace import Walk
from auzolan.core.record.verify import verify_ledger
from auzolan.core.record.view import LedgerView
from tests.fuzz.campaign import campaign
from tests.fuzz.mutations import SCALARS, mutated, mutated_value
from tests.memory_files import MemoryFiles
from tests.town import CLINIC, LIBRARY, LOG, NOW, ORIGIN, SCHOOL, WITNESS, Town, document, sign
from tests.vectors.make import town

COSIGNED_AT = NOW
AFTER = NOW + 86_400


def wide_town() -> MemoryFiles:
    """Return a ledger of 261 records: two bundles, full and partial tiles on two levels."""
    made = Town()
    made.commit(*[sign(document(f"Document {number}")) for number in range(260)])
    return made.public


def foreign_notes() -> dict[str, bytes]:
    """Return signed notes that are true somewhere else: another log, another history, a newer head."""
    notes = {}
    for name, origin, head in (
        ("another log", "another.example/log", TreeHead(6, bytes(32))),
        ("another history", ORIGIN, TreeHead(5, bytes(32))),
        ("a newer head", ORIGIN, TreeHead(7, bytes(32))),
        ("an empty log", ORIGIN, TreeHead(0, bytes(32))),
    ):
        text = checkpoint_text(origin, head)
        notes[name] = Note(text, (sign_note(text, CLINIC), cosign_note(text, WITNESS, AFTER))).to_bytes()
    return notes


SMALL, WIDE = town().public, wide_town()
FOREIGN = foreign_notes()


class Reading:
    """Files that keep what was read."""

    def __init__(self, files: MemoryFiles) -> None:
        self._files = files
        self.read_paths: set[str] = set()

    def read(self, path: str, limit: int = 2**24) -> bytes:
        data = self._files.read(path, limit)
        self.read_paths.add(path)
        return data

    def digest(self, path: str) -> str:
        digest = self._files.digest(path)
        self.read_paths.add(path)
        return digest


class Damaged(NamedTuple):
    """A ledger with its files changed, and what it was before."""

    base: MemoryFiles
    changes: dict[str, bytes | None]

    def files(self) -> MemoryFiles:
        """Return the changed files."""
        content = {**self.base.content, **self.changes}
        return MemoryFiles({path: data for path, data in content.items() if data is not None})


def damaged(random: Random, base: MemoryFiles) -> Damaged:
    """Damage one to three files: change, cut, empty, delete, swap, copy, or put a note of another log there."""
    paths = sorted(base.content)
    changes: dict[str, bytes | None] = {}
    for _ in range(random.choice((1, 1, 2, 3))):
        one, other = random.choice(paths), random.choice(paths)
        if random.random() < 0.25:
            one = "checkpoint"
        way = random.randrange(9)
        if way <= 2:
            changes[one] = mutated(random, base.content[one], (base.content[other], *FOREIGN.values()))
        elif way == 3:
            changes[one] = None
        elif way == 4:
            changes[one], changes[other] = base.content[other], base.content[one]
        elif way == 5:
            changes[random.choice([one, "cosigned", "tile/0/000", "tile/entries/000"])] = base.content[other]
        elif way == 6:
            changes[random.choice(["cosigned", "cosigned", "checkpoint"])] = random.choice(list(FOREIGN.values()))
        elif way == 7:
            size = random.choice((len(base.content[one]), 32, 8192))
            changes[one] = (base.content[one] + bytes(size))[:size]
        else:
            changes[one] = base.content[one] * 2
    return Damaged(base, changes)


def facts(verified: VerifiedLedger) -> tuple[object, ...]:
    """Return what a verification vouches for."""
    return (
        verified.checkpoint.note.text,
        verified.entries,
        verified.signers,
        verified.positions,
        [(version.at, version.id) for version in verified.chain.versions],
        len(verified.steps),
    )


EXPECTED = {id(base): facts(verify_ledger(base, Expectation(NOW))) for base in (SMALL, WIDE)}


def check_damaged(case: Damaged) -> None:
    """Verify a damaged ledger: refused, or nothing that was read had changed."""
    files = Reading(case.files())
    verified = verify_ledger(files, Expectation(NOW))

    assert EXPECTED[id(case.base)] == facts(verified)
    fresh = verified.newest_cosignature not in (None, COSIGNED_AT)
    assert not (fresh and verified.complete), "only the town's own heads tell how fresh it is"
    for path in files.read_paths - {"checkpoint", "cosigned"}:
        assert case.base.content.get(path) == case.files().content[path], f"{path} was changed, and it verified"
    if verified.complete:
        gone = [path for path, data in case.changes.items() if data is None]
        assert not [path for path in gone if path.startswith(("records/", "blobs/"))], "bytes are missing"


def test_small_ledgers() -> None:
    assert campaign("test_small_ledgers", lambda random: damaged(random, SMALL), check_damaged, 0.15) > 0


def test_wide_ledgers() -> None:
    """Only files of the tree are damaged: what records can suffer, small ledgers suffer faster."""

    def make(random: Random) -> Damaged:
        tree = MemoryFiles({path: data for path, data in WIDE.content.items() if not path.startswith("records/")})
        return Damaged(WIDE, damaged(random, tree).changes)

    assert campaign("test_wide_ledgers", make, check_damaged, 0.08) > 0


def test_readers_of_a_damaged_ledger() -> None:
    """Whoever owns a damaged ledger opens it, proves from it and walks it: refused in words at worst."""

    def check(case: Damaged) -> None:
        files = case.files()
        try:
            view = LedgerView(files, MemoryFiles(), Index(None)).load()
            for row in list(view.index.rows()):
                view.prove(row.id)
        except AuzolanError:
            pass
        verified = verify_ledger(files, Expectation(NOW))
        walk = Walk(files, verified)
        for digest in [*verified.positions, *verified.unavailable]:
            list(walk.forwards(digest))
        for record_id in verified.positions:
            list(walk.backwards(record_id))

    assert campaign("test_readers_of_a_damaged_ledger", lambda random: damaged(random, SMALL), check, 0.08) > 0


# --- committing ------------------------------------------------------------------------------------------------------


class Plan(NamedTuple):
    """Records to be committed to the town, one after another; made when they are committed."""

    seed: int
    length: int


def strange_record(random: Random, made: Town, records: list[Record]) -> Record:
    """Return a record of any kind with any links and blobs, most of them of this town."""
    ids = [record.id for record in records]
    entries = [row.entry for row in made.ledger.index.rows()]
    staged = made.ledger.stage_blob(b"public %d" % random.randrange(3))
    private = made.ledger.keep_private_blob(b"private", random.randbytes(32))
    named = [digest for record in records for digest in record.private_blobs.values()]
    digests = [staged, staged, private, *named[-3:], "00" * 32, *ids[-1:], *entries[-1:]]
    kind = random.choice(("document/v1", "note/v1", "endorsement/v1", "tombstone/v1", "tombstone/v1", "governance/v1"))
    bodies: dict[str, dict[str, Any]] = {
        "document/v1": {"title": "x", "dated_at": "2026-11-20", "text": "x"},
        "endorsement/v1": {"claim": "read", "endorsed_at": "2026-11-20"},
        "tombstone/v1": {"erased": [random.choice(digests)], "reason": "x", "forgotten_at": "2026-11-20"},
        "governance/v1": dict(made.ledger.chain.current.rules.body),
    }
    body = bodies.get(kind, {"number": random.randrange(5)})
    body["salt"] = random.randrange(20)
    if random.random() < 0.4:
        body = mutated_value(random, body, (*SCALARS, *digests))
    names = ("about", "affects.1", "affects.2", "endorses", "supersedes")
    links = {name: random.choice(ids + entries[-1:] + ["00" * 32]) for name in names if random.random() < 0.2}
    if random.random() < 0.9:
        links["commons"] = ids[0]
    if kind == "governance/v1" and random.random() < 0.8:
        links = {"supersedes": made.ledger.chain.current.id}
    blobs = {name: random.choice(digests) for name in ("file", "private.x", "private.y") if random.random() < 0.3}
    return Record(kind, body, links, blobs)


def check_plan(plan: Plan) -> None:
    """Commit strange records: each is refused whole, or the ledger verifies afterwards."""
    random = Random(plan.seed)
    made = Town()
    records = [made.root]
    n_committed = 0
    for _ in range(plan.length):
        before = made.public.copy()
        try:
            batch = [strange_record(random, made, records) for _ in range(random.choice((1, 1, 2)))]
            signers = random.choice(((LIBRARY, SCHOOL), (LIBRARY, SCHOOL), (SCHOOL,)))
            made.commit(*[sign(record, *signers) for record in batch])
        except AuzolanError:
            assert before.content == made.public.content, "what is refused leaves no trace"
            continue
        records += batch
        n_committed += 1
        verified = verify_or_explain(made, batch)

        assert made.ledger.head.size == len(verified.entries)
        assert {record.id for record in records} == set(verified.positions)
    if not n_committed:
        raise MissingError("nothing was committed")


def verify_or_explain(made: Town, batch: list[Record]) -> VerifiedLedger:
    """Verify, as its owner and as a stranger; a refusal here is the bug that the test looks for."""
    try:
        verify_ledger(made.public, Expectation(NOW, private=made.private))
        Ledger(made.public, made.private, Index(None)).load()
        return verify_ledger(made.public, Expectation(NOW))
    except AuzolanError as error:
        raise AssertionError(f"committed, and then: {error}; last committed: {batch!r:.2000}") from error


def test_what_is_committed_verifies() -> None:
    campaign(
        "test_what_is_committed_verifies",
        lambda random: Plan(random.randrange(2**32), random.randrange(1, 12)),
        check_plan,
        0.14,
    )


def test_the_undamaged_ledgers_verify() -> None:
    for base in (SMALL, WIDE):
        check_damaged(Damaged(base, {}))

    assert read_note(SMALL.content["checkpoint"]).signatures
    assert LOG.public == Town().ledger.chain.current.rules.log_key
