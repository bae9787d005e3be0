"""Authority: whether enough of the right principals signed a record.

A library's count of keys is not enough here, for three reasons that each have
their attack fixture: two keys of one person, one key under two ids, and one
key shared by two persons. So signatures are mapped to principals, principals
are counted, and a key belongs to one principal for ever.

Each record is judged by the governance in force at its own log index; a new
governance needs the threshold of the old one and its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from auzolan.core.record.envelope import Envelope
from auzolan.core.record.errors import MalformedError, StaleError, VerificationError
from auzolan.core.record.governance import GOVERNANCE_KIND, Governance, read_governance
from auzolan.core.record.record import Record

SUPERSEDES = "supersedes"


class SuccessionError(VerificationError):
    """A governance does not continue the one in force."""


class Version(NamedTuple):
    """A governance, the id of its record, and the log index where it stands."""

    at: int
    id: str
    rules: Governance


@dataclass(frozen=True)
class Authorised:
    """A record that enough principals signed.

    Attributes:
        record: the content, now to be trusted as said by `signers`.
        signers: ids of the principals who signed, sorted.
        governance: set when the record is itself a new governance.
    """

    record: Record
    signers: tuple[str, ...]
    governance: Governance | None = None


class Shortfall(NamedTuple):
    """What a record still lacks: `needed` principals of `role`, of whom `signed` did."""

    role: str
    needed: int
    signed: tuple[str, ...]
    missing: tuple[str, ...]


class Chain:
    """The governance versions of one commons, oldest first.

    `verify` is called with every record in log order and takes new versions in.
    """

    def __init__(self) -> None:
        self.versions: list[Version] = []
        self._holder: dict[str, str] = {}

    @property
    def current(self) -> Version:
        """The version in force."""
        return self.versions[-1]

    def at(self, index: int) -> Version:
        """Return the version that judges the record at `index`; the root judges itself."""
        return next((v for v in reversed(self.versions) if v.at < index), self.versions[0])

    def verify(self, envelope: Envelope, index: int) -> Authorised:
        """Check the record at `index` against the version in force.

        Raises:
            MalformedError: a governance that cannot be read.
            VerificationError: signatures or thresholds do not hold.
        """
        current = self.current if self.versions else None
        authorised = verify_authority(envelope, current)
        if authorised.governance:
            self.accept(Version(index, authorised.record.id, authorised.governance))
        return authorised

    def accept(self, version: Version) -> None:
        """Take in a version that was verified; a key must stay with its holder for ever."""
        rules = version.rules
        for keyid, who in rules.principal_of_key.items():
            holder = self._holder.get(keyid, who.id)
            if holder != who.id:
                name = rules.keys[keyid].name
                raise SuccessionError(f"governance: key {name} was held by {holder} and cannot pass to {who.id}")
        self._holder |= {keyid: who.id for keyid, who in rules.principal_of_key.items()}
        self.versions.append(version)


def verify_authority(envelope: Envelope, current: Version | None) -> Authorised:
    """Return the record of `envelope` if it is signed as the rules demand.

    Checks: (a) a governance record continues the one in force and keeps its
    rights floor; (b) every signature is by a known key and fits; (c) enough
    different principals of the role signed, under the old and the new rules
    where both count.
    Does not check: that `current` is really in force (`Chain`, `verify`).
    """
    record = envelope.claimed
    proposed = _read_proposed(record)
    if proposed:
        check_succession(record, proposed, current)
    elif current is None:
        raise SuccessionError(f"the first record must be {GOVERNANCE_KIND}, got {record.kind}")
    judges = [rules for rules in (current and current.rules, proposed) if rules]
    signers = _verify_signatures(envelope, judges)
    for rules in judges:
        lacking = shortfall(record, rules, signers)
        if lacking:
            which = " under the new rules" if rules is proposed else " under the old rules"
            raise VerificationError(_lack(record, lacking, which if len(judges) == 2 else ""))
    return Authorised(record, tuple(sorted(set(signers.values()))), proposed)


def _read_proposed(record: Record) -> Governance | None:
    """Return the rules that a governance record proposes, or None for any other record."""
    if record.kind == GOVERNANCE_KIND:
        return read_governance(record.body)
    if record.kind.split("/")[0] == GOVERNANCE_KIND.split("/")[0]:
        # Passing over it would judge all that follows by rules that are no longer in force.
        raise StaleError(f"{record.kind} is newer than this program, which knows {GOVERNANCE_KIND}")
    return None


def check_succession(record: Record, proposed: Governance, current: Version | None) -> None:
    """Refuse a governance that does not continue the one in force.

    Raises:
        SuccessionError: it supersedes another one, takes from the rights floor,
            hands a key over, renames the log or drops the demo mark.
    """
    expected = {SUPERSEDES: current.id} if current else {}
    if record.links.get(SUPERSEDES) != expected.get(SUPERSEDES):
        said = record.links.get(SUPERSEDES, "nothing")
        wanted = f"{current.id} is in force" if current else "it is the first"
        raise SuccessionError(f"governance: says that it supersedes {said}, but {wanted}")
    if current is None:
        return
    if current.rules.origin != proposed.origin:
        raise SuccessionError(f"governance: the log is {current.rules.origin!r} for ever, not {proposed.origin!r}")
    if current.rules.demo and not proposed.demo:
        raise SuccessionError("governance: this commons began with throw-away keys and must stay marked `demo = true`")
    for keyid, who in proposed.principal_of_key.items():
        before = current.rules.principal_of_key.get(keyid)
        if before and before.id != who.id:
            name = proposed.keys[keyid].name
            raise SuccessionError(f"governance: key {name} is held by {before.id} and cannot pass to {who.id}")
    kept = {(article.id, article.text) for article in proposed.rights_floor}
    for article in current.rules.rights_floor:
        if (article.id, article.text) not in kept:
            raise SuccessionError(f"governance: the rights floor may only grow, but article {article.id} is gone")


def _verify_signatures(envelope: Envelope, judges: list[Governance]) -> dict[str, str]:
    """Return key id -> principal id for all signatures, each of which must be known and fit."""
    signers: dict[str, str] = {}
    for signature in envelope.signatures:
        rules = next((r for r in judges if signature.keyid in r.keys), None)
        if rules is None:
            raise VerificationError(f"signature by unknown key {signature.keyid[:16]}…: no principal holds it")
        rules.keys[signature.keyid].verify(signature.sig, envelope.pae, "record")
        signers[signature.keyid] = rules.principal_of_key[signature.keyid].id
    return signers


def shortfall(record: Record, rules: Governance, signers: dict[str, str]) -> Shortfall | None:
    """Return what `record` lacks under `rules`, or None.

    Args:
        record: what is judged; only its kind matters.
        rules: the governance that judges.
        signers: key id -> principal id of signatures that were checked.
    """
    threshold = rules.threshold_for(record.kind)
    members = rules.roles[threshold.role]
    # Only keys that these very rules give to a principal count under them.
    valid = {rules.principal_of_key[k].id for k in signers if k in rules.principal_of_key}
    signed = tuple(sorted(valid & set(members)))
    if len(signed) >= threshold.count:
        return None
    return Shortfall(threshold.role, threshold.count, signed, tuple(m for m in members if m not in signed))


def _lack(record: Record, lacking: Shortfall, which: str) -> str:
    got = f"{len(lacking.signed)} ({', '.join(lacking.signed)})" if lacking.signed else "0"
    return (
        f"{record.kind} needs {lacking.needed} principals of role {lacking.role}{which}, got {got}; "
        f"any of these may still sign: {', '.join(lacking.missing)}"
    )


def check_signers(envelope: Envelope, current: Version | None) -> dict[str, str]:
    """Return key id -> principal id for an envelope that may still lack signatures.

    Raises:
        VerificationError: a signature is by nobody known or does not fit.
    """
    proposed = _read_proposed(envelope.claimed)
    judges = [rules for rules in (current and current.rules, proposed) if rules]
    if not judges:
        raise MalformedError(f"the first record must be {GOVERNANCE_KIND}, got {envelope.claimed.kind}")
    return _verify_signatures(envelope, judges)
