"""Processes that die in the middle, and several people at once: nothing half-imported, half-forgotten or lost."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from auzolan.cli import commons
from auzolan.core.record.disk import DiskFiles
from tests.cli.conftest import TwoBodies
from tests.cli.deliberation import PEOPLE, Place, change_rules, copied, found_in, survey
from tests.cli.machine import Machine, env_without_home, path_of
from tests.cli.test_forgetting import traces_of
from tests.cli.test_outsider import COMMAND
from tests.faulty_files import Crash

ANA, JON = PEOPLE[:2]
OPTIONS = ("--from", "survey", "--id", "email", "--stratum", "District", "--key", "demo/desk")


@pytest.fixture
def here(founded_town: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return copied(founded_town, tmp_path, monkeypatch)


def dying_at(moment: int, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Let the process die right before its n-th change of the disk; returns how many it came to."""
    done = 0

    def dying(change: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            nonlocal done
            done += 1
            if done == moment:
                raise Crash
            return change(*args, **kwargs)

        return wrapped

    monkeypatch.setattr(DiskFiles, "write_all", dying(DiskFiles.write_all))
    monkeypatch.setattr(DiskFiles, "remove_all", dying(DiskFiles.remove_all))
    monkeypatch.setattr(commons, "write_file", dying(commons.write_file))
    monkeypatch.setattr(Path, "unlink", dying(Path.unlink))
    return lambda: done


def dies(here: Place, moment: int, monkeypatch: pytest.MonkeyPatch, *words: str | Path) -> bool:
    """Run a command that dies at this moment; whether it did before it was done."""
    with monkeypatch.context() as patch:
        changes = dying_at(moment, patch)
        try:
            result = here.machine.call(*words, "--commons", here.town)
        except Crash:
            return True

    if "tallied already" in result.output:  # it died after the commit
        return False
    assert 0 == result.exit_code, result.output
    assert changes() < moment
    return False


def moments(here: Place, monkeypatch: pytest.MonkeyPatch, *words: str | Path) -> Iterator[int]:
    """Yield every moment at which a command that can be repeated can die, after it died there."""
    for moment in range(1, 100):
        if not dies(here, moment, monkeypatch, *words):
            return
        yield moment
    raise AssertionError("the command never ends")


def assert_whole(here: Place) -> None:
    """Check that the ballots of every committed snapshot and tally that no tombstone erased are there."""
    erased = {digest for each in here.ids("tombstone/v1") for digest in here.record(each)["body"]["erased"]}

    assert set() == here.named_blobs() - erased - here.private_blobs()
    assert here.json("verify", here.town, "--root", here.root)["complete"]


def test_an_import_that_dies_leaves_a_whole_snapshot_or_none(here: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    path = survey(here.machine.folder)
    seen = 0
    for _ in moments(here, monkeypatch, "deliberate", "import", path, "--again", *OPTIONS):
        assert_whole(here)
        seen += 1
    waiting = here.json("pending")
    for row in waiting:
        here.run("commit", row["file"])
    here.read_survey(path, "--again")

    assert seen > 10
    assert_whole(here)
    assert here.named_blobs() == here.private_blobs()


def test_a_tally_that_dies_leaves_a_whole_tally_or_none(here: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    here.read_survey()
    for _ in moments(here, monkeypatch, "deliberate", "tally", "--group-count", "2", "--key", "demo/desk"):
        assert_whole(here)
    for row in here.json("pending"):
        here.run("commit", row["file"])

    assert here.named_blobs() == here.private_blobs()
    assert {"recomputed"} == {here.links(each)["snapshot"]["strength"] for each in here.ids("tally/v1")}


@pytest.mark.slow
def test_whoever_asks_again_after_a_crash_is_forgotten_whole(here: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = traces_of(here, ANA, here.read_survey())
    here.tally()
    survivors = {}
    for moment in range(1, 60):
        folder = here.machine.folder.with_name(f"moment-{moment}")
        shutil.copytree(here.machine.folder, folder)
        copy = Place(Machine(folder / "home", folder, monkeypatch), folder / "town", here.root)
        died = dies(copy, moment, monkeypatch, "forget", ANA, "--key", "demo/desk")
        again = copy.machine.call("forget", ANA, "--key", "demo/desk", "--commons", copy.town)

        assert again.exit_code in (0, 3), again.output
        survivors[moment] = len(found_in(copy.town, *gone))
        assert_whole(copy)
        if not died:
            break

    assert moment > 10
    assert {} == {moment: count for moment, count in survivors.items() if count}


def test_what_a_dead_forget_left_is_no_hiding_place_for_others(here: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    jon = traces_of(here, JON, here.read_survey())
    with monkeypatch.context() as patch:
        patch.setattr(commons, "write_file", _die)
        with pytest.raises(Crash):
            here.machine.call("forget", ANA, "--commons", here.town)

    here.run("forget", JON)

    assert set() == found_in(here.town, *jon)


def _die(*_: object) -> None:
    raise Crash


def test_ballots_outlast_a_letter_that_is_away_for_signing(two: TwoBodies) -> None:
    change_rules(two.town, "[constitution]", '"snapshot/v1" = { role = "steward", count = 2 }\n\n[constitution]')
    rules = path_of(two.library.run("propose", "governance", "--commons", two.town, "--key", "demo/desk"))
    two.school.run("sign", rules, "--yes", "--commons", two.town)
    two.commit(rules)
    here = Place(two.library, two.town, two.root)
    path = survey(two.library.folder)
    letter = Path(here.json("deliberate", "import", path, *OPTIONS)["file"])
    away = two.school.folder / "letter.dsse"
    letter.rename(away)
    here.json("deliberate", "import", path, *OPTIONS, "--name", "other")
    two.school.run("sign", away, "--yes", "--commons", two.town)

    here.machine.call("commit", away, "--commons", two.town)

    assert_whole(here)


@contextmanager
def between_locks(here: Place, words: tuple[str | Path, ...], monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Let somebody else's command run each time that the lock of the commons becomes free."""
    codes: list[int] = []
    locked = commons.Commons.locked

    @contextmanager
    def leaky(self: commons.Commons) -> Iterator[None]:
        with locked(self):
            yield
        command = [COMMAND, *words, "--commons", here.town]
        environment = env_without_home() | {"AUZOLAN_HOME": str(here.machine.home)}
        codes.append(subprocess.run(command, env=environment, capture_output=True, check=False).returncode)

    with monkeypatch.context() as patch:
        patch.setattr(commons.Commons, "locked", leaky)
        yield codes


@pytest.mark.parametrize("what", ["import", "tally", "forget"])
def test_the_import_of_somebody_else_never_takes_ballots_away(
    here: Place, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    path = survey(here.machine.folder)
    here.read_survey(path)
    commands: dict[str, tuple[str | Path, ...]] = {
        "import": ("deliberate", "import", path, *OPTIONS, "--name", "other"),
        "tally": ("deliberate", "tally", "--key", "demo/desk"),
        "forget": ("forget", ANA, "--key", "demo/desk"),
    }
    theirs = ("deliberate", "import", path, *OPTIONS, "--name", "theirs")

    with between_locks(here, theirs, monkeypatch) as codes:
        ours = here.machine.call(*commands[what], "--commons", here.town)

    assert codes
    assert ours.exit_code in (0, 2, 3)
    assert_whole(here)


def start(here: Place, *words: str | Path) -> subprocess.Popen[str]:
    environment = env_without_home() | {"AUZOLAN_HOME": str(here.machine.home)}
    command = [COMMAND, *map(str, words), "--commons", str(here.town)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_two_who_import_at_once_spoil_nothing(here: Place) -> None:
    path = survey(here.machine.folder)
    ended = []
    for number in range(5):
        both = [start(here, "deliberate", "import", path, *OPTIONS, "--name", f"{number}{n}") for n in "ab"]
        ended += [(process.communicate()[1], process.returncode) for process in both]
    here.read_survey(path)

    assert {code for _, code in ended} <= {0, 2, 3}
    assert all("another auzolan process" in said or "changed" in said for said, code in ended if code)
    assert [] == [said for said, _ in ended if "bug in" in said or "Traceback" in said]
    assert len(here.ids("snapshot/v1")) == 1 + sum(code == 0 for _, code in ended)
    assert_whole(here)
    assert here.named_blobs() == here.private_blobs()


@pytest.mark.slow
def test_imports_that_are_killed_at_any_moment_leave_nothing_half_done(here: Place) -> None:
    path = survey(here.machine.folder)
    for number in range(20):
        process = start(here, "deliberate", "import", path, *OPTIONS, "--name", f"try {number}")
        try:
            process.wait(timeout=0.2 + 0.02 * number)
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()
        assert_whole(here)
    for row in here.json("pending"):
        here.run("commit", row["file"])
    here.read_survey(path)

    assert_whole(here)
    assert here.named_blobs() == here.private_blobs()
    assert [] == here.json("fsck")["damages"]
