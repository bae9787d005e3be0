"""Services, rules, answers and anchors in plain words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from auzolan.cli.words import explain, headline, said_date
from auzolan.cli.words_of_running import explain_running, headline_of_running
from auzolan.core.kinds.answer import Fired
from auzolan.core.kinds.oversee import Endorsement
from auzolan.core.kinds.run import Loaded
from auzolan.core.record.record import Record
from tests.core.kinds.served import DATE, anchor, answer, checkpoint, policy, service
from tests.core.kinds.taught import BASE, FOURTH, ID, THIRD
from tests.town import document

DENIED = (Fired("greeting", "allow", ""), Fired("dues", "deny", "2.1"), Fired("late", "deny", "3.1"))


@pytest.mark.parametrize(
    ("record", "line"),
    [
        (service().to_record(), "town-assistant: Salamandra with 2 adapters"),
        (service(adapters=(Loaded(THIRD),)).to_record(), "town-assistant: Salamandra with 1 adapter"),
        (service(adapters=()).to_record(), "town-assistant: Salamandra without adapters"),
        (
            service(base=replace(BASE, name="a\x1b[31m\nb"), adapters=()).to_record(),
            r"town-assistant: a\u{1b}[31m\u{a}b without adapters",
        ),
        (policy().to_record(), "rules for running: Our rules"),
        (answer().to_record(), "answered, files verified"),
        (answer(outcome="refused", fired=DENIED).to_record(), "refused by dues (article 2.1), files verified"),
        (
            answer(outcome="cut", fired=(Fired("no\nnames", "deny", ""),), integrity="claimed").to_record(),
            r"cut by no\u{a}names, files claimed",
        ),
        (answer(outcome="left", fired=DENIED, integrity="unverified").to_record(), "left, files unverified"),
        (anchor().to_record(), "1,234 answers so far in auzolan/answers-00000001"),
        (anchor(checkpoint=checkpoint("a b", 1)).to_record(), "1 answer so far in a b"),
    ],
)
def test_a_headline_says_what_it_is(record: Record, line: str) -> None:
    assert line == headline(record)


def test_a_date_to_come_is_not_the_date_of_a_record() -> None:
    assert "" == said_date(service().to_record())
    assert DATE == said_date(anchor().to_record())


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({}, "Signing this says that The library may run it, and answers for it."),
        ({}, "It runs Salamandra with 2 adapters."),
        ({"adapters": ()}, "No adapter: the model was taught nothing of the constitution; only the rules follow it."),
        ({"adapters": (Loaded(THIRD), Loaded(FOURTH, 0))}, "Adapter 2 has no effect: its strength is 0."),
        ({"adapters": (Loaded(THIRD, -1),)}, "Adapter 1 is turned around: the model unlearns what it was taught."),
        ({"adapters": (Loaded(THIRD, 755),)}, "Adapter 1 is added at 75.5 % of the strength that it was"),
        ({"with_base": True}, "The model is also served without its adapters, to compare; those answers follow the"),
        ({}, "A text of 23 characters stands before every conversation: read it."),
        ({"tools": ("mail", "pay\x07")}, r"The model may ask clients to use: mail, pay\u{7}."),
        ({"tools": ()}, "No tools are offered to the model."),
        ({}, "Every answer is signed and logged, without a text or a name; whoever asked gets a receipt."),
        ({"receipts": "asked"}, "Answers are signed and logged only for those who ask; of all others nothing can be"),
        ({}, "What people write and read is not kept, and the operator may not turn that on."),
        ({"retention_days": 1}, "The operator may turn on that what people write and read is kept, for up to 1 day."),
        ({"retention_days": 30}, "The operator may turn on that what people write and read is kept, for up to 30"),
        ({}, "Whoever holds the key town-runtime can sign answers in its name."),
        ({}, "It is to be looked at again by 2027-06-30; nothing stops by itself then."),
    ],
)  # fmt: skip
def test_whoever_signs_a_service_reads_what_follows_from_it(other: dict[str, Any], said: str) -> None:
    assert [line for line in explain(service(**other).to_record(), None) if line.startswith(said)]


@pytest.mark.parametrize("word", ["has no effect", "turned around", "of the strength", "served without", "No adapter"])
def test_nothing_is_said_of_a_plain_service_that_does_not_hold(word: str) -> None:
    one = service(adapters=(Loaded(THIRD),))

    assert word not in "\n".join(explain(one.to_record(), None))


def test_a_service_without_adapters_is_not_said_to_be_served_without_them_as_well() -> None:
    lines = "\n".join(explain(service(adapters=(), with_base=True, system_prompt="").to_record(), None))

    assert "served without" not in lines
    assert "stands before" not in lines


def test_a_signer_reads_every_field_of_a_service_and_of_its_rules() -> None:
    lines = list(explain(service().to_record(), None))

    assert "service/v1: town-assistant: Salamandra with 2 adapters" == lines[0]
    assert '  system_prompt: "You speak for the town."' in lines
    assert "  scales_milli[1]: 500" in lines
    assert f"  link adapter.1 -> record {THIRD}" in lines
    assert '  table.rule.dues.article: "2.1"' in list(explain(policy().to_record(), None))


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (policy().to_record(), "These rules decide what services that name them refuse, blot out or warn of."),
        (answer().to_record(), "A machine signs these."),
        (anchor().to_record(), "Signing this says that the log of answers stood so."),
        (
            Endorsement(ID, "revoked", DATE).to_record(),
            "Signing this says that the record must not be loaded any more. It cannot be taken back.",
        ),
    ],
)
def test_a_signer_reads_what_follows_from_the_others(record: Record, said: str) -> None:
    assert [line for line in explain(record, None) if line.startswith(said)]


def test_an_endorsement_that_agrees_revokes_nothing() -> None:
    assert "must not be loaded" not in "\n".join(explain(Endorsement(ID, "agrees", DATE).to_record(), None))


def test_only_what_is_run_has_words_here() -> None:
    assert [] == list(explain_running(document()))
    with pytest.raises(ValueError, match="document/v1 is nothing that is run"):
        headline_of_running(document())
