"""Personal data that has a form: what is found, what is nearly it, and what only looks like it.

All numbers here are made up or examples of the standards' own documentation.
"""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auzolan.run.checks.personal import KINDS, LONGEST, Hit, find, find_in, redact, undecided_from
from auzolan.run.checks.plain_text import even_forms

FOUND = [
    ("email", "me@example.org"), ("email", "first.last+tag@mail.example.co.uk"), ("email", "JOSÉ@example.es"),
    ("email", "o'neil@example.org"), ("email", "me@xn--bcher-kva.example"), ("email", "ｍｅ＠ｅｘａｍｐｌｅ．ｏｒｇ"),
    ("email", "me@\u200bexample.org"), ("email", f"{'a' * 64}@example.org"), ("email", "me@españa.es"),
    ("iban", "ES9121000418450200051332"), ("iban", "ES91 2100 0418 4502 0005 1332"),
    ("iban", "es91 2100 0418 4502 0005 1332"),
    ("iban", "ES91-2100-0418-4502-0005-1332"), ("iban", "GB29 NWBK 6016 1331 9268 19"),
    ("iban", "DE89 3704 0044 0532 0130 00"),
    ("iban", "FR14 2004 1010 0505 0001 3M02 606"), ("iban", "NO93 8601 1117 947"),
    ("iban", "MT84 MALT 0110 0001 2345 MTLC AST0 01S"),
    ("iban", "ＥＳ９１ ２１００ ０４１８ ４５０２ ０００５ １３３２"),
    ("iban", "ES91\u200b21\u00ad00 0418 4502 0005 1332"),
    ("iban", "ES91\u00a02100\u00a00418\u00a04502\u00a00005\u00a01332"),
    ("iban", "ЕЅ91 2100 0418 4502 0005 1332"),
    ("dni", "12345678Z"), ("dni", "12345678-Z"), ("dni", "12345678 Z"), ("dni", "12.345.678-z"),
    ("dni", "１２３４５６７８Ｚ"),
    ("dni", "00000000T"), ("nie", "X1234567L"), ("nie", "x-1234567-l"), ("nie", "Y0000000Z"),
    ("nie", "X-1.234.567-L"),
    ("card", "4111111111111111"), ("card", "4111 1111 1111 1111"), ("card", "4111-1111-1111-1111"),
    ("card", "5555 5555 5555 4444"),
    ("card", "3782 822463 10005"), ("card", "6011 1111 1111 1117"), ("card", "3056 930902 5904"),
    ("card", "2223 0031 2200 3222"),
    ("card", "4\u200b111\u2060111111111111"), ("card", "４１１１ １１１１ １１１１ １１１１"),
    ("card", "٤١١١ ١١١١ ١١١١ ١١١١"),
    ("phone", "612345678"), ("phone", "612 345 678"), ("phone", "612 34 56 78"), ("phone", "612-345-678"),
    ("phone", "91 123 45 67"),
    ("phone", "943.12.34.56"), ("phone", "+34 612 345 678"), ("phone", "+34612345678"), ("phone", "0034 612 345 678"),
    ("phone", "+44 20 7946 0958"), ("phone", "+1 (202) 555-0123"), ("phone", "+33 1 23 45 67 89"),
    ("phone", "0044 20 7946 0958"),
    ("ip", "192.0.2.7"), ("ip", "10.0.0.255"), ("ip", "2001:db8::1"), ("ip", "fe80::1ff:fe23:4567:890a"),
    ("ip", "2001:db8:0:0:8:800:200c:417a"),
    ("ip", "::ffff:192.0.2.7"),
]  # fmt: skip
NEARLY = [
    "me@example", "me@", "@example.org", "me @ example.org", "me@.org", "me@example.c", "me@1.2",
    "ES9121000418450200051333", "ES912100041845020005133", "ES91 2100 0418 4502 0005 13320",
    "XX9121000418450200051332",
    "xES9121000418450200051332", "ES91  2100 0418 4502 0005 1332", "12345678A", "1234567Z", "123456789Z",
    "12345678Zx", "X1234567A",
    "A1234567L", "4111111111111112", "411111111111111", "4111 1111 1111 11111111", "9111111111111111",
    "0000000000000000",
    "512345678", "61234567", "6123456789", "+34 612 345 67", "+89 1234 5678", "+12", "192.0.2.256", "192.0.2",
    "1.2.3.4.5", "192.0.02.1",
    "127.0.0.1", "::1", "::", "2001:db8:::1", "g001:db8::1", "12345::1",
]  # fmt: skip
INNOCENT = [
    "2024-05-12", "12/05/2024 10:30", "10:30:45", "de 9:00 a 14:00 y de 16:00 a 20:00", "CP 20018 Donostia",
    "08001 Barcelona",
    "1.234,56", "1.234.567,89 €", "612.345.678 euros", "612 345 678 €", "612345678,50",
    "ISBN 978-84-376-0494-7", "artículo 155.2",
    "art. 9.2.1", "pedido 2024000123456789", "ref. 00123456789012", "n.º 100200300400500600", "AB-612345678",
    "versión 3.11.7",
    "00:1A:2B:3C:4D:5E", "std::vector", "20241130 a las 9", "3 4 5 6 7 8 9 10", "Ley 39/2015", "37,5 %",
    "2 x 4 = 8", "a::b",
    "1234567890123456789012345", "0.4111111111111111", "EU2024/1689", "#612345678a", "@assembly",
    "npm i @scope/pkg@1.2.3",
]  # fmt: skip
AROUND = ["{}", "Mi número es {}, gracias.", "El meu: {}.", "Nirea ({}) da", "<{}>\n", "call “{}”!", "¿{}?", "x {} y"]


