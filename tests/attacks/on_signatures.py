"""Attacks on authority: the signatures (step 6). The log is in order in all of them."""

from __future__ import annotations

from auzolan.core.record.envelope import Envelope, Signature
from auzolan.core.record.keys import SigningKey
from auzolan.core.record.record import Record
from auzolan.core.record.tombstone import tombstone
from tests.attacks.forge import (
    ATTENDANCE_DIGEST,
    MINUTES,
    NEXT,
    OUTSIDER,
    ROOT,
    THREE,
    TWO,
    Forged,
    Operator,
    counts,
    document,
    fails,
    held,
    loan,
    opening,
    stewards,
    town_next,
    town_root,
)
from tests.attacks.on_governance import LOAN, begun_with, succeeded_by
from tests.town import CLINIC, LIBRARY, SCHOOL, key, sign

LIBRARY_HOME = key("library-home")


def lent(*keys: SigningKey, record: Record = LOAN) -> Forged:
    """Publish the honest town, then a document with these signatures."""
    return opening().log(sign(record, *keys)).publish()


# 6. Signatures


@fails(6, "governance/v1 needs 2 principals of role steward under the old rules, got 1 (library)")
def governance_old_threshold() -> Forged:
    """New rules were signed by those whom they bring to power, and by too few of those who had to agree."""
    coup = {"library": TWO["library"], "bakery": held("Town bakery", OUTSIDER)}
    after = town_next(NEXT.id, principals=coup, roles=stewards("library", "bakery"))
    return succeeded_by(after, LIBRARY, OUTSIDER)


@fails(6, "governance/v1 needs 3 principals of role steward under the new rules, got 2 (library, school)")
def governance_new_threshold() -> Forged:
    """New rules bind people who have not agreed to them: they ask for three signatures and bear two."""
    return succeeded_by(town_next(NEXT.id, thresholds=counts(governance=3)), LIBRARY, SCHOOL)


@fails(6, "document/v1 needs 2 principals of role steward, got 1 (library)")
def one_signer_of_two() -> Forged:
    """The library alone signed a document that needs two signatures."""
    return lent(LIBRARY)


@fails(6, "needs 2 principals of role steward, got 0")
def unsigned_record() -> Forged:
    """The keeper of the log logged a document that nobody signed."""
    return opening().log(Envelope(LOAN)).publish()


@fails(6, "document/v1 needs 2 principals of role steward, got 1 (library)")
def two_keys_one_person() -> Forged:
    """The library signed a document twice, with two keys of its own, to count as two."""
    owners = {**TWO, "library": held("Town library", LIBRARY, LIBRARY_HOME)}
    root = town_root(principals=owners)
    return Operator(sign(root), sign(document(root=root)), sign(loan(root), LIBRARY, LIBRARY_HOME)).publish()


@fails(6, "the signature by school-office does not fit the content")
def bad_signature() -> Forged:
    """The school's signature was copied from the minutes onto a loan that the school never saw."""
    copied = next(s for s in sign(MINUTES).signatures if s.keyid == SCHOOL.public.keyid)
    return opening().log(sign(LOAN, LIBRARY).with_signatures([copied])).publish()


@fails(6, "the signature by school-office does not fit the content")
def signature_under_other_id() -> Forged:
    """The library's signature stands a second time on the document, as if it were the school's."""
    own = sign(LOAN, LIBRARY)
    return opening().log(own.with_signatures([Signature(SCHOOL.public.keyid, own.signatures[0].sig)])).publish()


@fails(6, "signature by unknown key")
def unknown_signer() -> Forged:
    """An outsider's signature stands beside two right ones, to appear as if they had had a say."""
    return lent(LIBRARY, SCHOOL, OUTSIDER)


@fails(6, "signature by unknown key")
def removed_principal_signs() -> Forged:
    """The clinic signed a document after newer rules had removed it."""
    without = town_next(NEXT.id, principals=TWO, roles=stewards("library", "school"))
    return opening().log(sign(without), sign(LOAN, LIBRARY, CLINIC)).publish()


@fails(6, "signature by unknown key")
def replaced_key_signs() -> Forged:
    """The library had replaced a key that was lost, and whoever found it signed with it."""
    owners = {**THREE, "library": held("Town library", LIBRARY_HOME)}
    replaced = town_next(NEXT.id, principals=owners)
    return opening().log(sign(replaced, SCHOOL, CLINIC), sign(LOAN, LIBRARY, SCHOOL)).publish()


@fails(6, "document/v1 needs 2 principals of role steward, got 1 (library)")
def wrong_role() -> Forged:
    """The clinic, which the rules know but give no say in documents, signed in place of the school."""
    root = town_root(principals=THREE)
    return Operator(sign(root), sign(document(root=root)), sign(loan(root), LIBRARY, CLINIC)).publish()


@fails(6, "signature by unknown key")
def governance_changed_retroactively() -> Forged:
    """The clinic signed a document before the rules gave it a vote; the rules that came after do not make it valid."""
    return Operator(sign(ROOT), sign(LOAN, LIBRARY, CLINIC), sign(NEXT)).publish()


@fails(6, "document/v1 needs 2 principals of role steward, got 1 (library)")
def threshold_lowered_retroactively() -> Forged:
    """A document with one signature too few was logged just before new rules that would have let it pass."""
    relaxed = town_next(ROOT.id, thresholds=counts(document=1))
    return Operator(sign(ROOT), sign(LOAN, LIBRARY), sign(relaxed)).publish()


@fails(6, "governance/v1 needs 2 principals of role steward, got 1 (library)")
def root_signed_by_one() -> Forged:
    """The first rules name two founders, and only one of them signed."""
    return begun_with(ROOT, LIBRARY)


@fails(6, "tombstone/v1 needs 2 principals of role steward, got 1 (clinic)")
def erasure_by_one() -> Forged:
    """One person alone declared a private file erased, where the rules ask for two."""
    erasing = tombstone([ATTENDANCE_DIGEST], [MINUTES.id], "asked to be forgotten", "2026-12-01")
    strict = town_next(ROOT.id, thresholds=counts(tombstone=2))
    return Operator(sign(ROOT), sign(MINUTES), sign(strict), sign(erasing, CLINIC)).publish()
