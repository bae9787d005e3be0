"""What is shown of a constitution, said in a language; both faces say the same sentences.

They decide which message is true of a value: shares are rounded with care, and
what is withheld is said to be withheld. How a face writes, its `Speaker` knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from auzolan.core.kinds.constitution import Principle
from auzolan.core.rules.equal_shares import BY_PHRAGMEN, BY_SHARES
from auzolan.deliberate.charter.speaker import Said, Speaker
from auzolan.deliberate.charter.view import APPROVALS, Charter, Entry, Presence, Share, Stratum, Text
from auzolan.deliberate.charter.words import primary
from auzolan.deliberate.ratify.eligibility import Standing
from auzolan.deliberate.ratify.outcome import EXCLUDED

_FEW = 10  # people below whom shares are given as "4 of 7"
_PPM = 1_000_000
_DECLARED = ": "  # in the names of groups that are values of a declared stratum
_NOT_TOLD = ("", "none", "not stated")  # how participants were told apart, where they were not

# Reasons in the order in which they are shown: what came closest first.
REASONS = {
    str(Standing.CONTESTED): "contested",
    str(Standing.BLOCKED): "blocked",
    str(Standing.ELIGIBLE): "eligible",
    Principle.SELECTED: "selected",
    EXCLUDED: "conflict",
    str(Standing.UNSUPPORTED): "unsupported",
    str(Standing.FEW_VOTES): "votes",
    str(Standing.MODERATED_OUT): "moderated",
}
_CAN_LACK = ("contested", "blocked", "unsupported", "votes")


def tenths(share: Share, speaker: Speaker, group: str | None = None) -> Said:
    """Return a share as people say it: "9 in 10"; nothing reads as all or nobody that is not."""
    suffix, of = ("", {}) if group is None else ("_group", {"group": group})
    if not share.whole:
        return speaker.say("unseen_group", group=group or "")
    if share.agree in (0, share.whole):
        return speaker.say(("none" if share.agree == 0 else "all") + suffix, **of)
    if share.whole < _FEW:
        return speaker.say("exact" + suffix, agree=share.agree, whole=share.whole, **of)
    rounded = (20 * share.agree + share.whole) // (2 * share.whole)
    if rounded in (0, 10):
        return speaker.say(("hardly" if rounded == 0 else "nearly") + suffix, **of)
    return speaker.say("tenths" + suffix, n=rounded, **of)


def interval(share: Share) -> tuple[int, int] | None:
    """Return the plausible range in whole percent, rounded outwards."""
    if share.lower_ppm is None or share.upper_ppm is None or not share.whole:
        return None
    return share.lower_ppm * 100 // _PPM, -(-share.upper_ppm * 100 // _PPM)


def support(entry: Entry, speaker: Speaker) -> Iterable[Said]:
    """Yield who supports a text and how strongly."""
    total, groups = entry.support.all, entry.support.groups
    if total is None:
        yield speaker.say("withheld_all", n=entry.support.min_cell)
        return
    approvals = entry.support.approvals
    parts = [_of_group(share, speaker, name) for name, share in groups or ()]
    if total.whole:
        together = _with_range(total, speaker)
        listed = f"{', '.join(parts)}; {speaker.say('agree_all', share=together)}" if parts else together
        yield speaker.say("approve" if approvals else "agree", list=Said(listed))
    yield speaker.say("approved", n=total.agree) if approvals else speaker.say("voted", n=total.whole)
    if groups is None:
        yield speaker.say("withheld_groups", n=entry.support.min_cell)


def _of_group(share: Share, speaker: Speaker, name: str) -> Said:
    """Return a group's share, and where most took no side, so that few who agree do not read as many against."""
    found = tenths(share, speaker, name)
    return speaker.say("most_pass", share=found) if 2 * share.passed > share.whole else found


def _with_range(total: Share, speaker: Speaker) -> Said:
    found, share = interval(total), tenths(total, speaker)
    if found is None:
        return share
    low, high = (speaker.own(speaker.words.whole_percent(each)) for each in found)
    return speaker.say("range", share=share, low=low, high=high)


