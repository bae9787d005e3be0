"""`auzolan run anchor`: the checkpoint of the answers goes into the community's log, and only a continuation does."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from auzolan.cli.commons import key_store, open_key
from auzolan.core.kinds.run import Anchor
from auzolan.core.record.checkpoint import TreeHead, checkpoint_text, read_checkpoint
from auzolan.core.record.note import Note, sign_note
from auzolan.run.answers.verify import STEPS
from tests.cli.deliberation import Place, copied
from tests.cli.running import Runtime, changed, prepared, record_of, two_principals, written

for _name in ("orjson", "re2"):
    pytest.importorskip(_name, reason="NOT CHECKED: the run extra is not installed")


@pytest.fixture
def here(declared_town: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return copied(declared_town, tmp_path, monkeypatch)


@pytest.fixture
def runtime(here: Place) -> Runtime:
    return Runtime(here, here.ids("service/v1")[0], here.machine.folder / "state")


def anchor(runtime: Runtime, *arguments: str | Path) -> int:
    """Anchor and return the size."""
    return int(runtime.here.json("run", "anchor", "--state", runtime.state, *arguments)["size"])


def wrong(runtime: Runtime, code: int = 1) -> str:
    """Return why it is not anchored; nothing was committed or left waiting."""
    here = runtime.here
    n_anchors = len(here.ids(Anchor.KIND))
    line = here.error("run", "anchor", "--state", runtime.state, code=code)

    assert n_anchors == len(here.ids(Anchor.KIND))
    assert [] == list((here.town / "pending").glob("*.dsse"))
    return line


def test_the_newest_checkpoint_is_committed_under_the_service(runtime: Runtime) -> None:
    runtime.answers(3)
    said = runtime.here.json("run", "anchor", "--state", runtime.state)
    kept = Anchor.from_record(record_of(runtime.here, said["anchor"]))

    assert (3, True, runtime.service_id) == (said["size"], said["committed"], kept.service)
    assert (runtime.state / "answers" / "checkpoint").read_text() == kept.checkpoint


def test_the_same_checkpoint_is_anchored_once(runtime: Runtime) -> None:
    runtime.answers(2)
    texts = [runtime.here.run("run", "anchor", "--state", runtime.state) for _ in range(2)]
    size = anchor(runtime)

    assert ["2 answers of town are anchored", "2 answers of town are anchored already"] == [
        each.splitlines()[-1] for each in texts
    ]
    assert 2 == size
    assert 1 == len(runtime.here.ids(Anchor.KIND))


def test_a_log_that_grew_is_anchored_again(runtime: Runtime) -> None:
    runtime.answers(2)
    first = anchor(runtime)
    runtime.answers(300)

    assert (2, 302) == (first, anchor(runtime))


def test_a_proof_against_the_anchored_checkpoint_holds_in_all_steps(runtime: Runtime) -> None:
    said = runtime.answers(5)[2]
    before = runtime.here.json("verify", written(runtime.here.machine.folder, said.receipt), code=3)
    anchor(runtime)
    after = runtime.here.json("verify", written(runtime.here.machine.folder, said.receipt))

    assert [STEPS[6]] == [each["title"] for each in before["steps"] if each["status"] != "passed"]
    assert ["passed"] * 9 == [each["status"] for each in after["steps"]]


def test_an_answer_after_the_anchor_is_not_covered_by_it(runtime: Runtime) -> None:
    runtime.answers(2)
    anchor(runtime)
    later = runtime.answers()[0]
    said = runtime.here.json("verify", written(runtime.here.machine.folder, later.receipt), code=3)

    assert "logged after the newest anchor that was given" == said["steps"][6]["finding"]


def test_a_later_record_of_the_service_goes_on_with_the_same_log(runtime: Runtime) -> None:
    here = runtime.here
    runtime.answers(2)
    anchor(runtime)
    here.run("run", "declare", changed(prepared(here, folder="again"), contact="another desk (synthetic)"))
    later = replace(runtime, service_id=here.ids("service/v1")[-1])
    (one,) = later.answers()
    size = anchor(later)

    assert 3 == size
    assert ["passed"] * 9 == [
        each["status"] for each in here.json("verify", written(here.machine.folder, one.receipt))["steps"]
    ]


def test_a_log_that_is_not_there_is_said(runtime: Runtime) -> None:
    line = wrong(runtime, code=3)

    assert f"{runtime.state / 'answers'}: no answer of town was logged here yet" in line
    assert "answers are logged in batches, at most ten minutes after they were given" in line


def test_a_log_with_another_history_is_not_anchored(runtime: Runtime) -> None:
    runtime.answers(3)
    anchor(runtime)
    shutil.rmtree(runtime.state)
    forget_promises(runtime)
    runtime.answers(4)

    assert "the log of answers is not a continuation of the one anchored at size 3" in wrong(runtime)


def test_an_older_copy_of_the_log_is_not_anchored(runtime: Runtime) -> None:
    runtime.answers(3)
    older = runtime.state.with_name("older")
    shutil.copytree(runtime.state, older)
    runtime.answers(2)
    anchor(runtime)

    assert "not a continuation of the one anchored at size 5" in wrong(replace(runtime, state=older))


def forget_promises(runtime: Runtime) -> None:
    """Take away what keeps an honest machine from signing a second history."""
    found = [path for path in runtime.here.machine.home.rglob("*") if path.is_file() and "promised" in str(path)]
    for path in found:
        path.unlink()

    assert found


def forged(runtime: Runtime, origin: str, key: str) -> None:
    """Put another origin or another key's signature onto the checkpoint."""
    path = runtime.state / "answers" / "checkpoint"
    head = read_checkpoint(path.read_bytes()).head
    text = checkpoint_text(origin, head)
    path.chmod(0o600)
    path.write_bytes(Note(text, (sign_note(text, open_key(key_store().find(key))),)).to_bytes())


