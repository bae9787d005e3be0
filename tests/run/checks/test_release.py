"""What may be sent of an answer while it is coming: never anything forbidden, and the same however it comes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auzolan.core.record.errors import UsageError
from auzolan.run.checks.nets import Net
from auzolan.run.checks.personal import KINDS, find, redact
from auzolan.run.checks.plain_text import Reader
from auzolan.run.checks.release import Release
from auzolan.run.checks.scan import Found, Scanner
from auzolan.run.rules.decide import Watch
from auzolan.run.rules.facts import ANSWER, CUT, FULL, HOLD, REQUEST, Decision, Topic

BOTH = frozenset({REQUEST, ANSWER})
TOPICS = [
    Topic("weapon", ("weapon", "make a weapon"), (), BOTH),
    Topic("year", ("año", "fin"), (), BOTH),
    Topic("dose", (), (r"\b\d{1,3} ?mg\b", r"acci[oó]n", r"€\d{1,3}"), BOTH),
    Topic("script", (), (r"\p{Cyrillic}{4,6}",), BOTH),
    Topic("wide", (), (r"alpha.*omega",), BOTH),
    Topic("mild", ("c++", "la"), (), BOTH),
]
SCANNER = Scanner(TOPICS, KINDS)
NOBODY = Scanner(TOPICS, ())
NAMES = [*(topic.id for topic in TOPICS), "iban", "phone", "email", "dni"]


class Rules(NamedTuple):
    """Rules of a test: what together is denied, how, and what is blotted out."""

    release: str
    denials: Sequence[frozenset[str]] = ()
    redacts: frozenset[str] = frozenset()

    def decide(self, found: Found) -> Decision:
        names = found.topics | found.personal
        return Decision(any(each <= names for each in self.denials), (), self.redacts, self.release)

    @property
    def watch(self) -> Watch:
        names = frozenset[str]().union(*self.denials) if self.release == HOLD else frozenset[str]()
        return Watch(self.release, names - set(KINDS), names & set(KINDS))


class Result(NamedTuple):
    sent: str
    stopped: bool
    found: Found


def deny(release: str, *names: str, redacts: Sequence[str] = ()) -> Rules:
    return Rules(release, [frozenset({name}) for name in names], frozenset(redacts))


def released(pieces: Sequence[str], rules: Rules, scanner: Scanner = SCANNER) -> Result:
    release = Release(scanner, ANSWER, rules.decide, rules.watch)
    sent = "".join([*(release.feed(piece) for piece in pieces), release.finish()])
    assert sent == "".join(release.sent)
    return Result(sent, release.stopped is not None, release.found)


def one_by_one(text: str, rules: Rules, scanner: Scanner = SCANNER) -> Result:
    return released(list(text), rules, scanner)


FRAGMENTS = [
    "weapon", "weap", "we\u200bapon", "on", "make ", "a ", "make a weapon", "s", " ", "  ", "\n", "     ",
    "año", "an\u0303o",
    "n", "\u0303", "\u0301" * 5, "\u0301" * 40, "\u200b" * 35, "ﬁn", "fi", "5 mg", "5", "mg", "€55", "acción",
    "асción", "вода",
    " водав ", "alpha", "omega", "x" * 50, "y " * 60, "c++", "la", "la ", "ES91 2100 0418 4502 0005 1332",
    "ES91", "2100 0418 4502 ",
    "0005 1332", "612 345 678", "612", "345", "+34 ", "me@example.org", "me", "@", "example", ".org",
    "12345678Z", "12345678", " Z",
    "192.0.2.7", ".8", "\ud800", "\U0001f1fceapon", "ｗｅａｐｏｎ", "𝐰eapon", "- ", ", ", "(", "/", "$",
    "\u00a0", "\u0000", "\u115f",
    "\u3000", "가각", "\u1100\u1161", "\ufdfa", "\u2105", "\u2154", "a@b.o", "bomba@b.org", "\u0591", "\U00016fe4",
]  # fmt: skip
texts = st.lists(st.sampled_from(FRAGMENTS), max_size=25).map("".join)
names = st.frozensets(st.sampled_from(NAMES), min_size=1, max_size=2)
rules_of_tests = st.builds(
    Rules, st.sampled_from([HOLD, CUT, FULL]), st.lists(names, max_size=4), st.frozensets(st.sampled_from(KINDS))
)


@given(texts, rules_of_tests, st.lists(st.integers(0, 300), max_size=6), st.sampled_from([SCANNER, NOBODY]))
@settings(max_examples=250, deadline=None)
def test_what_is_sent_does_not_depend_on_how_it_came(
    text: str, rules: Rules, cuts: list[int], scanner: Scanner
) -> None:
    whole = released([text], rules, scanner)
    bounds = [0, *sorted(cuts), len(text)]
    pieces = [text[start:end] for start, end in pairwise(bounds)]

    assert whole == one_by_one(text, rules, scanner)
    assert whole == released(pieces, rules, scanner)


@given(texts, rules_of_tests)
@settings(max_examples=200, deadline=None)
def test_what_is_not_stopped_is_what_a_scan_of_the_whole_finds(text: str, rules: Rules) -> None:
    result = one_by_one(text, rules)
    reader = Reader()
    reader.read(text)
    reader.finish()

    if not result.stopped:
        assert SCANNER.scan(text, ANSWER) == result.found
        assert redact(reader.raw, rules.redacts, find(reader.raw)) == result.sent


@given(texts, rules_of_tests)
@settings(max_examples=300, deadline=None)
def test_a_whole_text_in_one_call_comes_out_as_piece_by_piece(text: str, rules: Rules) -> None:
    release = Release(SCANNER, ANSWER, rules.decide, rules.watch)

    sent = release.finish(text)

    assert one_by_one(text, rules) == Result(sent, release.stopped is not None, release.found)


@given(texts, st.lists(names, min_size=1, max_size=4))
@settings(max_examples=200, deadline=None)
def test_nothing_that_is_held_is_ever_sent(text: str, denials: list[frozenset[str]]) -> None:
    bounded = [each - {"wide"} for each in denials if each != {"wide"}]
    rules = Rules(HOLD, bounded)
    release = Release(SCANNER, ANSWER, rules.decide, rules.watch)

    sent = ""
    for char in text:
        sent += release.feed(char)
        # A letter is added, because a word is not one while it may go on.
        assert not any(each <= SCANNER.scan(f"{sent}x", ANSWER).topics for each in bounded)
    # What stands before a letter or digit that makes it no address may be sent, so this is asked at the end only.
    held = SCANNER.scan(sent + release.finish(), ANSWER)
    assert not any(each <= (held.topics | held.personal) for each in bounded)


EVASIONS = [
    "weapon", "we\u200bapon", "we\u00adap\u00adon", "ｗｅａｐｏｎ", "wеароn", "\u202eweapon\u202c",
    "w\u0301e\u0301apon", "𝔀eapon",
    "w" + "\u200b" * 10_000 + "eapon", "we" + "\u0301" * 10_000 + "apon", "we\ud800apon", "\ufeffweapon",
    "w\u2060ｅа\u00ad\u0301pon",
]  # fmt: skip


@pytest.mark.parametrize("evasion", EVASIONS)
@pytest.mark.parametrize("after", ["", ".", " and more", "\u200b\u200b"])
def test_disguised_words_are_held_wherever_they_are_cut(evasion: str, after: str) -> None:
    text = f"This is how one makes a weapo, a {evasion}{after}"

    begun, stopped, _ = one_by_one(text, deny(HOLD, "weapon"))

    # Hidden characters before it belong to the space.
    assert ("This is how one makes a weapo, a ", True) == (begun.rstrip("\u202e\ufeff"), stopped)
    for cut in range(30, min(len(text), 60)):
        assert begun == released([text[:cut], text[cut:]], deny(HOLD, "weapon")).sent


def test_a_word_at_the_end_of_a_piece_may_go_on() -> None:
    assert "weaponry is a word" == released(["weapon", "ry is a word"], deny(HOLD, "weapon")).sent
    assert "" == released(["weapon", " is a word"], deny(HOLD, "weapon")).sent


def test_hold_stops_before_cut_stops_after_full_sends_nothing() -> None:
    text = "Take it, make a weapon, and go on."

    assert ("Take it, ", True) == one_by_one(text, deny(HOLD, "weapon"))[:2]
    assert ("Take it, make a weapon", True) == one_by_one(text, deny(CUT, "weapon"))[:2]
    assert ("", True) == one_by_one(text, deny(FULL, "weapon"))[:2]
    assert (text, False) == one_by_one(text, deny(FULL, "dose"))[:2]


def test_only_what_came_before_the_stop_was_found() -> None:
    result = one_by_one("la: make a weapon with 5 mg", deny(HOLD, "weapon"))

    assert Found(frozenset({"mild", "weapon"})) == result.found


def test_two_things_that_are_denied_together_stop_at_the_second() -> None:
    rules = Rules(HOLD, [frozenset({"weapon", "dose"})])

    assert ("A weapon and ", True) == one_by_one("A weapon and 5 mg of it.", rules)[:2]
    assert ("A weapon and 5 kg of it.", False) == one_by_one("A weapon and 5 kg of it.", rules)[:2]


def test_rules_that_deny_everything_send_nothing() -> None:
    for release in (HOLD, CUT, FULL):
        assert ("", True) == one_by_one("Anything at all, at some length.", Rules(release, [frozenset()]))[:2]
        assert ("", True) == released([], Rules(release, [frozenset()]))[:2]


def test_personal_data_is_blotted_out_across_pieces() -> None:
    text = "Call 612\u200b 345 678 or write to me@example.org; ES91 2100 0418 4502 0005 1332 is the account."
    rules = Rules(CUT, redacts=frozenset({"phone", "iban"}))

    assert "Call [phone] or write to me@example.org; [iban] is the account." == one_by_one(text, rules).sent


def test_personal_data_may_be_denied() -> None:
    assert ("Pay to ", True) == one_by_one("Pay to ES91 2100 0418 4502 0005 1332, now.", deny(HOLD, "iban"))[:2]


def test_what_has_no_bound_stops_where_it_was_looked_for() -> None:
    text = "An alpha " + "and so on " * 60 + "omega. " + "More. " * 200

    sent, stopped, found = one_by_one(text, deny(CUT, "wide"))

    assert stopped
    assert "wide" in found.topics
    assert text.startswith(sent)
    assert text.index("omega") + 5 <= len(sent) <= text.index("omega") + 5 + 256
    assert ("", True) == one_by_one(text, deny(FULL, "wide"))[:2]


def test_requests_are_not_released() -> None:
    with pytest.raises(UsageError):
        Release(SCANNER, REQUEST, Rules(HOLD).decide, Rules(HOLD).watch)


def test_after_the_end_nothing_more_comes() -> None:
    rules = deny(HOLD, "weapon")
    release = Release(SCANNER, ANSWER, rules.decide, rules.watch)
    release.feed("A weapon, and so on and on.")

    assert ("", "", "A ") == (release.feed("more"), release.finish(), "".join(release.sent))


def test_the_rules_are_asked_only_when_something_new_was_found() -> None:
    asked: list[Found] = []

    def decide(found: Found) -> Decision:
        asked.append(found)
        return Decision(False, ())

    release = Release(SCANNER, ANSWER, decide, Watch(HOLD, frozenset({"weapon"}), frozenset()))
    for piece in ["weapon la 612345678 ", "weapon la 699123456 "] * 20:
        release.feed(piece)
    release.finish()

    assert [0, 1, 2, 3] == [len(found.topics | found.personal) for found in asked]


def _held(release: Release) -> int:
    if not release._begun:
        return 0
    reader: Any = release._reader
    return sum(map(len, (reader.raw, reader.plain.text, reader.skeleton.text, reader._more, reader.plain._norms)))


@pytest.mark.parametrize(
    "piece", ["word ", "año ", "\u200b", "\u0301", " ", "x", "1", "7 ", "@", "a@b.", "ﬁ\u200b", "가\u0301 "]
)
def test_memory_does_not_grow_with_the_answer(piece: str) -> None:
    release = Release(SCANNER, ANSWER, Rules(HOLD).decide, Watch(HOLD, frozenset({"weapon"}), frozenset(KINDS)))
    most = 0
    for _ in range(1_200):
        release.feed(piece * 8)
        most = max(most, _held(release))

    # Personal data (254), hidden characters after each (30), white space (64 for one), and what is looked back.
    assert most <= 40_000


def test_work_does_not_grow_with_what_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    n_searched = 0
    topics_in = Net.topics_in

    def counted(self: Net, text: str) -> frozenset[str] | None:
        nonlocal n_searched
        n_searched += len(text)
        return topics_in(self, text)

    monkeypatch.setattr(Net, "topics_in", counted)
    bounded = Scanner([topic for topic in TOPICS if topic.id != "wide"], KINDS)
    counts = []
    for n_pieces in (1_000, 2_000, 4_000):
        n_searched = 0
        released(["four "] * n_pieces, deny(HOLD, "weapon"), bounded)
        counts.append(n_searched)

    assert counts[1] - counts[0] <= 1_000 * 5 / 16 * 400
    assert abs((counts[2] - counts[1]) - 2 * (counts[1] - counts[0])) <= 2_000
