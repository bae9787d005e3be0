"""Every attack on a published ledger is noticed, by the step that is there for it, in words that name it.

The folders in tests/attacks are read as a citizen's machine would read them:
from the disk, with the pin, the memory and the clock of attack.toml. Attacks
that cannot be stored in a repository (links, large files) follow below.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from auzolan.core.kinds import read_kind
from auzolan.core.record.checkpoint import TreeHead, bundle_path, tile_path
from auzolan.core.record.disk import DiskFiles
from auzolan.core.record.envelope import MAX_SIGNATURES, read_envelope
from auzolan.core.record.errors import AuzolanError, MalformedError, NotCheckedError, VerificationError
from auzolan.core.record.files import MAX_READ_BYTES
from auzolan.core.record.findings import STEPS, Expectation, Status, Step
from auzolan.core.record.index import Index
from auzolan.core.record.ledger import Ledger
from auzolan.core.record.published import CHECKPOINT, blob_path, record_path
from auzolan.core.record.record import statement_bytes
from auzolan.core.record.tilelog import TileReader
from auzolan.core.record.verify import verify_ledger
from tests.attacks.build import CONTROL, DESCRIPTION, LEDGER, SUFFIXES, build
from tests.attacks.forge import (
    ATTACKS,
    ATTENDANCE,
    ATTENDANCE_DIGEST,
    MINUTES,
    SCAN,
    SCAN_DIGEST,
    Attack,
    Forged,
    Operator,
    flip,
    held,
    opening,
    seal,
    story,
    town_root,
)
from tests.memory_files import MemoryFiles
from tests.town import LOG, SCHOOL, MemoryGuard, document, key, sign

HERE = Path(__file__).parent / "attacks"
FOLDERS = sorted(path for path in HERE.iterdir() if path.is_dir() and path.name.endswith(SUFFIXES))


@dataclass(frozen=True)
class Outcome:
    """How a verification ended."""

    error: AuzolanError | None
    complete: bool
    steps: tuple[Step, ...]

    @property
    def exit_code(self) -> int:
        return self.error.exit_code if self.error else 0 if self.complete else 3

    def noticed(self) -> list[Step]:
        """Return the steps that did not hold."""
        return [step for step in self.steps if step.status in (Status.FAILED, Status.NOT_CHECKED)]


def outcome(files: DiskFiles | MemoryFiles, expect: Expectation) -> Outcome:
    steps: list[Step] = []
    try:
        verified = verify_ledger(files, expect, steps.append)
    except AuzolanError as error:
        return Outcome(error, False, tuple(steps))
    return Outcome(None, verified.complete, tuple(steps))


def outcome_in_memory(forged: Forged, private: MemoryFiles | None = None) -> Outcome:
    return outcome(MemoryFiles(forged.files), Expectation(forged.now, forged.root, forged.seen, private))


def described(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / DESCRIPTION).read_text("utf-8"))


def verified_from_disk(folder: Path) -> Outcome:
    said = described(folder)
    seen = TreeHead(said["seen"]["size"], bytes.fromhex(said["seen"]["root"])) if "seen" in said else None
    return outcome(DiskFiles(folder / LEDGER), Expectation(said["now"], said.get("root"), seen))


def folders(suffix: str) -> list[Any]:
    return [pytest.param(folder, id=folder.name) for folder in FOLDERS if folder.name.endswith(suffix)]


@pytest.mark.parametrize("folder", folders("_fail"))
def test_attack_fails_at_its_step_and_is_named(folder: Path) -> None:
    said = described(folder)

    found = verified_from_disk(folder)

    assert isinstance(found.error, VerificationError | MalformedError), "the attack verifies"
    assert (1, 1) == (said["exit"], found.exit_code)
    assert f"step {said['step']} ({STEPS[said['step'] - 1]}): " in str(found.error)
    assert said["says"] in str(found.error)
    assert [(said["step"], Status.FAILED)] == [(step.number, step.status) for step in found.noticed()]


@pytest.mark.parametrize("folder", folders("_unchecked"))
def test_what_cannot_be_checked_neither_passes_nor_fails(folder: Path) -> None:
    said = described(folder)

    found = verified_from_disk(folder)

    assert found.error is None or isinstance(found.error, NotCheckedError)
    assert (3, 3) == (said["exit"], found.exit_code)
    assert [(said["step"], Status.NOT_CHECKED)] == [(step.number, step.status) for step in found.noticed()]
    assert said["says"] in found.noticed()[0].finding


def test_honest_town_verifies() -> None:
    found = verified_from_disk(HERE / CONTROL.name)

    assert found.error is None
    assert (0, True) == (found.exit_code, found.complete)
    assert list(range(1, len(STEPS) + 1)) == [step.number for step in found.steps]
    assert {Status.PASSED} == {step.status for step in found.steps}


def test_every_step_has_an_attack_that_fails() -> None:
    steps = {described(folder)["step"] for folder in FOLDERS if folder.name.endswith("_fail")}

    assert set(range(1, len(STEPS) + 1)) == steps


def test_every_folder_is_made_again_byte_for_byte(tmp_path: Path) -> None:
    def content(root: Path) -> dict[str, bytes]:
        paths = (path for folder in root.iterdir() if folder.name.endswith(SUFFIXES) for path in folder.rglob("*"))
        return {str(path.relative_to(root)): path.read_bytes() for path in paths if path.is_file()}

    build(tmp_path)

    assert content(HERE) == content(tmp_path)


def test_defects_are_told_once_and_in_one_plain_sentence() -> None:
    told = [attack.defect for attack in ATTACKS]

    assert sorted(set(told)) == sorted(told)
    assert [] == [text for text in told if not text.isprintable() or not text.endswith(".") or len(text) > 120]


def test_control_and_attacks_have_different_names() -> None:
    names = [attack.name for attack in (CONTROL, *ATTACKS)]

    assert sorted(set(names)) == sorted(names) == [folder.name for folder in FOLDERS]


# What a repository cannot hold


def disk_copy(forged: Forged, root: Path) -> DiskFiles:
    files = DiskFiles(root / LEDGER, root / "tmp")
    files.write_all(forged.files)
    return files


@pytest.mark.parametrize(
    ("path", "step"),
    [
        ("checkpoint", 1),
        (tile_path(0, 0, 5), 2),
        (bundle_path(0, 5), 2),
        (record_path(sign(MINUTES).entry.hex()), 3),
        (blob_path(SCAN_DIGEST), 9),
    ],
)
def test_symbolic_link_to_the_right_bytes_fails(path: str, step: int, tmp_path: Path) -> None:
    """A link could point at a file of the verifier's own machine, or at another one tomorrow."""
    forged = story().publish()
    files = disk_copy(forged, tmp_path)
    place = tmp_path / LEDGER / path
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")

    found = outcome(files, Expectation(forged.now, forged.root))

    assert 1 == found.exit_code
    assert f"step {step} " in str(found.error)
    assert "is a symbolic link" in str(found.error)


