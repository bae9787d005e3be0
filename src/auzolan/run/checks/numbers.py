"""Whether a number can be what it looks like: check digits, lengths and ranges of the kinds in `personal`.

Sources: ISO 13616 registry (IBAN lengths), ISO/IEC 7812 (Luhn, issuers' ranges), Real Decreto 1553/2005 (letters of
DNI and NIE), ITU-T E.164 and its list of country codes. A number that passes need not be anybody's.
"""

from __future__ import annotations

import ipaddress

_IBAN_TABLE = (
    "AD:24 AE:23 AL:28 AT:20 AZ:28 BA:20 BE:16 BG:22 BH:22 BI:27 BR:29 BY:28 CH:21 CR:22 CY:28 CZ:24 DE:22 "
    "DJ:27 DK:18 DO:28 EE:20 EG:29 ES:24 FI:18 FK:18 FO:18 FR:27 GB:22 GE:22 GI:23 GL:18 GR:27 GT:28 HR:21 "
    "HN:28 HU:28 IE:22 IL:23 IQ:23 IS:26 IT:27 JO:30 KW:30 KZ:20 LB:28 LC:32 LI:21 LT:20 LU:20 LV:21 LY:25 "
    "MC:27 MD:24 ME:22 MK:19 MN:20 MR:27 MT:31 MU:30 NI:28 NL:18 NO:15 OM:23 PK:24 PL:28 PS:29 PT:25 QA:29 "
    "RO:24 RS:22 RU:33 SA:24 SC:31 SD:18 SE:24 SI:19 SK:24 SM:27 SO:23 ST:25 SV:28 TL:23 TN:24 TR:26 UA:29 "
    "VA:22 VG:24 XK:20 YE:30"
)
IBAN_LENGTHS = {each[:2]: int(each[3:]) for each in _IBAN_TABLE.split()}
_DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
_SPAIN_LENGTH, _AMERICA_LENGTH = 9, 10
_SHORTEST_PHONE, _LONGEST_PHONE = 8, 15
# E.164 codes: one digit, then two; every other that begins with an assigned zone has three.
_CODES_1 = frozenset("17")
_CODES_2 = (
    "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 "
    "91 92 93 94 95 98"
)
_CODES_3_BEGIN = "21 22 23 24 25 26 29 35 37 38 42 50 59 67 68 69 80 85 87 88 96 97 99"
_CODES = frozenset(f"{_CODES_2} {_CODES_3_BEGIN}".split())


def is_iban(signs: str) -> bool:
    """Say whether the rest by 97 is right (ISO 7064 MOD 97-10); the length was looked at already."""
    turned = signs[4:] + signs[:4]
    return signs[2:4].isdigit() and int("".join(str(int(sign, 36)) for sign in turned)) % 97 == 1


def is_dni(digits: str, letter: str) -> bool:
    """Say whether this is the letter of the number."""
    return _DNI_LETTERS[int(digits) % 23] == letter.upper()


def is_card(digits: str) -> bool:
    """Say whether an issuer gives out such numbers, and the last digit is right (Luhn)."""
    if len(digits) not in _card_lengths(digits):
        return False
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(doubled) + sum(map(int, digits[-1::-2]))) % 10 == 0 and len(set(digits)) > 1


def _card_lengths(digits: str) -> tuple[int, ...] | range:
    two, three, four = int(digits[:2]), int(digits[:3]), int(digits[:4])
    if two // 10 == 4:  # Visa
        return 13, 16, 19
    if 51 <= two <= 55 or 2221 <= four <= 2720:  # Mastercard
        return (16,)
    if two in (34, 37):  # American Express
        return (15,)
    if 300 <= three <= 305 or two in (36, 38, 39):  # Diners Club
        return range(14, 20)
    if 3528 <= four <= 3589 or four == 6011 or 644 <= three <= 649 or two in (62, 65):  # JCB, Discover, UnionPay
        return range(16, 20)
    if four in (5018, 5020, 5038, 5893, 6304, 6759) or 6761 <= four <= 6763:  # Maestro
        return range(13, 20)
    return ()


def is_phone(digits: str) -> bool:
    """Say whether digits with a country code can be a telephone number (E.164)."""
    if digits.startswith("34"):
        return len(digits) == 2 + _SPAIN_LENGTH and digits[2] in "56789"
    if digits.startswith("1"):
        return len(digits) == 1 + _AMERICA_LENGTH and digits[1] not in "01"
    known = digits[:1] in _CODES_1 or digits[:2] in _CODES
    return known and _SHORTEST_PHONE <= len(digits) <= _LONGEST_PHONE


def is_ip(text: str) -> bool:
    """Say whether this is the address of some machine, but not of whichever one reads it."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified)
