"""A commit that is interrupted anywhere, by errors, by death, by old copies of the disk.

After any of these the published checkpoint is the old or the new one, no two
signed checkpoints are inconsistent, and nothing committed is lost.
Real disks and real processes: `test_disk`.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from auzolan.core.kinds import read_kind
from auzolan.core.record.checkpoint import TreeHead
from auzolan.core.record.envelope import Envelope
from auzolan.core.record.errors import StaleError, StorageError, UsageError, VerificationError
from auzolan.core.record.findings import Expectation, VerifiedLedger
from auzolan.core.record.index import Index
from auzolan.core.record.keys import PublicKey, SigningKey
from auzolan.core.record.ledger import Committed, Ledger
from auzolan.core.record.merkle import EMPTY_ROOT
from auzolan.core.record.note import cosign_note
from auzolan.core.record.published import CHECKPOINT, blob_path
from auzolan.core.record.record import Record
from auzolan.core.record.tombstone import TOMBSTONE_KIND, erased_by, tombstone
from auzolan.core.record.verify import verify_ledger
from tests.faulty_files import PUBLIC, Crash, Fault, Machine, Operation, contradictions, every_fault
from tests.town import LOG, NOW, ORIGIN, WITNESS, MemoryGuard, Town, document, key, next_rules, root_record, sign

NEXT_LOG = key("town-log-2")
EMPTY = TreeHead(0, EMPTY_ROOT)
SALT = b"\x07" * 32


class Situation(NamedTuple):
    """A machine, what is to be committed on it next, and a record that may come between."""

    machine: Machine
    root: Record
    envelopes: list[Envelope]
    other: Envelope | None
    cosigned_at: int | None = None


def _town(root: Record, *earlier: Envelope) -> Machine:
    machine = Machine(LOG, NEXT_LOG)
    machine.commit(machine.open(), sign(root), *earlier)
    return machine


def _first_commit() -> Situation:
    return Situation(Machine(LOG), root_record(), [sign(root_record())], None)


def _one_record() -> Situation:
    root = root_record()
    return Situation(_town(root), root, [sign(document("Minutes"))], sign(document("Other")))


def _batch() -> Situation:
    first = document("Minutes")
    second = document("Reply", about=first.id)
    third = document("Reply to the reply", about=second.id)
    root = root_record()
    machine = _town(root, sign(document("Earlier")))
    return Situation(machine, root, [sign(first), sign(second), sign(third)], sign(document("Other")))


def _blobs() -> Situation:
    root = root_record()
    machine = _town(root)
    ledger = machine.open()
    blobs = {"photo": ledger.stage_blob(b"a photo"), "private.list": ledger.keep_private_blob(b"names", SALT)}
    record = Record("document/v1", document("Meeting").body, {"commons": root.id}, blobs)
    return Situation(machine, root, [sign(record)], sign(document("Other")))


def _tombstone() -> Situation:
    root = root_record()
    machine = _town(root)
    ledger = machine.open()
    digest = ledger.keep_private_blob(b"names", SALT)
    record = Record("document/v1", document("Meeting").body, {"commons": root.id}, {"private.list": digest})
    machine.commit(ledger, sign(record))
    erasure = tombstone([digest], [record.id], "asked to be forgotten", "2026-11-20")
    return Situation(machine, root, [sign(erasure)], sign(document("Other")))


def _cosigned() -> Situation:
    root = root_record(witnesses={"keys": [str(WITNESS.witness_public)], "quorum": 1})
    machine = _town(root)
    ledger = machine.open()
    assert ledger.checkpoint is not None
    ledger.add_cosignature(cosign_note(ledger.checkpoint.note.text, WITNESS, NOW))
    minutes, other = (document(title, commons=root.id) for title in ("Minutes", "Other"))
    return Situation(machine, root, [sign(minutes)], sign(other), cosigned_at=NOW)


def _new_log_key() -> Situation:
    root = root_record()
    change = next_rules(root.id, log={"origin": ORIGIN, "key": str(NEXT_LOG.public)})
    return Situation(_town(root), root, [sign(change)], sign(document("Other")))


def _new_log_key_within_a_batch() -> Situation:
    root = root_record()
    change = next_rules(root.id, log={"origin": ORIGIN, "key": str(NEXT_LOG.public)})
    envelopes = [sign(document("Before")), sign(change), sign(document("After"))]
    return Situation(_town(root), root, envelopes, sign(document("Other")))


SITUATIONS: dict[str, Callable[[], Situation]] = {
    "first commit": _first_commit,
    "one record": _one_record,
    "batch": _batch,
    "blobs": _blobs,
    "tombstone": _tombstone,
    "cosigned": _cosigned,
    "new log key": _new_log_key,
    "new log key within a batch": _new_log_key_within_a_batch,
}


@pytest.fixture(params=SITUATIONS)
def situation(request: pytest.FixtureRequest) -> Situation:
    return SITUATIONS[request.param]()


def _verified(machine: Machine, root: Record, private: bool = False) -> VerifiedLedger:
    expect = Expectation(NOW, root.id, private=machine.private if private else None)
    return verify_ledger(machine.public, expect)


def _published(machine: Machine, root: Record) -> TreeHead:
    """Return the head that anyone may read now, verified."""
    if not machine.public.exists(CHECKPOINT):
        return EMPTY
    return _verified(machine, root).checkpoint.head


def _rehearse(situation: Situation) -> tuple[Machine, TreeHead, TreeHead]:
    """Commit on a copy without a fault; return it and the heads before and after."""
    machine = situation.machine.copy()
    ledger = machine.open()
    before = ledger.head
    machine.faults.arm(None)
    machine.commit(ledger, *situation.envelopes)
    return machine, before, ledger.head


@contextmanager
def _told(*facts: object) -> Iterator[None]:
    """Add the facts to whatever fails inside."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"with {', '.join(map(str, facts))}")
        raise


