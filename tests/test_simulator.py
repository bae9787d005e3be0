"""A thousand towns in which everything fails, and proof that the checks on them can fail too."""

from __future__ import annotations

from collections import Counter

import pytest

from auzolan.core.record.checkpoint import TreeHead
from auzolan.core.record.errors import StorageError
from auzolan.core.record.findings import Expectation, Status
from auzolan.core.record.merkle import leaf_hash, root_of
from auzolan.core.record.note import cosign_note
from auzolan.core.record.published import CHECKPOINT, COSIGNED
from auzolan.core.record.record import Record
from auzolan.core.record.verify import verify_ledger
from tests.faulty_files import PUBLIC, Crash, Fault, Faults, FaultyFiles, FaultyGuard
from tests.simulator import Checker, run
from tests.town import NOW, ORIGIN, WITNESS, Town, document, root_record, sign

N_SEEDS, N_ALWAYS, AT_ONCE = 1000, 400, 50  # all of them by `make test-all`
MUST_HAPPEN = {
    "commits",
    "refused records",
    "crashes",
    "power cuts",
    "errors of disk or key",
    "rollbacks of the log",
    "refused stale commits",
    "restored copies",
    "rollbacks of copies",
    "half copies",
    "copies",
    "readings",
    "blobs",
    "new rules",
    "new log keys",
    "cosignatures",
    "late cosignatures",
    "late requests to witnesses",
    "partitions",
    "held up messages",
    "duplicates",
    "lost messages",
}


@pytest.mark.parametrize(
    "first",
    [pytest.param(n, marks=[pytest.mark.slow] if n >= N_ALWAYS else []) for n in range(0, N_SEEDS, AT_ONCE)],
)
def test_no_history_forks_and_nothing_committed_is_lost(first: int) -> None:
    outcomes = [run(seed) for seed in range(first, first + AT_ONCE)]
    events = sum((outcome.events for outcome in outcomes), Counter[str]())

    assert {} == {outcome.seed: outcome.broken for outcome in outcomes if outcome.broken}
    assert set() == MUST_HAPPEN - set(events)


def test_a_seed_decides_everything() -> None:
    assert run(7) == run(7)
    assert run(7).events != run(8).events


def test_a_log_whose_promises_go_back_with_its_disk_forks_and_witnesses_and_readers_refuse_it() -> None:
    outcomes = [run(seed, promises_are_lost=True) for seed in range(100)]
    events = sum((outcome.events for outcome in outcomes), Counter[str]())
    forked = [outcome for outcome in outcomes if any("signed two inconsistent" in text for text in outcome.broken)]
    fooled = [text for outcome in outcomes for text in outcome.broken if "accepted" in text]

    assert len(forked) > 10
    assert events["a witness refused a fork"] > 10
    assert events["a reader refused a ledger"] > 0
    assert [] == fooled


def _head(*entries: bytes) -> TreeHead:
    return TreeHead(len(entries), root_of([leaf_hash(entry) for entry in entries]))


@pytest.mark.parametrize(
    ("first", "second", "n_broken"),
    [
        ([b"a"], [b"a", b"b"], 0),
        ([b"a", b"b"], [b"a"], 0),
        ([b"a", b"b"], [b"a", b"b"], 0),
        ([b"a"], [b"b"], 1),
        ([b"a", b"b"], [b"b", b"a", b"c"], 1),
        ([b"b", b"a", b"c"], [b"a", b"b"], 1),
    ],
)
def test_the_checker_compares_every_two_heads(first: list[bytes], second: list[bytes], n_broken: int) -> None:
    checker = Checker()
    checker.sign(_head(*first), first)
    checker.sign(_head(*second), second)
    signed = len(checker.broken)
    checker.accept("someone", _head(*first))
    checker.accept("someone", _head(*second))
    checker.accept("someone else", _head(*second))

    assert (n_broken, 2 * n_broken) == (signed, len(checker.broken))


def test_the_checker_sees_what_nobody_signed_what_moved_and_what_tiles_do_not_give() -> None:
    checker = Checker()
    checker.accept("someone", _head(b"a"))
    checker.commit("f" * 64, 1)
    checker.commit("f" * 64, 1)
    checker.commit("f" * 64, 2)
    checker.sign(_head(b"a"), [b"b"])

    assert [
        "someone accepted size 1, which was not signed",
        "record ffffffff moved from 1 to 2",
        "signed size 1, whose root the tiles do not give",
    ] == checker.broken


