"""Personal data that has a form: where it stands in a text, and the text without it.

Seven kinds, each with the check that its form allows:

    email   a name and a domain that ends in letters
    iban    length of its country, ISO 7064 MOD 97-10
    dni     Spanish identity number, letter by the rest of 23
    nie     the same for foreigners
    card    ranges of the issuers, length, Luhn
    phone   with a country code (E.164), or nine digits as they are written in Spain
    ip      version 4 or 6, but not one that means "this machine" or "none"

They are looked for in the skeleton of a text, so full-width digits and hidden
characters between them make no difference. What begins first is taken; of what
begins at the same place, the longest; what overlaps with it is not looked at.
Where something begins and ends follows from at most 254 characters from there
on and 64 before, so that a stream can be checked as it comes (`undecided_from`).

Not covered: names, addresses, dates of birth and whatever else has no form;
digits in words, or spaced one by one; e-mail addresses with "(at)". Nine digits
with a 6 to 9 in front are taken for a phone number though they may be a count.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

import re2

from auzolan.run.checks import numbers
from auzolan.run.checks.forms import SPACES
from auzolan.run.checks.plain_text import even_forms, read_whole

KINDS = ("card", "dni", "email", "iban", "ip", "nie", "phone")
LONGEST = 254
_LONGEST_SPACED = 90
_SHORT = 300
_LONGEST_NAME, _LONGEST_DOMAIN = 64, 189

# Every expression begins with a set of characters that is rare in prose, and looks back from there: `re` skips to it.
_DIGIT = re.compile(r"[0-9]")
_ALONE = r"(?<![^\W_].)"  # no letter or digit before the character that was just read
_NOT_ON = r"(?![^\W_])"
_NAME_SIGNS = frozenset("._%+-'")
_DOMAIN = re.compile(r"[^\W_][\w-]{0,62}(?:\.[^\W_][\w-]{0,62}){1,8}")
_IBAN = re.compile(r"[0-9](?<=[A-Za-z]{2}.)(?<![^\W_].{3})[0-9]", re.DOTALL)
_DNI = re.compile(
    rf"([0-9]{_ALONE}(?:[0-9]{{7}}|[0-9]\.[0-9]{{3}}\.[0-9]{{3}}))(?:-?([A-Za-z])| ([A-Z])){_NOT_ON}", re.DOTALL
)
_NIE = re.compile(rf"([XYZxyz]){_ALONE}-?([0-9]{{7}}|[0-9]\.[0-9]{{3}}\.[0-9]{{3}})-?([A-Za-z]){_NOT_ON}", re.DOTALL)
_CARD = re.compile(rf"[0-9]{_ALONE}(?<![0-9][.,].)(?=[0-9]{{3}})", re.DOTALL)
_DIGITS = re.compile(r"[0-9]{1,20}")
_AMOUNT_GOES_ON = re.compile(r"[.,][0-9]| ?[$%]")
_ABROAD = re.compile(rf"(?:\+{_ALONE}|0{_ALONE}(?<![+.,-].)0)(?=\(?[1-9])", re.DOTALL)
_ABROAD_DIGITS = re.compile(r"[ .\-/()]{0,2}([0-9])")
_SPANISH = re.compile(
    rf"[6-9]{_ALONE}(?<![+.,-].)(?:[0-9]{{8}}|[0-9]{{2}}([ -])[0-9]{{3}}\1[0-9]{{3}}"
    rf"|[0-9]{{2}}([ .-])[0-9]{{2}}\2[0-9]{{2}}\2[0-9]{{2}}|(?<=[89])[0-9]([ .-])[0-9]{{3}}\3[0-9]{{2}}\3[0-9]{{2}})"
    rf"(?!-[0-9]){_NOT_ON}",
    re.DOTALL,
)
_IP4 = re.compile(r"[0-9](?<![\w.].)[0-9]{0,2}(?:\.[0-9]{1,3}){3}(?!\w|\.[0-9])", re.DOTALL)
_IP6_WITHIN = re.compile(r":[0-9A-Fa-f]{0,4}:")
_IP6_SIGNS = frozenset("0123456789abcdefABCDEF:.")
_LONGEST_IP = 46

_QUIET = re2.Options()
_QUIET.log_errors = False
# One of these is in whatever is found here.
_CLUE = re2.compile(
    r"@|[0-9](?:[ .\-/()]{0,2}[0-9]){6}|[A-Za-z]{2}[0-9]{2}[ -]?[A-Za-z0-9]|[0-9]\.[0-9]{1,3}\.[0-9]"
    r"|:[0-9A-Fa-f]{0,4}:",
    _QUIET,
)
# What may still become something with spaces in it: groups of digits, or what begins like an IBAN.
_OPEN = re2.compile(
    r"(?:\+?\(?[0-9](?:[ .\-/()]{0,2}[0-9]){0,19}[ .\-/(),]{0,2}[A-Za-z]?"
    r"|[A-Za-z]{2}[0-9]{2}(?:[ -]?[A-Za-z0-9]){0,31}[ -]?)\z",
    _QUIET,
)


class Hit(NamedTuple):
    """Personal data in a text.

    Attributes:
        kind: one of KINDS.
        start, end: positions.
    """

    kind: str
    start: int
    end: int


def find(text: str) -> tuple[Hit, ...]:
    """Return all personal data in a text, in order; two may share a character that stands for several ("⅔")."""
    forms = even_forms(text)
    if forms is not None:
        return tuple(find_in(forms.skeleton, KINDS))
    lane = read_whole(text).skeleton
    return tuple(Hit(hit.kind, lane.raw_of(hit.start), lane.raw_after(hit.end)) for hit in find_in(lane.text, KINDS))


def redact(text: str, kinds: Collection[str], hits: Iterable[Hit]) -> str:
    """Return a text with a mark such as "[iban]" for everything of some kinds that was found in it."""
    pieces, at = [], 0
    for hit in hits:
        if hit.kind in kinds:
            # Where two share a character, the second begins before the first ends.
            pieces += [text[at : max(at, hit.start)], f"[{hit.kind}]"]
            at = max(at, hit.end)
    return "".join([*pieces, text[at:]])


def kinds_in(skeleton: str, kinds: Collection[str]) -> frozenset[str]:
    """Return which kinds are in a skeleton."""
    return frozenset([hit.kind for hit in find_in(skeleton, kinds)])


def find_in(skeleton: str, kinds: Collection[str], begin: int = 0) -> list[Hit]:
    """Return what is in a skeleton, positions in it, from `begin` on; 64 characters before are looked at."""
    if not kinds or not _has_clue(skeleton[begin:]):
        return []
    # All kinds, whichever are asked for: what is part of an address is no telephone number.
    hits = [hit for search in _SEARCHES for hit in search(skeleton)]
    found: list[Hit] = []
    at = begin
    for hit in sorted(hits, key=lambda hit: (hit.start, -hit.end, hit.kind)):
        if hit.start >= at:
            found.append(hit)
            at = hit.end
    return [hit for hit in found if hit.kind in kinds]


def _has_clue(text: str) -> bool:
    if len(text) < _SHORT and _DIGIT.search(text) is None and "@" not in text:
        return False
    return _CLUE.search(text) is not None


def undecided_from(skeleton: str, begin: int) -> int:
    """Return from where on what comes next in a text may still change what is found in it."""
    end = len(skeleton)
    place = max(begin, end - LONGEST, 1 + max(skeleton.rfind(space, begin) for space in SPACES))
    tail = max(begin, end - _LONGEST_SPACED)
    if _DIGIT.search(skeleton, tail) is not None:
        found = _OPEN.search(skeleton[tail:])
        if found is not None:
            place = min(place, tail + found.start())
    return place


def _emails(text: str) -> Iterator[Hit]:
    at = text.find("@")
    while at >= 0:
        domain = _DOMAIN.match(text, at + 1, at + 1 + _LONGEST_DOMAIN)
        start = at
        while start > max(0, at - _LONGEST_NAME) and (text[start - 1].isalnum() or text[start - 1] in _NAME_SIGNS):
            start -= 1
        while start < at and text[start] in ".%-'":
            start += 1
        if domain and start < at:
            labels = domain[0].rstrip("-_").split(".")
            while len(labels) > 1 and not (labels[-1].isalpha() and len(labels[-1]) >= 2):
                labels.pop()
            if len(labels) > 1:
                yield Hit("email", start, at + 1 + len(".".join(labels)))
        at = text.find("@", at + 1)


def _ibans(text: str) -> Iterator[Hit]:
    for match in _IBAN.finditer(text):
        start = match.start() - 2
        length = numbers.IBAN_LENGTHS.get(text[start : start + 2].upper())
        if length is None:
            continue
        signs: list[str] = []
        at = start
        while len(signs) < length and at < len(text):
            if text[at] in " -" and len(signs) >= 4 and text[at - 1] not in " -":
                at += 1
                continue
            if not (text[at].isascii() and text[at].isalnum()):
                break
            signs.append(text[at])
            at += 1
        ends = at == len(text) or not text[at].isalnum()
        if len(signs) == length and ends and numbers.is_iban("".join(signs)):
            yield Hit("iban", start, at)


def _identities(text: str) -> Iterator[Hit]:
    for match in _DNI.finditer(text):
        if numbers.is_dni(match[1].replace(".", ""), match[2] or match[3]):
            yield Hit("dni", *match.span())
    for match in _NIE.finditer(text):
        number = str("XYZ".index(match[1].upper())) + match[2].replace(".", "")
        if numbers.is_dni(number, match[3]):
            yield Hit("nie", *match.span())


def _cards(text: str) -> Iterator[Hit]:
    for match in _CARD.finditer(text):
        digits, at, best = "", match.start(), 0
        while (group := _DIGITS.match(text, at)) and len(digits) + len(group[0]) <= 19:
            digits, at = digits + group[0], group.end()
            goes_on = at < len(text) and (text[at].isalnum() or _AMOUNT_GOES_ON.match(text, at) is not None)
            if not goes_on and numbers.is_card(digits):
                best = at
            if len(group[0]) < 4 or text[at : at + 1] not in (" ", "-"):
                break
            at += 1
        if best:
            yield Hit("card", match.start(), best)


def _phones(text: str) -> Iterator[Hit]:
    for match in _SPANISH.finditer(text):
        if not _AMOUNT_GOES_ON.match(text, match.end()):
            yield Hit("phone", *match.span())
    for match in _ABROAD.finditer(text):
        digits, at, best = "", match.end(), 0
        # "00" is also how order numbers begin: only Spain's code may stand right beside its number.
        apart = match[0] == "+" or not text[at + 1 : at + 4].isdigit()
        while len(digits) < 16 and (more := _ABROAD_DIGITS.match(text, at)):
            digits, at = digits + more[1], more.end()
            ends = at == len(text) or not text[at].isalnum()
            if ends and (apart or digits.startswith("34")) and numbers.is_phone(digits):
                best = at
        if best:
            yield Hit("phone", match.start(), best)


def _addresses(text: str) -> Iterator[Hit]:
    for match in _IP4.finditer(text):
        if numbers.is_ip(match[0]):
            yield Hit("ip", *match.span())
    done = 0
    for match in _IP6_WITHIN.finditer(text):
        if match.start() < done:
            continue
        start, done = match.span()
        while start > 0 and match.start() - start < _LONGEST_IP and text[start - 1] in _IP6_SIGNS:
            start -= 1
        while done < len(text) and done - start < _LONGEST_IP and text[done] in _IP6_SIGNS:
            done += 1
        yield from _ip6(text, start, done)


def _ip6(text: str, start: int, end: int) -> Iterator[Hit]:
    """Yield the address that a run of digits, colons and points is, if it is one."""
    beside = text[start - 1 : start] + text[end : end + 1]
    if any(char.isalnum() or char in "_:." for char in beside):
        return
    address = text[start:end].rstrip(".")
    if address.endswith(":") and not address.endswith("::"):
        address = address[:-1]
    if _DIGIT.search(address) and numbers.is_ip(address):
        yield Hit("ip", start, start + len(address))


_SEARCHES = (_emails, _ibans, _identities, _cards, _phones, _addresses)