def _interrupt(machine: Machine, ledger: Ledger, envelopes: list[Envelope], fault: Fault) -> None:
    """Commit into the fault."""
    machine.faults.arm(fault)
    with pytest.raises((Crash, StorageError, UsageError), match=r"on purpose|^at "):
        machine.commit(ledger, *envelopes)


def _go_on(machine: Machine, ledger: Ledger, situation: Situation, between: bool) -> dict[str, int]:
    """Commit again, if `between` only after another record, then one more; return where all stand."""
    places: dict[str, int] = {}
    first = [situation.other] if between and situation.other else []
    for batch in (first, situation.envelopes, [sign(document("One more", commons=situation.root.id))]):
        places |= {item.id: item.position for item in machine.commit(ledger, *batch)}
    return places


def _check_end(machine: Machine, situation: Situation, places: dict[str, int]) -> None:
    """Check that all is there once, that blobs are as records say, and that all heads ever signed agree."""
    result = _verified(machine, situation.root, private=True)
    erased = {digest for envelope in situation.envelopes for digest in _erased(envelope)}

    assert places == {id_: result.positions.get(id_) for id_ in places}
    assert len(set(result.entries)) == len(result.entries) == max(places.values()) + 1
    assert dict.fromkeys(erased, "erased") == result.unavailable
    assert [] == contradictions(machine.heads(), result.entries)
    assert situation.cosigned_at == result.newest_cosignature


def _erased(envelope: Envelope) -> list[str]:
    return erased_by(envelope.claimed) if envelope.claimed.kind == TOMBSTONE_KIND else []


@pytest.mark.parametrize("between", [False, True], ids=["same record next", "another record next"])
@pytest.mark.parametrize("dies", [True, False], ids=["process dies", "error"])
def test_a_fault_at_any_write_leaves_the_old_or_the_new_checkpoint(
    situation: Situation, dies: bool, between: bool
) -> None:
    rehearsed, before, after = _rehearse(situation)
    for fault in every_fault(rehearsed.faults.operations, dies):
        with _told(fault, rehearsed.faults.operations[fault.at]):
            machine = situation.machine.copy()
            ledger = machine.open()
            _interrupt(machine, ledger, situation.envelopes, fault)

            published = _published(machine, situation.root)
            still_here = [machine.private.exists(blob_path(d)) for e in situation.envelopes for d in _erased(e)]

            assert published in (before, after)
            assert all(still_here) or published == after, "erased before the tombstone was committed"
            places = _go_on(machine, machine.open() if dies else ledger, situation, between)
            _check_end(machine, situation, places)


