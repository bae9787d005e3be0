"""What a runtime signs about an answer: its form, and how little it says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.core.kinds import read_kind
from auzolan.core.kinds.answer import TIME_STEP_S, Answer, Engine, Fired
from auzolan.core.record.canonical import MAX_INTEGER
from auzolan.core.record.errors import MalformedError
from auzolan.core.record.record import Record
from tests.core.kinds.served import answer
from tests.core.kinds.shapes import changed, malformed, named, read_again
from tests.core.kinds.taught import BLOB, FOURTH, ID, OTHER, THIRD
from tests.strategies import hex_digests, texts

_words = texts().filter(bool)
_times = st.integers(0, MAX_INTEGER // TIME_STEP_S).map(lambda steps: steps * TIME_STEP_S)
_fired = st.lists(st.builds(Fired, _words, st.sampled_from(Answer.EFFECTS), texts()), max_size=3).map(tuple)
_engines = st.builds(Engine, _words, texts(), st.just("") | hex_digests(), st.sampled_from(Engine.SANDBOXES))
_answers = st.builds(
    Answer, hex_digests(), hex_digests(), hex_digests(),
    st.lists(hex_digests(), max_size=12, unique=True).map(tuple), _times, hex_digests(), hex_digests(),
    st.sampled_from(Answer.OUTCOMES), _fired, st.sampled_from(Answer.INTEGRITY),
    st.dictionaries(_words, hex_digests(), max_size=3), _engines, st.integers(0, MAX_INTEGER), st.none() | _times,
    st.lists(_words, max_size=3).map(tuple),
)  # fmt: skip
ANSWER = {
    "answered_at": "round", "request": "digest", "response": "digest", "outcome": "one of", "fired": "list",
    "fired/0": "object", "fired/0/rule": "words", "fired/0/effect": "one of", "fired/0/article": "text",
    "integrity": "one of", "loaded": "object", "loaded/weights": "digest", "engine": "object", "engine/name": "words",
    "engine/version": "text", "engine/digest": "digest or empty", "engine/sandbox": "one of", "log_size": "count",
    "log_age_s": "round or null", "overrides": "list", "overrides/0": "words",
}  # fmt: skip


@given(_answers)
def test_an_answer_survives_its_record(one: Answer) -> None:
    assert one == Answer.from_record(read_again(one.to_record()))
    assert one.to_record() == Answer.from_record(one.to_record()).to_record()


def test_the_fields_of_an_answer_stand_where_the_documentation_says() -> None:
    record = answer().to_record()

    assert {
        "service": ID, "constitution": OTHER, "rules": THIRD, "adapter.1": FOURTH, "adapter.2": ID
    } == record.links  # fmt: skip
    assert {} == record.blobs
    assert {
        "answered_at": 1_789_999_800, "request": BLOB, "response": OTHER, "outcome": "answered",
        "fired": [
            {"rule": "dues", "effect": "warn", "article": "2.1"}, {"rule": "greeting", "effect": "allow", "article": ""}
        ],
        "integrity": "verified", "loaded": {"weights": BLOB, "adapter.1": THIRD},
        "engine": {"name": "xllamacpp", "version": "1.0", "digest": FOURTH, "sandbox": "bubblewrap"},
        "log_size": 17, "log_age_s": 1_200, "overrides": ["no-sandbox"],
    } == record.body  # fmt: skip


@pytest.mark.parametrize(("path", "value"), malformed(ANSWER, ["loaded/weights"]))
def test_an_answer_with_a_field_missing_or_of_another_form_is_refused_naming_it(path: str, value: Any) -> None:
    with pytest.raises(MalformedError, match=f"^answer: {named(path)}\\b"):
        read_kind(changed(answer().to_record(), path, value))


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (
            "outcome",
            "Answered",
            "answer: outcome: expected one of answered, refused, cut, left, failed, got 'Answered'",
        ),
        ("fired/0/effect", "block", "answer: fired: effect: expected one of allow, deny, redact, warn, got 'block'"),
        ("integrity", "sure", "answer: integrity: expected one of verified, claimed, unverified, got 'sure'"),
        ("engine/sandbox", "docker", "engine: sandbox: expected one of bubblewrap, none, elsewhere, got 'docker'"),
        ("request", "A" * 64, "answer: request: expected 64 lower-case"),
        ("engine/digest", "f" * 63, "answer: engine: digest: expected 64 lower-case"),
    ],
)
def test_an_answer_of_another_form_is_refused(path: str, value: Any, message: str) -> None:
    with pytest.raises(MalformedError, match=message):
        Answer.from_record(changed(answer().to_record(), path, value))


@given(st.sampled_from(["answered_at", "log_age_s"]), _times, st.integers(1, TIME_STEP_S - 1))
def test_a_time_finer_than_ten_minutes_is_refused(field: str, time: int, more: int) -> None:
    exact = min(time, MAX_INTEGER - TIME_STEP_S) // TIME_STEP_S * TIME_STEP_S + more

    with pytest.raises(MalformedError, match=f"answer: {field} must be rounded down to 600 seconds"):
        Answer.from_record(changed(answer().to_record(), field, exact))


def test_a_log_without_a_witness_has_no_age_and_says_so() -> None:
    record = answer(log_age_s=None).to_record()

    assert record.body["log_age_s"] is None
    assert Answer.from_record(record).log_age_s is None
    with pytest.raises(MalformedError, match="answer: log_age_s: expected an integer, got null"):
        Answer.from_record(changed(record, "log_age_s", ...))


@pytest.mark.parametrize("missing", ["service", "constitution", "rules"])
def test_an_answer_needs_what_it_rests_on(missing: str) -> None:
    record = answer().to_record()
    links = {name: target for name, target in record.links.items() if name != missing}

    with pytest.raises(MalformedError, match=f"answer: link '{missing}': expected 64 lower-case"):
        Answer.from_record(Record(record.kind, record.body, links))


@pytest.mark.parametrize(
    "names",
    [
        ["adapter.2"],
        ["adapter.0", "adapter.1"],
        ["adapter.1", "adapter.3"],
        ["adapter.01"],
        ["adapter.x"],
        ["adapter.1", "adapter.1.1"],
        ["adapter."],
    ],
)
def test_adapters_that_are_not_numbered_from_one_without_gaps_are_refused(names: list[str]) -> None:
    record = answer(adapters=()).to_record()
    links = {**record.links, **dict.fromkeys(names, FOURTH)}

    with pytest.raises(MalformedError, match=r"answer: link 'adapter\.[12]'"):
        Answer.from_record(Record(record.kind, record.body, links))


def test_an_adapter_takes_part_once() -> None:
    with pytest.raises(MalformedError, match=f"answer: adapters: '{FOURTH}' stands there twice"):
        Answer.from_record(answer(adapters=(FOURTH, FOURTH)).to_record())


def test_a_model_may_answer_without_adapters_or_engine_digest_or_rules_that_fired() -> None:
    one = answer(adapters=(), fired=(), loaded={}, overrides=(), engine=Engine("ollama", "", "", "elsewhere"))

    assert one == Answer.from_record(one.to_record())


def test_no_field_of_an_answer_has_room_for_a_text_or_a_length_of_it() -> None:
    assert {
        "answered_at", "request", "response", "outcome", "fired", "integrity", "loaded", "engine", "log_size",
        "log_age_s", "overrides",
    } == set(answer().to_record().body)  # fmt: skip


def test_what_a_later_version_of_an_answer_adds_is_left_alone() -> None:
    record = answer().to_record()
    for path in ("new", "fired/0/new", "engine/new"):
        assert answer() == Answer.from_record(changed(record, path, ["x"]))
