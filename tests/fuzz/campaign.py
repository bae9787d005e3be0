"""Running a target on many made cases within its share of the time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from random import Random
from typing import TypeVar

from auzolan.core.record.errors import AuzolanError

Case = TypeVar("Case")

SECONDS = float(os.environ.get("AUZOLAN_FUZZ_SECONDS", "20"))
SEED = os.environ.get("AUZOLAN_FUZZ_SEED", "auzolan")
FIRST = int(os.environ.get("AUZOLAN_FUZZ_FIRST", "0"))
AT_LEAST = 25
_SHOWN = 4000


def campaign(target: str, make: Callable[[Random], Case], check: Callable[[Case], object], share: float) -> int:
    """Check made cases until the target's share of the time is spent; at least `AT_LEAST` of them.

    Args:
        target: the name of the test, for the reproducer.
        make: makes a case from nothing but the random generator.
        check: may raise `AuzolanError`; anything else that it raises fails the campaign.
        share: part of `SECONDS` for this target.

    Returns:
        How many cases were refused with one of the package's errors.
    """
    deadline = time.monotonic() + SECONDS * share
    refused = 0
    number = FIRST
    while number < FIRST + AT_LEAST or time.monotonic() < deadline:
        case = make(Random(f"{SEED}/{target}/{number}"))
        try:
            check(case)
        except AuzolanError:
            refused += 1
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            raise AssertionError(_reproducer(target, number, case, error)) from error
        number += 1
    print(f"fuzz {target}: {number - FIRST:,} cases from {SEED!r}/{FIRST}, {refused:,} refused")
    return refused


def _reproducer(target: str, number: int, case: object, error: BaseException) -> str:
    try:
        shown = repr(case)
    except (ValueError, RecursionError):
        shown = f"a {type(case).__name__} too large to be shown"
    cut = f"… ({len(shown):,} characters in all)" if len(shown) > _SHOWN else ""
    return (
        f"{type(error).__name__} escaped: {error!s:.500}\n"
        f"again: AUZOLAN_FUZZ_SEED={SEED!r} AUZOLAN_FUZZ_FIRST={number} AUZOLAN_FUZZ_SECONDS=0 "
        f"pytest tests/fuzz -k {target}\n"
        f"case: {shown[:_SHOWN]}{cut}"
    )
