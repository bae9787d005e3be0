"""From what was selected to what is signed: the outcome in `selection/v1` and `constitution/v1`."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from auzolan.core.kinds.selection import Article, Certificate, Clause, NotIncluded, Outcome
from auzolan.core.rules.core_certificate import CoreCertificate
from auzolan.deliberate.ratify.conflicts import Conflict
from auzolan.deliberate.ratify.parameters import Parameters
from auzolan.deliberate.ratify.selection import Selected
from auzolan.deliberate.tally import Counts

EXCLUDED = "excluded by conflict"


def outcome_of(
    found: Selected,
    counts: Counts,
    by: Parameters,
    conflicts: Sequence[Conflict],
    rules_known: str,
    vetoing: Collection[str] = (),
) -> Outcome:
    """Return the outcome to sign.

    Margins, groups and resamples are told only as far as the tally tells the counts that they follow from.

    Args:
        found: what was selected.
        counts: of the tally, as published.
        by: the parameters.
        conflicts: pairs declared to exclude each other.
        rules_known: "before" or "after" the votes came in.
        vetoing: declared strata that may block.
    """
    withheld = counts.withheld_on(vetoing)
    told = {each.id: each.id not in withheld for each in counts.statements}
    told_of_all = {each.id: each.all is not None for each in counts.statements}

    def resampled(statement: int) -> tuple[int | None, int | None]:
        holds, unopposed = found.resampled[statement]
        return holds if told_of_all[statement] else None, unopposed if told[statement] else None

    articles = []
    for each in found.elected:
        judged, is_told = found.judged[each.candidate], told[each.candidate]
        margin, against = (judged.block_margin, judged.against) if is_told else (None, ())
        articles.append(Article(each.candidate, each.how, margin, *resampled(each.candidate), against))
    chosen = {each.statement for each in articles}
    others = []
    for statement, judged in found.judged.items():
        if statement in chosen:
            continue
        is_told = told[statement]
        others.append(
            NotIncluded(
                statement=statement,
                standing=EXCLUDED if statement in found.excluded else str(judged.standing),
                against=judged.against if is_told else (),
                rival=found.excluded.get(statement, found.undecided.get(statement)),
                admit_margin=judged.admit_margin if is_told else None,
                holds=resampled(statement)[0],
                unopposed=resampled(statement)[1],
            )
        )
    return Outcome(
        grade=found.grade,
        rules_known=rules_known,
        parameters=by.as_json(),
        conflicts=tuple(sorted({(min(pair), max(pair)) for pair in conflicts})),
        articles=tuple(articles),
        not_included=tuple(others),
        put_to_vote=found.put_to_vote,
        clauses=tuple(Clause(each.candidate, each.reach) for each in found.clauses),
        certificate=_certificate(found),
    )


def _certificate(found: Selected) -> Certificate | None:
    if found.proportional is None or found.core is None:
        return None
    return Certificate(
        ejr_statement=found.proportional.candidate,
        ejr_level=found.proportional.level,
        ejr_ratio=found.proportional.ratio,
        multipliers=found.core.multipliers if isinstance(found.core, CoreCertificate) else (),
        strongest=found.core.strongest if isinstance(found.core, CoreCertificate) else found.core.candidate,
        reach=found.core.reach,
    )
