"""Topics in texts: words, patterns, and everything that people do so that they are not found."""

from __future__ import annotations

import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from auzolan.core.record.errors import MalformedError, NotCheckedError
from auzolan.run.checks.nets import Net, Pattern
from auzolan.run.checks.scan import NOTHING, Found, Scanner, Span
from auzolan.run.rules.facts import ANSWER, REQUEST, Topic

BOTH = frozenset({REQUEST, ANSWER})


def topic(name: str = "t", words: tuple[str, ...] = (), patterns: tuple[str, ...] = ()) -> Topic:
    return Topic(name, words, patterns, BOTH)


def found_in(text: str, *topics: Topic) -> frozenset[str]:
    scanner = Scanner(topics, ())
    found = {scanner.scan(text, side).topics for side in (REQUEST, ANSWER)}
    assert 1 == len(found), "requests and answers must be searched alike"
    return found.pop()


WEAPON = topic(words=("weapon",))
PHRASE = topic(words=("ration card",))


@pytest.mark.parametrize(
    "text",
    [
        "weapon", "WEAPON", "a weapon.", "(weapon)", "_weapon_", "**weapon**", "¿weapon?", "«weapon»", "weapon\n",
        "w\u200beapon", "weap\u00adon", "we\u2060ap\ufeffon", "\u202eweapon\u202c", "weapon\u200d", "we\x00apon",
        "ｗｅａｐｏｎ", "𝔀𝓮𝓪𝓹𝓸𝓷", "ⓦⓔⓐⓟⓞⓝ", "wеароn", "wεapοn", "wéàpôn", "w\u0336e\u0336a\u0336pon",
        "w" + "\u0301" * 200 + "eapon",

        "ᴡᴇᴀᴘᴏɴ", "we\ud800apon", "we\u3164apon", "we\ufe0fapon", "ｗе\u200bа\u0301𝐩оn",
        "we\u0591apon", "we\u0652apon", "we\U0001d159apon", "we\U00016fe4apon", "weapon\u093c.", "a \u0591weapon",
        "\u0591weapon", "(\u0652weapon", "w\u0e31e\u1cd0a\U0001e944pon", "we\u093eapon",
    ],
)  # fmt: skip
def test_disguised_words_are_found(text: str) -> None:
    assert {"t"} == found_in(text, WEAPON)


@pytest.mark.parametrize("text", ["weapons", "xweapon", "weapon1", "weaponé", "éweapon", "weaponñ", "wea pon", ""])
def test_parts_of_other_words_are_not(text: str) -> None:
    assert set() == found_in(text, WEAPON)


@pytest.mark.parametrize("text", ["ration card", "ration  card", "ration\ncard", "ration" + " " * 60 + "card",
                                  "ration-card", "ration_card", "ration\u00a0card", "ration —card"])  # fmt: skip
def test_phrases_may_be_spaced_and_joined(text: str) -> None:
    assert {"t"} == found_in(text, PHRASE)


@pytest.mark.parametrize(
    ("word", "texts", "others"),
    [
        ("ñandú", ("el ñandú va", "ÑANDÚ", "n\u0303andu\u0301"), ("nandu", "ñandúes", "xñandú")),
        ("año", ("un año.", "AÑO"), ("ano", "años")),
        ("à", ("és a à!", "À"), ("àb", "bà")),
        ("caç", ("caç", "CAC\u0327"), ("cac", "caça")),
        ("çok", ("¡çok!",), ("cok",)),
        ("कुल", ("एक कुल.", "कु\u05b0ल"), ("कल", "कुला")),
        ("שלום", ("שָׁלוֹם!",), ("שלומי",)),
        ("محمّد", ("محمد", "مُحَمَّد"), ("محمدي",)),
        ("c++", ("in c++.", "C++x"), ("xc++",)),
        ("l'aigua", ("l’aigua", "L'AIGUA"), ("laigua",)),
    ],
)
def test_words_end_at_letters_of_every_alphabet(word: str, texts: tuple[str, ...], others: tuple[str, ...]) -> None:
    scanner = Scanner([topic(words=(word,))], ())

    assert [True] * len(texts) == [bool(scanner.scan(text, ANSWER).topics) for text in texts]
    assert [False] * len(others) == [bool(scanner.scan(text, REQUEST).topics) for text in others]


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"\b\d{1,3} ?mg\b", "take 5 mg now"),
        (r"\d{1,3} ?mg", "take ５\u200b ｍｇ now"),
        (r"acci[oó]n", "la асción"),
        (r"acción", "ACCIO\u0301N"),
        (r"\p{Cyrillic}{4}", "вода"),
        (r"€\d{2}", "€\u200b55"),
        (r"[à-ü]xx", "éxx"),
        (r"a\Q.+\E", "a.+"),
        (r"one|two", "a two"),
        (r"(?P<x>fo(o))", "foo"),
    ],
)
def test_patterns_are_tried_on_both_forms(pattern: str, text: str) -> None:
    assert {"t"} == found_in(text, topic(patterns=(pattern,)))