@pytest.mark.parametrize("put", [Path.mkdir, os.mkfifo], ids=["folder", "pipe"])
def test_what_is_no_plain_file_is_not_read(put: Callable[[Path], None], tmp_path: Path) -> None:
    """A pipe that is held open would keep the verifier waiting for ever."""
    forged = story().publish()
    files = disk_copy(forged, tmp_path)
    place = tmp_path / LEDGER / record_path(sign(MINUTES).entry.hex())
    place.unlink()
    put(place)
    writer = os.open(place, os.O_RDWR) if place.is_fifo() else os.open(place, os.O_RDONLY)

    found = outcome(files, Expectation(forged.now, forged.root))
    os.close(writer)

    assert 3 == found.exit_code
    assert "step 3 (Records): entry 1: " in str(found.error)
    assert "it is no plain file" in str(found.error)


@pytest.mark.parametrize("number", [0, 256])
def test_flipped_upper_tile_fails(number: int) -> None:
    """The tree's upper levels are re-derived too; what the entries name is looked at only afterwards."""
    operator = Operator()
    operator.entries = [sha256(b"%d" % each).digest() for each in range(256 * 257 + 3)]
    path = tile_path(1, number // 256, 256 if number < 256 else 1)
    forged = operator.publish().edit(path, lambda data: flip(data, number % 256 * 32))

    found = outcome_in_memory(forged)

    assert (1, f"step 2 (Tree): {path}: hash {number % 256} is not what the entries give") == (
        found.exit_code,
        str(found.error),
    )


def test_record_larger_than_is_read_fails() -> None:
    large = seal(b" " * MAX_READ_BYTES)

    found = outcome_in_memory(opening().log(large).publish())

    assert 1 == found.exit_code
    assert "step 3 (Records): entry 3: " in str(found.error)
    assert "larger than" in str(found.error)


def test_record_with_more_signatures_than_are_read_fails() -> None:
    """All of them fit, by keys that the rules know: checking them would keep every verifier busy."""
    crowd = [key(f"crowd-{number}") for number in range(MAX_SIGNATURES + 1)]
    owners = {"library": held("Town library", *crowd), "school": held("Town school", SCHOOL)}
    operator = Operator(sign(town_root(principals=owners), crowd[0], SCHOOL), seal(statement_bytes(document()), crowd))

    found = outcome_in_memory(operator.publish())

    assert 1 == found.exit_code
    assert "step 3 (Records): entry 1: " in str(found.error)
    assert "257 signatures, at most 256 are read" in str(found.error)


def test_private_file_that_is_still_here_after_its_erasure_fails() -> None:
    private = MemoryFiles({blob_path(ATTENDANCE_DIGEST): ATTENDANCE})

    found = outcome_in_memory(story().publish(), private)

    assert 1 == found.exit_code
    assert "step 9 (Blobs): " in str(found.error)
    assert "says it was erased, but it is still on this machine" in str(found.error)


def test_private_file_with_other_bytes_fails() -> None:
    private = MemoryFiles({blob_path(ATTENDANCE_DIGEST): flip(ATTENDANCE, 40)})

    found = outcome_in_memory(opening().publish(), private)

    assert 1 == found.exit_code
    assert "step 9 (Blobs): " in str(found.error)
    assert "its bytes hash to" in str(found.error)


def test_withheld_private_file_is_said_and_does_not_fail() -> None:
    withheld = outcome_in_memory(opening().publish())
    held_here = outcome_in_memory(opening().publish(), MemoryFiles({blob_path(ATTENDANCE_DIGEST): ATTENDANCE}))

    assert (0, 0) == (withheld.exit_code, held_here.exit_code)
    assert (Status.OPEN, Status.PASSED) == (withheld.steps[8].status, held_here.steps[8].status)
    assert withheld.steps[8].finding.endswith("1 withheld")


# Who keeps the log with `Ledger.commit` cannot be talked into an attack

NOTHING_TO_COMMIT = {
    "tampered_record_fail",
    "exchanged_record_fail",
    "signature_added_later_fail",
    "entry_not_a_digest_fail",
    "tampered_blob_fail",
    "private_blob_published_fail",
    "erased_blob_published_fail",
}
ONLY_A_PIN_TELLS = {"forged_root_fail", "root_with_lower_threshold_fail"}


@pytest.mark.parametrize(
    "attack",
    [
        a
        for a in ATTACKS
        if a.exit_code == 1 and 3 <= a.step <= 9 and a.name not in NOTHING_TO_COMMIT | ONLY_A_PIN_TELLS
    ],
    ids=lambda attack: str(attack.name),
)
def test_commit_refuses_what_verification_refuses(attack: Attack) -> None:
    """Else one accepted record would leave a log that nobody can verify any more, and that cannot be mended."""
    forged = attack.forge()
    size = int(forged.files[CHECKPOINT].split(b"\n")[1])
    public, guard, index = MemoryFiles(), MemoryGuard(), Index(None)
    ledger = Ledger(public, MemoryFiles(), index, read_kind).load()
    ledger.stage_blob(SCAN)
    ledger.stage_blob(ATTENDANCE)

    refused: list[str] = []
    for entry in TileReader(MemoryFiles(forged.files), size).entries():
        try:
            envelope = read_envelope(forged.files[record_path(entry.hex())], "record")
            (result,) = ledger.commit([envelope], lambda _: LOG, guard)
        except AuzolanError as error:
            refused.append(str(error))
        else:
            refused += [] if result.fresh else ["it stands already"]
    kept = outcome(public, Expectation(forged.now)) if ledger.head.size else None
    index.close()

    assert [] != refused
    assert kept is None or (kept.error is None and Status.FAILED not in {step.status for step in kept.steps})
    if attack.step in (3, 5, 6, 9):  # where both use the same code
        assert [] != [text for text in refused if attack.says in text or "is not in this ledger" in text]


# No step is passed by what nobody meant as an attack


def exit_code_when_flipped(path: str, at: int) -> int:
    return outcome_in_memory(story().publish().edit(path, lambda data: flip(data, at))).exit_code


@pytest.mark.parametrize("path", sorted(story().publish().files))
def test_any_flipped_bit_is_noticed(path: str) -> None:
    data = story().publish().files[path]
    # A changed name or key id in the witness's line is no false signature: that witness is then not there.
    witness_at = data.rindex("\u2014 witness".encode()) if path == CHECKPOINT else len(data)

    codes = {at: exit_code_when_flipped(path, at) for at in range(0, len(data), max(1, len(data) // 24))}

    assert [] == [at for at, code in codes.items() if code not in ((1,) if at < witness_at else (1, 3))]


@pytest.mark.parametrize("path", sorted(story().publish().files))
def test_any_missing_file_is_noticed(path: str) -> None:
    found = outcome_in_memory(story().publish().without(path))

    assert 3 == found.exit_code


def test_unpinned_town_is_not_called_authorised() -> None:
    forged = story().publish()
    forged.root = None

    found = outcome_in_memory(forged)

    assert 0 == found.exit_code
    assert Status.OPEN == found.steps[3].status
    assert "authority not pinned" in found.steps[3].finding


def test_look_alike_commons_verifies_only_without_a_pin() -> None:
    """What a pin is for: nothing else tells a forged commons from the real one."""
    forged = next(attack for attack in ATTACKS if attack.name == "forged_root_fail").forge()
    pinned = outcome_in_memory(forged)
    forged.root = None
    unpinned = outcome_in_memory(forged)

    assert (1, 0) == (pinned.exit_code, unpinned.exit_code)


def test_no_attack_can_write_on_the_terminal_of_whoever_checks() -> None:
    shown = [
        text
        for attack in ATTACKS
        for found in [outcome_in_memory(attack.forge())]
        for text in [str(found.error or ""), *(step.finding for step in found.steps)]
    ]

    assert [] == [text for text in shown if not text.isprintable()]