@pytest.mark.parametrize(("kind", "text"), FOUND)
def test_what_passes_its_check_is_found_whole(kind: str, text: str) -> None:
    for around in AROUND:
        whole = around.format(text)
        start = whole.index(text)

        assert (Hit(kind, start, start + len(text)),) == find(whole)


@pytest.mark.parametrize("text", NEARLY + INNOCENT)
def test_what_does_not_is_left_alone(text: str) -> None:
    assert () == find(text)


def test_what_begins_first_and_is_longest_is_taken() -> None:
    assert ["email"] == [hit.kind for hit in find("612345678@example.org")]
    assert ["iban"] == [hit.kind for hit in find("ES91 2100 0418 4502 0005 1332")]
    assert ["phone", "phone"] == [hit.kind for hit in find("612345678/699123456")]
    assert ["card", "phone"] == [hit.kind for hit in find("4111 1111 1111 1111 o 612 345 678")]


def test_only_what_is_asked_for_is_blotted_out() -> None:
    text = "A: me@example.org, B: 612\u200b345678; C: 12345678Z"

    assert "A: [email], B: [phone]; C: 12345678Z" == redact(text, {"email", "phone"}, find(text))
    assert text == redact(text, (), find(text))


def test_every_kind_has_a_vector() -> None:
    assert set(KINDS) == {kind for kind, _ in FOUND}


PIECES = st.sampled_from(
    [
        *(text for _, text in FOUND[:3] + FOUND[9:11] + FOUND[22:24] + FOUND[32:34]), *NEARLY[:8],
        "612 345 678", " ", ", ",
        "a", "1", "34", "-", ".", "@", ":", "x" * 70, "+", "\n", "é", "$", "Z",
    ]
)  # fmt: skip


@given(st.lists(PIECES, max_size=8).map("".join), st.integers(0, 200))
@settings(max_examples=250)
def test_what_is_decided_stays_so_whatever_comes(text: str, cut: int) -> None:
    forms = even_forms(text)
    if forms is None:
        return
    whole, begun = f"\n{forms.skeleton}\n", f"\n{forms.skeleton[:cut]}"
    decided = undecided_from(begun, 1)

    early = [hit for hit in find_in(begun, KINDS, 1) if hit.start < decided]

    assert early == [hit for hit in find_in(whole, KINDS, 1) if hit.start < decided]
    assert len(begun) - decided <= LONGEST


@given(st.lists(PIECES, max_size=8).map("".join))
def test_hits_stand_in_order_and_apart(text: str) -> None:
    hits = find(text)

    assert all(first.end <= second.start for first, second in pairwise(hits))
    assert all(0 <= hit.start < hit.end <= len(text) for hit in hits)
