"""Whether an adapter's record says what its answers amount to: counted again, by program. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from auzolan.core.kinds.constitution import Constitution
from auzolan.core.kinds.dataset import Dataset
from auzolan.core.kinds.teach import Adapter, Measured
from auzolan.core.record.errors import VerificationError
from auzolan.teach.adherence import Answered, measure
from auzolan.teach.dataset import taking_part
from auzolan.teach.kit import Article, Kit, articles_of
from auzolan.teach.questions import exam_of
from auzolan.teach.settings import number_in

COUNTED = (
    Measured.ADHERENCE,
    Measured.UNMET,
    Measured.SPILL_OVER,
    Measured.FACTS,
    Measured.OVER_REFUSAL,
)


def verify_measured(
    said: Adapter,
    dataset: Dataset,
    constitution: Constitution,
    kit: Kit,
    answered: Sequence[Answered],
    taught: Collection[str],
) -> list[Measured]:
    """Count the exam again and return what comes out.

    Checks: every count that a program can make from the answers on record; that no question stands there twice or was
    taught; and, where a kit makes its own questions, that these are all of them.
    Does not check: that the models gave these answers, or what public sets showed.

    Args:
        said, dataset, constitution: what the records say.
        kit: the one that the data set names.
        answered: the exam on record.
        taught: ids of the prompts that were learnt.

    Raises:
        VerificationError: a count is not what the answers amount to, or these are not the questions of the exam.
    """
    ratified = articles_of(constitution.ratified)
    _verify_questions(said, dataset, ratified, kit, answered, taught)
    asked_about = {each.number for each in dataset.articles if each.n_prompts}
    counted = measure(kit, [each for each in ratified if each.number in asked_about], answered)
    stated = [each for each in said.measured if each.name.casefold().strip() in COUNTED]
    for one in stated:
        if one.language:
            raise VerificationError(f"{one.name} in {one.language}: no count by language is made of an exam")
        again = next((each for each in counted if (each.name, each.number) == (one.name, one.number)), None)
        if again != one:
            raise VerificationError(
                f"{one.name}{' of article ' + one.number if one.number else ''}: the record says {one.after:,} of "
                f"{one.n:,} after teaching, the answers say {f'{again.after:,} of {again.n:,}' if again else 'nothing'}"
            )
    if len(stated) != len(counted):
        raise VerificationError("the record leaves out what the answers show")
    both = {each.name for each in said.measured} & {each.name for each in said.not_measured}
    if both:
        raise VerificationError(f"{min(both)[:60]}: called both measured and not measured")
    return counted


def _verify_questions(
    said: Adapter,
    dataset: Dataset,
    ratified: Sequence[Article],
    kit: Kit,
    answered: Sequence[Answered],
    taught: Collection[str],
) -> None:
    asked = [each.prompt for each in answered]
    if len({prompt.id for prompt in asked}) != len(asked):
        raise VerificationError("a question of the exam stands there twice")
    leaked = sum(prompt.id in taught for prompt in asked)
    if leaked:
        raise VerificationError(f"{leaked:,} questions of the exam were taught")
    if not kit.makes_prompts:
        return
    n_each, seed = (number_in(said.settings, name) for name in ("exam", "seed"))
    wanted = exam_of(kit, taking_part(dataset, ratified), n_each, seed)
    if [prompt.to_json() for prompt in asked] != [prompt.to_json() for prompt in wanted]:
        raise VerificationError("these are not the questions that the kit sets for these articles and this seed")