@pytest.mark.parametrize("again", ["later", "at once"])
def test_what_was_committed_after_a_fault_outlasts_a_power_cut(situation: Situation, again: str) -> None:
    rehearsed, _, _ = _rehearse(situation)
    for fault in every_fault(rehearsed.faults.operations, dies=True):
        with _told(fault, rehearsed.faults.operations[fault.at]):
            machine = situation.machine.copy()
            _interrupt(machine, machine.open(), situation.envelopes, fault)
            if again == "at once":
                machine.cut_power()
            places = _go_on(machine, machine.open(), situation, between=False)
            machine.cut_power()

            _check_end(machine, situation, places)


def _deaths(operations: Sequence[Operation]) -> Iterator[Fault]:
    """Yield the process dying before and after each operation."""
    for at, operation in enumerate(operations):
        for reached in sorted({(), operation.items}):
            yield Fault(at, frozenset(reached), dies=True)


def _dies(situation: Situation, *faults: Fault) -> Machine:
    """Return a machine on which the process died at the faults, in the commit and then in its recovery."""
    machine = situation.machine.copy()
    for fault in faults:
        machine.faults.arm(fault)
        with pytest.raises(Crash):
            machine.commit(machine.open(), *situation.envelopes)
    return machine


@pytest.mark.parametrize("power", [True, False], ids=["power cut", "process dies"])
@pytest.mark.parametrize("name", ["one record", "blobs", "tombstone", "new log key"])
def test_a_second_fault_during_recovery_is_as_harmless(name: str, power: bool) -> None:
    situation = SITUATIONS[name]()
    pairs = 0
    for first in _deaths(_rehearse(situation)[0].faults.operations):
        recovering = _dies(situation, first)
        recovering.faults.arm(None)
        recovering.commit(recovering.open(), *situation.envelopes)
        for second in _deaths(recovering.faults.operations):
            with _told(first, second):
                machine = _dies(situation, first, second)
                if power:
                    machine.cut_power()
                places = _go_on(machine, machine.open(), situation, between=True)
                _check_end(machine, situation, places)
                pairs += 1

    assert pairs > 100


# The tile boundary: 254 entries, made once.


@pytest.fixture(scope="module")
def nearly_full(tmp_path_factory: pytest.TempPathFactory) -> tuple[Situation, Path]:
    """A log of 254 entries, whose next commit fills one tile and begins another, and its index."""
    root = root_record()
    path = tmp_path_factory.mktemp("nearly-full") / "index.sqlite"
    machine = Machine(LOG)
    index = Index(path)
    machine.commit(machine.open(index), sign(root), *(sign(document(f"Entry {n}")) for n in range(1, 254)))
    index.close()
    batch = [sign(document(title)) for title in ("Fills", "the tile", "and more")]
    return Situation(machine, root, batch, sign(document("Other"))), path


@pytest.mark.parametrize("between", [False, True], ids=["same records next", "another record next"])
def test_a_fault_while_a_tile_fills_up_is_harmless(
    nearly_full: tuple[Situation, Path], between: bool, tmp_path: Path
) -> None:
    situation, index = nearly_full
    rehearsed, before, after = _rehearse(situation)
    written = [o for o in rehearsed.faults.operations if o.where == PUBLIC]

    assert (254, 257) == (before.size, after.size)
    assert [3, 5, 1] == [len(o.items) for o in written if o.what == "write"]
    assert ["tile/0/000.p/254", "tile/entries/000.p/254"] == sorted(written[-1].items + written[-2].items)
    for number, fault in enumerate(every_fault(rehearsed.faults.operations, dies=True)):
        with _told(fault, rehearsed.faults.operations[fault.at]):
            machine = situation.machine.copy()
            at_hand = Index(Path(shutil.copy(index, tmp_path / f"{number}.sqlite")))
            _interrupt(machine, machine.open(at_hand), situation.envelopes, fault)
            published = Ledger(machine.public, machine.private, at_hand).load().head

            assert published in (before, after)
            places = _go_on(machine, machine.open(at_hand), situation, between)
            _check_end(machine, situation, places)
            at_hand.close()


# The index, which is derived and may fail too.


def test_an_index_of_a_ledger_that_is_gone_commits_nothing_in_its_place() -> None:
    town = Town()
    town.public.content.clear()
    ledger = Ledger(town.public, town.private, town.ledger.index, read_kind).load()
    [result] = ledger.commit([sign(town.root)], town.open_key, MemoryGuard())

    assert Committed(0, town.root.id, fresh=True) == result
    assert {town.root.id: 0} == verify_ledger(town.public, Expectation(NOW)).positions


