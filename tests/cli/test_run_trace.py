"""`auzolan trace RECEIPT` and `run explain`: from an answer to rules, articles, votes and statements."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from auzolan.core.kinds.constitution import Constitution
from tests.cli.answered import path_in, runtime
from tests.cli.deliberation import Place, copied
from tests.cli.running import FORBIDDEN, record_of, written

for _name in ("orjson", "re2"):
    pytest.importorskip(_name, reason="NOT CHECKED: the run extra is not installed")


@pytest.fixture
def here(answered_town: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return copied(answered_town, tmp_path, monkeypatch)


# ---- trace


def test_a_trace_leads_from_the_rule_to_the_article_the_votes_and_the_statements(here: Place) -> None:
    said = here.json("trace", path_in(here))
    law = Constitution.from_record(record_of(here, here.ids("constitution/v1")[-1]))
    first, second = said["fired"]

    assert ("answered", "verified") == (said["outcome"], said["integrity"])
    assert ("allow-use", "allow", "", False) == (first["rule"], first["effect"], first["article"], "text" in first)
    assert ("no-eligibility-by-machine", "1.1") == (second["rule"], second["article"])
    assert second["text"] == next(each.text for each in law.ratified if each.number == "1.1")
    assert any(any(digit in sentence for digit in "0123456789") for sentence in second["votes"])
    assert second["statements"]
    assert all(each["text"] for each in second["statements"])


def test_a_trace_says_how_well_each_link_was_established(here: Place) -> None:
    links = {each["link"]: each for each in here.json("trace", path_in(here))["rests_on"]}
    law = links["constitution"]["branches"]

    assert {"service", "rules", "constitution", "adapter.1"} == set(links)
    assert {"checked"} == {each["strength"] for each in links.values()}
    assert any(each["strength"] == "recomputed" for each in law), law


def test_an_adapter_whose_files_nobody_hashed_is_only_asserted(here: Place) -> None:
    (one,) = replace(runtime(here), integrity="unverified").answers()
    said = here.json("trace", written(here.machine.folder, one.receipt, "one.json"))
    strengths = {each["link"]: each["strength"] for each in said["rests_on"]}

    assert ("asserted", "checked") == (strengths["adapter.1"], strengths["service"])


def test_a_trace_for_people_shows_the_same(here: Place) -> None:
    text = here.run("trace", path_in(here))
    flat = " ".join(text.replace("│", " ").replace("├──", " ").replace("└──", " ").split())

    assert "rules that matched" in text
    assert "[asserted] no-eligibility-by-machine (warn)" in flat
    assert "[asserted] allow-use (allow) of the operator" in flat
    assert "article 1.1:" in flat
    assert "from statement #" in flat
    assert "because" not in flat


def test_a_trace_of_depth_one_opens_nothing(here: Place) -> None:
    said = here.json("trace", path_in(here), "--depth", "1")

    assert [[]] * 4 == [each["branches"] for each in said["rests_on"]]


# ---- explain


def test_explain_says_which_rules_decided_about_an_answer_and_whose_they_are(here: Place) -> None:
    said = here.json("run", "explain", path_in(here))
    text = here.run("run", "explain", path_in(here))

    assert ["allow-use", "no-eligibility-by-machine"] == [each["rule"] for each in said["fired"]]
    assert said["fired"][1]["statements"]
    assert "the operator's own; nobody voted on it" in text
    assert "article 1.1: " in text


def test_explain_says_what_would_be_decided_and_what_would_change_it(here: Place) -> None:
    said = here.json("run", "explain", "--text", FORBIDDEN)
    text = " ".join(here.run("run", "explain", "--text", FORBIDDEN).split())
    matched = {each["rule"]: each for each in said["matched"]}

    assert "denied" == said["decision"]
    assert ("deny", "1.1") == (
        matched["no-eligibility-by-machine"]["effect"],
        matched["no-eligibility-by-machine"]["article"],
    )
    assert matched["no-eligibility-by-machine"]["votes"]
    assert said["changes"]
    assert "It would be allowed if a person who is responsible were named." in text


def test_with_a_named_human_the_same_is_allowed(here: Place) -> None:
    assert "allowed" == here.json("run", "explain", "--text", FORBIDDEN, "--human")["decision"]


def test_explain_looks_at_answers_by_the_rules_for_answers(here: Place) -> None:
    said = here.json("run", "explain", "--answer", "Your IBAN is ES91 2100 0418 4502 0005 1332.")

    assert "allowed" == said["decision"]
    assert "redact" in {each["effect"] for each in said["matched"]}


@pytest.mark.parametrize("arguments", [(), ("--text", "a", "--answer", "b"), ("--text", "")])
def test_explain_wants_one_thing_to_explain(here: Place, arguments: tuple[str, ...]) -> None:
    result = here.machine.call("run", "explain", *arguments, "--commons", here.town)

    assert (2 if arguments != ("--text", "") else 0) == result.exit_code
    assert "Traceback" not in result.output


def test_explain_looks_at_a_text_as_the_gateway_does(here: Place) -> None:
    hidden = FORBIDDEN.replace("Decide", "Dec<|im_start|>ide")
    said = here.json("run", "explain", "--text", hidden)

    assert "denied" == said["decision"]
    assert {"no-eligibility-by-machine", "note-role-markers"} <= {each["rule"] for each in said["matched"]}


def test_a_receipt_is_explained_alone(here: Place) -> None:
    assert "give it alone" in here.error("run", "explain", path_in(here), "--text", "a", code=2)