def standing(entry: Entry, speaker: Speaker) -> Iterable[Said]:
    """Yield how firm the support of an article is, and who is against it."""
    if entry.against:
        yield _of_groups("against_ratified" if entry.is_principle else "against", entry.against, speaker)
    if entry.contested_before:
        yield _of_groups("contested_before", entry.contested_before, speaker)
    if not entry.support.approvals:
        if entry.block_margin:
            yield speaker.say("margin_block", n=entry.block_margin)
        elif entry.support.all is None or entry.support.groups is None:
            yield speaker.say("margin_withheld")
        elif entry.block_margin is None:
            yield speaker.say("margin_never")
    if entry.holds is not None:
        yield speaker.say("holds", n=entry.holds)
    if entry.unopposed is not None and entry.support.groups:
        yield (
            speaker.say("opposed", n=100 - entry.unopposed)
            if entry.against
            else speaker.say("unopposed", n=entry.unopposed)
        )
    known = {BY_SHARES: "how_shares", BY_PHRAGMEN: "how_phragmen"}
    yield speaker.say(known[entry.how]) if entry.how in known else speaker.say("how_other", rule=entry.how)


def _of_groups(key: str, groups: Sequence[str], speaker: Speaker) -> Said:
    return speaker.say(key, n=len(groups), groups=_named(groups, speaker))


def _named(groups: Sequence[str], speaker: Speaker) -> Said:
    """Return names of groups; those of declared strata, such as "district: North", are quoted."""
    return speaker.all_of([speaker.words.quoted(name) if _DECLARED in name else name for name in groups])


def origin(entry: Entry, speaker: Speaker) -> Said:
    """Return how the words of a principle came about; the statements of `quoted_sources` follow."""
    if entry.transformation == Principle.VERBATIM:
        return speaker.say("verbatim", label=Said(", ".join(f"#{number}" for number, _ in entry.sources)))
    return speaker.say("merged" if entry.transformation == Principle.MERGED else "reworded", editor=entry.editor)


def quoted_sources(entry: Entry) -> tuple[tuple[int, str], ...]:
    """Return the statements whose words are shown beside a principle: not those that it repeats word for word."""
    repeats = entry.transformation == Principle.VERBATIM and [words for _, words in entry.sources] == [entry.text.words]
    return () if repeats else entry.sources


def reason_of(entry: Entry) -> str:
    """Return the key of the reason why something did not get in."""
    reason = REASONS.get(entry.standing, "other")
    # In the people's vote a group's disagreement keeps nothing out: what is left was short of a seat.
    return "eligible" if reason == "contested" and entry.is_principle else reason


def explained(entry: Entry, speaker: Speaker) -> Said:
    """Return what the reason means for which something did not get in."""
    reason = reason_of(entry)
    if reason == "unsupported" and entry.support.exact:
        return speaker.say("reason_unsupported_exact")
    if reason == "votes" and entry.support.approvals:
        return speaker.say("reason_votes_approvals")
    return speaker.say("reason_other", reason=entry.standing) if reason == "other" else speaker.say(f"reason_{reason}")


def by_reason(entries: Sequence[Entry]) -> list[tuple[str, list[Entry]]]:
    """Return what did not get in by the reason for it, what came closest first."""
    order, found = list(REASONS.values()), dict[str, list[Entry]]()
    for entry in sorted(entries, key=lambda each: each.admit_margin or 0):
        reason = reason_of(entry)
        found.setdefault(f"{reason}:{entry.standing}" if reason == "other" else reason, []).append(entry)
    named = [(key.split(":")[0], listed) for key, listed in found.items()]
    return sorted(named, key=lambda each: order.index(each[0]) if each[0] in order else len(order))