# Old copies of the disk.


def _snapshots(titles: list[str]) -> tuple[Machine, Record, list[dict[str, bytes]]]:
    """Commit the titles one by one; return the public files as they were after every operation."""
    root = root_record()
    machine = _town(root)
    ledger = machine.open()
    copies: list[dict[str, bytes]] = []

    def keep(_number: int, _operation: Operation) -> None:
        copies.append(dict(machine.public.content))

    machine.faults.arm_choice(keep)
    for title in titles:
        machine.commit(ledger, sign(document(title)))
    machine.faults.arm(None)
    return machine, root, copies


def test_an_old_disk_refuses_to_sign_until_a_newer_copy_is_back() -> None:
    machine, root, copies = _snapshots(["One", "Two", "Three"])
    newest, signed = dict(machine.public.content), list(machine.signed)
    machine.public.restore(copies[0])
    ledger = machine.open()
    with pytest.raises(StaleError, match="has 1 entries, but 4 were signed"):
        machine.commit(ledger, sign(document("On the old disk")))

    assert signed == machine.signed
    assert copies[0] == machine.public.content

    machine.public.restore(newest)
    [result] = machine.commit(machine.open(), sign(document("On the newer copy")))
    entries = _verified(machine, root).entries

    assert 4 == result.position
    assert [] == contradictions(machine.heads(), entries)


def test_no_moment_of_the_past_makes_a_disk_sign_another_history() -> None:
    machine, root, copies = _snapshots(["One", "Two", "Three"])
    newest, promised = dict(machine.public.content), machine.guard.heads[ORIGIN]
    refused = 0
    for number, copy in enumerate(copies):
        with _told(number):
            machine.public.restore(copy)
            signed = len(machine.signed)
            try:
                machine.commit(machine.open(), sign(document("On an old disk")))
            except StaleError:
                refused += 1

                assert len(machine.signed) == signed
            else:
                assert promised == machine.signed[signed], "the first thing to be signed is what was promised"
                assert [] == contradictions(machine.heads(), _verified(machine, root).entries)
                break
    # Where the tiles of the last commit were written already, the promise can be kept from them.

    assert len(copies) > refused > 2 * len(copies) // 3
    machine.public.restore(newest)

    assert [] == contradictions(machine.signed[:4], _verified(machine, root).entries)


def test_another_history_of_the_same_size_is_refused() -> None:
    machine, _, _ = _snapshots(["One"])
    other, _, _ = _snapshots(["Another one"])
    machine.public.restore(other.public.content)
    with pytest.raises(VerificationError, match="another history"):
        machine.commit(machine.open(), sign(document("Two")))

    assert 2 == len(machine.signed)


def test_new_rules_cannot_leave_behind_what_was_promised_under_the_old_origin() -> None:
    situation = _one_record()
    machine, root = situation.machine, situation.root
    change = sign(next_rules(root.id, log={"origin": "auzolan/town-00000002", "key": str(LOG.public)}))
    with pytest.raises(VerificationError, match="for ever"):
        machine.commit(machine.open(), change)

    assert 1 == len(machine.signed)


def test_two_copies_of_a_commons_on_one_machine_cannot_both_promise() -> None:
    machine, _, _ = _snapshots(["One"])
    twin = machine.copy()
    first, second = machine.open(), twin.open()

    def meanwhile(public: PublicKey) -> SigningKey:
        second.commit([sign(document("In the copy"))], twin.open_key, machine.guard)
        return machine.open_key(public)

    with pytest.raises((StaleError, VerificationError)):
        first.commit([sign(document("Here"))], meanwhile, machine.guard)

    assert [3] == [head.size for head in twin.signed[2:]]
    assert [] == machine.signed[2:]


def test_a_key_that_is_not_the_log_key_signs_nothing() -> None:
    situation = _one_record()
    machine = situation.machine
    before = dict(machine.public.content)
    with pytest.raises(UsageError, match="the log key in force is"):
        machine.open().commit(situation.envelopes, lambda _: NEXT_LOG, machine.guard)

    assert before == machine.public.content
