"""Whether a data set's rows are what its record says, and whether they could have come about as they say.

A kit is pure, so most of the making can be done again without a model: which
articles apply, whether an answer follows them, what the gate would say of a
row, and what looks slipped in.

Checks
    1. Counts    those of the record are those of the rows; each prompt stands in one row; where a kit makes its own
                 questions, these are all of them.
    2. Articles  what a row names was ratified, or is an exercise stated before its prompt, as its number says.
    3. Turns     articles that apply by the kit had their turn, others had none; the final answer is what the
                 revisions that were taken made of the first.
    4. Gate      a learnt answer follows every article that had its turn, by program where one can tell; a row is
                 left out for the reason that its steps give, for a flag, or for its length.
    5. Flags     what looks like an attack is looked for again; each finding is flagged, and left out unless allowed.
Does not check: that a model gave these answers; what a judge or a router said, which is counted; a row's length.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from auzolan.core.kinds.constitution import Constitution
from auzolan.core.kinds.dataset import Dataset
from auzolan.core.record.errors import VerificationError
from auzolan.teach.dataset import article_rows, taking_part
from auzolan.teach.kit import Article, Kit, articles_of
from auzolan.teach.questions import exam_of, lessons_of
from auzolan.teach.revise import whys_left_out
from auzolan.teach.rows import FLAGGED, TOO_LONG, DataRow, Step
from auzolan.teach.settings import number_in
from auzolan.teach.suspicions import Suspicion, suspicions_of_articles
from auzolan.teach.suspicious_rows import TaughtRow, suspicions_of_rows

_EXERCISE = re.compile(r"x[1-9][0-9]{0,5}")


class Rechecked(NamedTuple):
    """What was found again: how many answers follow their article by program, and how many a judge took.

    Attributes:
        by_program: answers that were found to follow their article, again.
        by_judge: answers that a judge took, or a teacher routed, which nobody checks here.
        too_long: rows that are left out for their length, which nobody measures here.
    """

    by_program: int
    by_judge: int
    too_long: int = 0


@dataclass(frozen=True)
class _Law:
    """What a row is held against."""

    articles: Mapping[str, Article]
    taking_part: Sequence[Article]
    kit: Kit


def verify_rows(said: Dataset, rows: Sequence[DataRow], constitution: Constitution, kit: Kit) -> Rechecked:
    """Do the checks that the head of this module lists; the digest of the rows is the caller's matter.

    Args:
        said: the record's content.
        rows: read from the blob.
        constitution: what the record links to.
        kit: the one that the record names.

    Raises:
        VerificationError: something differs, and where.
    """
    articles = articles_of(constitution.ratified)
    _verify_counts(said, rows, articles)
    law = _Law(
        articles={article.number: article for article in articles},
        taking_part=taking_part(said, articles),
        kit=kit,
    )
    if kit.makes_prompts:
        _verify_questions(said, rows, law)
    tally = Counter(word for row in rows for word in _verify_row(row, law))
    for row, why in zip(rows, whys_left_out(rows, number_in(said.settings, "least")), strict=True):
        _verify_left_out(row, why)
    _verify_flags(said, rows, articles)
    too_long = sum(row.left_out.startswith(TOO_LONG) for row in rows)
    return Rechecked(tally["program"], tally["judge"], too_long)


def _verify_counts(said: Dataset, rows: Sequence[DataRow], articles: Sequence[Article]) -> None:
    """1. Counts."""
    least = number_in(said.settings, "least")
    counted = article_rows(articles, rows, {each.number: each.why_not for each in said.articles}, least)
    n_learnt = sum(row.is_learnt for row in rows)
    if (said.n_rows, said.n_learnt) != (len(rows), n_learnt):
        raise VerificationError(
            f"the record says {said.n_learnt:,} of {said.n_rows:,} rows are learnt, the rows say {n_learnt:,} of "
            f"{len(rows):,}"
        )
    if [each.number for each in said.articles] != [each.number for each in counted]:
        raise VerificationError("the record does not name the articles that were ratified")
    for one, other in zip(said.articles, counted, strict=True):
        if one != other:
            raise VerificationError(f"article {one.number}: the record counts its rows otherwise than they are")
    seen: dict[str, int] = {}
    for row in rows:
        if seen.setdefault(row.prompt.id, row.number) != row.number:
            raise VerificationError(f"row {row.number} asks the same as row {seen[row.prompt.id]}")


def _verify_questions(said: Dataset, rows: Sequence[DataRow], law: _Law) -> None:
    """1. Counts: the kit's own questions."""
    n, n_exam, seed = (number_in(said.settings, name) for name in ("prompts", "exam", "seed"))
    exam = exam_of(law.kit, law.taking_part, n_exam, seed)
    wanted = lessons_of(law.kit, law.taking_part, n, seed, exam)
    if [row.prompt.to_json() for row in rows] != [prompt.to_json() for prompt in wanted]:
        raise VerificationError("these are not the questions that the kit makes for these articles and this seed")