def lacking(entry: Entry, speaker: Speaker) -> Iterable[Said]:
    """Yield what something that did not get in lacked, and who is against it."""
    reason = reason_of(entry)
    if entry.left_out:
        yield speaker.say("left_out", editor=entry.left_out[0], reason=entry.left_out[1])
    if entry.goes_to_vote:
        yield speaker.say("goes_to_vote")
    if entry.against:
        yield _of_groups("against", entry.against, speaker)
    if reason not in _CAN_LACK:
        return
    if entry.admit_margin:
        approvals = entry.support.approvals
        yield speaker.say("lack_approvals", n=entry.admit_margin) if approvals else _lack(entry, reason, speaker)
    elif entry.support.all is None or entry.support.groups is None:
        yield speaker.say("lack_withheld")
    elif entry.admit_margin is None:
        yield speaker.say("lack_never")


def _lack(entry: Entry, reason: str, speaker: Speaker) -> Said:
    # In the people's vote only groups with the right to block are asked.
    if not entry.against or (entry.is_principle and reason != "blocked"):
        return speaker.say("lack", n=entry.admit_margin or 0)
    # What a group contests lacks agreement in the group; what too few support lacks it among all as well.
    also = "" if reason in ("contested", "blocked") else "_also"
    number = "groups" if len(entry.against) > 1 else "group"
    return speaker.say(f"lack{also}_{number}", n=entry.admit_margin or 0, groups=_named(entry.against, speaker))


def rival(entry: Entry, speaker: Speaker) -> Said | None:
    """Return the words that lead to what a text excludes, which follows."""
    if entry.rival is None:
        return None
    key = "rival" if entry.standing == EXCLUDED else "rival_open"
    return speaker.say(key, label=entry.rival[0])


def translated(text: Text, language: str) -> str | None:
    """Return the translation of a text into a language, if it is needed and there is one."""
    if not text.language or primary(text.language) == primary(language):
        return None
    of = dict(text.translations)
    exact = of.get(language)
    return exact or next((words for tag, words in text.translations if primary(tag) == primary(language)), None)


def is_foreign(text: Text, language: str) -> bool:
    """Say whether a text is known to be in another language."""
    return bool(text.language and text.words) and primary(text.language) != primary(language)


def status(charter: Charter, speaker: Speaker) -> Said:
    """Return what this is: ratified, or only selected."""
    if not charter.is_ratified:
        return speaker.say("status_selected")
    return speaker.say(
        "status_ratified" if charter.articles else "status_nothing", date=speaker.words.date(charter.date)
    )


def circumstances(charter: Charter, speaker: Speaker) -> Iterable[Said]:
    """Yield what stands under the title."""
    date, record = speaker.words.date(charter.date), speaker.short(charter.record)
    key = "of_constitution" if charter.is_ratified else "of_selection"
    yield speaker.say(key, commons=charter.commons, date=date, record=record)
    if charter.replaces:
        yield speaker.say("replaces", record=speaker.short(charter.replaces))
    if charter.deliberated is not None:
        yield speaker.say("deliberated", n=charter.deliberated)
    yield speaker.say("recounted" if charter.recounted else "published")


def warnings(charter: Charter, speaker: Speaker) -> Iterable[Said]:
    """Yield what must be known before anything else is read."""
    if charter.demo:
        yield speaker.say("demo")
    if charter.rules_known != "before":
        yield speaker.say("rules_after")
    if charter.trial:
        yield speaker.say("trial")


def how_to_read(charter: Charter, speaker: Speaker) -> Said:
    """Return what a share is a share of."""
    if charter.grade == APPROVALS:
        return speaker.say("how_to_read_approvals")
    return speaker.say("how_to_read_exact" if charter.rules.is_small else "how_to_read")


def groups(charter: Charter, speaker: Speaker) -> Said:
    """Return what the groups are, and are not."""
    return speaker.say("groups_limit" if charter.groups else "groups_none")


def group_sizes(charter: Charter, speaker: Speaker) -> Said:
    """Return how many people each group has, and how many stand in none."""
    if not charter.groups:
        return Said("")
    none = [(speaker.say("no_group"), charter.n_unassigned)] if charter.n_unassigned else []
    listed = ", ".join(f"{speaker.shown(name)} · {speaker.shown(size)}" for name, size in (*charter.groups, *none))
    return speaker.say("group_sizes", list=Said(listed))


