"""What a verification brings along and what it finds: steps, statuses, the verified ledger."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from auzolan.core.record.authority import Chain
from auzolan.core.record.checkpoint import Checkpoint, TreeHead
from auzolan.core.record.files import ReadFiles
from auzolan.core.record.merkle import leaf_hash, root_of

STEPS = (
    "Checkpoint",
    "Tree",
    "Records",
    "Root",
    "Governance",
    "Signatures",
    "Once",
    "Links",
    "Blobs",
    "Log key",
    "Witnesses",
    "Memory",
)


def plain(text: str, limit: int = 2_000) -> str:
    """Return `text` safe to show: control, format and private characters are made visible.

    Whoever wrote a record must not be able to write on the screen of whoever checks it.
    """
    shown = "".join(
        c if c == " " or unicodedata.category(c)[0] not in "CZ" else f"\\u{{{ord(c):x}}}" for c in text[:limit]
    )
    return shown + (f"… ({len(text):,} characters)" if len(text) > limit else "")


class Status(StrEnum):
    """What became of a step."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_CHECKED = "not checked"  # it should have been, and could not: neither passed nor failed
    OPEN = "open"  # nobody asked for it: no pin, no witnesses, nothing seen before


class Step(NamedTuple):
    """One numbered step with a sentence about what was found."""

    number: int
    status: Status
    finding: str

    @property
    def title(self) -> str:
        """The step's short name."""
        return STEPS[self.number - 1]


@dataclass(frozen=True)
class Expectation:
    """What the verifier brings along.

    Attributes:
        now: POSIX seconds, to judge the age of cosignatures.
        root: id of the governance at index 0, learned elsewhere; None leaves the authority open.
        seen: the largest head that this machine verified before, or None.
        recall: returns that head for a root id, once the root is known; used where `seen` is None.
        private: this machine's private files, to check withheld bytes, or None.
    """

    now: int
    root: str | None = None
    seen: TreeHead | None = None
    private: ReadFiles | None = None
    recall: Callable[[str], TreeHead | None] | None = None


@dataclass
class VerifiedLedger:
    """What held: returned by `verify_ledger`, which alone fills it.

    Attributes:
        checkpoint: the signed head it was checked against.
        chain: the governance versions.
        positions: record id -> log index.
        entries: log entries in order, 32 bytes each.
        signers: per record, the ids of the principals who signed.
        unavailable: blob digest -> "withheld", "erased" or "missing".
        newest_cosignature: POSIX seconds, or None.
        steps: what was found, in order.
    """

    checkpoint: Checkpoint
    chain: Chain = field(default_factory=Chain)
    positions: dict[str, int] = field(default_factory=dict)
    entries: list[bytes] = field(default_factory=list)
    signers: list[tuple[str, ...]] = field(default_factory=list)
    unavailable: dict[str, str] = field(default_factory=dict)
    newest_cosignature: int | None = None
    steps: list[Step] = field(default_factory=list)

    @property
    def root_id(self) -> str:
        """Id of the first governance, the one to pin."""
        return self.chain.versions[0].id

    def root_at(self, size: int) -> bytes:
        """Return the root of the first `size` verified entries, recomputed from them."""
        return root_of([leaf_hash(entry) for entry in self.entries[:size]])

    @property
    def complete(self) -> bool:
        """Whether nothing that should be checked was left unchecked."""
        return all(step.status is not Status.NOT_CHECKED for step in self.steps)
