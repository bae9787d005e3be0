"""What is held stays held and what is blotted out stays so, whatever else ends an answer, and where things overlap."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auzolan.run.checks.personal import KINDS, find, redact
from auzolan.run.checks.plain_text import Reader
from auzolan.run.checks.release import Release
from auzolan.run.checks.scan import Found, Scanner
from auzolan.run.rules.decide import Watch
from auzolan.run.rules.facts import ANSWER, CUT, HOLD, REQUEST, Decision, Topic

BOTH = frozenset({REQUEST, ANSWER})
IBAN = "ES91 2100 0418 4502 0005 1332"
ACCOUNT = r"ES\d{2}( ?\d{4}){5}"
PIECES = (1, 3, 7, 16, 1_000)


class Mixed(NamedTuple):
    """Rules of a test, each about one name: what is cut, what is held, and what is blotted out."""

    cut: frozenset[str] = frozenset()
    hold: frozenset[str] = frozenset()
    redacts: frozenset[str] = frozenset()

    def decide(self, found: Found) -> Decision:
        names = found.topics | found.personal
        release = HOLD if names & self.hold else CUT
        return Decision(bool(names & (self.cut | self.hold)), (), self.redacts & found.personal, release)

    @property
    def watch(self) -> Watch:
        names = self.hold | self.redacts
        return Watch(HOLD if names else CUT, names - set(KINDS), names & set(KINDS))


def mixed(cut: Sequence[str] = (), hold: Sequence[str] = (), redacts: Sequence[str] = ()) -> Mixed:
    return Mixed(frozenset(cut), frozenset(hold), frozenset(redacts))


def released(pieces: Sequence[str], scanner: Scanner, rules: Mixed) -> tuple[str, bool, Found]:
    release = Release(scanner, ANSWER, rules.decide, rules.watch)
    sent = "".join([*(release.feed(piece) for piece in pieces), release.finish()])
    return sent, release.stopped is not None, release.found


def sent_of(text: str, scanner: Scanner, rules: Mixed) -> str:
    """Return what is sent of a text, the same however it is cut."""
    sent = {
        released([text[at : at + length] for at in range(0, len(text), length)], scanner, rules)[0] for length in PIECES
    }
    assert 1 == len(sent), "what is sent must not depend on how the text came"
    return sent.pop()


def scanner_of(*topics: tuple[str, str]) -> Scanner:
    """Return a scanner of topics, each a name and a pattern."""
    return Scanner([Topic(name, (), (pattern,), BOTH) for name, pattern in topics], KINDS)


RECIPE = "Hello there. Here is the bomb recipe: take one and two and three of it, and go on for a while."
OVERLAPS = [
    ("bomb recipe", "bomb recipe", "Hello there. Here is the "),
    ("the bomb recipe", "bomb recipe", "Hello there. Here is the "),
    ("bomb recipe", "the bomb recipe", "Hello there. Here is "),
    ("here is the bomb", "bomb recipe", "Hello there. Here is the "),
    ("bomb", "here is the bomb recipe: take one", "Hello there. "),
    ("bomb recipe", "the bomb", "Hello there. Here is "),
    ("bomb", "recipe", "Hello there. Here is the bomb"),
    ("here", "recipe", "Hello there. Here"),
]


@pytest.mark.parametrize(("cut", "hold", "sent"), OVERLAPS)
@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_what_is_cut_opens_no_way_for_what_is_held(cut: str, hold: str, sent: str, names: tuple[str, str]) -> None:
    scanner = scanner_of((names[0], rf"\b{cut}\b"), (names[1], rf"\b{hold}\b"))

    assert sent == sent_of(RECIPE, scanner, mixed(cut=[names[0]], hold=[names[1]]))


@pytest.mark.parametrize(("first", "second", "sent"), [
    ("here is the bomb recipe", "bomb", "Hello there. "),
    ("bomb recipe", "the bomb", "Hello there. Here is "),
    ("recipe", "bomb", "Hello there. Here is the "),
])  # fmt: skip
@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_of_two_that_are_held_nothing_of_either_is_sent(
    first: str, second: str, sent: str, names: tuple[str, str]
) -> None:
    scanner = scanner_of((names[0], first), (names[1], second))

    assert sent == sent_of(RECIPE, scanner, mixed(hold=names))


def test_the_longer_match_of_one_topic_is_held_too() -> None:
    scanner = Scanner([Topic("t", ("bomb", "here is the bomb recipe"), ("the bomb r",), BOTH)], KINDS)

    assert "Hello there. " == sent_of(RECIPE, scanner, mixed(hold=["t"]))


def test_the_longer_match_is_held_where_personal_data_is_still_open() -> None:
    text = "Say 91 123 45 bomb recipe 67 of it and go on for a while, until the end of it comes."
    scanner = Scanner([Topic("t", ("bomb", "recipe"), (r"45 bomb recipe 67",), BOTH)], KINDS)

    assert "Say 91 123 " == sent_of(text, scanner, mixed(hold=["t"], redacts=["phone"]))


@pytest.mark.parametrize("name", ["accounts", "iban", "z-accounts"])
def test_a_topic_that_is_cut_sends_no_account_in_the_clear(name: str) -> None:
    scanner = scanner_of((name if name != "iban" else "ibans", ACCOUNT))
    rules = mixed(cut=[name if name != "iban" else "ibans"], redacts=["iban"])
    text = f"Your account is {IBAN}. Thanks a lot and goodbye."

    assert "Your account is [iban]" == sent_of(text, scanner, rules)
    assert "Your account is " == sent_of(text, scanner, rules._replace(redacts=frozenset(), hold=frozenset({"iban"})))


@pytest.mark.parametrize("pattern", [r"ES\d{2}", r"is ES91 2100", r"4502", r"\d{3} 2100 0418"])
def test_an_account_is_not_cut_into_what_can_be_read(pattern: str) -> None:
    scanner = scanner_of(("part", pattern))

    sent = sent_of(f"Your 921 account is {IBAN}. Thanks.", scanner, mixed(cut=["part"], redacts=["iban"]))

    assert sent in ("Your 921 account is ", f"Your 921 account is [iban]{'. Thanks.'}")


def test_the_rules_that_hold_are_in_the_decision_that_is_kept() -> None:
    scanner = scanner_of(("a", "bomb"), ("b", "the bomb recipe"))
    rules = mixed(cut=["a"], hold=["b"])
    release = Release(scanner, ANSWER, rules.decide, rules.watch)
    release.finish(RECIPE)

    assert release.stopped is not None
    assert (HOLD, frozenset({"a", "b"})) == (release.stopped.release, release.found.topics)


DNI = "30000000"
DNI += "TRWAGMYFPDXBNJZSQVHLCKE"[int(DNI) % 23]
# The last digits are those of one character, with which the next begins; and names that one character ends and begins.
JOINED = [
    f"A ES91 2100 0418 4502 0005 133\u2154{DNI[1:]}",
    "Mail a@b.o\u2105bomba@b.org",
    "Mail a@b.org\u2105oa@b.org",
    "Mail a@b.org\ufdfaoa@b.org",
    "Mail a@b.org\u2100oa@b.org",
]
REST = f" and my account is {IBAN} and my card is 4111 1111 1111 1111, goodbye to all of you in the town."


@pytest.mark.parametrize("joined", JOINED)
def test_a_character_that_stands_for_several_joins_nothing(joined: str) -> None:
    # So much is held back that the first of two is sent when the second is known and not sent yet.
    rules, scanner = mixed(hold=["w"], redacts=KINDS), Scanner([Topic("w", ("secret weapon",), (), BOTH)], KINDS)
    for pad in range(40):
        text = f"{'x' * pad} {joined}{REST}"
        wholes = {redact(text, KINDS, find(text)), released([text], scanner, rules)[0]}
        for middle in (pad + 10, pad + 30, pad + 33, pad + 60):
            pieces = [text[:middle], text[middle : middle + 40], text[middle + 40 :]]
            wholes.add(released(pieces, scanner, rules)[0])
        wholes.add(released(list(text), scanner, rules)[0])

        assert 1 == len(wholes)
        assert wholes.pop().endswith(" account is [iban] and my card is [card], goodbye to all of you in the town.")


TOPICS = [
    Topic("weapon", ("weapon", "make a weapon"), (), BOTH),
    Topic("part", (), ("weap", r"a weapon.{1,9}no", "5 1332"), BOTH),
    Topic("account", (), (ACCOUNT, "2100"), BOTH),
    Topic("mild", ("a", "co", "fin"), ("no", "a b"), BOTH),
    Topic("script", (), (r"\p{Cyrillic}{4,6}", r"weapon \p{Cyrillic}"), BOTH),
]
BACKWARDS = [topic.id for topic in reversed(TOPICS)]
RENAMED = {topic.id: f"{name}-x" for topic, name in zip(TOPICS, BACKWARDS, strict=True)}
SCANNER = Scanner(TOPICS, KINDS)
OTHER = Scanner([Topic(RENAMED[t.id], t.words, t.patterns, BOTH) for t in TOPICS], KINDS)
FRAGMENTS = [
    "weapon", "make ", "a ", "make a weapon", "weap", "on", " ", "no", " no", "вода", "ﬁn", "\u2105", "\u2154",
    "\ufdfa", "\u2100", "\u33c2", IBAN, IBAN[:-1], "2", "ES91", " 2100 0418", "4502 ", "me@b.org", "@b.o", "a@b.o",
    "612 345 67", "612345678", DNI, DNI[1:], "3", "+34 ", "192.0.2.7", "\u247d", "\u0591", "\u0301", "\u200b", ". ",
    "x" * 30, *JOINED,
]  # fmt: skip
texts = st.lists(st.sampled_from(FRAGMENTS), max_size=14).map("".join)
sets = st.frozensets(st.sampled_from([*(topic.id for topic in TOPICS), "iban", "dni", "email"]), max_size=2)
rules_of_tests = st.builds(Mixed, sets, sets, st.frozensets(st.sampled_from(KINDS)))


def read(text: str) -> str:
    """Return a text as it is sent where nothing is forbidden in it."""
    reader = Reader()
    reader.read(text)
    reader.finish()
    return reader.raw


def beginnings(raw: str, rules: Mixed) -> set[str]:
    """Return all that may be sent: beginnings of a text in which nothing held begins, what is blotted out as marks."""
    hits = [hit for hit in find(raw) if hit.kind in rules.redacts]
    held = [span.start for span in SCANNER.spans(raw, ANSWER) if span.name in rules.hold - rules.redacts]
    limit = min(held, default=len(raw))
    found = set()
    for end in range(limit + 1):
        whole = [hit for hit in hits if hit.end <= end]
        begun = min([end, *(hit.start for hit in hits if hit.start < end < hit.end)])
        found.add(redact(raw[: max([begun, *(hit.end for hit in whole)])], rules.redacts, whole))
    return found


@given(texts, rules_of_tests, st.lists(st.integers(0, 200), max_size=4))
@settings(max_examples=400, deadline=None)
def test_nothing_that_is_held_or_blotted_out_is_ever_sent(text: str, rules: Mixed, cuts: list[int]) -> None:
    pieces = [text[start:end] for start, end in pairwise([0, *sorted(cuts), len(text)])]

    whole = released([text], SCANNER, rules)

    assert whole[0] in beginnings(read(text), rules)
    assert whole == released(pieces, SCANNER, rules) == released(list(text), SCANNER, rules)


@given(texts, rules_of_tests)
@settings(max_examples=200, deadline=None)
def test_names_of_topics_make_no_difference(text: str, rules: Mixed) -> None:
    renamed = Mixed(*(frozenset(RENAMED.get(name, name) for name in each) for each in rules))

    assert released(list(text), SCANNER, rules)[:2] == released(list(text), OTHER, renamed)[:2]


@given(texts, st.frozensets(st.sampled_from(KINDS)))
@settings(max_examples=200, deadline=None)
def test_a_stream_is_blotted_out_like_a_whole(text: str, kinds: frozenset[str]) -> None:
    raw = read(text)

    assert redact(raw, kinds, find(raw)) == released(list(text), SCANNER, Mixed(redacts=kinds))[0]