@pytest.mark.parametrize(("suffix", "key"), [("", "demo/stranger"), ("-other", "demo/town-runtime")])
def test_a_log_of_another_key_or_name_is_not_anchored(runtime: Runtime, suffix: str, key: str) -> None:
    runtime.here.machine.key("stranger")
    runtime.answers(2)
    forged(runtime, runtime.service.origin + suffix, key)

    assert "the log of answers there is not that of town, signed by its runtime key" in wrong(runtime)


def test_a_checkpoint_beyond_its_tiles_is_not_anchored(runtime: Runtime) -> None:
    """Whoever holds the key can sign any head; without the tree below it, it continues nothing that was anchored."""
    runtime.answers(2)
    anchor(runtime)
    path = runtime.state / "answers" / "checkpoint"
    head = TreeHead(9, read_checkpoint(path.read_bytes()).head.root)
    text = checkpoint_text(runtime.service.origin, head)
    path.write_bytes(Note(text, (sign_note(text, open_key(key_store().find("demo/town-runtime"))),)).to_bytes())
    result = runtime.here.machine.call("run", "anchor", "--state", runtime.state, "--commons", runtime.here.town)

    assert result.exit_code in (1, 3)
    assert 1 == len(runtime.here.ids(Anchor.KIND))


def test_where_two_must_sign_an_anchor_waits(runtime: Runtime) -> None:
    two_principals(runtime.here, Anchor.KIND)
    runtime.answers()
    said = runtime.here.json("run", "anchor", "--state", runtime.state, "--key", "demo/desk")
    text = runtime.here.run("run", "anchor", "--state", runtime.state, "--key", "demo/desk")

    assert not said["committed"]
    assert [said["anchor"]] == [each.stem for each in (runtime.here.town / "pending").glob("*.dsse")]
    assert "anchored" not in text
    assert said["anchor"] in text
