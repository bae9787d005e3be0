"""The kinds of record that teaching adds: data sets and adapters."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.core.kinds import read_kind
from auzolan.core.kinds.teach import (
    Adapter,
    ArticleRows,
    Base,
    Dataset,
    Flag,
    Measured,
    NotMeasured,
    Setting,
    digest_of_files,
)
from auzolan.core.record.canonical import MAX_INTEGER
from auzolan.core.record.errors import MalformedError
from auzolan.core.record.record import Record
from tests.core.kinds.shapes import OF_BASE, changed, malformed, named, read_again
from tests.core.kinds.taught import BASE, BLOB, FOURTH, ID, NO_WORD, OTHER, THIRD, adapter, dataset
from tests.strategies import hex_digests, texts

# --- what strategies draw --------------------------------------------------------------------------------------------

_words = texts().filter(bool)
_counts = st.integers(0, MAX_INTEGER)
_from_one = st.integers(1, MAX_INTEGER)
_languages = st.sampled_from(["", "en", "eu", "es-419", "zh-Hant-TW"])
_bases = st.builds(
    Base, _words, _words, hex_digests(), hex_digests(), st.just("") | hex_digests(), hex_digests(), texts(),
    st.lists(_words, max_size=2).map(tuple),
)  # fmt: skip
_settings = st.lists(
    st.builds(Setting, _words, texts(), st.sampled_from(Setting.ORIGINS)), max_size=3, unique_by=lambda one: one.name
).map(tuple)
_flags = st.lists(
    st.builds(Flag, _words, _words, st.just(False), texts()) | st.builds(Flag, _words, _words, st.booleans(), _words),
    max_size=2,
).map(tuple)
_numbers = st.tuples(st.integers(1, 9_999), st.integers(1, 9_999))
_software = st.dictionaries(_words, _words, max_size=3)


@st.composite
def _datasets(draw: st.DrawFn) -> Dataset:
    n_rows = draw(_counts)
    n_learnt = draw(st.integers(0, n_rows))
    articles = []
    for article, principle in sorted(draw(st.sets(_numbers, max_size=4))):
        learnt, rejected = draw(st.integers(0, n_learnt)), draw(st.integers(0, n_rows - n_learnt))
        n_prompts = draw(st.integers(learnt + rejected, n_rows))
        articles.append(ArticleRows(f"{article}.{principle}", n_prompts, learnt, rejected, draw(texts())))
    return Dataset(
        draw(hex_digests()), draw(hex_digests()), draw(_words), draw(_words), draw(_bases), draw(_words), draw(_words),
        draw(_settings), n_rows, n_learnt, tuple(articles), draw(_flags),
    )  # fmt: skip


def _of_cells(name: str, number: str, language: str, cells: tuple[int, int, int, int]) -> Measured:
    """Return a measurement of (both times, before only, after only, never)."""
    both, lost, gained, never = cells
    return Measured(name, number, language, both + lost + gained + never, both + lost, both + gained, gained, lost)


_cells = st.tuples(*[st.integers(0, 10**9)] * 4).filter(any)


@st.composite
def _measurements(draw: st.DrawFn) -> tuple[Measured, ...]:
    """Return measurements of which no two are of the same: wholes have a name of their own."""
    keys = st.tuples(_words, st.sampled_from(["", "1.1", "3.12", "x7"]), _languages)
    drawn = draw(st.lists(keys, max_size=4, unique_by=lambda key: key[0]))
    return tuple(_of_cells(*key, draw(_cells)) for key in drawn)


_not_measured = st.lists(st.builds(NotMeasured, _words, _words), max_size=2, unique_by=lambda one: one.name).map(tuple)
_adapters = st.builds(
    Adapter, *[hex_digests()] * 5, _words, _words, _bases, *[_from_one] * 5, _counts, _counts, _settings,
    _measurements(), _not_measured, _software,
)  # fmt: skip


# --- dataset/v1 ------------------------------------------------------------------------------------------------------


@given(_datasets())
def test_a_data_set_survives_its_record(one: Dataset) -> None:
    assert one == Dataset.from_record(read_again(one.to_record()))
    assert one.to_record() == Dataset.from_record(one.to_record()).to_record()


def test_the_fields_of_a_data_set_stand_where_the_documentation_says() -> None:
    record = dataset().to_record()

    assert {"constitution": ID} == record.links
    assert {"rows": BLOB} == record.blobs
    assert {
        "title": "Ours, as rows", "made_at": "2026-11-20", "kit": "pocket/1", "teacher": "pocket, itself",
        "n_rows": 560, "n_learnt": 412,
        "base": {
            "name": "Salamandra", "architecture": "llama", "weights": "1" * 64, "tokenizer": "2" * 64,
            "chat_template": "3" * 64, "config": "4" * 64, "licence": "apache-2.0", "duties": ["hand on the licence"],
        },
        "settings": [
            {"name": "prompts", "value": "560", "origin": "option"}, {"name": "seed", "value": "", "origin": "default"},
        ],
        "articles": [
            {"number": "1.1", "n_prompts": 300, "n_learnt": 200, "n_rejected": 100, "why_not": ""},
            {"number": "1.2", "n_prompts": 40, "n_learnt": 3, "n_rejected": 37, "why_not": NO_WORD},
            {"number": "2.1", "n_prompts": 260, "n_learnt": 212, "n_rejected": 0, "why_not": ""},
        ],
        "flags": [
            {"where": "article 2.1", "reason": "it speaks to the model", "trained": True, "allowed_by": "the board"},
            {"where": "row 17", "reason": "odd", "trained": False, "allowed_by": ""},
        ],
    } == record.body  # fmt: skip


# Each field of the body: what it must be ("text" may be empty, "words" may not), and where it stands.
OF_SETTINGS = {
    "settings": "list", "settings/0": "object", "settings/0/name": "words", "settings/0/value": "text",
    "settings/0/origin": "words",
}  # fmt: skip
DATASET = OF_BASE | OF_SETTINGS | {
    "title": "words", "made_at": "words", "base": "object", "kit": "words", "teacher": "words", "n_rows": "count",
    "n_learnt": "count", "articles": "list", "articles/0": "object", "articles/0/number": "words",
    "articles/0/n_prompts": "count", "articles/0/n_learnt": "count", "articles/0/n_rejected": "count",
    "articles/0/why_not": "text", "flags": "list", "flags/0": "object", "flags/0/where": "words",
    "flags/0/reason": "words", "flags/0/trained": "bool", "flags/0/allowed_by": "text",
}  # fmt: skip
ADAPTER = OF_BASE | OF_SETTINGS | {
    "title": "words", "trained_at": "words", "base": "object", "rank": "from 1", "alpha": "from 1",
    "n_parameters": "from 1", "n_steps": "from 1", "n_tokens": "from 1", "first_loss_micro": "count",
    "last_loss_micro": "count", "measured": "list", "measured/0": "object", "measured/0/name": "words",
    "measured/0/number": "text", "measured/0/language": "text", "measured/0/n": "from 1",
    "measured/0/before": "count", "measured/0/after": "count", "measured/0/gained": "count",
    "measured/0/lost": "count", "not_measured": "list", "not_measured/0": "object", "not_measured/0/name": "words",
    "not_measured/0/reason": "words", "software": "object", "software/torch": "words",
}  # fmt: skip
NO_NUMBERS = ("1", "x0", "y1", "1.0", "1.1 ", "x1.1")


def _named(path: str) -> str:
    """Return how a message names a field; software by itself."""
    return named(path).replace("software: torch", "software")


@pytest.mark.parametrize(("path", "value"), malformed(DATASET))
def test_a_data_set_with_a_field_missing_or_of_another_form_is_refused_naming_it(path: str, value: Any) -> None:
    with pytest.raises(MalformedError, match=f"^dataset: {_named(path)}\\b"):
        read_kind(changed(dataset().to_record(), path, value))


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("base/weights", "A" * 64, "dataset: base: weights: expected 64 lower-case hexadecimal digits"),
        ("settings/0/origin", "guess", "origin must be one of default, kit, option, model, tiny, got 'guess'"),
        ("settings/1/name", "prompts", "dataset: settings: 'prompts' stands there twice"),
        ("n_learnt", 561, "dataset: n_learnt is 561, of only 560 rows"),
        ("n_rows", 411, "dataset: n_learnt is 412, of only 411 rows"),
        *(("articles/0/number", text, r"^dataset: articles: number: .* such as 2\.1") for text in NO_NUMBERS),
        ("articles/0/number", "1.2", "dataset: articles: expected numbers that ascend, each once"),
        ("articles/0/number", "1.10", "dataset: articles: expected numbers that ascend, each once"),
        ("articles/0/n_prompts", 299, "1.1 has more rows learnt and rejected than prompts"),
        ("articles/0/n_learnt", 201, "1.1 has more rows learnt and rejected than prompts"),
        ("articles/2/n_prompts", 561, "2.1 has more prompts than there are rows"),
        ("n_learnt", 211, "2.1 has more rows learnt than are learnt in all"),
        ("n_learnt", 461, "1.1 has more rows rejected than are not learnt"),
        ("flags/0/allowed_by", "", "'article 2.1' was trained on, so allowed_by must say who allowed it"),
        ("flags/1/trained", True, "'row 17' was trained on, so allowed_by must say who allowed it"),
    ],
)  # fmt: skip
def test_a_data_set_that_does_not_fit_together_is_refused(path: str, value: Any, message: str) -> None:
    with pytest.raises(MalformedError, match=message):
        read_kind(changed(dataset().to_record(), path, value))


@given(_datasets(), st.integers(1, 10**6))
def test_counts_that_cannot_be_those_of_the_rows_are_refused(one: Dataset, more: int) -> None:
    for other in (
        replace(one, n_learnt=one.n_rows + more),
        replace(one, articles=(ArticleRows("1.1", one.n_rows + more, 0, 0),)),
        replace(one, articles=(ArticleRows("1.1", one.n_rows, one.n_learnt + more, 0),)),
        replace(one, articles=(ArticleRows("1.1", one.n_rows, 0, one.n_rows - one.n_learnt + more),)),
        replace(one, articles=(ArticleRows("1.1", 0, 0, 0), ArticleRows("1.1", 0, 0, 0))),
    ):
        if max(other.n_learnt, *(each.n_prompts for each in other.articles), 0) > MAX_INTEGER:
            continue
        with pytest.raises(MalformedError, match=r"^dataset: "):
            Dataset.from_record(other.to_record())


def test_a_data_set_needs_its_constitution_and_its_rows() -> None:
    record = dataset().to_record()

    with pytest.raises(MalformedError, match="dataset: link 'constitution'"):
        Dataset.from_record(Record(record.kind, record.body, {}, record.blobs))
    with pytest.raises(MalformedError, match="dataset: blob 'rows'"):
        Dataset.from_record(Record(record.kind, record.body, record.links, {"private.rows": BLOB}))


def test_what_a_later_version_adds_is_left_alone() -> None:
    rows, taught = dataset().to_record(), adapter().to_record()
    for path in ("new", "base/new", "settings/0/new", "articles/0/new", "flags/0/new"):
        assert dataset() == Dataset.from_record(changed(rows, path, ["x"]))
    for path in ("new", "base/new", "settings/0/new", "measured/0/new", "not_measured/0/new"):
        assert adapter() == Adapter.from_record(changed(taught, path, ["x"]))


def test_a_model_without_a_template_or_a_known_licence_is_read() -> None:
    one = dataset(base=replace(BASE, chat_template="", licence="", duties=()))

    assert one == Dataset.from_record(one.to_record())


# --- adapter/v1 ------------------------------------------------------------------------------------------------------


@given(_adapters)
def test_an_adapter_survives_its_record(one: Adapter) -> None:
    assert one == Adapter.from_record(read_again(one.to_record()))
    assert one.to_record() == Adapter.from_record(one.to_record()).to_record()


def test_the_fields_of_an_adapter_stand_where_the_documentation_says() -> None:
    record = adapter().to_record()

    assert {"dataset": ID, "constitution": OTHER} == record.links
    assert {"weights": BLOB, "config": THIRD, "answers": FOURTH} == record.blobs
    assert {
        "title", "trained_at", "base", "rank", "alpha", "n_parameters", "n_steps", "n_tokens", "first_loss_micro",
        "last_loss_micro", "settings", "measured", "not_measured", "software",
    } == set(record.body)  # fmt: skip
    assert {
        "name": "adherence", "number": "2.1", "language": "", "n": 120, "before": 20, "after": 112, "gained": 95,
        "lost": 3,
    } == record.body["measured"][2]  # type: ignore[index]  # fmt: skip
    assert [{"name": "over-refusal", "reason": "not applicable to this model"}] == record.body["not_measured"]
    assert {"torch": "2.13", "peft": "0.19"} == record.body["software"]


@pytest.mark.parametrize(("path", "value"), malformed(ADAPTER, ["software/torch"]))
def test_an_adapter_with_a_field_missing_or_of_another_form_is_refused_naming_it(path: str, value: Any) -> None:
    with pytest.raises(MalformedError, match=f"^adapter: {_named(path)}\\b"):
        read_kind(changed(adapter().to_record(), path, value))


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("base/config", "", "adapter: base: config: expected 64 lower-case hexadecimal digits"),
        ("settings/0/origin", "Kit", "adapter: settings: origin must be one of default, kit, option, model, tiny"),
        ("software", {"": "1"}, "adapter: software: expected non-empty text"),
        *(("measured/0/number", text, r"^adapter: measured: number: .* such as 2\.1") for text in NO_NUMBERS),
        *(("measured/0/language", tag, "measured: language: expected a language tag") for tag in ("English", "EN")),
        ("measured/1/number", "", "adapter: measured: 'adherence' stands there twice"),
        ("measured/4/language", "eu", "adapter: measured: 'adherence in eu' stands there twice"),
        ("measured/2/number", "1.1", "adapter: measured: 'adherence of 1.1' stands there twice"),
    ],
)  # fmt: skip
def test_an_adapter_of_another_form_is_refused(path: str, value: Any, message: str) -> None:
    with pytest.raises(MalformedError, match=message):
        Adapter.from_record(changed(adapter().to_record(), path, value))


def test_what_was_not_measured_is_said_once() -> None:
    twice = (NotMeasured("facts", "no"), NotMeasured("facts", "why"))

    with pytest.raises(MalformedError, match="adapter: not_measured: 'facts' stands there twice"):
        Adapter.from_record(adapter(not_measured=twice).to_record())


@pytest.mark.parametrize("missing", ["dataset", "constitution"])
def test_an_adapter_needs_what_it_rests_on(missing: str) -> None:
    record = adapter().to_record()
    links = {name: target for name, target in record.links.items() if name != missing}

    with pytest.raises(MalformedError, match=f"adapter: link '{missing}'"):
        Adapter.from_record(Record(record.kind, record.body, links, record.blobs))


@pytest.mark.parametrize("missing", ["weights", "config", "answers"])
def test_an_adapter_needs_its_files(missing: str) -> None:
    record = adapter().to_record()
    blobs = {name: digest for name, digest in record.blobs.items() if name != missing}

    with pytest.raises(MalformedError, match=f"adapter: blob '{missing}'"):
        Adapter.from_record(Record(record.kind, record.body, record.links, blobs))


@given(
    _cells,
    st.sampled_from(["n", "before", "after", "gained", "lost"]),
    st.integers(-(10**9), 10**9).filter(bool),
)  # fmt: skip
def test_a_measurement_in_which_one_count_is_changed_is_refused_unless_only_more_was_checked(
    cells: tuple[int, int, int, int], field: str, by: int
) -> None:
    right = _of_cells("facts", "", "", cells)
    other = replace(right, **{field: getattr(right, field) + by})
    one = adapter(measured=(other,))
    if field == "n" and other.n >= right.n - cells[3] and other.n >= 1:
        assert one == Adapter.from_record(one.to_record())
        return

    with pytest.raises(MalformedError, match=r"^adapter: measured: "):
        Adapter.from_record(one.to_record())


@pytest.mark.parametrize(
    "counts",
    [
        (10, 5, 5, 6, 6),  # more are lost than there were, more gained than were not there
        (10, 5, 4, 0, 0),
        (10, 11, 11, 0, 0),
        (10, 5, 11, 6, 0),
        (10, 2, 0, 1, 3),
        (1, 1, 1, 1, 1),
    ],
)
def test_pairs_that_do_not_add_up_are_refused(counts: tuple[int, int, int, int, int]) -> None:
    with pytest.raises(MalformedError, match=r"'facts of 2\.1 in eu': .* do not make .* after, of "):
        Adapter.from_record(adapter(measured=(Measured("facts", "2.1", "eu", *counts),)).to_record())


@given(_cells, _cells)
def test_a_whole_that_is_less_than_its_parts_is_refused(
    one: tuple[int, int, int, int], other: tuple[int, int, int, int]
) -> None:
    whole = [a + b for a, b in zip(one, other, strict=True)]
    for parts in ((("", "eu"), ("", "es")), (("1.1", ""), ("2.1", ""))):
        counted = tuple(
            _of_cells(Measured.ADHERENCE, *part, cells) for part, cells in zip(parts, (one, other), strict=True)
        )
        fits = adapter(measured=(_of_cells(Measured.ADHERENCE, "", "", (*whole,)), *counted))  # type: ignore[arg-type]

        assert fits == Adapter.from_record(fits.to_record())
        for place in (place for place, cell in enumerate(whole) if cell):
            less = [cell - (number == place) for number, cell in enumerate(whole)]
            if any(less):
                less_of = (_of_cells(Measured.ADHERENCE, "", "", (*less,)), *counted)  # type: ignore[arg-type]
                with pytest.raises(MalformedError, match=r"'adherence' counts less than its .* together"):
                    Adapter.from_record(adapter(measured=less_of).to_record())


def test_facts_of_one_answer_may_be_counted_for_each_article_that_it_is_about() -> None:
    counted = (
        Measured("facts", "", "", 1, 1, 1, 0, 0),
        *(Measured("facts", n, "", 1, 1, 1, 0, 0) for n in ("1.1", "2.1")),
    )
    one = adapter(measured=counted)

    assert one == Adapter.from_record(one.to_record())


def test_parts_without_a_whole_are_read() -> None:
    one = adapter(measured=adapter().measured[1:])

    assert one == Adapter.from_record(one.to_record())


def test_the_digest_of_files_says_which_files_and_nothing_of_their_order() -> None:
    digest = digest_of_files({"b": "2" * 64, "a": "1" * 64})

    assert sha256(b'{"a":"%s","b":"%s"}' % (b"1" * 64, b"2" * 64)).hexdigest() == digest
    assert digest == digest_of_files({"a": "1" * 64, "b": "2" * 64})
    assert digest != digest_of_files({"a": "1" * 64, "c": "2" * 64})
