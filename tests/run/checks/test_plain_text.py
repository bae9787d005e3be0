"""How texts are compared, and the way back to where something stands."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from auzolan.run.checks.plain_text import MAX_FOLLOWERS, Reader, read_whole, skeleton_text

ODD = (
    "\u0591\u0652\u093cकא\u2105\u2154\u3099ﾞaboñn\u0303\u0301\u0327 \n\t\u00a0\u200b\u00ad\u115f\u034f\ufe0f\ud800"
    "ﬁｂ𝐛Ьо🅱é“…€\u0000\u3000가\u1100\u1161\ufdfaн1٣"
)
texts = st.text(st.sampled_from(ODD), max_size=40) | st.text(max_size=20)


@pytest.mark.parametrize(
    ("text", "look"),
    [
        ("ｂｏｍｂ", "bomb"),
        ("b\u200bo\u00adm\u2060b", "bomb"),
        ("\u202ebomb\u202c", "bomb"),
        ("bo\u115fm\u3164b\u034f", "bomb"),
        ("bo\ufe0fmb\U000e0100", "bomb"),
        ("b\u0301o\u0336m\u0489b", "bomb"),
        ("ьомЬ", "bomb"),
        ("βοmb", "bomb"),
        ("𝐛𝓸𝕞𝖇", "bomb"),
        ("ⓑⓞⓜⓑ 🅱🅾🅼🅱 🇧🇴🇲🇧", "bomb BOMB BOMB"),
        ("ʙᴏᴍʙ", "bomb"),
        ("bo\x00mb\x1b", "bomb"),
        ("bo\ud800mb", "bomb"),
        ("año an\u0303o a\u200bn\u200b\u0303o", "año año año"),
        ("caça c\u0327", "caça ç"),
        ("acción, àèò, pingüino", "accion, aeo, pinguino"),
        ("ﬁn ٣٤ １２", "fin 34 12"),
        ("“¿?” — €5", '"~?" - $5'),
        ("b\u0591o\u0652m\u093cb\u0e31", "bomb"),
        ("b\U00016fe4o\U0001d159m\U00013441b\u3099", "bomb"),
        ("\u0591bomb \u064ebomb, \u0941bomb", "bomb bomb, bomb"),
        ("4\u05917\u20dd1", "471"),
        ("שָׁלוֹם مُحَمَّد أحمد", "שלום محمد احمد"),
        ("कुल कु\u05b0ल क़", "क\u0941ल क\u0941ल क\u093c"),
        ("がﾊﾞパ", "か\u3099ハ\u3099ハ\u309a"),
        ("ที่ ကို", "ท\u0e35\u0e48 က\u102d\u102f"),
    ],
)
def test_what_looks_alike_is_compared_alike(text: str, look: str) -> None:
    assert look == skeleton_text(text)


MARKS = [chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) in ("Mn", "Me", "Mc")]


def test_no_mark_of_unicode_hides_a_latin_word() -> None:
    looks = {
        mark: {skeleton_text(around.format(mark)) for around in ("{}bomb", "b{}omb", "bomb{}", "b\u200b{}omb")}
        for mark in MARKS
    }

    assert {} == {mark: look for mark, look in looks.items() if look != {"bomb"}}
    assert 2_000 < len(MARKS)


def test_no_mark_of_another_script_hides_a_word_of_any() -> None:
    words = {"नमक": "DEVANAGARI", "שלום": "HEBREW", "محمد": "ARABIC", "щит": "CYRILLIC", "λιθος": "GREEK", "กบ": "THAI"}
    for word, script in words.items():
        look, pointed = skeleton_text(word), script in ("HEBREW", "ARABIC", "CYRILLIC", "GREEK")
        foreign = [mark for mark in MARKS if pointed or script not in unicodedata.name(mark)]

        assert {look} == {skeleton_text(f"{word[0]}{mark}{word[1:]}{mark}") for mark in foreign}


def test_plain_form_keeps_accents_and_scripts() -> None:
    assert "\nacción вода €5\n" == read_whole("acci\u200bo\u0301n вода €5").plain.text


@given(texts, st.lists(st.integers(0, 40), max_size=6))
@example("00\x85\x0c", [3])  # white space that is compared as another
@settings(max_examples=300)
def test_a_text_reads_the_same_however_it_is_cut(text: str, cuts: list[int]) -> None:
    whole = Reader()
    whole.read(text)
    whole.finish()
    reader, at = Reader(), 0
    for cut in [*sorted(cuts), len(text)]:
        reader.read(text[at:cut])
        at = max(at, cut)
    reader.finish()

    assert (whole.raw, whole.plain.text, whole.skeleton.text) == (reader.raw, reader.plain.text, reader.skeleton.text)
    for lane, other in ((whole.plain, reader.plain), (whole.skeleton, reader.skeleton)):
        places = range(lane.end + 1)
        assert [lane.raw_of(place) for place in places] == [other.raw_of(place) for place in places]


@given(texts)
@settings(max_examples=200)
def test_fast_and_slow_ways_agree(text: str) -> None:
    slow = Reader()
    for char in text:
        slow._read_one(char)
    slow.finish()

    assert slow.skeleton.text == f"\n{skeleton_text(text)}\n"


@given(texts)
@settings(max_examples=200)
def test_every_place_leads_back_into_the_text(text: str) -> None:
    reader = read_whole(text)
    places = [reader.skeleton.raw_of(place) for place in range(reader.skeleton.end)]

    assert len(text) == len(reader.raw)
    assert sorted(places) == places
    assert all(0 <= place <= len(text) for place in places)


def test_hidden_characters_cannot_pile_up() -> None:
    reader = Reader()
    reader.read("a" + "\u200b" * 100_000 + "b" + "\u0301" * 100_000)
    reader.finish()

    assert 2 + 2 * MAX_FOLLOWERS == len(reader.raw)
    assert "\nab\n" == reader.skeleton.text


def test_white_space_is_sent_but_hardly_compared() -> None:
    reader = Reader()
    reader.read("a" + " " * 1_000 + "b")
    reader.finish()

    assert 1_002 == len(reader.raw)
    assert 1_000 // 64 + 3 + 4 >= len(reader.skeleton.text)


def test_what_was_let_go_is_forgotten() -> None:
    reader = Reader()
    for _ in range(1_000):
        reader.read("a\u200bb ﬁ ")
        reader.drop(max(reader.raw_start, reader.raw_end - 5))
        reader.skeleton.drop(reader.skeleton.end - 5)
        reader.plain.drop(reader.plain.end - 5)

    assert 5 == len(reader.raw)
    assert 5 == len(reader.skeleton.text)
    assert 10 >= len(reader.skeleton._norms)
    assert reader.raw_end == reader.skeleton.raw_of(reader.skeleton.end)


def test_work_grows_with_the_text_where_every_character_is_odd(monkeypatch: pytest.MonkeyPatch) -> None:
    n_joined = 0
    join = Reader._join

    def counted(self: Reader) -> None:
        nonlocal n_joined
        n_joined += 1
        join(self)

    monkeypatch.setattr(Reader, "_join", counted)
    read_whole("ﬁ\u200b" * 5_000)

    assert 2 == n_joined
