"""What is shown of an outcome, as JSON with floats and in words; votes only as far as the tally publishes them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from auzolan.cli.output import JsonDict
from auzolan.core.kinds.deliberate import Snapshot
from auzolan.core.kinds.selection import Article, NotIncluded, Outcome

if TYPE_CHECKING:
    from auzolan.deliberate.tally import Cell, Counts

_GRADES = {
    "A": "ballots say agree, disagree or pass",
    "B": "ballots only approve: who is against, and who saw a statement at all, cannot be seen",
    "C": "counts only",
}


def grade_words(grade: str) -> str:
    """Return what a grade of evidence means."""
    return _GRADES[grade]


def view_of_outcome(
    outcome: Outcome,
    counts: Counts,
    taken: Snapshot,
    texts: Mapping[int, str],
    principles: Mapping[int, str] | None = None,
) -> JsonDict:
    """Return what is shown of an outcome.

    Args:
        outcome: what the rules made of the votes.
        counts: of the tally, as published.
        taken: the snapshot.
        texts: statement -> what it says.
        principles: in a people's vote, statement -> number of the principle that it is.
    """
    shown = [each.all for each in counts.statements if each.all]
    division = counts.divisions[0]
    votes = votes_on(counts)
    texts = {statement: " ".join(text.split()) for statement, text in texts.items()}
    numbers = {s: {"statement_ids": [s], "text": texts.get(s, ""), **votes[s]} for s in votes}
    return {
        "participants": taken.n_participants,
        "statements": len(counts.statements),
        "votes": {
            "agree": sum(cell.agree for cell in shown),
            "disagree": sum(cell.disagree for cell in shown),
            "pass": sum(cell.passed for cell in shown),
        },
        "grade": outcome.grade,
        "rules_known": outcome.rules_known,
        "small_community": _is_small(outcome),
        "groups": [{"id": n, "size": size} for n, size in zip(division.values, division.sizes or (), strict=True)],
        "articles": [
            {
                "number": number,
                **numbers[each.statement],
                "status": "selected" if principles is None else "ratified",
                **_article(each),
            }
            for number, each in enumerate(outcome.articles, 1)
        ],
        "put_to_vote": list(outcome.put_to_vote),
        "clauses": [
            {**numbers[each.statement], "status": "acknowledged", "reach": float(each.reach)}
            for each in outcome.clauses
        ],
        "not_included": [
            {
                "statement_id": each.statement,
                "text": texts.get(each.statement, ""),
                "status": each.standing,
                "reason": reason(each, outcome, principles),
                "lacking": each.admit_margin,
            }
            for each in outcome.not_included
        ],
        "certificate": certificate_json(outcome, principles),
    }


def _article(article: Article) -> JsonDict:
    return {
        "how": article.how,
        "admit_margin": 0,
        "block_margin": article.block_margin,
        "holds": article.holds,
        "unopposed": article.unopposed,
        "against": list(article.against),
    }


def _is_small(outcome: Outcome) -> bool:
    from auzolan.deliberate.ratify.parameters import read_parameters

    return read_parameters(outcome.parameters).is_small


def _number(outcome: Outcome, name: str) -> int:
    value = outcome.parameters.get(name)
    return value if isinstance(value, int) else 0


def votes_on(counts: Counts) -> dict[int, JsonDict]:
    """Return statement -> its votes, over all and by group, None where they are withheld."""
    from auzolan.deliberate.opinion import smoothed_share

    names, found = counts.divisions[0].values, {}
    for row in counts.statements:
        cells = row.by[0]
        shares = [smoothed_share(cell.agree, cell.agree + cell.disagree + cell.passed) for cell in cells or ()]
        found[row.id] = {
            "all": None if row.all is None else _votes(row.all),
            "gac": math.prod(shares) if shares else None,
            "groups": None if cells is None else [{"id": n, **_cell(c)} for n, c in zip(names, cells, strict=True)],
        }
    return found


def _votes(cell: Cell) -> JsonDict:
    return {"agree": cell.agree, "disagree": cell.disagree, "pass": cell.passed}


def _cell(cell: Cell) -> JsonDict:
    return {**_votes(cell), "seen": cell.agree + cell.disagree + cell.passed, "lower": cell.lower_ppm / 1e6}


def reason(other: NotIncluded, outcome: Outcome, principles: Mapping[int, str] | None = None) -> str:
    """Return in words why a statement is no article, and what it lacks; in a people's vote groups decide nothing."""
    final = principles is not None
    standing = "eligible" if final and other.standing == "contested" else other.standing
    said = _WHY.get(standing, standing)
    if other.standing == "not enough support":
        said = _unsupported(outcome)
    if other.standing == "not enough votes" and outcome.grade == "B":
        said = "too few people approve of it"
    if standing == "contested" and not other.against and other.rival is not None:
        said = "it excludes another statement, and those who voted on both do not clearly prefer one"
    elif other.against and (not final or other.standing == "blocked"):
        verb = "are" if len(other.against) > 1 else "is"
        said = f"{groups_words(other.against)} {verb} clearly against it, and " + said
    heard = any(each.statement == other.statement for each in outcome.clauses)
    rival = "" if other.rival is None else f" ({_named(other.rival, principles)})"
    return said + rival + ("; acknowledged as a view that many hold" if heard else "") + lacking(other, final)


