"""Public evaluation sets: tiny samples of our own in their form, and the sets themselves where they are at hand.

No prompt of a set is ever printed: what is compared are counts, ids and tags.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.core.evals.items import Item
from auzolan.core.evals.loaders import load
from auzolan.core.evals.sets import ANSWER, SAFE_ANSWER, SETS, choices_shown
from auzolan.core.record.errors import AuzolanError, MalformedError, MissingError, StorageError, UsageError
from tests.shared_data import shared_folder

_BBQ = {
    "question_polarity": "neg", "context_condition": "ambig", "category": "Age", "context": "Two people came.",
    "question": "Who forgot?",
}  # fmt: skip
_TABLE_BBQ = _BBQ | {
    "template_id": "3", "stereotyped_groups": "['old']", "answer_info.ans0": "['abuelo', 'old']",
    "answer_info.ans1": "[\"nieto\", 'nonOld']", "answer_info.ans2": "['unknown', 'unknown']", "ans0": "El abuelo",
    "ans1": "El nieto", "ans2": "unknown", "label": "2",
}  # fmt: skip
SAMPLES: dict[str, dict[str, Any]] = {
    "harmbench": {"Behavior": "Do it", "FunctionalCategory": "standard", "SemanticCategory": "x", "Tags": "",
                  "ContextString": "", "BehaviorID": "do_it"},
    "strongreject": {"category": "x", "source": "y", "forbidden_prompt": "Do it"},
    "simplesafetytests": {"id": "sst_1", "harm_area": "x", "counter": "1", "category": "y", "prompts_final": "Do it"},
    "xstest": {"id": "v2-1", "type": "homonyms", "prompt": "How do I stop a process?"},
    "xsafety": {"lang": "es", "category": "x", "i": 4, "prompt": "Hazlo"},
    "multijail": {"id": "7", "source": "x", "tags": "['y']", "en": "Do it", "it": "Fallo"},
    "hh-rlhf": {"chosen": "\n\nHuman: Hello\n\nAssistant: Hi\n\nHuman: Bye\n\nAssistant: So long", "rejected": "x"},
    "ailuminate": {"release_prompt_id": "a_1", "prompt_text": "Fais-le", "hazard": "x", "persona": "y",
                   "locale": "fr_FR"},
    "truthfulqa-multi": {"id": 12, "question": "Zer da?", "category": "x", "lang": "eu",
                         "mc1_targets": {"choices": ["bai", "ez", ""], "labels": [1, 0, 0]}},
    "bbq": _BBQ | {
        "question_index": "3", "ans0": "Not known", "ans1": "The man from Kenya", "ans2": "The man from Peru",
        "label": 0, "answer_info": {"ans0": ["Not known", "unknown"], "ans1": ["Kenyan", "Africa"],
                                    "ans2": ["Peruvian", "LatinAmerica"]},
        "additional_metadata": {"stereotyped_groups": ["Kenyan", "Malian"]},
    },
    "esbbq": _TABLE_BBQ,
    "cabbq": _TABLE_BBQ | {"ans0": "L'avi"},
    "mt-bench": {"question_id": 81, "category": "writing", "turns": ["Write a letter", "Shorter"]},
    "vicuna-bench": {"question_id": 1, "category": "generic", "turns": ["How can I rest?"]},
}  # fmt: skip
_TABULAR = ("harmbench", "strongreject", "simplesafetytests", "xstest", "ailuminate", "esbbq", "cabbq")


def _write(folder: Path, *rows: dict[str, Any]) -> Path:
    place = folder / "rows.jsonl"
    place.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return place


def _one(folder: Path, name: str, **other: Any) -> Item:
    return load(_write(folder, SAMPLES[name] | other), name)[0]


def test_every_set_has_a_sample() -> None:
    assert set(SETS) == set(SAMPLES)


@pytest.mark.parametrize("name", sorted(SETS))
def test_items_carry_their_licence_and_source(name: str, tmp_path: Path) -> None:
    items = load(_write(tmp_path, SAMPLES[name]), name)
    known = SETS[name]

    assert {known.origin} == {item.origin for item in items}
    assert known.origin.licence
    assert known.origin.source.startswith("https://github.com/")
    assert {item.language for item in items} <= set(known.languages)
    assert items == [Item.from_json(item.to_json()) for item in items]


@pytest.mark.parametrize("name", _TABULAR)
def test_tables_give_the_same_items(name: str, tmp_path: Path) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(SAMPLES[name]))
    writer.writeheader()
    writer.writerow(SAMPLES[name])
    place = tmp_path / "rows.csv"
    place.write_text(text.getvalue(), encoding="utf-8")

    assert load(_write(tmp_path, SAMPLES[name]), name) == load(place, name)


def test_contrasts_of_xstest_are_to_be_answered_safely(tmp_path: Path) -> None:
    assert ANSWER in _one(tmp_path, "xstest").tags
    assert SAFE_ANSWER in _one(tmp_path, "xstest", type="contrast_homonyms").tags


def test_a_behaviour_is_asked_with_its_context(tmp_path: Path) -> None:
    assert "Read this\n\n---\n\nDo it" == _one(tmp_path, "harmbench", ContextString="Read this").prompt


def test_translations_share_a_scenario(tmp_path: Path) -> None:
    items = load(_write(tmp_path, SAMPLES["multijail"]), "multijail")
    xsafety = [_one(tmp_path, "xsafety", lang=lang, prompt=lang) for lang in ("es", "en")]

    assert (["en", "it"], {"multijail:7"}) == ([each.language for each in items], {each.scenario for each in items})
    assert {"xsafety:x:4"} == {item.scenario for item in xsafety}
    assert _one(tmp_path, "esbbq").scenario == _one(tmp_path, "cabbq").scenario != _one(tmp_path, "bbq").scenario


def test_one_language_of_several_can_be_asked_for(tmp_path: Path) -> None:
    items = load(_write(tmp_path, SAMPLES["multijail"]), "multijail", "it")

    assert ["it"] == [item.language for item in items]
    with pytest.raises(MalformedError, match=r"rows\.jsonl, line 1: .*its language is 'es'"):
        load(_write(tmp_path, SAMPLES["xsafety"]), "xsafety", "en")


def test_a_language_that_nothing_states_must_be_given(tmp_path: Path) -> None:
    row = {key: value for key, value in SAMPLES["xsafety"].items() if key != "lang"}

    assert "es" == load(_write(tmp_path, row), "xsafety", "es")[0].language
    with pytest.raises(MalformedError, match="line 1"):
        load(_write(tmp_path, row), "xsafety")


def test_a_conversation_ends_with_the_human(tmp_path: Path) -> None:
    item = _one(tmp_path, "hh-rlhf")

    assert [("user", "Hello"), ("assistant", "Hi"), ("user", "Bye")] == [(t.role, t.text) for t in item.turns]
    assert "So long" not in json.dumps(item.to_json())


def test_conversations_that_differ_in_the_completion_are_one_item(tmp_path: Path) -> None:
    rows = [SAMPLES["hh-rlhf"], SAMPLES["hh-rlhf"] | {"chosen": SAMPLES["hh-rlhf"]["chosen"] + "!"}]

    assert 1 == len(load(_write(tmp_path, *rows), "hh-rlhf"))


def test_the_right_choice_does_not_always_come_first(tmp_path: Path) -> None:
    orders = set()
    for i in range(20):
        choices = _one(tmp_path, "truthfulqa-multi", id=i).choices
        orders.add(tuple(choice.text for choice in choices))

        assert ["bai"] == [choice.text for choice in choices if choice.is_right]
        assert 2 == len(choices)  # the empty one is left out
    assert 2 == len(orders)


def test_translations_of_a_question_have_their_choices_in_one_order(tmp_path: Path) -> None:
    one = _one(tmp_path, "truthfulqa-multi")
    other = _one(tmp_path, "truthfulqa-multi", lang="en", mc1_targets={"choices": ["yes", "no"], "labels": [1, 0]})

    assert [choice.is_right for choice in one.choices] == [choice.is_right for choice in other.choices]


@pytest.mark.parametrize(("polarity", "biased"), [("neg", 1), ("nonneg", 2)])
def test_what_a_stereotype_would_say_is_marked(polarity: str, biased: int, tmp_path: Path) -> None:
    choices = _one(tmp_path, "bbq", question_polarity=polarity).choices

    assert [biased] == [i for i, choice in enumerate(choices) if "stereotype" in choice.tags]
    assert [0] == [i for i, choice in enumerate(choices) if "unknown" in choice.tags]


def test_the_unknown_answer_speaks_the_language(tmp_path: Path) -> None:
    assert ["No se puede saber", "No es pot saber"] == [
        _one(tmp_path, name).choices[2].text for name in ("esbbq", "cabbq")
    ]


def test_choices_are_lettered(tmp_path: Path) -> None:
    assert "Two people came.\nWho forgot?\nA. El abuelo\nB. El nieto\nC. No se puede saber" == choices_shown(
        _one(tmp_path, "esbbq")
    )


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("xstest", {"prompt": ""}), ("xstest", {"prompt": "  "}), ("xstest", {"prompt": None}), ("xstest", {"type": 3}),
        ("xsafety", {"i": "x"}), ("xsafety", {"i": True}), ("xsafety", {"lang": "xx"}),
        ("hh-rlhf", {"chosen": "Hello"}),
        ("truthfulqa-multi", {"mc1_targets": {"choices": ["a", "b"], "labels": [1]}}),
        ("truthfulqa-multi", {"mc1_targets": {"choices": ["a", "b"], "labels": [1, 1]}}),
        ("truthfulqa-multi", {"mc1_targets": {"choices": ["", "b"], "labels": [1, 0]}}),
        ("truthfulqa-multi", {"mc1_targets": None}), ("esbbq", {"label": "3"}), ("esbbq", {"label": None}),
        ("esbbq", {"stereotyped_groups": "__import__('os')"}), ("esbbq", {"stereotyped_groups": "[1]"}),
        ("esbbq", {"answer_info.ans0": "['a'"}), ("esbbq", {"question_polarity": "both"}), ("bbq", {"answer_info": []}),
        ("bbq", {"additional_metadata": "x"}), ("mt-bench", {"turns": []}), ("mt-bench", {"turns": [3]}),
        ("ailuminate", {"locale": "de_DE"}), ("multijail", {"en": 3}),
    ],
)  # fmt: skip
def test_a_row_of_another_form_is_refused_with_its_line(name: str, other: dict[str, Any], tmp_path: Path) -> None:
    place = _write(tmp_path, SAMPLES[name], SAMPLES[name] | other)
    with pytest.raises(MalformedError, match=r"rows\.jsonl, line 2") as caught:
        load(place, name)

    assert all(text not in str(caught.value) for text in ("Do it", "Hazlo", "Two people", "Hello"))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'{"id": 1}\n{', "line 2: not JSON"), (b"[]\n", "line 1: expected an object"),
        (b"\xff\n", "line 1: not UTF-8"),
        (b'{"id": "a", "id": "b"}\n', "line 1: key 'id' appears twice"), (b"", "no row of xstest"), (b"\n\n", "no row"),
        (b'{"id": 1.5}\n', "line 1: number 1.5"),
    ],
)  # fmt: skip
def test_a_broken_file_is_refused(content: bytes, why: str, tmp_path: Path) -> None:
    place = tmp_path / "rows.jsonl"
    place.write_bytes(content.replace(b'{"id": 1}\n', json.dumps(SAMPLES["xstest"]).encode() + b"\n"))
    with pytest.raises(MalformedError, match=why):
        load(place, "xstest")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("id,prompt,type\nv2-1,Hello\n", "line 2: 2 cells, expected 3"), ("id,id\n1,2\n", "a column stands twice"),
        ('id,prompt,type\n"a"b,c,d\n', "line 2: not CSV"), ("id,prompt,type\n", "no row"), ("", "no row"),
    ],
)  # fmt: skip
def test_a_broken_table_is_refused(content: str, why: str, tmp_path: Path) -> None:
    place = tmp_path / "rows.csv"
    place.write_text(content, encoding="utf-8")
    with pytest.raises(MalformedError, match=why):
        load(place, "xstest")


def test_the_same_item_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MalformedError, match="line 2: the same item as in line 1"):
        load(_write(tmp_path, SAMPLES["xstest"], SAMPLES["xstest"]), "xstest")


def test_a_line_separator_within_a_text_is_no_new_line(tmp_path: Path) -> None:
    place = tmp_path / "rows.jsonl"
    row = json.dumps(SAMPLES["xstest"] | {"prompt": "one\u2028two"}, ensure_ascii=False)
    place.write_text(row + "\n", encoding="utf-8")

    assert 1 == len(load(place, "xstest"))


def test_what_cannot_be_loaded_is_said(tmp_path: Path) -> None:
    place = _write(tmp_path, SAMPLES["xstest"])
    for path, name, language, error in (
        (place, "gsm8k", None, UsageError), (place, "xstest", "eu", UsageError),
        (place.rename(tmp_path / "rows.txt"), "xstest", None, UsageError),
        (tmp_path / "none.jsonl", "xstest", None, MissingError),
    ):  # fmt: skip
        with pytest.raises(error):
            load(path, name, language)
    (tmp_path / "folder.jsonl").mkdir()
    with pytest.raises(StorageError):
        load(tmp_path / "folder.jsonl", "xstest")


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=6) | st.sampled_from(["['a']", "[", "['a', 3]"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(st.data(), st.sampled_from(sorted(SETS)))
def test_only_our_errors_escape(data: st.DataObject, name: str) -> None:
    key = data.draw(st.sampled_from(sorted(SAMPLES[name])))
    row = SAMPLES[name] | {key: data.draw(_json)}
    try:
        SETS[name].rows(row, SETS[name].languages[0], SETS[name].origin)
    except AuzolanError:
        return


# (file, set, rows here, items, scenarios)
_SHARED = (
    ("harmbench/harmbench_behaviors_text", "harmbench", 226, 226, 226),
    ("strongreject/strongreject", "strongreject", 234, 234, 234),
    ("simplesafetytests/simplesafetytests", "simplesafetytests", 65, 65, 65),
    ("xstest/xstest_v2_prompts", "xstest", 347, 347, 347),
    ("xsafety/es", "xsafety", 2277, 2277, 2277),
    ("multijail/multijail", "multijail", 221, 2210, 221),
    ("hh-rlhf/harmless_base_test", "hh-rlhf", 1838, 1836, 1737),
    ("ailuminate/demo_en_us", "ailuminate", 725, 725, 725),
    ("ailuminate/demo_fr_fr", "ailuminate", 716, 716, 716),
    *((f"truthfulqa-multi/{tag}", "truthfulqa-multi", 649, 649, 649) for tag in ("ca", "en", "es", "eu", "gl")),
    ("bbq/bbq_en", "bbq", 1024, 1024, 128),
    ("bbq/esbbq", "esbbq", 4196, 4196, 271),
    ("bbq/cabbq", "cabbq", 4196, 4196, 271),
    ("helpfulness/mt_bench", "mt-bench", 61, 61, 61),
    ("helpfulness/vicuna_bench", "vicuna-bench", 66, 66, 66),
)


@pytest.mark.parametrize(("file", "name", "rows", "n_items", "n_scenarios"), _SHARED, ids=lambda value: str(value))
def test_the_sets_are_read_whole(file: str, name: str, rows: int, n_items: int, n_scenarios: int) -> None:
    place = shared_folder("prompts") / f"{file}.jsonl"
    items = load(place, name)

    assert rows == sum(1 for line in place.read_bytes().split(b"\n") if line.strip())
    assert (n_items, n_scenarios) == (len(items), len({item.scenario for item in items}))


@pytest.mark.parametrize(("file", "name"), [("bbq_en", "bbq"), ("esbbq", "esbbq"), ("cabbq", "cabbq")])
def test_every_bias_item_has_one_unknown_and_one_stereotype(file: str, name: str) -> None:
    items = load(shared_folder("prompts") / "bbq" / f"{file}.jsonl", name)
    tags = Counter(
        tuple(sorted(tag for choice in item.choices for tag in choice.tags)) == ("stereotype", "unknown")
        for item in items
    )

    assert {True: len(items)} == tags


@pytest.mark.parametrize(("name", "odd"), [("esbbq", 1), ("cabbq", 4)])
def test_our_marks_agree_with_those_of_the_set(name: str, odd: int) -> None:
    place = shared_folder("prompts") / "bbq" / f"{name}.jsonl"
    rows = [json.loads(line) for line in place.read_bytes().split(b"\n") if line.strip()]
    found = Counter(
        (row["question_type"], any(choice.is_right and "stereotype" in choice.tags for choice in item.choices))
        for row, item in zip(rows, load(place, name), strict=True)
        if row["question_type"] != "n/a"
    )

    # Of 2,168 rows a few are called pro-stereo though their right answer is the other group; we go by the groups.
    assert (odd, 0) == (found["pro-stereo", False], found["anti-stereo", True])
    assert 2168 - odd == found["pro-stereo", True] + found["anti-stereo", False]
