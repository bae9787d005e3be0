"""Edge: what `trace` establishes about links to proposals and shortlists, in the very run."""

from __future__ import annotations

from collections import Counter

from auzolan.cli.ballots import Evidence
from auzolan.cli.checkers import tried
from auzolan.cli.decidim.planning import choose_by, plan_of
from auzolan.cli.decidim.store import read_proposals
from auzolan.core.kinds.deliberate import Snapshot
from auzolan.core.kinds.proposals import SUPERSEDES, Proposals, Shortlist
from auzolan.core.record.errors import VerificationError
from auzolan.core.record.record import Record
from auzolan.core.record.trace import Checker, Strength, Walk


def decidim_checkers(evidence: Evidence) -> dict[tuple[str, str], Checker]:
    """Return what `trace` establishes about these links."""

    def check_shortlist(walk: Walk, record: Record, _name: str, target: str) -> Strength:
        said = Shortlist.from_record(record)
        untouched = all(each.own_words and len(each.proposals) == 1 for each in said.statements)
        # What had a place and is not on the list was left out by whoever edited it.
        whole = len(said.statements) == sum(each.places for each in said.quotas)
        good = Strength.CHECKED if untouched and whole else Strength.ASSERTED
        return tried(lambda: verify_shortlist(evidence, record, walk.record(target)), good)

    def check_asked(walk: Walk, record: Record, _name: str, target: str) -> Strength:
        from auzolan.deliberate.sources.decidim_survey import OTHER_WORDS

        other_words = any(each.rule == OTHER_WORDS and each.others for each in Snapshot.from_record(record).cleaning)
        good = Strength.ASSERTED if other_words else Strength.CHECKED
        return tried(lambda: _verify_asked(evidence, record, walk.record(target)), good)

    def check_continued(walk: Walk, record: Record, _name: str, target: str) -> Strength:
        return tried(lambda: _verify_continued(evidence, record, walk.record(target)), Strength.CHECKED)

    return {
        (Shortlist.KIND, Shortlist.PROPOSALS): check_shortlist,
        (Snapshot.KIND, Snapshot.SHORTLIST): check_asked,
        (Proposals.KIND, SUPERSEDES): check_continued,
    }


def verify_shortlist(evidence: Evidence, record: Record, imported: Record) -> Record:
    """Return a shortlist, if it follows from the proposals, as far as people may not edit it.

    Checks: (0) the import is what its files amount to; (1) the quotas, and how they came about, come out again;
    (2) every cited proposal was imported, with this fingerprint, was not withdrawn and is no amendment; (3) whichever
    proposal leads a statement has a place, in the quota that is named; (4) where own words are claimed, every text is
    the title of one of its proposals in that language; (5) the surveys ask about each statement equally often (± 1),
    and none twice.
    Does not check: what was left out or merged by whoever edited it, and why.

    Raises:
        VerificationError: one of these does not hold.
        UsageError, MissingError, MalformedError: as choosing and reading say.
    """
    from auzolan.deliberate.shortlist.blocks import check_balance
    from auzolan.deliberate.shortlist.candidates import is_candidate
    from auzolan.deliberate.shortlist.listing import is_own

    if imported.kind != Proposals.KIND:
        raise VerificationError(f"a shortlist is chosen from proposals, not from {imported.kind}")
    verify_import(evidence, imported)  # 0
    said = Shortlist.from_record(record)
    choice = choose_by(plan_of(said, imported), evidence, imported)
    if choice.quotas != said.quotas:  # 1
        raise VerificationError("the quotas of the shortlist are not those of the proposals")
    if {**choice.method, "language": said.method["language"]} != dict(said.method):
        raise VerificationError("the shortlist was not chosen in the way that it says")
    wanted = {cited.key for each in said.statements for cited in each.proposals}
    found = {str(each.key): each for each in read_proposals(evidence, imported) if str(each.key) in wanted}
    places = {str(each.candidate.key): each.quota for each in choice.chosen}
    for each in said.statements:
        for cited in each.proposals:  # 2
            proposal = found.get(cited.key)
            if proposal is None or not is_candidate(proposal):
                raise VerificationError(f"statement {each.id} rests on {cited.key}, which cannot be on a shortlist")
            if cited.fingerprint != (proposal.fingerprint.value if proposal.fingerprint else ""):
                raise VerificationError(f"statement {each.id}: {cited.key} has another fingerprint")
        if places.get(each.proposals[0].key) != each.quota:  # 3
            raise VerificationError(f"statement {each.id}: {each.proposals[0].key} has no place in {each.quota[:60]!r}")
        if each.own_words and not is_own(each.text, [found[cited.key].title for cited in each.proposals]):  # 4
            raise VerificationError(f"statement {each.id} does not have the words of its proposals")
    check_balance(said.surveys, len(said.statements), max(map(len, said.surveys)))  # 5
    return record


def verify_import(evidence: Evidence, record: Record) -> Record:
    """Return an import, if its counts are those of its published files.

    Checks: proposals, amendments and those withdrawn; supports; fingerprints; debates and results; every line.
    Does not check: comments, which are private, how many people wrote, and what was left out; or the Decidim.

    Raises:
        VerificationError: a count is another.
        MissingError, MalformedError: as `read_proposals` says.
    """
    said = Proposals.from_record(record)
    counts, supports = Counter[str](), Counter[str]()
    for each in read_proposals(evidence, record):
        counts["proposals"] += 1
        counts["amendments"] += each.amends is not None
        counts["withdrawn"] += each.is_withdrawn
        if each.fingerprint is not None:
            supports["checked" if each.fingerprint.is_from_decidim else "recomputed"] += 1
        if not each.is_withdrawn:
            supports["hidden" if each.supports is None else "known"] += 1
            supports["total"] += each.supports or 0
    for name in (Proposals.DEBATES, Proposals.RESULTS):
        parts = said.parts(name)
        counts[name] = sum(evidence.blob(said.blobs[part], part).count(b"\n") for part in parts)
    told = {**said.counts, **said.supports, **said.fingerprints}
    for name, count in {**counts, **supports}.items():
        if told.get(name, 0) != count:
            raise VerificationError(f"the import says {told.get(name, 0):,} {name}, its files {count:,}")
    if sum(said.supports.values()) + sum(said.fingerprints.values()) != sum(supports.values()):
        raise VerificationError("the import says more of supports or fingerprints than its files")
    return record


def _verify_asked(evidence: Evidence, record: Record, shortlist: Record) -> None:
    """Check that a snapshot's statements are those of a shortlist.

    Raises:
        VerificationError: they are not.
    """
    if shortlist.kind != Shortlist.KIND:
        raise VerificationError(f"expected a shortlist, got {shortlist.kind}")
    listed = {each.id: set(each.text.values()) for each in Shortlist.from_record(shortlist).statements}
    for statement in evidence.statements(record):
        if statement.text not in listed.get(statement.id, ()):
            raise VerificationError(f"statement {statement.id} is not the one on the shortlist")


def _verify_continued(evidence: Evidence, record: Record, earlier: Record) -> None:
    """Check that an import continues an earlier one of the same name and Decidim.

    Raises:
        VerificationError: it does not, or one of the two is not what its files amount to.
    """
    if earlier.kind != Proposals.KIND:
        raise VerificationError(f"an import continues an import, not {earlier.kind}")
    one, other = (Proposals.from_record(each).source for each in (record, earlier))
    if (one["name"], one["host"]) != (other["name"], other["host"]):
        raise VerificationError("an import continues one of the same name and the same Decidim")
    verify_import(evidence, record)
    verify_import(evidence, earlier)