def _verify_row(row: DataRow, law: _Law) -> list[str]:
    """2. to 4. for one row; return for each answer that an article is followed in who said so."""
    _verify_turns(row, law)
    found = []
    for step in row.steps:
        if not (step.applies and step.is_taken):
            continue
        if step.judge not in ("program", "judge"):
            raise VerificationError(f"row {row.number}: nobody says that the answer follows article {step.article}")
        follows = law.kit.check(_article(row, step, law), row.prompt, row.first, row.final).follows
        if row.is_learnt and follows is False:
            raise VerificationError(f"row {row.number} is learnt and does not follow article {step.article}")
        if row.is_learnt:
            sure = follows and step.routed_by != Step.TEACHER
            found.append("program" if sure else "judge")
    return found


def _article(row: DataRow, step: Step, law: _Law) -> Article:
    """2. Articles."""
    if step.routed_by == Step.EXERCISE:
        stated = row.prompt.stated
        if stated is None or stated.number != step.article or not _EXERCISE.fullmatch(step.article):
            raise VerificationError(f"row {row.number}: {step.article[:20]!a} is no exercise stated before its prompt")
        return stated
    if step.article not in law.articles:
        raise VerificationError(f"row {row.number}: article {step.article[:20]} was not ratified")
    return law.articles[step.article]


def _verify_turns(row: DataRow, law: _Law) -> None:
    """3. Turns."""
    answer = row.first
    for step in row.steps:
        article = _article(row, step, law)
        applies = True if step.routed_by == Step.EXERCISE else law.kit.applies(article, row.prompt)
        if applies is not None and applies != step.applies:
            raise VerificationError(
                f"row {row.number}: article {step.article} {'applies' if applies else 'does not apply'}, and the row "
                "says otherwise"
            )
        if step.applies and step.is_taken and step.n_tries:
            answer = step.revision
    turns = {step.article for step in row.steps if step.applies}
    missed = [a for a in law.taking_part if a.number not in turns and law.kit.applies(a, row.prompt)]
    if missed:
        raise VerificationError(f"row {row.number}: article {missed[0].number} applies and had no turn")
    if row.prompt.stated is not None and row.prompt.stated.number not in turns:
        raise VerificationError(f"row {row.number}: the article stated before its prompt had no turn")
    if len(turns) != sum(step.applies for step in row.steps):
        raise VerificationError(f"row {row.number}: an article had two turns")
    if answer != row.final:
        raise VerificationError(f"row {row.number}: its final answer is not what the revisions made of the first")


def _verify_left_out(row: DataRow, reason: str) -> None:
    """4. Gate."""
    if row.is_learnt and reason:
        raise VerificationError(f"row {row.number} is learnt though the gate refused it: {reason[:80]}")
    if not row.is_learnt and not row.left_out.startswith((FLAGGED, TOO_LONG)) and row.left_out != reason:
        raise VerificationError(f"row {row.number} is left out for a reason that its steps do not give")


def taught_rows(rows: Sequence[DataRow]) -> list[TaughtRow]:
    """Return the rows that are learnt, or would be but for a flag: what is looked at for what was slipped in."""
    return [
        TaughtRow(row.number, row.articles, row.prompt.text, row.first, row.final)
        for row in rows
        if row.is_learnt or row.left_out.startswith(FLAGGED)
    ]


def suspicions_in(rows: Sequence[DataRow], articles: Sequence[Article]) -> list[Suspicion]:
    """Return what looks slipped into the rows, exercises' articles known."""
    stated = {row.prompt.stated.number: row.prompt.stated for row in rows if row.prompt.stated}
    return suspicions_of_rows(taught_rows(rows), [*articles, *stated.values()])


def flagged_rows(found: Sequence[Suspicion]) -> dict[int, str]:
    """Return number of a row -> why it is left out, for what nobody allowed."""
    rules: dict[int, list[str]] = {}
    for one in found:
        for number in one.rows:
            rules.setdefault(number, []).append(one.rule)
    return {number: f"{FLAGGED}{', '.join(dict.fromkeys(names))}" for number, names in rules.items()}


def _verify_flags(said: Dataset, rows: Sequence[DataRow], articles: Sequence[Article]) -> None:
    """5. Flags."""
    flags = {(each.where, each.reason): each for each in said.flags}
    taught = {each.number for each in said.articles if each.n_prompts}
    for one in suspicions_of_articles(articles):
        flag = flags.get((one.where, one.reason))
        if flag is None or (not flag.trained and one.where.split()[1] in taught):
            raise VerificationError(f"{one.where} looks like an attack ({one.rule}), and is not flagged and left out")
    found = suspicions_in(rows, articles)
    for one in found:
        if (one.where, f"{one.rule}: {one.reason}") not in flags:
            raise VerificationError(f"{one.where} look slipped in ({one.rule}), and are not flagged and left out")
    left_out = [one for one in found if not flags[one.where, f"{one.rule}: {one.reason}"].trained]
    wanted = flagged_rows(left_out)
    for row in rows:
        flagged = row.left_out if row.left_out.startswith(FLAGGED) else ""
        if flagged != wanted.get(row.number, ""):
            raise VerificationError(
                f"row {row.number}: {wanted.get(row.number, 'not flagged')} by what is found in it, and the row says "
                f"{flagged or 'it is not flagged'}"
            )
