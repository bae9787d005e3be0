"""A receipt is believed for what it shows, and what could not be checked is said."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.core.kinds.answer import Answer
from auzolan.core.record.envelope import read_envelope
from auzolan.core.record.errors import MalformedError, VerificationError
from auzolan.core.record.findings import Status
from auzolan.run.answers.receipt import read_receipt
from auzolan.run.answers.verify import STEPS, Transcript, standing_findings, verify_receipt
from tests.run.answers.case import FULL, Case, World, anchor_by, other_root, receipt
from tests.run.answers.world import (
    ADAPTER_IDS,
    ADAPTERS,
    ANSWER,
    LOADED,
    MESSAGES,
    ORIGIN,
    SERVICE,
    SERVICE_ID,
    STRANGER,
    anchor,
    answer_log,
    digest,
    seal,
    service,
)

PASSED, NOT_CHECKED = Status.PASSED, Status.NOT_CHECKED


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("answers")
    log = answer_log(folder)
    yield World(log)
    log._journal.close()
    log._places.close()


def test_a_receipt_with_all_that_belongs_to_it_is_complete(world: World) -> None:
    found = world.case.verify()

    assert found.complete
    assert list(STEPS[:7]) == [finding.title for finding in found.findings]
    assert (seal().id, 0, 5, "2026-11-20") == (
        found.id,
        found.position,
        found.head and found.head.size,
        found.anchored_at,
    )
    assert found.answer.outcome == "answered"


def test_one_file_can_hold_transcript_and_proof(world: World) -> None:
    whole = replace(world.case, receipt=world.case.receipt.with_proof(world.proof), proof=None)

    assert whole.verify().complete


def test_a_bare_receipt_says_what_was_not_checked(world: World) -> None:
    bare = Case(replace(receipt(), messages=None, answer=None), None, ())
    found = bare.verify()

    assert [PASSED] * 4 + [NOT_CHECKED] * 3 == bare.statuses()
    assert "no transcript" == found.findings[4].finding
    assert (None, None, "") == (found.position, found.head, found.anchored_at)
    assert not found.complete


def test_without_adapters_where_the_service_allows_it(world: World) -> None:
    by = service(with_base=True)
    case = replace(world.case.with_answer(adapters=(), loaded=LOADED), service=by)

    assert [PASSED] * 5 == case.statuses()[:5]


def test_a_refusal_needs_no_adapter(world: World) -> None:
    case = world.case.with_answer(adapters=(), loaded=LOADED, outcome="refused")

    assert "nothing was asked of the model" in case.verify().findings[2].finding


def test_what_a_backend_says_of_itself_is_called_so(world: World) -> None:
    claimed = world.case.with_answer(integrity="claimed").verify().findings[3]
    partly = world.case.with_answer(integrity="claimed", loaded={"weights": LOADED["weights"]}).verify().findings[3]
    unverified = world.case.with_answer(integrity="unverified", loaded={}).verify().findings[3]

    assert (PASSED, NOT_CHECKED, NOT_CHECKED) == (claimed.status, partly.status, unverified.status)
    assert claimed.finding.startswith("claimed")


def test_an_adapter_whose_record_is_not_here_is_not_checked(world: World) -> None:
    case = replace(world.case, adapters={ADAPTER_IDS[0]: ADAPTERS[ADAPTER_IDS[0]]})

    assert NOT_CHECKED is case.statuses()[3]


def test_a_known_adapter_beside_an_unknown_one_is_compared(world: World) -> None:
    spoiled = world.case.with_answer(loaded={**FULL, "adapter.1": digest("other")})
    with pytest.raises(VerificationError):
        replace(spoiled, adapters={ADAPTER_IDS[0]: ADAPTERS[ADAPTER_IDS[0]]}).verify()


def test_safeguards_that_were_off_are_said(world: World) -> None:
    case = world.case.with_answer(overrides=("no-sandbox",))

    assert "no-sandbox" in case.verify().findings[3].finding


def test_half_a_transcript_is_not_a_whole_one(world: World) -> None:
    for said in (Transcript(MESSAGES, None), Transcript(None, ANSWER)):
        assert NOT_CHECKED is replace(world.case, transcript=said).statuses()[4]


def test_a_proof_to_a_head_that_no_anchor_holds_says_so(world: World) -> None:
    newer = replace(world.case, proof=world.newest_proof)
    late = replace(world.case, receipt=receipt(7), proof=world.late_proof)
    none = replace(world.case, proof=None)

    assert [NOT_CHECKED] * 3 == [case.statuses()[6] for case in (newer, late, none)]
    assert "leads to size 9, the anchor to 5" in newer.verify().findings[6].finding
    assert "after the newest anchor" in late.verify().findings[6].finding


def test_the_earliest_anchor_of_that_head_counts(world: World) -> None:
    later = anchor(world.anchored, anchored_at="2026-12-24")
    case = replace(world.case, anchors=(later, anchor(world.newest), *world.case.anchors))

    assert "2026-11-20" == case.verify().anchored_at


def test_anchors_of_other_services_are_passed_over(world: World) -> None:
    foreign = anchor_by(world, lambda text: text.replace(ORIGIN, "auzolan/other"), service=digest("other service"))
    forger = anchor_by(world, other_root, STRANGER, service=digest("other service"))

    assert foreign.verify().complete
    assert forger.verify().complete


def test_an_anchor_by_a_later_record_of_the_service_counts(world: World) -> None:
    later = replace(world.case, anchors=(anchor(world.anchored, service=digest("later record")),))

    assert later.verify().complete


@given(st.integers(0), st.integers(1, 255))
def test_no_changed_byte_of_a_receipt_is_believed(place: int, change: int) -> None:
    data = bytearray(receipt().to_bytes())
    data[place % len(data)] ^= change
    try:
        found = verify_receipt(bytes(data), SERVICE, SERVICE_ID, ADAPTERS)
    except (MalformedError, VerificationError):
        return

    assert read_receipt(bytes(data)) == receipt(), found  # such as a space between two fields


def test_refusals_name_no_text_of_the_conversation(world: World) -> None:
    secret = "my neighbour's diagnosis"
    case = replace(world.case, transcript=Transcript([{"role": "user", "content": secret}], secret))
    with pytest.raises(VerificationError) as caught:
        case.verify()

    assert secret not in str(caught.value)


def test_the_base_install_can_verify() -> None:
    code = "import sys, auzolan.run.answers.verify; sys.exit('orjson' in sys.modules or 'numpy' in sys.modules)"

    assert 0 == subprocess.run([sys.executable, "-c", code], timeout=60).returncode


NOW = 1_800_000_600
WHEN = "on a day (synthetic)"


def said_now(**changes: Any) -> Answer:
    """Return an answer of now, which knew ten entries."""
    fields = {"answered_at": 1_800_000_600, "log_size": 10} | changes
    return replace(Answer.from_record(read_envelope(seal().envelope).claimed), **fields)


def test_an_answer_of_a_service_that_stands_is_said_to_be_of_one() -> None:
    standing, time = standing_findings(said_now(), 4, 12, {}, NOW, WHEN)

    assert (Status.PASSED, Status.PASSED) == (standing.status, time.status)
    assert f"given {WHEN}, as the service says" == time.finding


def test_an_answer_of_a_revoked_service_never_passes() -> None:
    standing, _ = standing_findings(said_now(), 4, 12, {"service": ("library", "school")}, NOW, WHEN)

    assert Status.NOT_CHECKED is standing.status
    assert "revoked: service by library, school" in standing.finding


def test_an_answer_that_knew_more_than_this_copy_is_not_checked() -> None:
    standing, _ = standing_findings(said_now(log_size=13), 4, 12, {}, NOW, WHEN)

    assert Status.NOT_CHECKED is standing.status


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"log_size": 4}, "knew 4 entries of the log, and was declared as entry 4"),
        ({"answered_at": NOW + 1200}, "to come"),
    ],
    ids=["before its service", "from the future"],
)
def test_an_answer_that_says_what_cannot_be_is_refused(changes: dict[str, int], said: str) -> None:
    with pytest.raises(VerificationError, match=said):
        standing_findings(said_now(**changes), 4, 12, {}, NOW, WHEN)