_WHY = {
    "eligible": "enough people agree, but the seats went to statements whose supporters had fewer articles",
    "contested": "a group found by a computer does not block: it is for the people's vote",
    "blocked": "the rules let declared groups block",
    "not enough votes": "too few people voted on it to say",
    "moderated out": "it was taken out by the moderators",
    "excluded by conflict": "it excludes a statement that those who voted on both prefer",
}


def _named(statement: int, principles: Mapping[int, str] | None) -> str:
    """Return how a statement is called: by its number, or in a people's vote by that of its principle."""
    return f"#{statement}" if principles is None else principles.get(statement, f"#{statement}")


def groups_words(names: Sequence[str]) -> str:
    """Return how groups are called: "group A", "groups A, B and C"; declared strata have their own name in front."""
    derived = [name for name in names if ": " not in name]
    declared = [name for name in names if ": " in name]
    found = [*derived, *declared]
    listed = found[0] if len(found) == 1 else f"{', '.join(found[:-1])} and {found[-1]}"
    return f"group{'s' if len(derived) > 1 else ''} {listed}" if derived else listed


def _unsupported(outcome: Outcome) -> str:
    by = outcome.parameters
    if _is_small(outcome):
        if by.get("small_rule") == "consent":
            return "somebody disagrees, and the rule is consent"
        return f"fewer than {by.get('supermajority')} of those who took a side agree"
    ppm = _number(outcome, "support_ppm")
    share = "half" if ppm == 500_000 else f"{ppm / 10_000:g} %"
    return f"of those who saw it, too few agree to be sure of {share}, allowing for chance"


def lacking(other: NotIncluded, final: bool) -> str:
    """Return what a statement lacks, "" where nothing or where it is not told."""
    if not other.admit_margin:
        return ""
    asked = () if final and other.standing != "blocked" else other.against
    where = f" in {groups_words(asked)}" if asked else ""
    return f"; {other.admit_margin:,} more who agree{where} would do"


def certificate_json(outcome: Outcome, principles: Mapping[int, str] | None = None) -> JsonDict | None:
    """Return the certificate with floats; see `view_of_outcome`."""
    certificate = outcome.certificate
    if certificate is None:
        return None
    strongest = None if certificate.strongest is None else _named(certificate.strongest, principles)
    core = {
        "multipliers": [each / 2**20 for each in certificate.multipliers],
        "margin": float(1 - certificate.reach),
        "strongest_excluded": strongest,
    }
    return {
        "seats": outcome.parameters["seats"],
        "ejr_plus_ratio": float(certificate.ejr_ratio),
        "core": core if certificate.multipliers else None,
        "entitled": None if certificate.multipliers else strongest,
    }
