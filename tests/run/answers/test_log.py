"""The log of answers: what is appended is there at once, what is batched can be proved, and memory stays flat."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from auzolan.core.record.checkpoint import TreeHead, read_checkpoint, read_log_proof
from auzolan.core.record.errors import MalformedError, MissingError, StorageError, VerificationError
from auzolan.core.record.keystore import PROMISED, Memory
from auzolan.core.record.merkle import leaf_hash, root_of
from auzolan.core.record.note import Note, sign_note
from auzolan.core.record.proof import verify_proof
from auzolan.core.record.published import CHECKPOINT
from auzolan.core.record.tilelog import TileReader
from auzolan.run.answers import log as log_module
from auzolan.run.answers.log import AnswerLog
from auzolan.run.answers.places import Places
from tests.memory_files import MemoryFiles
from tests.run.answers.world import ORIGIN, RUNTIME, STRANGER, answer_log, seal
from tests.town import MemoryGuard


@pytest.fixture
def files() -> MemoryFiles:
    return MemoryFiles()


@pytest.fixture
def log(tmp_path: Path, files: MemoryFiles) -> Iterator[AnswerLog]:
    opened = answer_log(tmp_path, files)
    yield opened
    opened._journal.close()
    opened._places.close()


def test_an_answer_is_there_at_once_and_proved_after_the_batch(log: AnswerLog) -> None:
    log.append(seal(1))
    at_once = log.envelope(seal(1).id)
    with pytest.raises(MissingError, match="next batch"):
        log.proof(seal(1).id)

    head = log.batch()

    assert seal(1).envelope == at_once == log.envelope(seal(1).id)
    logged = verify_proof(log.proof(seal(1).id), ORIGIN, RUNTIME.public)
    assert (0, head, seal(1).envelope) == (logged.position, logged.head, logged.envelope.canonical)


def test_the_tree_is_that_of_rfc_6962_over_the_entries(log: AnswerLog) -> None:
    sizes = (1, 3, 255, 2, 300)
    number = 0
    for size in sizes:
        for _ in range(size):
            log.append(seal(number))
            number += 1
        log.batch()

    expected = [leaf_hash(seal(each).entry) for each in range(sum(sizes))]

    assert TreeHead(sum(sizes), root_of(expected)) == log.head
    for each in (0, 1, 4, 258, 259, 261, 560):
        assert each == verify_proof(log.proof(seal(each).id), ORIGIN, RUNTIME.public).position


def test_a_batch_of_nothing_signs_nothing(log: AnswerLog, files: MemoryFiles) -> None:
    assert 0 == log.batch().size
    assert not files.exists(CHECKPOINT)
    log.append(seal(1))
    log.batch()
    before = files.read(CHECKPOINT)

    log.batch()

    assert before == files.read(CHECKPOINT)


def test_a_proof_can_lead_to_an_earlier_checkpoint(log: AnswerLog) -> None:
    for number in range(300):
        log.append(seal(number))
    log.batch()
    anchored = log.checkpoint
    for number in range(300, 700):
        log.append(seal(number))
    log.batch()

    assert anchored
    proof = read_log_proof(log.proof(seal(299).id, anchored))
    assert anchored == proof.checkpoint
    assert 299 == verify_proof(proof.to_bytes(), ORIGIN, RUNTIME.public).position
    with pytest.raises(MissingError, match="after this checkpoint"):
        log.proof(seal(300).id, anchored)


@pytest.mark.parametrize("defect", ["origin", "key", "root", "size"])
def test_a_proof_leads_to_no_checkpoint_of_others(log: AnswerLog, defect: str) -> None:
    log.append(seal(1))
    log.batch()
    assert log.checkpoint
    text = log.checkpoint.note.text
    if defect == "origin":
        text = text.replace(ORIGIN, "auzolan/other")
    if defect == "root":
        text = text.replace(text.split("\n")[2], "A" * 43 + "=")
    if defect == "size":
        text = text.replace("\n1\n", "\n2\n")
    signer = STRANGER if defect == "key" else RUNTIME
    other = read_checkpoint(Note(text, (sign_note(text, signer),)).to_bytes())

    with pytest.raises(VerificationError):
        log.proof(seal(1).id, other)


@pytest.mark.parametrize("identity", ["", "zz", "A" * 64, "../../etc/passwd"])
def test_an_id_is_64_hexadecimal_digits(log: AnswerLog, identity: str) -> None:
    with pytest.raises(MalformedError):
        log.envelope(identity)


def test_an_unknown_answer_is_missing(log: AnswerLog) -> None:
    log.append(seal(1))
    log.batch()
    for ask in (log.envelope, log.proof):
        with pytest.raises(MissingError):
            ask(seal(2).id)


def test_changed_pages_are_not_given_out(log: AnswerLog, files: MemoryFiles) -> None:
    log.append(seal(1))
    log.append(seal(2))
    log.batch()
    page = files.paths("answers")[0]
    first = len(files.content[page]) // 2
    files.content[page] = files.content[page][first:] + files.content[page][:first]
    for ask in (log.envelope, log.proof):
        with pytest.raises(VerificationError):
            ask(seal(1).id)


def test_a_checkpoint_by_another_key_is_refused_at_the_start(tmp_path: Path, files: MemoryFiles) -> None:
    text = f"{ORIGIN}\n1\n{'A' * 43}=\n"
    files.content[CHECKPOINT] = Note(text, (sign_note(text, STRANGER),)).to_bytes()

    with pytest.raises(VerificationError):
        answer_log(tmp_path, files)


def test_many_at_once_are_logged_in_turns(log: AnswerLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_module, "MAX_BATCH", 10)
    for number in range(35):
        log.append(seal(number))

    assert 35 == log.batch().size
    assert 34 == verify_proof(log.proof(seal(34).id), ORIGIN, RUNTIME.public).position


def test_the_order_within_a_batch_is_drawn_by_chance(tmp_path: Path) -> None:
    orders = []
    for attempt in range(3):
        folder = tmp_path / f"{attempt}"
        opened = AnswerLog.open(folder / "log", RUNTIME, ORIGIN, Memory(folder / "home", PROMISED))
        for number in range(50):
            opened.append(seal(number))
        opened.batch()
        entries = {entry: row for row, entry in enumerate(TileReader(opened._files, 50).entries())}
        orders.append([entries[seal(number).entry] for number in range(50)])
        opened.close()

    assert [sorted(order) for order in orders] == [list(range(50))] * 3
    # Two of 50! orders are the same with a chance of 10^-64.
    assert 4 == len({tuple(order) for order in [*orders, list(range(50))]})


def test_nothing_in_the_folder_keeps_the_order_of_arrival(tmp_path: Path) -> None:
    opened = AnswerLog.open(tmp_path / "log", RUNTIME, ORIGIN, Memory(tmp_path / "home", PROMISED))
    for number in range(50):
        opened.append(seal(number))
    opened.batch()
    page = next((tmp_path / "log" / "answers").iterdir()).read_bytes()
    waiting = [place.stat().st_size for place in (tmp_path / "log" / "journal").iterdir()]
    opened.close()
    arrived = [page.index(seal(number).envelope) for number in range(50)]

    assert sorted(arrived) != arrived
    assert [0] == waiting


def test_only_the_owner_can_read_the_folder(tmp_path: Path) -> None:
    opened = AnswerLog.open(tmp_path / "log", RUNTIME, ORIGIN, Memory(tmp_path / "home", PROMISED))
    opened.append(seal(1))
    opened.batch()
    opened.close()

    assert 0o700 == (tmp_path / "log").stat().st_mode & 0o777


def test_a_damaged_index_is_made_again(tmp_path: Path) -> None:
    guard = Memory(tmp_path / "home", PROMISED)
    opened = AnswerLog.open(tmp_path / "log", RUNTIME, ORIGIN, guard)
    for number in range(5):
        opened.append(seal(number))
    opened.batch()
    opened.close()
    (tmp_path / "log" / "places.db").write_bytes(b"no database" * 1_000)

    opened = AnswerLog.open(tmp_path / "log", RUNTIME, ORIGIN, guard)
    found = opened.envelope(seal(3).id)
    opened.close()

    assert seal(3).envelope == found


def test_an_index_of_another_history_is_made_again(tmp_path: Path, log: AnswerLog, files: MemoryFiles) -> None:
    log.append(seal(1))
    log.batch()
    places = Places(None)
    places.add([(b"x" * 32, 0, 0)], TreeHead(1, b"r" * 32))
    log._places.close()
    log._places = places

    log.batch()

    assert places.find(b"x" * 32) is None
    assert seal(1).envelope == log.envelope(seal(1).id)


def test_a_closed_log_says_so(tmp_path: Path) -> None:
    opened = AnswerLog.open(tmp_path / "log", RUNTIME, ORIGIN, Memory(tmp_path / "home", PROMISED))
    opened.close()

    with pytest.raises(StorageError):
        opened.append(seal(1))
    with pytest.raises(StorageError):
        opened.batch()


def test_answers_come_in_while_another_thread_batches(tmp_path: Path) -> None:
    opened = AnswerLog.open(tmp_path / "log", RUNTIME, ORIGIN, Memory(tmp_path / "home", PROMISED))
    done = threading.Event()
    failed: list[BaseException] = []

    def batches() -> None:
        try:
            while not done.is_set():
                opened.batch()
        except BaseException as error:
            failed.append(error)

    worker = threading.Thread(target=batches)
    worker.start()
    sealed = [seal(number) for number in range(400)]
    for number, each in enumerate(sealed):
        opened.append(each)
        assert sealed[number // 2].envelope == opened.envelope(sealed[number // 2].id)
    done.set()
    worker.join()
    head = opened.batch()
    proofs = [verify_proof(opened.proof(each.id), ORIGIN, RUNTIME.public).position for each in sealed]
    opened.close()

    assert [] == failed
    assert (400, list(range(400))) == (head.size, sorted(proofs))


def test_memory_is_bounded_per_waiting_answer(tmp_path: Path) -> None:
    log = answer_log(tmp_path, guard=MemoryGuard())
    for number in range(200):
        log.append(seal(number))
    names = next(iter(log._journal._names.values()))
    kept = len(names._prefixes) + sum(part.itemsize * len(part) for part in (names._starts, names._lengths))
    log._journal.close()
    log._places.close()

    assert 200 * 28 == kept
