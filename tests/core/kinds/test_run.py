"""The kinds of record that say what is run: services, their rules, and anchors of their answers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.core.kinds import read_kind
from auzolan.core.kinds.run import Anchor, Loaded, RuntimePolicy, Service
from auzolan.core.kinds.teach import Base
from auzolan.core.record.canonical import MAX_INTEGER
from auzolan.core.record.errors import MalformedError
from auzolan.core.record.record import Record
from tests.core.kinds.served import DATE, ORIGIN, RUNTIME, anchor, checkpoint, policy, service
from tests.core.kinds.shapes import OF_BASE, changed, malformed, named, read_again
from tests.core.kinds.taught import BASE, FOURTH, ID, OTHER, THIRD
from tests.strategies import checkpoints, hex_digests, json_objects, signing_keys, texts

_words = texts().filter(bool)
_bases = st.builds(
    Base, _words, _words, hex_digests(), hex_digests(), st.just("") | hex_digests(), hex_digests(), texts(),
    st.lists(_words, max_size=2).map(tuple),
)  # fmt: skip
_adapters = st.lists(
    st.builds(Loaded, hex_digests(), st.integers(-10_000, 10_000)), max_size=16, unique_by=lambda each: each.adapter
).map(tuple)
_languages = st.lists(st.sampled_from(["en", "eu", "es-419", "zh-Hant-TW"]), max_size=3, unique=True).map(tuple)
_services = st.builds(
    Service, hex_digests(), hex_digests(), _adapters, st.from_regex(r"\A[a-z][a-z0-9-]{0,47}\Z"), _words, _words,
    _languages, _bases, texts(), st.lists(_words, max_size=3, unique=True).map(tuple), _words, _words,
    st.dates().map(str), signing_keys().map(lambda key: key.public), st.from_regex(r"\A[!-*,-~]{1,200}\Z"),
    st.sampled_from(["always", "asked"]), st.integers(0, MAX_INTEGER), st.booleans(), st.just(""),
    st.just("") | hex_digests(),
)  # fmt: skip
SERVICE = OF_BASE | {
    "name": "words", "title": "words", "purpose": "words", "languages": "list", "languages/0": "one of",
    "base": "object", "scales_milli": "list", "scales_milli/0": "whole", "system_prompt": "text", "tools": "list",
    "tools/0": "words", "operator": "words", "contact": "words", "review_at": "one of", "runtime_key": "one of",
    "origin": "words", "receipts": "one of", "retention_days": "count", "with_base": "bool",
    "declared_at": "text",
}  # fmt: skip


def _with_links(record: Record, **links: str | None) -> Record:
    """Return a record with other links; None takes one away. Underscores stand for dots."""
    changes = {name.replace("_", "."): target for name, target in links.items()}
    whole = {**record.links, **changes}
    return Record(record.kind, record.body, {name: target for name, target in whole.items() if target is not None})


# --- service/v1 ------------------------------------------------------------------------------------------------------


@given(_services)
def test_a_service_survives_its_record(one: Service) -> None:
    assert one == Service.from_record(read_again(one.to_record()))
    assert one.to_record() == Service.from_record(one.to_record()).to_record()


def test_the_fields_of_a_service_stand_where_the_documentation_says() -> None:
    record = service(supersedes=FOURTH).to_record()

    assert {
        "constitution": ID, "rules": OTHER, "adapter.1": THIRD, "adapter.2": FOURTH, "supersedes": FOURTH
    } == record.links  # fmt: skip
    assert {} == record.blobs
    assert {
        "name": "town-assistant", "title": "The town's assistant", "purpose": "Answers about opening hours.",
        "languages": ["en", "eu"], "base": BASE.to_json(), "scales_milli": [1000, 500],
        "system_prompt": "You speak for the town.", "tools": ["lookup"], "operator": "The library",
        "contact": "desk@library.example", "review_at": "2027-06-30", "runtime_key": str(RUNTIME.public),
        "origin": ORIGIN, "receipts": "always", "retention_days": 0, "with_base": False, "declared_at": "",
    } == record.body  # fmt: skip


@pytest.mark.parametrize(("path", "value"), malformed(SERVICE, optional={"declared_at"}))
def test_a_service_with_a_field_missing_or_of_another_form_is_refused_naming_it(path: str, value: Any) -> None:
    with pytest.raises(MalformedError, match=f"^service: {named(path)}\\b"):
        read_kind(changed(service(adapters=(Loaded(THIRD),)).to_record(), path, value))


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        *(("name", name, "service: name: expected lower-case") for name in ("Town", "1st", "a b", "-a", "a" * 49, "á")),
        ("name", "town\n", "service: name: expected lower-case"),
        ("languages/1", "en", "service: languages: 'en' stands there twice"),
        ("languages/1", "Basque", "service: languages: expected a language tag"),
        ("tools", ["lookup", "lookup"], "service: tools: 'lookup' stands there twice"),
        *(("origin", text, "service: origin: expected up to 200") for text in ("a b", "a+b", "ñ", "a\n", "a" * 201)),
        ("receipts", "never", "service: receipts must be 'always' or 'asked', got 'never'"),
        ("receipts", "Always", "service: receipts must be 'always' or 'asked'"),
        ("retention_days", -1, "service: retention_days: expected at least 0, got -1"),
        ("scales_milli/0", -10_001, "service: scales_milli: expected at least -10000, got -10001"),
        ("scales_milli/1", 10_001, "service: scales_milli: expected at most 10000, got 10001"),
        ("runtime_key", str(RUNTIME.witness_public), "runtime_key: expected a key that signs records, not a witness's"),
        ("runtime_key", str(RUNTIME.public)[:-4], "service: runtime_key: "),
        ("runtime_key", str(RUNTIME.public).replace("town", "city"), "service: runtime_key: .* its id is"),
    ],
)  # fmt: skip
def test_a_service_of_another_form_is_refused(path: str, value: Any, message: str) -> None:
    with pytest.raises(MalformedError, match=message):
        read_kind(changed(service().to_record(), path, value))


@pytest.mark.parametrize(
    "date", ["2027-02-29", "2027-13-01", "2027-00-10", "2027-06-31", "2027-06-00", "0000-01-01", "20270630",
             "2027-W26-3", "2027-6-30", "2027-06-30T00:00", "٢٠٢٧-06-30", "soon"]
)  # fmt: skip
def test_a_date_of_review_that_is_none_is_refused(date: str) -> None:
    with pytest.raises(MalformedError, match=r"service: review_at: expected a date such as 2027-06-30"):
        Service.from_record(changed(service().to_record(), "review_at", date))


def test_a_leap_day_is_a_date() -> None:
    assert "2028-02-29" == Service.from_record(service(review_at="2028-02-29").to_record()).review_at


@pytest.mark.parametrize("missing", ["constitution", "rules"])
def test_a_service_needs_what_it_rests_on(missing: str) -> None:
    with pytest.raises(MalformedError, match=f"service: link '{missing}': expected 64 lower-case"):
        Service.from_record(_with_links(service().to_record(), **{missing: None}))


@pytest.mark.parametrize(
    "links",
    [
        {"adapter_2": None},  # one fewer than there are strengths
        {"adapter_1": None, "adapter_3": ID},  # a gap
        {"adapter_3": ID},  # one more
        {"adapter_0": ID},
        {"adapter_01": ID, "adapter_1": None},  # another way to write the same number
        {"adapter_x": ID},
        {"adapter_": ID},
        {"adapter_2_1": ID},
    ],
)
def test_adapters_that_are_not_numbered_from_one_without_gaps_are_refused(links: dict[str, str | None]) -> None:
    with pytest.raises(MalformedError, match=r"service: expected the links adapter\.1, adapter\.2, one for each"):
        Service.from_record(_with_links(service().to_record(), **links))


def test_an_adapter_without_a_strength_is_refused() -> None:
    with pytest.raises(MalformedError, match=r"service: expected the links of no adapter, .* got adapter\.1, adapter"):
        Service.from_record(changed(service().to_record(), "scales_milli", []))


def test_an_adapter_is_loaded_once() -> None:
    with pytest.raises(MalformedError, match=f"service: adapters: '{THIRD}' stands there twice"):
        Service.from_record(service(adapters=(Loaded(THIRD), Loaded(THIRD, 500))).to_record())


def test_more_adapters_than_are_loaded_are_refused() -> None:
    many = tuple(Loaded(f"{number:064x}") for number in range(17))

    assert many[:16] == Service.from_record(service(adapters=many[:16]).to_record()).adapters
    with pytest.raises(MalformedError, match="service: 17 adapters, at most 16 are loaded"):
        Service.from_record(service(adapters=many).to_record())


@given(st.permutations([f"{number:064x}" for number in range(11)]))
def test_the_order_of_adapters_is_that_of_their_numbers(ids: list[str]) -> None:
    one = service(adapters=tuple(Loaded(each, place) for place, each in enumerate(ids)))
    shuffled = dict(sorted(one.to_record().links.items(), key=lambda link: link[1]))

    assert one == Service.from_record(Record(Service.KIND, one.to_record().body, shuffled))


def test_a_service_may_have_neither_adapters_nor_languages_nor_tools() -> None:
    one = service(adapters=(), languages=(), tools=(), system_prompt="")

    assert one == Service.from_record(one.to_record())


def test_what_a_later_version_of_a_service_adds_is_left_alone() -> None:
    record = changed(service().to_record(), "new", ["x"])

    assert service() == Service.from_record(record)
    assert service() == Service.from_record(changed(record, "base/new", 1))
    assert service() == Service.from_record(_with_links(record, commons=ID))
    assert ["x"] == record.body["new"]


# --- runtime-policy/v1 -----------------------------------------------------------------------------------------------


@given(st.builds(RuntimePolicy, hex_digests(), _words, json_objects(), st.just("") | hex_digests()))
def test_rules_survive_their_record(one: RuntimePolicy) -> None:
    assert one == RuntimePolicy.from_record(read_again(one.to_record()))


def test_the_fields_of_rules_stand_where_the_documentation_says() -> None:
    record = policy(supersedes=OTHER).to_record()

    assert ({"constitution": ID, "supersedes": OTHER}, {}) == (record.links, record.blobs)
    assert {
        "title": "Our rules", "table": {"rule": {"dues": {"action": "deny", "article": "2.1"}}}, "declared_at": "",
    } == record.body  # fmt: skip


@pytest.mark.parametrize(
    ("path", "value"), malformed({"title": "words", "table": "object", "declared_at": "text"}, {"declared_at"})
)
def test_rules_with_a_field_missing_or_of_another_form_are_refused_naming_it(path: str, value: Any) -> None:
    with pytest.raises(MalformedError, match=f"^runtime-policy: {path}\\b"):
        read_kind(changed(policy().to_record(), path, value))


def test_rules_need_the_constitution_whose_articles_they_name() -> None:
    with pytest.raises(MalformedError, match="runtime-policy: link 'constitution'"):
        read_kind(_with_links(policy().to_record(), constitution=None))


def test_what_a_later_version_of_rules_adds_is_left_alone() -> None:
    assert policy() == RuntimePolicy.from_record(changed(policy().to_record(), "new", ["x"]))


# --- anchor/v1 -------------------------------------------------------------------------------------------------------


@given(hex_digests(), checkpoints(), _words)
def test_an_anchor_survives_its_record(service_id: str, found: Any, anchored_at: str) -> None:
    one = Anchor(service_id, found.note.to_bytes().decode(), anchored_at)

    assert one == Anchor.from_record(read_again(one.to_record()))


def test_the_fields_of_an_anchor_stand_where_the_documentation_says() -> None:
    record = anchor().to_record()

    assert ({"service": ID}, {}) == (record.links, record.blobs)
    assert {"checkpoint": checkpoint(), "anchored_at": DATE} == record.body


@pytest.mark.parametrize(("path", "value"), malformed({"checkpoint": "one of", "anchored_at": "words"}))
def test_an_anchor_with_a_field_missing_or_of_another_form_is_refused_naming_it(path: str, value: Any) -> None:
    with pytest.raises(MalformedError, match=f"^anchor: {path}\\b"):
        read_kind(changed(anchor().to_record(), path, value))


def test_a_checkpoint_that_nobody_signed_or_with_another_form_is_refused() -> None:
    whole = checkpoint()
    for text in (
        whole.partition("\n\n")[0] + "\n",
        whole.replace("1234", "01234"),
        whole.replace("1234", "-1"),
        f"{whole}x",
    ):
        with pytest.raises(MalformedError, match=r"^anchor: checkpoint"):
            Anchor.from_record(replace(anchor(), checkpoint=text).to_record())


def test_an_anchor_needs_its_service() -> None:
    with pytest.raises(MalformedError, match="anchor: link 'service'"):
        read_kind(_with_links(anchor().to_record(), service=None))


def test_what_a_later_version_of_an_anchor_adds_is_left_alone() -> None:
    assert anchor() == Anchor.from_record(changed(anchor().to_record(), "new", ["x"]))