def test_the_checker_misses_a_record_that_is_gone() -> None:
    town = Town()
    result = verify_ledger(town.public, Expectation(NOW))
    checker = Checker()
    checker.commit("f" * 64, 1)
    checker.finish(result)

    assert ["record ffffffff was committed at 1, stands at None"] == checker.broken


# What the faulty files do.


@pytest.mark.parametrize("dies", [True, False])
def test_an_interrupted_write_is_seen_until_the_power_is_cut(dies: bool) -> None:
    faults = Faults()
    files = FaultyFiles(faults, PUBLIC, {"a": b"old"})
    faults.arm(Fault(1, frozenset({"a", "b"}), dies))
    files.write_all({"d": b"finished"})
    with pytest.raises(Crash if dies else StorageError):
        files.write_all({"a": b"new", "b": b"new", "c": b"new"})

    assert {"a": b"new", "b": b"new", "d": b"finished"} == files.content

    files.cut_power(lambda path: path == "a")

    assert {"a": b"old", "b": b"new", "d": b"finished"} == files.content


def test_an_interrupted_removal_is_undone_when_the_power_is_cut_and_a_finished_one_is_not() -> None:
    faults = Faults()
    files = FaultyFiles(faults, PUBLIC, {"a": b"", "b": b"", "c": b""})
    faults.arm(Fault(0, frozenset({"a", "b"}), dies=True))
    with pytest.raises(Crash):
        files.remove_all(["a", "b", "c"])

    assert {"c"} == set(files.content)

    files.remove_all(["b"])
    files.cut_power()

    assert {"a", "c"} == set(files.content)


def test_an_interrupted_promise_is_gone_when_the_power_is_cut_and_a_repeated_one_is_not() -> None:
    for repeated in (False, True):
        faults = Faults()
        guard = FaultyGuard(faults)
        faults.arm(Fault(0, frozenset({"promise"}), dies=True))
        with pytest.raises(Crash):
            guard.promise(ORIGIN, _head(b"a"))
        if repeated:
            guard.promise(ORIGIN, _head(b"a"))
        guard.cut_power()

        assert (_head(b"a") if repeated else None) == guard.last(ORIGIN)


# Half of a copy.


def _cosign(town: Town) -> None:
    assert town.ledger.checkpoint is not None
    town.ledger.add_cosignature(cosign_note(town.ledger.checkpoint.note.text, WITNESS, NOW))


def test_a_copy_whose_cosigned_head_is_ahead_of_its_checkpoint_is_stale_and_not_forged() -> None:
    town = Town(root_record(witnesses={"keys": [str(WITNESS.witness_public)], "quorum": 1}))
    _cosign(town)
    copy = town.public.copy()
    town.commit(sign(document("One", commons=town.root.id)))
    _cosign(town)
    town.commit(sign(document("Two", commons=town.root.id)))
    copy.write_all({path: data for path, data in town.public.content.items() if path != CHECKPOINT})
    result = verify_ledger(copy, Expectation(NOW, town.root.id))

    assert copy.exists(COSIGNED)
    assert 1 == result.checkpoint.head.size
    assert Status.NOT_CHECKED is result.steps[10].status
    assert "stale" in result.steps[10].finding


def test_half_of_a_copy_in_the_order_of_the_simulator_is_the_old_ledger() -> None:
    town = Town()
    copy = town.public.copy()
    blob = town.ledger.stage_blob(b"a photo")
    photo = Record("document/v1", document("Photo").body, {"commons": town.root.id}, {"photo": blob})
    town.commit(sign(photo), sign(document("Minutes")))
    new = {path: data for path, data in town.public.content.items() if copy.content.get(path) != data}
    order = [*sorted((p for p in new if "/" in p), key=lambda p: (p.startswith("tile/"), p)), CHECKPOINT]

    assert set(order) == set(new)
    for path in order:
        assert [1] == [verify_ledger(copy, Expectation(NOW, town.root.id)).checkpoint.head.size]
        copy.write_all({path: new[path]})
    result = verify_ledger(copy, Expectation(NOW, town.root.id))

    assert 3 == result.checkpoint.head.size
    assert result.unavailable == {}