def test_patterns_for_requests_may_ask_for_the_ends() -> None:
    scanner = Scanner([Topic("t", (), (r"^hello$",), frozenset({REQUEST}))], ())

    assert {"t"} == scanner.scan("Hello", REQUEST).topics
    assert NOTHING == scanner.scan("well, hello", REQUEST)
    assert NOTHING == scanner.scan("hello", ANSWER)


@pytest.mark.parametrize("pattern", ["^a", "a$", r"\Aa", "(", "a**", "a*", "", r"\b"])
def test_patterns_that_cannot_work_in_answers_are_refused(pattern: str) -> None:
    with pytest.raises(MalformedError):
        Scanner([topic(patterns=(pattern,))], ())


@pytest.mark.parametrize("word", ["", " ", "-", "\u200b"])
def test_empty_words_are_refused(word: str) -> None:
    with pytest.raises(MalformedError):
        Scanner([topic(words=(word,))], ())


def test_unknown_kinds_of_personal_data_are_refused() -> None:
    with pytest.raises(MalformedError):
        Scanner([], ("shoe-size",))


def test_too_many_patterns_for_the_memory_are_refused() -> None:
    with pytest.raises(MalformedError):
        Scanner([topic(words=tuple(f"word{n}" for n in range(5_000)))], (), max_memory=1 << 16)


def test_a_search_that_runs_out_of_memory_says_so() -> None:
    patterns = [Pattern("t", rf"(x[a-z]{{0,{n}}}y)", n + 2) for n in range(1, 60)]
    text = "xaxbxcxd" * 500
    outcomes: set[str] = set()
    for kibibytes in range(8, 1_024, 8):
        try:
            assert Net(patterns, kibibytes << 10).topics_in(text) is None
            outcomes.add("nothing found")
        except MalformedError:
            outcomes.add("not compiled")
        except NotCheckedError:
            outcomes.add("not searched")

    assert outcomes <= {"not compiled", "not searched", "nothing found"}
    assert {"not compiled", "nothing found"} <= outcomes


def test_an_engine_that_finds_not_even_what_is_everywhere_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    net = Net([Pattern("t", "(a)", 1)])
    monkeypatch.setattr(re2.Set, "Match", lambda *_: None)

    with pytest.raises(NotCheckedError):
        net.topics_in("a")


def test_many_words_are_found_among_many() -> None:
    topics = [topic(f"t{n}", words=tuple(f"wo{n}rd{m}" for m in range(10))) for n in range(100)]

    assert {"t7", "t99"} == found_in("a wo7rd3 and wo99rd9, wo100rd1", *topics)


def test_spans_lead_back_into_the_text() -> None:
    scanner = Scanner([WEAPON, topic("dose", patterns=(r"\d{1,3} ?mg",))], ("email",))
    text = "A w\u200beapon, ５ mg; weapon weapon; me@example.org."

    spans = scanner.spans(text, ANSWER)

    assert ["w\u200beapon", "５ mg", "weapon", "weapon", "me@example.org"] == [text[s.start : s.end] for s in spans]
    assert [(s.name, s.start) for s in spans] == [(s.name, s.start) for s in scanner.spans(text, REQUEST)]
    assert Span("email", 32, 46) == spans[-1]


@given(st.text(st.sampled_from("weapon mg5\u200b\u0301ñ€x\n@.е"), max_size=30))
@settings(max_examples=150)
def test_scan_and_spans_agree(text: str) -> None:
    scanner = Scanner([WEAPON, topic("dose", patterns=(r"\b\d mg\b", "€"))], ("email",))

    for side in (REQUEST, ANSWER):
        names = {span.name for span in scanner.spans(text, side)}
        found = scanner.scan(text, side)
        assert names == found.topics | found.personal


@given(st.text(st.sampled_from("abc "), max_size=12), st.text(st.sampled_from("abc "), max_size=12))
def test_a_window_never_finds_what_the_text_does_not_hold(before: str, after: str) -> None:
    net = Scanner([topic(words=("ab", "b c"), patterns=(r"\bca\b",))], ()).bounded.skeleton
    text = f"{before}|{after}"
    window = text[max(0, len(before) - 4) : len(before) + 4]

    assert net.topics_in(window) is None or net.topics_in(f"\n{text}\n") is not None


def test_the_first_match_is_the_one_that_ends_first_and_begins_first() -> None:
    scanner = Scanner([topic(words=("bolt", "a bolt", "bolt cutter"))], ())
    net = scanner.bounded.skeleton

    assert "a bolt" == "\ntake a bolt cutter\n"[slice(*net.first("t", "\ntake a bolt cutter\n"))]


def test_longest_says_how_much_must_be_held_back() -> None:
    scanner = Scanner(
        [topic("a", words=("one two",)), topic("b", patterns=("x{2,30}",)), topic("c", patterns=("x.*y",))], ()
    )

    assert 9 == scanner.longest(["a"])
    assert 30 == scanner.longest(["a", "b", "c"])
    assert 0 == scanner.longest(["c", "unknown"])


def test_found_is_compared_by_what_it_holds() -> None:
    assert Found(frozenset({"a"})) == Found(frozenset({"a"}), frozenset())