def turnout(charter: Charter, speaker: Speaker) -> Said:
    """Return how many took part, of how many who may vote."""
    people, roll = charter.turnout.participants, charter.turnout.roll
    if not roll:
        return speaker.say("turnout_unknown", n=people)
    if people > roll:
        return speaker.say("turnout_more", n=people, roll=roll)
    return speaker.say("turnout_roll", n=people, roll=roll, percent=speaker.percent(people, roll))


def decided(charter: Charter, speaker: Speaker) -> Iterable[Said]:
    """Yield by which rules, on which evidence, this was decided."""
    yield speaker.say("grade_b" if charter.grade == APPROVALS else "grade_a")
    yield (
        speaker.say("identity", identity=charter.identity)
        if charter.identity not in _NOT_TOLD
        else speaker.say("identity_none")
    )
    yield speaker.say("rules_before" if charter.rules_known == "before" else "rules_after")
    rules = charter.rules
    quorum = rules.quorum(charter.turnout.participants)
    if charter.grade == APPROVALS:
        yield speaker.say("rule_approvals", quorum=quorum)
    elif rules.is_small and rules.small_rule == "consent":
        yield speaker.say("rule_consent", quorum=quorum)
    elif rules.is_small:
        yield speaker.say("rule_small", quorum=quorum, share=str(rules.supermajority))
    else:
        yield speaker.say("rule_large", quorum=quorum, percent=speaker.percent(rules.support_ppm, _PPM))
    yield Said(f"{speaker.say('rule_seats', n=rules.seats)} {speaker.say('rule_shares')}")


def proof(charter: Charter, speaker: Speaker) -> tuple[list[Said], tuple[str, str] | None]:
    """Return what the certificate says, and the label and words of the statement that the last sentence leads to."""
    found = charter.proof
    if found is None:
        return [speaker.say("proof_none")], None
    key = "ejr_holds" if found.ejr_ratio < 1 else "ejr_fails"
    said = [speaker.say(key, percent=_part(found.ejr_ratio, speaker))]
    if found.strongest is None:
        return [*said, speaker.say("core_alone" if found.is_core else "proof_none")], None
    if not found.is_core:
        return [*said, speaker.say("core_open", label=found.strongest[0])], found.strongest
    percent = _part(found.reach, speaker)
    return [*said, speaker.say("core_holds", label=found.strongest[0], percent=percent)], found.strongest


def reach(entry: Entry, speaker: Speaker) -> Said | None:
    """Return how far those behind an acknowledged view reach."""
    return None if entry.reach is None else speaker.say("reach", percent=_part(entry.reach, speaker))


def _part(share: Fraction, speaker: Speaker) -> Said:
    return speaker.percent(share.numerator, share.denominator)


def has_roll(stratum: Stratum) -> bool:
    """Say whether it is known of any value how many may vote."""
    return any(each.may_vote is not None for each in stratum.values)


def took_part(each: Presence, charter: Charter, speaker: Speaker) -> str:
    """Return how many of some declared value took part, or why that is not said."""
    if each.took_part is not None:
        return speaker.shown(each.took_part)
    return speaker.say("cell_few", n=charter.min_cell) if each.is_few else speaker.say("cell_withheld")


def of_roll(each: Presence, speaker: Speaker) -> tuple[str, str]:
    """Return how many of some declared value may vote, and what share of them took part."""
    if each.may_vote is None:
        return "–", "–"
    if each.took_part is None or not each.may_vote:
        return speaker.shown(each.may_vote), "–"
    return speaker.shown(each.may_vote), speaker.percent(each.took_part, each.may_vote)


def most_absent(stratum: Stratum, speaker: Speaker) -> Said | None:
    """Return whose share is the smallest, where the roll tells."""
    known = [each for each in stratum.values if each.took_part is not None and each.may_vote]
    if len(known) < 2 or any(each.is_few and each.may_vote for each in stratum.values):
        return None  # perhaps those of whom it is not told were the most absent
    least = min(known, key=lambda each: (Fraction(each.took_part or 0, each.may_vote or 1), each.value))
    percent = speaker.percent(least.took_part or 0, least.may_vote or 1)
    return speaker.say("most_absent", value=least.value, percent=percent)
